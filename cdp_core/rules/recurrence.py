"""Recurrences: written as people say them, checked, and turned into moments.

Cron lines are read as Debian's cron reads them, clock changes included: a fixed time that the clock leaves
out in spring comes when it is over, one that it shows twice in autumn comes once, and what recurs every so
many minutes or hours goes on by the real time. Day of month and weekday are joined by “or” where both are
given; Sunday is 0 or 7.
"""

from __future__ import annotations

import difflib
import heapq
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.schedule import Recurrence

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Further back than this no missed moment is looked for.
LONGEST_BACK = timedelta(days=366)

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def daily(times: str, *, timezone: str) -> Recurrence:
    """Every day at each of the times: `02:00,14:00`."""
    return _checked([f"{minute} {hour} * * *" for hour, minute in _times(times)], timezone)


def weekly(days: str, times: str, *, timezone: str) -> Recurrence:
    """On each of the weekdays (`mon,thu`) at each of the times (`02:00`)."""
    named = [day.strip().lower()[:3] for day in days.split(",") if day.strip()]
    unknown = [day for day in named if day not in WEEKDAYS]
    if unknown or not named:
        raise _invalid(f"{days!r} names no weekdays", hint=f"any of {', '.join(WEEKDAYS)}, as in mon,thu")
    listed = ",".join(sorted(set(named), key=WEEKDAYS.index))
    return _checked([f"{minute} {hour} * * {listed}" for hour, minute in _times(times)], timezone)


def cron(line: str, *, timezone: str) -> Recurrence:
    """By a cron line of five fields."""
    return _checked([" ".join(line.split())], timezone)


def moments(recurrence: Recurrence, after: datetime) -> Iterator[datetime]:
    """Every moment after `after`, in the recurrence's zone, without end."""
    start = after.astimezone(ZoneInfo(recurrence.timezone))
    last = None
    for moment in heapq.merge(*(CronSim(line, start) for line in recurrence.lines), key=_in_utc):
        if last is None or _in_utc(moment) > _in_utc(last):
            yield moment
            last = moment


def latest(recurrence: Recurrence, after: datetime, until: datetime) -> tuple[datetime | None, int]:
    """The last moment after `after` and not after `until`, in UTC, and how many come before it."""
    found, before = None, -1
    for moment in moments(recurrence, max(after, until - LONGEST_BACK)):
        if _in_utc(moment) > until:
            break
        found, before = _in_utc(moment), before + 1
    return found, max(0, before)


def in_words(recurrence: Recurrence) -> str:
    """For people: `At 02:00 every day; at 14:00 every day (Europe/Amsterdam)`."""
    said = [CronSim(line, datetime(2000, 1, 1, tzinfo=UTC)).explain() for line in recurrence.lines]
    joined = "; ".join([said[0], *(each[:1].lower() + each[1:] for each in said[1:])])
    return f"{joined} ({recurrence.timezone})"


def _times(text: str) -> list[tuple[int, int]]:
    """(hour, minute) of each, in their order."""
    found = [_TIME.fullmatch(each.strip()) for each in text.split(",") if each.strip()]
    times = [(int(each[1]), int(each[2])) for each in found if each is not None]
    if not found or len(times) < len(found):
        raise _invalid(f"{text!r} is no time of day", hint="hours and minutes, as in 02:00 or 02:00,14:00")
    return sorted(set(times))


def _checked(lines: Iterable[str], timezone: str) -> Recurrence:
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = difflib.get_close_matches(timezone, available_timezones(), 1)
        hint = f"did you mean {near[0]}?" if near else "one such as Europe/Amsterdam, or UTC"
        raise _invalid(f"there is no time zone {timezone!r}", hint=hint) from None
    recurrence = Recurrence(lines=tuple(lines), timezone=timezone)
    for line in recurrence.lines:
        if len(line.split()) != 5:
            raise _invalid(f"{line!r} is no cron line", hint="minute hour day month weekday: '0 2 * * mon'")
        try:
            next(CronSim(line, datetime.now(zone)))
        except (CronSimError, StopIteration) as error:
            reason = str(error) or "it never comes"
            raise _invalid(
                f"{line!r} is no cron line: {reason}", hint="minute hour day month weekday: '0 2 * * mon'"
            ) from None
        except ValueError:  # a number of thousands of digits
            raise _invalid(
                "that is no cron line: a number is too long",
                hint="minute hour day month weekday: '0 2 * * mon'",
            ) from None
    return recurrence


def _invalid(message: str, *, hint: str) -> InvalidFault:
    return InvalidFault(Code.SCHEDULE_INVALID, message, hint=hint)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
