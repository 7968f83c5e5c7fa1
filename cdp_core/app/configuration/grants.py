"""Roles in a file: of people and of groups, for the whole workspace or for one connection or segment alone.

Each grant is a change of its own, as it is granted and revoked by itself; its name says all of it:
`anna: viewer`, or `anna: viewer for connection Snapchat EU`. No login and no group's name holds a colon.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cdp_core.app.configuration.forms import Entry, Form
from cdp_core.app.configuration.views import Kind
from cdp_core.app.roles import Roles
from cdp_core.model.names import as_typed

if TYPE_CHECKING:
    from cdp_core.app.configuration.reading import Marked, Path_
    from cdp_core.store.state import State

KINDS: Mapping[str, Kind] = {"roles": "role", "groups": "group-role"}
SCOPES = ("connection", "segment")

# A role's key, or that with the connection or segment that it is for.
Item = str | dict[str, str]


def present_grants(state: State, sections: Collection[str]) -> Form:
    """What is granted, of these of the sections `roles` and `groups`."""
    names = {each.id: each.name for each in state.connections.all()}
    names |= {each.id: each.name for each in state.segments.all()}
    found: dict[str, dict[str, list[Item]]] = {section: {} for section in KINDS if section in sections}
    for grant in state.grants.every():
        section = "groups" if grant.holder_kind == "group" else "roles"
        if section in found and (grant.scope == "workspace" or grant.about in names):
            item = _item(grant.role, {grant.scope: names.get(grant.about)})
            found[section].setdefault(grant.holder, []).append(item)
    return {
        section: {holder: entry(items) for holder, items in sorted(holders.items())}
        for section, holders in found.items()
    }


def entry(items: Iterable[Item]) -> Entry:
    """In one order, each once."""
    listed = {_key(item): item for item in items}
    return {"granted": [listed[key] for key in sorted(listed)]}


def things(section: str, entries: Mapping[str, Any]) -> dict[str, Entry]:
    """Each grant by its name."""
    who = "group" if section == "groups" else "person"
    return {
        name_of(holder, item): {who: holder, **({"role": item} if isinstance(item, str) else item)}
        for holder, held in entries.items()
        for item in held["granted"]
    }


def name_of(holder: str, item: Item) -> str:
    if isinstance(item, str):
        return f"{holder}: {item}"
    scope = next(each for each in SCOPES if each in item)
    return f"{holder}: {item['role']} for {scope} {item[scope]}"


def is_scoped(kind: str, name: str) -> bool:
    """Whether it is a grant for one connection or segment alone."""
    return kind in KINDS.values() and bool(_parted(name)[2])


def carry_out(roles: Roles, *, kind: Kind, name: str, revoke: bool) -> None:
    holder, role, about = _parted(name)
    act = roles.revoke if revoke else roles.grant
    act(
        holder,
        role=role,
        group=kind == KINDS["groups"],
        connection=about.get("connection"),
        segment=about.get("segment"),
    )


def by_hand(kind: Kind, name: str) -> str:
    """The command that revokes it."""
    holder, role, about = _parted(name)
    group = "--group " if kind == KINDS["groups"] else ""
    scope = "".join(f" --{each} {as_typed(value)}" for each, value in about.items())
    return f"cdp role revoke {group}{as_typed(holder)} {role}{scope} --yes"


def places(marked: Marked, section: str) -> dict[str, Path_]:
    """Where a file says each grant, by its name."""
    found: dict[str, Path_] = {}
    for holder, listed in (marked.value.get(section) or {}).items():
        for at, said in enumerate(listed):
            item = _item(said, {}) if isinstance(said, str) else _item(said["role"], said)
            found.setdefault(name_of(tidy(holder), item), (section, holder, at))
    return found


def meant(
    holder: str,
    loaded: list[Entry],
    path: Path_,
    *,
    known: Mapping[str, Collection[str]],
    complain: Callable[[Path_, str], None],
    unknown: Callable[[Path_, str, str, Any], None],
) -> Entry:
    """What a file says of one person or group. `known` are the names of `role`s, `connection`s and
    `segment`s; what is not among them goes to `unknown`, other trouble to `complain`."""
    if ":" in holder:
        complain(path, "No login and no group's name holds a colon.")
    items = []
    for at, said in enumerate(loaded):
        scoped = {scope: tidy(said[scope]) for scope in SCOPES if said[scope] is not None}
        found = {"role": said["role"].strip().lower(), **scoped}
        for part, name in found.items():
            if name not in known[part]:
                where: Path_ = (*path, at, part) if scoped else (*path, at)
                unknown(where, part, said[part], known[part])
        items.append(_item(found["role"], scoped))
    return entry(items)


def named(known: Form, scope: str) -> Iterator[str]:
    """The connections or segments (`scope`) that a form's grants are for."""
    for section in KINDS:
        for held in known.get(section, {}).values():
            yield from (item[scope] for item in held["granted"] if isinstance(item, dict) and scope in item)


def roles_of(known: Form) -> Iterator[str]:
    """The roles that a form grants."""
    for section in KINDS:
        for held in known.get(section, {}).values():
            yield from (item if isinstance(item, str) else item["role"] for item in held["granted"])


def everywhere(people: Mapping[str, Any]) -> frozenset[str]:
    """The people who have a role in the whole workspace."""
    return frozenset(
        person for person, held in people.items() if any(isinstance(item, str) for item in held["granted"])
    )


def item_schema(roles: Iterable[str]) -> dict[str, Any]:
    """JSON Schema of an item."""
    role = {"type": "string", "enum": sorted(roles), "description": "A role's key."}
    scoped = {
        "type": "object",
        "properties": {
            "role": role,
            **{
                scope: {"type": "string", "description": f"The {scope} that it is for, by its name."}
                for scope in SCOPES
            },
        },
        "required": ["role"],
        "additionalProperties": False,
        "oneOf": [{"required": [scope]} for scope in SCOPES],
    }
    return {"oneOf": [role, scoped]}


def tidy(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def _item(role: str, about: Mapping[str, Any]) -> Item:
    key = role.strip().lower()
    for scope in SCOPES:
        if about.get(scope) is not None:
            return {"role": key, scope: tidy(about[scope])}
    return key


def _key(item: Item) -> tuple[int, str, str]:
    """The whole workspace first, then connections, then segments."""
    if isinstance(item, str):
        return (0, item, "")
    scope = next(each for each in SCOPES if each in item)
    return (1 + SCOPES.index(scope), item[scope], item["role"])


def _parted(name: str) -> tuple[str, str, dict[str, str]]:
    """Holder, role, and what it is for: names of connections may hold anything, those before may not."""
    holder, _, rest = name.partition(": ")
    role, _, about = rest.partition(" for ")
    scope, _, of = about.partition(" ")
    return holder, role, {scope: of} if about else {}
