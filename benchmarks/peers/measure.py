"""Runs everybody through two days at one size, in turn, against one service."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import dirty_profiles
from benchmarks.loopback import Service, Took, environment, simulator
from benchmarks.peers.audience import Difference, compare, should_be
from benchmarks.peers.contestants import OURS, Contestant

DATA = Path(__file__).parents[1] / ".data"
CHANGED = 0.01
LATENCY = 0.2
SLOW = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One process, and what the service was sent by it."""

    took: Took
    requests: int
    identifiers: int


@dataclass(slots=True)
class Seen:
    """One contestant's runs, and the audience after the last of them."""

    first: list[Day] = field(default_factory=list)
    same: list[Day] = field(default_factory=list)
    second: list[Day] = field(default_factory=list)
    audience: Difference | None = None


Results = dict[str, Seen]


def median(days: Sequence[Day]) -> float:
    return statistics.median(day.took.seconds for day in days)


def profiles(rows: int, changed: float) -> Path:
    path = DATA / (f"profiles-{rows}-{changed:g}.parquet" if changed else f"profiles-{rows}.parquet")
    if not path.exists():
        dirty_profiles.write(path, rows, changed)
    return path


class Bench:
    """One size: a folder for each contestant, and the profiles of both days."""

    def __init__(self, folder: Path, service: Service, rows: int) -> None:
        self._folder = folder
        self._service = service
        self._before, self._after = profiles(rows, 0.0), profiles(rows, CHANGED)
        self._days = should_be(self._before), should_be(self._after)

    def through(self, one: Contestant, seen: Seen) -> None:
        """Both days, from an empty audience and a tool that has never run; once, who is there after them."""
        folder = self._folder / one.name
        folder.mkdir(exist_ok=True)
        self._service.empty()
        self._use(folder, self._before)
        one.prepare(folder, self._service)
        seen.first.append(self._day(one, folder))
        if one.name == OURS:
            seen.same.append(self._day(one, folder))
            assert seen.same[-1].requests == 0, "nothing changed, and something was sent"
        self._use(folder, self._after)
        seen.second.append(self._day(one, folder))
        if seen.audience is None:
            held = folder / "members"
            self._service.write_members(held)
            seen.audience = compare(held, *self._days)
            held.unlink()

    def _day(self, one: Contestant, folder: Path) -> Day:
        self._service.forget_requests()
        took = one.run(folder, self._service)
        return Day(
            took=took,
            requests=self._service.users_requests(),
            identifiers=self._service.identifiers(),
        )

    def _use(self, folder: Path, path: Path) -> None:
        today = folder / "profiles.parquet"
        today.unlink(missing_ok=True)
        os.link(path, today)


def measure(
    everybody: Sequence[Contestant], rows: int, repeat: int, say: Callable[[str], None], slow: float = SLOW
) -> Results:
    """Each contestant `repeat` times in turn; once where the first run took more than `slow` seconds."""
    DATA.mkdir(exist_ok=True)
    results = {one.name: Seen() for one in everybody}
    with (
        tempfile.TemporaryDirectory(dir=DATA) as name,
        simulator(Path(name), environment(), LATENCY) as service,
    ):
        bench = Bench(Path(name), service, rows)
        for number in range(repeat):
            for one in everybody:
                seen = results[one.name]
                if seen.first and one.name != OURS and seen.first[0].took.seconds > slow:
                    continue
                bench.through(one, seen)
                took = seen.first[-1].took.seconds, seen.second[-1].took.seconds
                say(f"{rows:,} profiles, {number + 1} of {repeat}, {one.name}: {took[0]:.1f} s, {took[1]:.1f} s")
    return results
