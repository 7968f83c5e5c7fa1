"""Measures prepare, compare and the ledger alone: seconds, processor seconds and peak memory at each station.

    python -m benchmarks.stations                       1 and 10 million profiles, three times each
    python -m benchmarks.stations --rows 1000000 --repeat 1
    python -m benchmarks.stations --match PHONE         phones, or MOBILE_AD_ID, in place of e-mails
    python -m benchmarks.stations --encrypted           with ledger and plans encrypted at rest

Each time is a process of its own, which makes four runs of one export, as they follow each other in
life: the first, one with nothing changed, one with 5 % of the people changed, and one with nothing
changed after that. Every digest is taken for accepted; nothing is sent. What is printed are medians;
memory is the process's peak up to the end of the station. The profiles are kept in `benchmarks/.data`.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from benchmarks import dirty_profiles
from cdp_core.contract.source import EngineContext, Selection
from cdp_core.engines.duckdb.engine import DuckDBEngine
from cdp_core.model.configuration import Match, ProfileSource, Segment
from cdp_core.model.delivery import OF_DIGESTS, BatchOutcome, BatchStatus
from cdp_core.model.ledger import LedgerFile
from cdp_core.model.policy import Region
from cdp_core.pipeline import ledger
from cdp_core.pipeline.compare import compare
from cdp_core.pipeline.plan import Plan
from cdp_core.pipeline.prepare import Prepared, prepare
from cdp_core.pipeline.seal import KEY_SIZE, Seal
from cdp_core.rules.identifiers import BUILT_IN_KINDS

ROOT = Path(__file__).parent.parent
DATA = ROOT / "benchmarks" / ".data"
CHANGED = 0.05

T = TypeVar("T")
Measured = dict[str, tuple[float, float, float]]


class Stations:
    """One export's runs; of each station the wall and processor seconds, and the peak memory in MB."""

    def __init__(self, folder: Path, kind: str, seal: Seal) -> None:
        self._kind = kind
        self._seal = seal
        self.measured: Measured = {}
        self._folder = folder
        self._ledger = folder / "ledger"
        self._ledger.mkdir()
        self._files: tuple[LedgerFile, ...] = ()

    def run(self, name: str, profiles: Path) -> None:
        scratch = self._folder / f"scratch of {name}"
        scratch.mkdir()
        self._watch(f"{name}: verify the ledger", lambda: ledger.verify(self._ledger, self._files))
        found = self._watch(f"{name}: prepare", lambda: self._prepare(profiles, scratch))
        plan = self._watch(f"{name}: compare", lambda: self._compare(found, self._folder / f"plan of {name}"))
        assert all(counts.balances for counts in plan.counts.values())
        outcomes = self._watch(f"{name}: read the batches", lambda: list(_accepted(plan, self._kind)))
        self._files = self._watch(
            f"{name}: ledger",
            lambda: ledger.apply(self._ledger, self._files, plan, outcomes, export_id="export"),
        )

    def _watch(self, station: str, work: Callable[[], T]) -> T:
        began, used = time.perf_counter(), time.process_time()
        result = work()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.measured[station] = (time.perf_counter() - began, time.process_time() - used, peak)
        return result

    def _prepare(self, profiles: Path, scratch: Path) -> Prepared:
        source = ProfileSource(url=str(profiles), key="customer_id")
        selection = Selection(
            segments=(Segment(id="1", name="Everybody", where="true"),),
            matching=(Match(kind=self._kind, field=self._kind.lower()),),
            kinds=BUILT_IN_KINDS,
            region=Region(field="country"),
        )
        with DuckDBEngine(EngineContext(source=source, scratch=scratch)) as engine:
            return prepare(engine, selection, scratch, lambda members: None, seal=self._seal)

    def _compare(self, found: Prepared, folder: Path) -> Plan:
        return compare(
            found,
            ledger_folder=self._ledger,
            files=self._files,
            export_id="export",
            folder=folder,
            seal=self._seal,
        )


def _accepted(plan: Plan, kind: str) -> Iterator[BatchOutcome]:
    for operation in OF_DIGESTS:
        for batch, digests in plan.blocks(operation, kind, 100_000):
            assert len(digests) == batch.count
            yield BatchOutcome(range=batch, status=BatchStatus.ACCEPTED)


def measure(before: Path, after: Path, kind: str, *, encrypted: bool) -> Measured:
    """Four runs of one export in this process."""
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        stations = Stations(Path(folder), kind, Seal(lambda: bytes(KEY_SIZE), encrypts=encrypted))
        for name, profiles in (("first", before), ("same", before), ("5 %", after), ("same again", after)):
            stations.run(name, profiles)
    return stations.measured


def in_processes(rows: int, repeat: int, kind: str, *, encrypted: bool) -> Measured:
    before, after = DATA / f"profiles-{rows}.parquet", DATA / f"profiles-{rows}-changed.parquet"
    for path, changed in ((before, 0.0), (after, CHANGED)):
        if not path.exists():
            dirty_profiles.write(path, rows, changed)
    command = [sys.executable, "-m", "benchmarks.stations", "--match", kind]
    command += ["--measure", str(before), str(after), *(["--encrypted"] if encrypted else [])]
    times: list[Measured] = [
        json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
        for _ in range(repeat)
    ]
    return {
        station: (
            statistics.median(each[station][0] for each in times),
            statistics.median(each[station][1] for each in times),
            statistics.median(each[station][2] for each in times),
        )
        for station in times[0]
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--match", choices=list(BUILT_IN_KINDS), default="EMAIL")
    parser.add_argument("--encrypted", action="store_true", help="ledger and plans encrypted at rest")
    parser.add_argument("--measure", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        before, after = options.measure
        print(json.dumps(measure(before, after, options.match, encrypted=options.encrypted)))
        return
    table = Table("station", title=f"{options.match}, medians of {options.repeat}")
    columns = []
    for rows in options.rows:
        for heading in (f"{rows:,}: s", "CPU s", "peak MB"):
            table.add_column(heading, justify="right")
        columns.append(in_processes(rows, options.repeat, options.match, encrypted=options.encrypted))
    for station in columns[0]:
        cells = [
            cell
            for column in columns
            for cell in (
                f"{column[station][0]:.2f}",
                f"{column[station][1]:.2f}",
                f"{column[station][2]:.0f}",
            )
        ]
        table.add_row(station, *cells)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
