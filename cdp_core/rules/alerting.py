"""When somebody is alerted: at each change, and never for a retry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from cdp_core.errors import Code, ExitStatus
from cdp_core.model.alert import AlertKind, Standing
from cdp_core.model.run import Run
from cdp_core.model.schedule import DueOutcome, DueRun
from cdp_core.model.sentence import Sentence

# Fewer runs make no habit.
FEWEST_SIZES = 3
LOOKED_BACK = 10

_KINDS = {ExitStatus.RECONNECT: AlertKind.RECONNECT, ExitStatus.GATE: AlertKind.GATE}


class Told(NamedTuple):
    kind: AlertKind
    message: str


def after(
    before: Standing, due: DueRun, sizes: Sequence[int], *, share: float, mended: bool = False
) -> tuple[Standing, tuple[Told, ...]]:
    """How an export stands when a due run begins or has ended, and what is to be told. `sizes` are
    its digests in the ledger after each of its whole runs, the oldest first, this run's among them where it
    was one; what other exports have put into the audience does not count. `mended` is whether a run that
    somebody started went through since the trouble: then the same one is another."""
    now = _standing(before, due, sizes, share)
    return now, tuple(_told(before, now, due, sizes, mended))


def _standing(before: Standing, due: DueRun, sizes: Sequence[int], share: float) -> Standing:
    if due.is_at_fault:
        code = due.message.partition(":")[0]
        return Standing(trouble=f"{_kind(due)} {code}", unusual=before.unusual)
    if due.outcome is DueOutcome.DONE:
        return Standing(unusual=_is_unusual(sizes, share))
    return before


def _told(before: Standing, now: Standing, due: DueRun, sizes: Sequence[int], mended: bool) -> Iterator[Told]:
    # Told as it begins, so that it is told though the attempt dies, and told once though others follow.
    if due.missed and due.attempts == 1 and due.outcome is DueOutcome.RUNNING:
        yield Told(
            AlertKind.MISSED, f"no scheduler ran it at {due.missed} of its moments; one run stands for all"
        )
    if now.trouble and (now.trouble != before.trouble or (mended and due.is_at_fault)):
        yield Told(_kind(due), due.message)
    if before.trouble and not now.trouble:
        yield Told(AlertKind.RECOVERED, "it runs again")
    if now.unusual and not before.unusual:
        usual = round(median(_earlier(sizes)))
        yield Told(
            AlertKind.UNUSUAL,
            f"it has {sizes[-1]:,} digests in the ledger; usually it has {usual:,}",
        )


def _kind(due: DueRun) -> AlertKind:
    if due.message.startswith(f"{Code.CLIENT_REFUSED}:"):
        # Signing in mends nothing there: settings do.
        return AlertKind.FAILED
    status = ExitStatus(due.exit_status) if due.exit_status in set(ExitStatus) else ExitStatus.FAULT
    return _KINDS.get(status, AlertKind.FAILED)


def leading_on(fault: str, last: Run | None, command: str) -> str:
    """What mends a fault (`CDP-608: …`) that an export's last run ended by too, and the `command` after it;
    the command alone where no such run says."""
    if last is None or not last.error_hint or not fault.startswith(f"{last.error_code}:"):
        return command
    mend = last.error_hint
    if command in mend:
        return mend
    if mend.endswith("run again"):
        return f"{mend}: {command}"
    return Sentence("{mend}, then: {command}", mend=mend, command=command)


def _is_unusual(sizes: Sequence[int], share: float) -> bool:
    earlier = _earlier(sizes)
    if len(earlier) < FEWEST_SIZES:
        return False
    usual = median(earlier)
    return abs(sizes[-1] - usual) > share * usual


def _earlier(sizes: Sequence[int]) -> Sequence[int]:
    return sizes[-1 - LOOKED_BACK : -1]
