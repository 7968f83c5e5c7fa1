"""Words, numbers and times as people read them, and text from elsewhere made harmless for a terminal.

Everything that is printed and that a person or a service wrote passes through `plain`: a name or an
error text must not move the cursor, colour the screen or reverse the direction of writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cdp_core.cli.language import _, marked, ngettext, numerals
from cdp_core.model.names import as_typed
from cdp_core.model.run import Run, Shown

_SHOWN = {
    Shown.QUEUED: marked("Queued"),
    Shown.PROCESSING: marked("Processing"),
    Shown.PLANNED: marked("Planned"),
    Shown.SUCCESSFUL: marked("Successful"),
    Shown.FAILED: marked("Failed"),
    Shown.CANCELED: marked("Canceled"),
    Shown.SKIPPED: marked("Skipped"),
    Shown.WAITING: marked("Waiting for approval"),
}
STYLES = {
    "Queued": "cyan",
    "Processing": "yellow",
    "Planned": "cyan",
    "Successful": "green",
    "Failed": "red",
    "Canceled": "yellow",
    "Skipped": "yellow",
    "Waiting for approval": "yellow",
}


def plain(value: object) -> str:
    """A value as one line of text that cannot disturb a terminal."""
    text = "" if value is None else str(value)
    if text.isprintable():
        return text
    # What is not printable are control and format characters, the marks that reverse writing, and their like.
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def plain_lines(text: str) -> str:
    """The same for a text of several lines, which keep their ends."""
    return "\n".join(plain(line) for line in text.split("\n"))


def quoted(name: str) -> str:
    """A name as one types it on a command line."""
    return as_typed(plain(name))


def names(each: Iterable[str]) -> str:
    return ", ".join(each)


def settings(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The settings of a connection or an export, as lines of its details."""
    return [(_("Setting {name}").format(name=name), str(value)) for name, value in values.items()]


def shown_word(shown: Shown | str) -> str:
    return _SHOWN[Shown(shown)]


def outcome_word(run: Run) -> str:
    """The status of a run, in one word."""
    return shown_word(run.status.shown)


def count(number: int | None) -> str:
    return "" if number is None else numerals(f"{number:,}")


def counted(number: int, one: str, many: str = "") -> str:
    """`1 member`, `2 members`, in the language spoken."""
    return f"{count(number)} {ngettext(one, many or one + 's', number)}"


def moment(when: datetime | None) -> str:
    """A time on the clock of who reads it."""
    return "" if when is None else when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 04 s`, `2 h 05 min`."""
    if seconds < 10:
        return numerals(f"{seconds:.1f} s")
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def percent(part: int, whole: int) -> str:
    """`97.3 %`; empty where there is no whole."""
    return numerals(f"{100 * part / whole:.1f} %") if whole else ""
