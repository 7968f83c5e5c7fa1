"""Who may do what: the core's table of role and action, and how opinions become a decision.

The table follows the model system: connections are the Administrator's, who says where data may go;
a Contributor says what goes, through connections that are shared with them; a Viewer looks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from cdp_core.model.access import Action, Actor, Decision, Grant, Opinion, Resource, Role

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
            Action.CONFIG_SCHEMA,
            Action.CONFIG_EXPORT,
            Action.CONFIG_DIFF,
            Action.CONFIG_APPLY,
            Action.SEGMENT_ADD,
            Action.SEGMENT_EDIT,
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
        Action.CONSENT_WITHDRAW,
        Action.ERASE,
        Action.EXPORT_APPROVE,
        Action.EXPORT_REJECT,
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


# Lists that hold no more than what one may see, each by itself.
_OF_WHAT_ONE_SEES = frozenset({Action.CONNECTION_LIST, Action.EXPORT_LIST, Action.SEGMENT_LIST})
# What somebody with a role for a segment has to see of a connection, to send that segment through it.
_WITHOUT_MEMBERS = frozenset({Action.CONNECTION_SHOW, Action.CONNECTION_AUDIENCES, Action.EXPORT_OPTIONS})


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


def granted_here(actor: Actor, action: Action, resource: Resource) -> tuple[Grant, ...]:
    """The actor's grants for one connection or segment alone that cover this act. Of segments, all that an
    export has must be granted in the same role."""
    return tuple(grant for grant in actor.grants if _covers(grant, actor, action, resource))


def core_opinion(actor: Actor, action: Action, resource: Resource, roles: Mapping[str, Role]) -> Opinion:
    """What the core's own table says, and, unless it is simply the person's own, where the role is from."""
    scoped = granted_here(actor, action, resource)
    given = {*actor.roles, *(grant.role for grant in scoped)}
    held = all_roles(given, roles)
    if not held:
        return Opinion(verdict="deny", reason=_without_a_role(actor, roles))
    if action not in actions_of(held, roles):
        labels = " or ".join(sorted(roles[key].label for key in given if key in roles))
        return Opinion(verdict="deny", reason=f"that is not part of the role {labels}")
    if resource.payload == "records" and action in OF_WHOLE_ROWS and "administrator" not in held:
        return Opinion(verdict="deny", reason="whole rows leave by it, which takes an Administrator")
    whence = _whence(actor, action, scoped, roles)
    if "administrator" in held or action not in THROUGH_A_CONNECTION or resource.shared_with is None:
        return Opinion(verdict="allow", reason=f"the role includes it{whence}")
    # A role for the connection itself shares it.
    through = {grant.role for grant in scoped if grant.scope == "connection"}
    if resource.shared_with & (held | {actor.name}) or action in actions_of(through, roles):
        return Opinion(verdict="allow", reason=f"the connection is shared{whence}")
    return Opinion(verdict="deny", reason=f"the connection behind it is not shared with {actor.name}")


def _without_a_role(actor: Actor, roles: Mapping[str, Role]) -> str:
    known = [grant for grant in actor.grants if grant.role in roles]
    if known:
        return f"{actor.name} has roles for a connection or a segment alone, and this is about something else"
    if actor.grants:
        lost = ", ".join(sorted({grant.role for grant in actor.grants}))
        return f"nothing declares the role of {actor.name}: {lost}"
    return f"{actor.name} has no role in this workspace"


def _covers(grant: Grant, actor: Actor, action: Action, resource: Resource) -> bool:
    if grant.scope == "workspace":
        return False
    if action is Action.WHOAMI or (action in _OF_WHAT_ONE_SEES and not resource.name):
        return True
    if grant.scope == "connection":
        return resource.connection_id == grant.about
    if action in _WITHOUT_MEMBERS:
        return True
    same = {other.about for other in actor.grants if other.scope == "segment" and other.role == grant.role}
    return bool(resource.segment_ids) and resource.segment_ids <= same


def _whence(actor: Actor, action: Action, scoped: Collection[Grant], roles: Mapping[str, Role]) -> str:
    """What there is to say of where the role is from: a group, one connection alone, `cdp.toml`, a plugin."""
    told = [
        _told(grant, roles[grant.role])
        for grant in actor.grants
        if (grant.scope == "workspace" or grant in scoped) and action in actions_of({grant.role}, roles)
    ]
    return "" if not told else min(told, key=len)


def _told(grant: Grant, role: Role) -> str:
    to = f" to the group {grant.holder}" if grant.holder_kind == "group" else ""
    scope = "" if grant.scope == "workspace" else f" for this {grant.scope}"
    if not (to or scope or role.declared_by):
        return ""
    declared = f", declared by {role.declared_by}" if role.declared_by else ""
    granted = f", granted{to}{scope}" if to or scope else ""
    return f" ({role.label}{declared}{granted})"


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
