"""Measures the export beside its peers, and writes what came of it.

    python -m benchmarks.peers                                        1 and 10 million, three times each
    python -m benchmarks.peers --profiles 100000 --repeat 1           a quick look; writes nothing
    python -m benchmarks.peers --only dlt drt --profiles 1000000      some of the peers beside the export

Every run is a process of its own, and each round begins with tools that have never run and an empty audience.
A peer whose first run took longer than `--slow` seconds is measured once at that size. The whole command, or
any other with `--write`, writes `docs/explanation/peers.md` and `docs/_static/peers.svg`.
"""

from __future__ import annotations

import argparse
import os
from platform import machine, python_version, system

from rich.console import Console
from rich.table import Table

from benchmarks.loopback import ROOT
from benchmarks.peers import packages
from benchmarks.peers.contestants import FLOOR, OURS, contestants
from benchmarks.peers.days import Results
from benchmarks.peers.measure import SLOW, measure
from benchmarks.peers.page import AUDIENCE, SPEED, audience, page, speed, verdicts
from benchmarks.peers.picture import picture

PAGE = ROOT / "docs" / "explanation" / "peers.md"
PICTURE = ROOT / "docs" / "_static" / "peers.svg"
WHOLE = ({1_000_000, 10_000_000}, 3)


def told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profiles", type=int, nargs="+", default=sorted(WHOLE[0]))
    parser.add_argument("--repeat", type=int, default=WHOLE[1])
    parser.add_argument("--slow", type=float, default=SLOW, help="seconds; slower peers are run once")
    parser.add_argument("--only", nargs="+", metavar="PEER", help="these, the export and the floor")
    parser.add_argument("--write", action="store_true", help="write the page whatever was measured")
    return parser.parse_args()


def show(console: Console, rows: int, results: Results) -> None:
    speeds = Table("process", *SPEED, title=f"{rows:,} profiles")
    audiences = Table("process", *AUDIENCE, title="the second day's run, and the audience after it")
    for name, seen in results.items():
        for cells in speed(name, seen):
            speeds.add_row(*cells)
        audiences.add_row(*audience(name, seen))
    console.print(speeds, audiences, sep="\n")


def main() -> None:
    options = told()
    console = Console(width=130, highlight=False)
    everybody = contestants(packages.python(console.print))
    if options.only:
        everybody = tuple(one for one in everybody if one.name in (OURS, FLOOR, *options.only))
    sizes = {}
    for rows in sorted(options.profiles):
        sizes[rows] = measure(everybody, rows, options.repeat, console.print, options.slow)
        show(console, rows, sizes[rows])
    console.print(*verdicts(sizes), sep="\n")
    if options.write or (set(sizes) >= WHOLE[0] and options.repeat >= WHOLE[1] and not options.only):
        setting = (
            f"{os.cpu_count()} processors ({machine()}, {system()}), Python {python_version()}; "
            f"{options.repeat} repeats, one where the first run took more than {options.slow:g} s"
        )
        PAGE.write_text(page(sizes, everybody, setting, packages.pins()), encoding="utf-8")
        PICTURE.write_text(picture(sizes), encoding="utf-8")
        console.print(f"Written to {PAGE.relative_to(ROOT)} and {PICTURE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
