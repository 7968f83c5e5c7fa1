"""When something recurs and when it comes next, in the language spoken.

English has words for every cron line. The other languages have them for times of the day and of weekdays,
which are what one sets; of any other they show the line.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cdp_core.cli.language import ENGLISH, _, marked, spoken

_WEEKDAYS = {
    "mon": marked("Mon"),
    "tue": marked("Tue"),
    "wed": marked("Wed"),
    "thu": marked("Thu"),
    "fri": marked("Fri"),
    "sat": marked("Sat"),
    "sun": marked("Sun"),
}


def recurring(english: str, lines: Iterable[str], timezone: str) -> str:
    """`english` is it in words, `lines` in cron's; nothing where nothing recurs."""
    if spoken() == ENGLISH or not english:
        return english
    return f"{'; '.join(map(_line, lines))} ({timezone})"


def _line(line: str) -> str:
    minute, hour, day, month, weekdays = line.split()
    if not (minute.isdecimal() and hour.isdecimal()) or (day, month) != ("*", "*"):
        return line
    time = f"{int(hour):02}:{int(minute):02}"
    if weekdays == "*":
        return _("every day at {time}").format(time=time)
    named = [_WEEKDAYS.get(each.lower()) for each in weekdays.split(",")]
    days = ", ".join(_(each) for each in named if each)
    return line if None in named else _("{days} at {time}").format(days=days, time=time)


def in_zone(when: datetime | None) -> str:
    """A moment on the clock of the zone that it is in: `Wed 2026-11-25 02:00 CET`."""
    if when is None:
        return ""
    weekday = _(tuple(_WEEKDAYS.values())[when.weekday()])
    return f"{weekday} {when:%Y-%m-%d %H:%M %Z}"
