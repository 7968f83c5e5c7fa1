"""Runs everybody through two days at one size, in turn, against one service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.loopback import ROOT, Service, environment, simulator
from benchmarks.peers.contestants import OURS, Contestant
from benchmarks.peers.days import Day, Difference, Results, Seen

DATA = ROOT / "benchmarks" / ".data"
CHANGED = 0.01
LATENCY = 0.2
SLOW = 30.0
DEATHS = 2


def profiles(rows: int, changed: float) -> Path:
    path = DATA / (f"profiles-{rows}-{changed:g}.parquet" if changed else f"profiles-{rows}.parquet")
    if not path.exists():
        _ours("dirty_profiles", str(path), "--rows", str(rows), "--changed", str(changed))
    return path


def _ours(module: str, *options: str) -> bytes:
    """In a process of its own: one that is started begins with the peak memory of the one it came from."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *options]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout


class Bench:
    """One size: a folder for each contestant, and the profiles of both days."""

    def __init__(self, folder: Path, service: Service, rows: int) -> None:
        self._folder = folder
        self._service = service
        self._before, self._after = profiles(rows, 0.0), profiles(rows, CHANGED)

    def through(self, one: Contestant, seen: Seen) -> None:
        """Both days, from an empty audience and a tool that has never run; once, who is there after them.
        A round that a peer's process does not live through is not counted, and done anew."""
        while True:
            try:
                return self._round(one, seen)
            except subprocess.CalledProcessError as ended:
                if one.name == OURS or ended.returncode >= 0 or seen.died == DEATHS:
                    raise
                seen.died += 1

    def _round(self, one: Contestant, seen: Seen) -> None:
        folder = self._folder / one.name
        folder.mkdir(exist_ok=True)
        self._service.empty()
        self._use(folder, self._before)
        one.prepare(folder, self._service)
        first = self._day(one, folder)
        if one.name == OURS:
            seen.same.append(self._day(one, folder))
            assert seen.same[-1].requests == 0, "nothing changed, and something was sent"
        self._use(folder, self._after)
        second = self._day(one, folder)
        seen.first.append(first)
        seen.second.append(second)
        if seen.audience is None:
            seen.audience = self._compare(folder / "members")

    def _day(self, one: Contestant, folder: Path) -> Day:
        self._service.forget_requests()
        took = one.run(folder, self._service)
        assert self._service.refused() == 0, f"{one.name} was refused something"
        return Day(
            took=took,
            requests=self._service.users_requests(),
            identifiers=self._service.identifiers(),
        )

    def _compare(self, held: Path) -> Difference:
        self._service.write_members(held)
        found = json.loads(_ours("peers.audience", str(held), str(self._before), str(self._after)))
        held.unlink()
        return Difference(**found)

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
                took = f"{seen.first[-1].took.seconds:.1f} s, {seen.second[-1].took.seconds:.1f} s"
                say(f"{rows:,} profiles, {number + 1} of {repeat}, {one.name}: {took}")
    return results
