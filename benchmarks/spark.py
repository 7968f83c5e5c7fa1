"""Measures preparing with Spark beside DuckDB, over the same file: seconds, and the memory of all processes.

    python -m benchmarks.spark                          10 million profiles, three times each
    python -m benchmarks.spark --rows 1000000 --repeat 1

Each time is a process of its own: it opens the engine, and prepares the e-mail addresses of everybody. Both
must count every value alike, else the benchmark stops. Spark is `local[2]`, with its own default of memory.
What is printed are medians; memory is the largest sum over the process and all that it starts, Java and the
rules' workers included, of what is theirs and their part of what they share. The profiles are kept in
`benchmarks/.data`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import dirty_profiles
from cdp_core.contract.source import EngineContext, Selection
from cdp_core.engines import BUILT_IN_SOURCES
from cdp_core.model.configuration import Match, ProfileSource, Segment
from cdp_core.pipeline.prepare import prepare
from cdp_core.rules.identifiers import BUILT_IN_KINDS

ROOT = Path(__file__).parent.parent
DATA = ROOT / "benchmarks" / ".data"
SAMPLED_EVERY = 0.5
ENGINES = ("duckdb", "spark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds to open the engine and to prepare; processor seconds and peak MB of all processes; and what
    was found, which must be the same for all engines."""

    opened: float
    prepared: float
    found: Mapping[str, int]
    processor: float = 0.0
    peak: float = 0.0


def measure(engine: str, profiles: Path) -> Measured:
    """In this process."""
    url = str(profiles) if engine == "duckdb" else f"spark://local[2]#parquet.`{profiles}`"
    spec = next(each for each in BUILT_IN_SOURCES if each.accepts(url))
    selection = Selection(
        segments=(Segment(id="1", name="Everybody", where="true"),),
        matching=(Match(kind="EMAIL", field="email"),),
        kinds=BUILT_IN_KINDS,
    )
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        began = time.perf_counter()
        source = ProfileSource(url=url, key="customer_id")
        with spec.open(EngineContext(source=source, scratch=Path(folder))) as opened:
            ready = time.perf_counter()
            found = prepare(opened, selection, Path(folder), lambda members: None)
            done = time.perf_counter()
    share = found.kinds["EMAIL"]
    counts = {"profiles": found.profiles, "duplicate keys": found.duplicate_keys, "distinct": share.distinct}
    counts |= {str(reason): values for reason, values in sorted(share.reasons.items()) if values}
    return Measured(opened=ready - began, prepared=done - ready, found=counts)


def watched(engine: str, profiles: Path) -> Measured:
    """In a process of its own, whose tree is sampled."""
    command = [sys.executable, "-m", "benchmarks.spark", "--measure", engine, str(profiles)]
    peak, used = 0.0, dict[int, float]()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        root = psutil.Process(process.pid)
        while process.poll() is None:
            held = 0.0
            for each in _tree(root):
                try:
                    held += each.memory_full_info().pss / 1e6
                    times = each.cpu_times()
                except psutil.Error:
                    continue
                used[each.pid] = times.user + times.system
            peak = max(peak, held)
            time.sleep(SAMPLED_EVERY)
        said = process.stdout.read() if process.stdout else b""
    if process.returncode:
        raise SystemExit(process.returncode)
    return Measured(**{**json.loads(said), "peak": peak, "processor": sum(used.values())})


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        engine, path = options.measure
        print(json.dumps(asdict(measure(engine, Path(path)))))
        return
    profiles = DATA / f"profiles-{options.rows}.parquet"
    if not profiles.exists():
        dirty_profiles.write(profiles, options.rows)
    times: dict[str, list[Measured]] = {engine: [] for engine in ENGINES}
    for _ in range(options.repeat):
        # In turn, so that what else the machine does weighs on both alike.
        for engine, runs in times.items():
            runs.append(watched(engine, profiles))
    assert len({json.dumps(each.found) for runs in times.values() for each in runs}) == 1
    table = Table("engine", title=f"{options.rows:,} profiles, medians of {options.repeat}")
    for heading in ("open, s", "prepare, s", "CPU s", "peak MB"):
        table.add_column(heading, justify="right")
    for engine, runs in times.items():
        table.add_row(
            engine,
            f"{statistics.median(each.opened for each in runs):.1f}",
            f"{statistics.median(each.prepared for each in runs):.1f}",
            f"{statistics.median(each.processor for each in runs):.1f}",
            f"{statistics.median(each.peak for each in runs):,.0f}",
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
