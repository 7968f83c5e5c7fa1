"""Measures `cdp export run` from start to end of the process, beside a bare script that sends the same.

    python -m benchmarks.end_to_end                                     1 and 10 million, three times each
    python -m benchmarks.end_to_end --profiles 1000000 --repeat 1

Every row of the table is a process of its own, and all send to one simulator in another process, over
loopback HTTPS. Each size is measured against a service that answers at once, which no service on a network
does, and against one that takes a fifth of a second. Each repeat begins with a workspace that has never
run and an empty audience, and makes all rows in turn, so that what the machine does meanwhile falls on all
alike. With both sizes and three repeats the results are written to `docs/explanation/speed.md` as well.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from platform import machine, python_version, system

from rich.console import Console
from rich.table import Table

from benchmarks import dirty_profiles
from benchmarks.loopback import Service, Took, environment, simulator, watched, workspace

ROOT = Path(__file__).parent.parent
DATA = ROOT / "benchmarks" / ".data"
PAGE = ROOT / "docs" / "explanation" / "speed.md"
CHANGED = 0.01
PER_SECOND = 10
LATENCIES = (0.0, 0.2)
BARE, PACED = "bare script", f"… {PER_SECOND} requests/s"
FIRST, SAME, FEW = "cdp export run", "… nothing changed", f"… {CHANGED:.0%} changed"
ROWS = (BARE, PACED, FIRST, SAME, FEW)
WHOLE = ({1_000_000, 10_000_000}, 3)
BOUNDS = {1_000_000: 1.25, 10_000_000: 1.1}
MOST_MEMORY = 500

Measured = dict[str, list[Took]]


class Bench:
    """One size's processes, in a folder with a workspace that has not run yet."""

    def __init__(self, folder: Path, service: Service, rows: int) -> None:
        self._folder = folder
        self._service = service
        self._before, self._after = profiles(rows, 0.0), profiles(rows, CHANGED)
        self._environ = environment() | {"REQUESTS_CA_BUNDLE": str(service.certificate)}
        self._use(self._before)
        workspace(folder, self._environ, service)
        (folder / ".cdp").rename(folder / "fresh")

    def once(self) -> dict[str, Took]:
        """Every row of the table, once."""
        shutil.rmtree(self._folder / ".cdp", ignore_errors=True)
        shutil.copytree(self._folder / "fresh", self._folder / ".cdp")
        self._use(self._before)
        took = {
            BARE: self._bare(),
            PACED: self._bare("--per-second", str(PER_SECOND)),
        }
        self._service.empty()
        took[FIRST] = self._export(lambda requests: requests > 0)
        took[SAME] = self._export(lambda requests: requests == 0)
        self._use(self._after)
        took[FEW] = self._export(lambda requests: requests > 0)
        return took

    def _bare(self, *options: str) -> Took:
        self._service.empty()
        script = str(ROOT / "benchmarks" / "bare_script.py")
        profiles, token = str(self._folder / "profiles.parquet"), self._service.token()
        command = [sys.executable, script, profiles, self._service.users_url, token, *options]
        return watched(command, folder=self._folder, environ=self._environ)

    def _export(self, expected: Callable[[int], bool]) -> Took:
        """Run the export; what it reports must be what the service saw and holds."""
        self._service.forget_requests()
        took = watched(["cdp", "export", "run", "E", "--json"], folder=self._folder, environ=self._environ)
        run = json.loads(took.printed)
        delivered, email = run["delivered"], run["kinds"]["EMAIL"]
        assert run["status"] == "committed"
        assert delivered["accepted"] == delivered["planned"]
        assert delivered["requests"] == self._service.users_requests()
        assert expected(delivered["requests"]), f"{delivered['requests']} requests"
        assert email["added"] + email["unchanged"] == self._service.members()
        return took

    def _use(self, path: Path) -> None:
        today = self._folder / "profiles.parquet"
        today.unlink(missing_ok=True)
        os.link(path, today)


def profiles(rows: int, changed: float) -> Path:
    path = DATA / (f"profiles-{rows}-{changed:g}.parquet" if changed else f"profiles-{rows}.parquet")
    if not path.exists():
        dirty_profiles.write(path, rows, changed)
    return path


def measure(rows: int, latency: float, repeat: int) -> Measured:
    DATA.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=DATA) as name,
        simulator(Path(name), environment(), latency) as service,
    ):
        bench = Bench(Path(name), service, rows)
        rounds = [bench.once() for _ in range(repeat)]
    return {row: [each[row] for each in rounds] for row in ROWS}


def cells(measured: Measured, row: str) -> tuple[str, ...]:
    """Seconds with their spread, processor seconds, peak, and the ratios to the bare script's medians."""
    seconds = [took.seconds for took in measured[row]]
    return (
        f"{min(seconds):.2f} to {max(seconds):.2f}",
        f"{median(measured, row):.2f}",
        f"{statistics.median(took.processor for took in measured[row]):.2f}",
        f"{max(took.peak for took in measured[row]):.0f}",
        *(f"{median(measured, row) / median(measured, to):.2f}" for to in (BARE, PACED)),
    )


HEADINGS = ("least to most s", "median s", "CPU s", "peak MB", "to bare", "to paced")


def median(measured: Measured, row: str) -> float:
    return statistics.median(took.seconds for took in measured[row])


def verdict(rows: int, measured: Measured) -> str:
    """How the first run stands to what was set out to be reached."""
    ratio, peak = median(measured, FIRST) / median(measured, BARE), max(t.peak for t in measured[FIRST])
    said = []
    if rows in BOUNDS:
        bound = BOUNDS[rows]
        said.append(
            f"{ratio:.2f} times the bare script (aim: {bound}, {'met' if ratio <= bound else 'missed'})"
        )
    said.append(f"{peak:.0f} MB at most (aim: {MOST_MEMORY}, {'met' if peak <= MOST_MEMORY else 'missed'})")
    return f"First run: {'; '.join(said)}."


def setting(repeat: int) -> str:
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("duckdb", "pyarrow", "requests", "SQLAlchemy")
    )
    return (
        f"{os.cpu_count()} processors ({machine()}, {system()}), Python {python_version()}, {versions}; "
        f"{repeat} repeats"
    )


NOTES = f"""
Snapchat documents a limit of {PER_SECOND} requests a second for each access token. `cdp` keeps to it also
where, as here, the service would take more; the bare script does not. “To bare” compares with the script
as it is, “to paced” with the same script held to that limit. The bare script sends duplicates too. The
simulator shares the machine's processors with what it serves.

A limit of 10 requests a second is a floor of its own where the service answers at once: 10 million profiles
are 89 requests, which nobody who keeps to it sends in less than 8 seconds, and a plan must be on disk before
the first of them. No service on a network answers at once: the cases with 0.2 s are the nearer to life.

What one would pick instead, and the audience that it leaves: [beside its peers](peers.md).
"""

Case = tuple[int, float]


def title(case: Case) -> str:
    rows, latency = case
    return f"{rows:,} profiles, a service that answers {f'after {latency:g} s' if latency else 'at once'}"


def page(results: dict[Case, Measured], repeat: int) -> str:
    lines = [
        "# Speed and memory",
        "",
        "What `make benchmark` measured: whole processes, from start to end.",
    ]
    lines += [f"Measured on {setting(repeat)}.", NOTES]
    for case, measured in results.items():
        lines += [f"## {title(case)}", "", f"| process | {' | '.join(HEADINGS)} |"]
        lines += ["| --- |" + " --: |" * len(HEADINGS)]
        lines += [f"| {row} | {' | '.join(cells(measured, row))} |" for row in ROWS]
        lines += ["", verdict(case[0], measured), ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profiles", type=int, nargs="+", default=sorted(WHOLE[0]))
    parser.add_argument("--repeat", type=int, default=WHOLE[1])
    options = parser.parse_args()
    console, results = Console(width=110, highlight=False), {}
    for case in itertools.product(options.profiles, LATENCIES):
        measured = results[case] = measure(*case, options.repeat)
        table = Table("process", title=title(case))
        for heading in HEADINGS:
            table.add_column(heading, justify="right")
        for row in ROWS:
            table.add_row(row, *cells(measured, row))
        console.print(table, verdict(case[0], measured), "", sep="\n")
    console.print(setting(options.repeat), NOTES, sep="\n")
    if set(options.profiles) >= WHOLE[0] and options.repeat >= WHOLE[1]:
        PAGE.write_text(page(results, options.repeat), encoding="utf-8")
        console.print(f"Written to {PAGE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
