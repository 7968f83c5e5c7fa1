"""What differs between a file and the workspace, what was made of it, and what is left to people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.render.words import counted, plain, quoted

if TYPE_CHECKING:
    from cdp_core.app.configuration.views import ConfigApplied, ConfigChange, ConfigDiff, NotInFile

_SIGNS = {"add": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}
_DONE = {"add": "Added", "change": "Changed", "remove": "Removed"}


def diff(found: ConfigDiff) -> Iterator[RenderableType]:
    """`+` will be added, `~` changed, `-` removed; `?` is in the workspace and not in the file."""
    for change in found.changes:
        yield from _change(change)
    for each in found.not_in_file:
        yield from _extra(each)
    if not found.differs:
        yield f"Nothing differs: {counted(found.same, 'thing')} as {plain(found.file)} says."
    else:
        said = f"{counted(len(found.changes), 'change')}, {found.same:,} as the file says"
        extra = f", {len(found.not_in_file):,} not in the file" if found.not_in_file else ""
        yield f"{said}{extra}."


def done(change: ConfigChange) -> str:
    return f"{_DONE[change.act]} {change.kind} {quoted(change.name)}."


def applied(found: ConfigApplied, *, pruned: bool) -> Iterator[RenderableType]:
    if found.dry_run:
        for change in found.changes:
            yield from _change(change)
    for each in found.not_in_file:
        yield from _extra(each)
    number = counted(len(found.changes), "change")
    if not found.changes:
        yield f"Nothing to change: {counted(found.same, 'thing')} as {plain(found.file)} says."
    elif found.dry_run:
        yield f"Everything was checked, and nothing done: {number} would be made."
    else:
        yield f"{number} made."
    if any(not each.stays for each in found.not_in_file) and not pruned:
        yield "What is not in the file stays as it is; --prune removes it."
    for sentence in found.remarks:
        yield Text(plain(sentence), style="yellow")
    if found.steps:
        yield "Before anything can be sent, somebody has to type:"
        for step in found.steps:
            yield f"  {plain(step)}"


def _change(change: ConfigChange) -> Iterator[Text]:
    sign, style = _SIGNS[change.act]
    line = f"  (line {change.line})" if change.line else ""
    yield Text.assemble((f"{sign} {change.kind} {quoted(change.name)}", style), (line, "dim"))
    if change.kind in ("role", "group-role"):
        return
    for each in change.differences:
        way = plain(each.field)
        if change.act == "add":
            yield Text(f"    {way}: {_value(each.after)}", style=style)
            continue
        if each.before is not None:
            yield Text(f"  - {way}: {_value(each.before)}", style="red")
        if each.after is not None:
            yield Text(f"  + {way}: {_value(each.after)}", style="green")


def _extra(each: NotInFile) -> Iterator[Text]:
    yield Text.assemble((f"? {each.kind} {quoted(each.name)}", "cyan"), ("  not in the file", "dim"))
    if each.stays:
        yield Text(f"    stays: {plain(each.stays)}", style="yellow")
    if each.stays and each.hint:
        yield Text(f"    mend: {plain(each.hint)}", style="dim")


def _value(value: Any) -> str:
    return plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
