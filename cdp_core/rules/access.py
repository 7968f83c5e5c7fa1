"""Who may do what: the core's table of role and action, and how opinions become a decision.

The table follows the model system: connections are the Administrator's, who says where data may go;
a Contributor says what goes, through connections that are shared with them; a Viewer looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cdp_core.model.access import Action, Actor, Decision, Opinion, Resource, Role

VIEWER = Role(
    key="viewer",
    label="Viewer",
    actions=frozenset(
        {
            Action.WHOAMI,
            Action.WORKSPACE_CHECK,
            Action.SEGMENT_LIST,
            Action.SEGMENT_SHOW,
            Action.EXPORT_LIST,
            Action.EXPORT_SHOW,
            Action.EXPORT_HISTORY,
            Action.EXPORT_SHOW_RUN,
            Action.EXPORT_APPROVALS,
            Action.SCHEDULE_SHOW,
            Action.STATUS_SHOW,
            Action.PLUGIN_LIST,
        }
    ),
)
CONTRIBUTOR = Role(
    key="contributor",
    label="Contributor",
    actions=frozenset(
        {
            Action.PROFILES_LINT,
            Action.SEGMENT_ADD,
            Action.SEGMENT_REFRESH,
            Action.SEGMENT_SWITCH,
            Action.SEGMENT_REMOVE,
            Action.CONNECTION_LIST,
            Action.CONNECTION_SHOW,
            Action.CONNECTION_AUDIENCES,
            Action.EXPORT_OPTIONS,
            Action.EXPORT_ADD,
            Action.EXPORT_ADD_EACH,
            Action.EXPORT_STATUS,
            Action.EXPORT_EDIT,
            Action.EXPORT_DUPLICATE,
            Action.EXPORT_DETACH,
            Action.EXPORT_ATTACH,
            Action.EXPORT_REMOVE,
            Action.EXPORT_PLAN,
            Action.EXPORT_RUN,
            Action.EXPORT_RESYNC,
            Action.EXPORT_CANCEL,
            Action.EXPORT_REJECTED,
            Action.EXPORT_SCHEDULE,
            Action.SUPPRESSION_ADD,
            Action.SUPPRESSION_IMPORT,
        }
    ),
    includes=frozenset({"viewer"}),
)
ADMINISTRATOR = Role(
    key="administrator",
    label="Administrator",
    actions=frozenset(Action),
    includes=frozenset({"contributor"}),
)
BUILT_IN_ROLES: Mapping[str, Role] = {role.key: role for role in (VIEWER, CONTRIBUTOR, ADMINISTRATOR)}

# Acts that a person does for themselves: agreeing in somebody else's name is worth nothing.
PERSONAL_ACTIONS = frozenset(
    {
        Action.CONNECTION_AGREE,
        Action.CONNECTION_EXPORT_USER,
        Action.EXPORT_APPROVE,
        Action.EXPORT_REJECT,
        Action.ERASE,
    }
)

# What a Contributor does through a connection, and so only through one that is shared with them.
THROUGH_A_CONNECTION = frozenset(
    {
        Action.CONNECTION_SHOW,
        Action.CONNECTION_AUDIENCES,
        Action.EXPORT_OPTIONS,
        Action.EXPORT_ADD,
        Action.EXPORT_ADD_EACH,
        Action.EXPORT_STATUS,
        Action.EXPORT_EDIT,
        Action.EXPORT_DUPLICATE,
        Action.EXPORT_DETACH,
        Action.EXPORT_ATTACH,
        Action.EXPORT_REMOVE,
        Action.EXPORT_PLAN,
        Action.EXPORT_RUN,
        Action.EXPORT_RESYNC,
        Action.EXPORT_CANCEL,
        Action.EXPORT_REJECTED,
        Action.EXPORT_SCHEDULE,
        Action.EXPORT_APPROVE,
        Action.EXPORT_REJECT,
    }
)


# Of an export of whole rows, what says which rows leave, or has them leave. Ending a run is anybody's.
OF_WHOLE_ROWS = THROUGH_A_CONNECTION - {
    Action.CONNECTION_SHOW,
    Action.CONNECTION_AUDIENCES,
    Action.EXPORT_OPTIONS,
    Action.EXPORT_STATUS,
    Action.EXPORT_CANCEL,
}


def all_roles(granted: Iterable[str], roles: Mapping[str, Role]) -> frozenset[str]:
    """The roles granted and every role that they include; unknown ones give nothing."""
    found: set[str] = set()
    waiting = list(granted)
    while waiting:
        key = waiting.pop()
        if key in roles and key not in found:
            found.add(key)
            waiting.extend(roles[key].includes)
    return frozenset(found)


def actions_of(granted: Iterable[str], roles: Mapping[str, Role]) -> frozenset[Action]:
    return frozenset(action for key in all_roles(granted, roles) for action in roles[key].actions)


def core_opinion(actor: Actor, action: Action, resource: Resource, roles: Mapping[str, Role]) -> Opinion:
    """What the core's own table says."""
    held = all_roles(actor.roles, roles)
    if not held:
        return Opinion(verdict="deny", reason=f"{actor.name} has no role in this workspace")
    if action not in actions_of(held, roles):
        labels = " or ".join(sorted(roles[key].label for key in actor.roles if key in roles))
        return Opinion(verdict="deny", reason=f"that is not part of the role {labels}")
    if resource.payload == "records" and action in OF_WHOLE_ROWS and "administrator" not in held:
        return Opinion(verdict="deny", reason="whole rows leave by it, which takes an Administrator")
    if "administrator" in held or action not in THROUGH_A_CONNECTION or resource.shared_with is None:
        return Opinion(verdict="allow", reason="the role includes it")
    if resource.shared_with & (held | {actor.name}):
        return Opinion(verdict="allow", reason="the connection is shared")
    return Opinion(verdict="deny", reason=f"the connection behind it is not shared with {actor.name}")


def decide(opinions: Iterable[Opinion]) -> Decision:
    """No allow means denied; any deny wins."""
    voiced = tuple(opinions)
    for opinion in voiced:
        if opinion.verdict == "deny":
            return Decision(allowed=False, reason=f"{opinion.reason} ({opinion.by})", opinions=voiced)
    for opinion in voiced:
        if opinion.verdict == "allow":
            return Decision(allowed=True, reason=opinion.reason, opinions=voiced)
    return Decision(allowed=False, reason="nobody allows it", opinions=voiced)
