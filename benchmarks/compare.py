"""Measures comparing alone, at sizes that no profile table here has: made-up digests against a ledger.

    python -m benchmarks.compare                  100 million members, 5 % of them added and 5 % removed
    python -m benchmarks.compare --members 10000000

The digests are random bytes, kept in `benchmarks/.data` only while it runs (7 GB for 100 million). The
comparison is a process of its own; what is told are its wall seconds up to the plan on the disk and its peak
memory in MB. For 100 million members the aim is 2,500 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cdp_core.model.ledger import LedgerFile, LedgerPart
from cdp_core.pipeline.compare import compare
from cdp_core.pipeline.digest_file import MOST_RANGES, DigestFileWriter, Written
from cdp_core.pipeline.digest_sets import distinct, from_bytes
from cdp_core.pipeline.prepare import Prepared, PreparedKind

ROOT = Path(__file__).parent.parent
DATA = ROOT / "benchmarks" / ".data"
CHANGED = 0.05
AIM = {100_000_000: 2_500}
_SIZE = 32


def ranges(members: int) -> Iterator[tuple[Any, Any]]:
    """For each first byte, the digests that the ledger holds and those that are wanted today."""
    each = members // MOST_RANGES
    changed = int(each * CHANGED)
    for first in range(MOST_RANGES):
        data = bytearray(os.urandom((each + changed) * _SIZE))
        data[::_SIZE] = bytes([first]) * (each + changed)
        digests = from_bytes(bytes(data))
        yield distinct(digests[: len(digests) - changed]), distinct(digests[changed:])


def write(folder: Path, members: int) -> tuple[Written, Written]:
    (folder / "ledger").mkdir()
    held, wanted = (
        DigestFileWriter(path) for path in (folder / "ledger" / "held.parquet", folder / "wanted.parquet")
    )
    with held, wanted:
        for in_ledger, today in ranges(members):
            held.write(in_ledger)
            wanted.write(today)
        return held.close(durable=False), wanted.close(durable=False)


def compared(folder: Path, held: Written, wanted: Written) -> dict[str, float]:
    """In this process: compare, and what it took."""
    began = time.perf_counter()
    base = LedgerFile(
        export_id="e",
        kind="EMAIL",
        part=LedgerPart.BASE,
        path=held.path.name,
        sha256=held.sha256,
        rows=held.rows,
    )
    share = PreparedKind(read=wanted.rows, reasons={}, distinct=wanted.rows, wanted=(wanted,))
    plan = compare(
        Prepared(profiles=wanted.rows, members=wanted.rows, kinds={"EMAIL": share}),
        ledger_folder=folder / "ledger",
        files=(base,),
        export_id="e",
        folder=folder / "plan",
    )
    counts = plan.counts["EMAIL"]
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "seconds": time.perf_counter() - began,
        "processor": time.process_time(),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 10**6,
        "added": counts.added,
        "removed": counts.removed,
        "unchanged": counts.unchanged,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=int, default=100_000_000)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        told = json.loads(options.measure)
        held, wanted = (Written(Path(path), digest, rows) for path, digest, rows in told["files"])
        print(json.dumps(compared(Path(told["folder"]), held, wanted)))
        return
    DATA.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DATA) as name:
        files = write(Path(name), options.members)
        told = {"folder": name, "files": [(str(file.path), file.sha256, file.rows) for file in files]}
        command = [sys.executable, "-m", "benchmarks.compare", "--measure", json.dumps(told)]
        took = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    changed = int(options.members // MOST_RANGES * CHANGED) * MOST_RANGES
    assert took["added"] == took["removed"] == changed
    print(
        f"{options.members:,} members, {changed:,} added and as many removed: {took['seconds']:.1f} s "
        f"({took['processor']:.1f} of the processor), {took['peak']:.0f} MB at most"
    )
    if aim := AIM.get(options.members):
        print(f"Aim: {aim:,} MB, {'met' if took['peak'] <= aim else 'missed'}.")


if __name__ == "__main__":
    main()
