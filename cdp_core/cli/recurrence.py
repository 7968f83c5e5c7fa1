"""The options that say when something recurs, and the recurrence that they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click

from cdp_core.errors import Code, UsageFault

if TYPE_CHECKING:
    from cdp_core.model.schedule import Recurrence

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    rich_click.option("--daily", metavar="TIMES", help="Every day at these times: 02:00 or 02:00,14:00."),
    rich_click.option("--weekly", metavar="DAYS", help="On these weekdays, with --at: mon,thu."),
    rich_click.option("--at", metavar="TIMES", help="The times of day for --weekly: 02:00."),
    rich_click.option(
        "--cron", metavar="LINE", help='A cron line: minute, hour, day, month, weekday, as "0 2 * * mon".'
    ),
    rich_click.option(
        "--timezone",
        metavar="ZONE",
        help="The time zone that the times are of, as Europe/Amsterdam. Default: this machine's.",
    ),
)


def recurrence_options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def typed_recurrence(
    *, daily: str | None, weekly: str | None, at: str | None, cron: str | None, timezone: str | None
) -> Recurrence | None:
    """What was typed; None where nothing was. Raises `UsageFault` where it contradicts itself."""
    from cdp_core.rules import recurrence

    given = [name for name, value in (("--daily", daily), ("--weekly", weekly), ("--cron", cron)) if value]
    if len(given) > 1:
        raise UsageFault(
            Code.USAGE, f"{' and '.join(given)} exclude each other", hint="give one of them; a cron line can "
            "say more than the others"
        )  # fmt: skip
    if bool(weekly) != bool(at):
        raise UsageFault(Code.USAGE, "--weekly and --at belong together", hint="--weekly mon,thu --at 02:00")
    if not given:
        if timezone is not None:
            raise UsageFault(Code.USAGE, "--timezone alone says no time", hint="--daily 02:00 --timezone …")
        return None
    zone = machines_zone() if timezone is None else timezone
    made: Any
    if daily:
        made = recurrence.daily(daily, timezone=zone)
    elif weekly:
        made = recurrence.weekly(weekly, str(at), timezone=zone)
    else:
        made = recurrence.cron(str(cron), timezone=zone)
    return made  # type: ignore[no-any-return]


def machines_zone() -> str:
    """This machine's time zone by its name; raises `UsageFault` where it has none that can be told."""
    import tzlocal

    try:
        return tzlocal.get_localzone_name()
    except (LookupError, ValueError, OSError):
        raise UsageFault(
            Code.MISSING_VALUE,
            "this machine does not say in which time zone it is",
            hint="--timezone Europe/Amsterdam",
        ) from None
