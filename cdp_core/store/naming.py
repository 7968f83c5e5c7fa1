"""The faults of names: one that leads nowhere, with those that are near it, and one that is in use."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.names import as_typed


def missing(what: str, name: str, known: Iterable[str]) -> InvalidFault:
    """There is no such thing; `what` is its kind (a segment), `known` the names that there are."""
    folded = {other.casefold(): other for other in known}
    near = [folded[found] for found in difflib.get_close_matches(name.casefold(), folded, n=3)]
    if near:
        hint = "did you mean " + " or ".join(f'"{other}"' for other in near) + "?"
    else:
        hint = f"`cdp {what} list` shows those that there are"
    if not folded:
        hint = f"there is no {what} yet; `cdp {what} add` makes one"
    return InvalidFault(Code.NOT_FOUND, f'there is no {what} "{name}"', where=f"{what} {name}", hint=hint)


def gone(what: str, identity: str) -> InvalidFault:
    """Something that is referred to by its id is not there any more."""
    return InvalidFault(
        Code.NOT_FOUND,
        f"there is no {what} with the id {identity} any more",
        where=f"{what} {identity}",
        hint=f"somebody may have removed it meanwhile; `cdp {what} list` shows those that there are",
    )


def taken(what: str, name: str) -> InvalidFault:
    return InvalidFault(
        Code.NAME_TAKEN,
        f'{"an" if what[0] in "aeiou" else "a"} {what} named "{name}" is there already',
        hint=f"choose another name; `cdp {what} show {as_typed(name)}` shows the one that has it",
    )
