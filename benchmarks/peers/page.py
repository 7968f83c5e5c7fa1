"""The page about the peers: what was measured, who was right on the second day, and which aims were met."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.peers.contestants import FLOOR, OURS, UNPACED, Contestant
from benchmarks.peers.days import Day, Results, Seen, median
from benchmarks.peers.measure import CHANGED, LATENCY
from benchmarks.peers.sending import PER_SECOND

Sizes = Mapping[int, Results]

SPEED = ("times", "first day s", "median", "CPU s", "peak MB", "second day s", "median", "peak MB")
AUDIENCE = ("requests", "identifiers", "right", "missing", "gone, still there", "of nobody", "verdict")

INTRODUCTION = f"""
All are given the same table on two days. Between them {CHANGED:.0%} of the people have left and as many are
new, which is told to nobody: each tool has the day's profiles and what it remembers itself. All send to one
simulator of Snapchat in a process of its own over loopback HTTPS, which answers after {LATENCY:g} s,
refuses a body that is not exactly right, and has its rate limit off so that nobody is refused: `cdp` keeps
to Snapchat's documented 10 requests a second all the same, and drt to its own default of as many. The loop,
the singer target and the bare script send one after another, and so at most 5. dlt sends 20 side by side;
with the limit on it would be refused where there are more than 10 requests, so that the row *dlt, paced* lets
one go every 0.1 s. Seconds are of the whole process, imports included; memory is the peak of the largest
process. The machine's processors are shared with the simulator.

After the second day the audience is compared with who should be in it: the distinct digests of that day's
e-mails by the rule on [identifiers](identifiers.md), made with Python's `hashlib`. *Gone, still there* are
people who have left and are advertised to all the same. *Of nobody* are digests that match no one: `sha256`
in SQL after DuckDB's `lower`, which differs from Python's beyond ASCII, so that about as many people are
*missing*; the bare script also sends a placeholder and knows no value that is hashed already.

On each day the simulator took everything that was sent to it and refused nothing, so that a difference is
what a tool sent or did not send.
"""

REMEMBERING = """
## What a tool would need to be right

To know who has left, one must remember who was sent. dlt's `incremental`, a Singer tap's bookmark and drt's
cursor remember how far they have read: they find what is new, and only while its key grows; an address that
was changed, or a person who left, is behind them. drt can compare a day with the one before, for some
warehouses, DuckDB not among them, and for destinations with keys, which its REST destination is not. So a
user of any of them writes the difference, the removals, and what happens when a run breaks off between the
two: that is what `cdp` is.
"""


def spread(days: Sequence[Day]) -> str:
    seconds = [day.took.seconds for day in days]
    return f"{min(seconds):.2f} to {max(seconds):.2f}" if len(days) > 1 else f"{seconds[0]:.2f}"


def peak(*runs: Sequence[Day]) -> float:
    return max(day.took.peak for days in runs for day in days)


def speed(name: str, seen: Seen) -> Iterator[tuple[str, ...]]:
    processor = statistics.median(day.took.processor for day in seen.first)
    first = (str(len(seen.first)), spread(seen.first), f"{median(seen.first):.2f}", f"{processor:.2f}")
    second = (spread(seen.second), f"{median(seen.second):.2f}", f"{peak(seen.second):.0f}")
    yield (name, *first, f"{peak(seen.first):.0f}", *second)
    if seen.same:
        same = (spread(seen.same), f"{median(seen.same):.2f}", f"{peak(seen.same):.0f}")
        yield ("… nothing changed", str(len(seen.same)), "", "", "", "", *same)


def audience(name: str, seen: Seen) -> tuple[str, ...]:
    found, day = seen.audience, seen.second[-1]
    assert found is not None
    counts = (day.requests, day.identifiers, found.right, found.missing, found.left, found.foreign)
    return (name, *(f"{count:,}" for count in counts), "right" if found.is_right else "wrong")


def fastest(
    results: Results, *, without: str = "", barred: Sequence[str] = ()
) -> tuple[str, float, str, float]:
    """The fastest peer on the first day and on the second, with its seconds."""
    peers = {name: seen for name, seen in results.items() if name not in (OURS, FLOOR, *barred)}
    first = min(peers, key=lambda name: median(peers[name].first))
    candidates = [name for name in peers if not (without and without in name)]
    second = min(candidates, key=lambda name: median(peers[name].second))
    return first, median(peers[first].first), second, median(peers[second].second)


def verdicts(sizes: Sizes) -> Iterator[str]:
    """Each aim, what came of it, and whether it was met."""
    for rows, results in sizes.items():
        ours = results[OURS]
        aim = 1.2 if rows >= 10_000_000 else 1.0
        for among, barred in (("", ()), (" that keeps to 10 requests a second", UNPACED)):
            name, seconds, *_ = fastest(results, barred=barred)
            times = seconds / median(ours.first)
            yield (
                f"{rows:,} profiles, first run: {times:.2f} times as fast as the fastest peer{among}, {name} "
                f"(aim: {aim:g}, {met(times >= aim)})."
            )
        requests = ours.first[-1].requests
        if sending := (requests - 1) // PER_SECOND:
            yield (
                f"{rows:,} profiles, first run: {requests} requests take {sending} s at the least at "
                f"{PER_SECOND} a second, and all else took {median(ours.first) - sending:.1f} s at the most."
            )
    rows, results = max(sizes.items())
    for which, days in (("nothing changed", results[OURS].same), ("1% changed", results[OURS].second)):
        share = median(days) / median(results[OURS].first)
        yield f"{rows:,} profiles, {which}: {share:.2f} of the first run (aim: 0.7, {met(share < 0.7)})."
        for among, without in (("of those that send the day whole", "incremental"), ("of all", "")):
            _, _, name, seconds = fastest(results, without=without)
            times = seconds / median(days)
            yield (
                f"{rows:,} profiles, {which}: {times:.2f} times as fast as the second day of the fastest "
                f"peer {among}, {name} (aim: 2.5, {met(times >= 2.5)})."
            )
    for rows, results in sizes.items():
        right = [name for name, seen in results.items() if seen.audience and seen.audience.is_right]
        yield (
            f"{rows:,} profiles, right on the second day: {', '.join(right) or 'nobody'} "
            f"(aim: {OURS} alone, {met(right == [OURS])})."
        )
    few, many = (sizes[rows][OURS] for rows in (min(sizes), max(sizes)))
    if few is not many:
        times = peak(many.first, many.same, many.second) / peak(few.first, few.same, few.second)
        yield (
            f"Peak memory of {OURS}, {max(sizes):,} profiles to {min(sizes):,}: {times:.2f} times "
            f"(aim: 1.3, {met(times <= 1.3)})."
        )


def met(aim_is_met: bool) -> str:
    return "met" if aim_is_met else "missed"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [("process", *headings), ("---", *("--:" for _ in headings)), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def died(results: Results) -> list[str]:
    """Which peers' processes the system ended, if any."""
    counts = [f"{name}, {seen.died}" for name, seen in results.items() if seen.died]
    if not counts:
        return []
    return [f"Processes that ended by a signal, whose rounds were done anew: {'; '.join(counts)}.", ""]


def page(sizes: Sizes, everybody: Sequence[Contestant], setting: str, pins: Mapping[str, str]) -> str:
    lines = [
        "# Beside its peers",
        "",
        "What `make peers` measured: the export, and what one would pick instead.",
    ]
    lines += [f"Measured on {setting}.", INTRODUCTION]
    lines += [
        "![Seconds of each tool on both days, and whether its audience was right](../_static/peers.svg)",
        "",
    ]
    lines += ["## What was set out to be reached", "", *(f"- {one}" for one in verdicts(sizes)), ""]
    for rows, results in sizes.items():
        runs = [cells for name, seen in results.items() for cells in speed(name, seen)]
        after = [audience(name, seen) for name, seen in results.items()]
        lines += [f"## {rows:,} profiles", "", *table(SPEED, runs), "", *died(results)]
        lines += [
            "What the second day's run sent, and the audience after it:",
            "",
            *table(AUDIENCE, after),
            "",
        ]
    lines += ["## What each was told", ""]
    lines += [f"- **{one.name}**: {one.told}." for one in everybody]
    versions = ", ".join(f"{name} {version}" for name, version in pins.items())
    lines += ["", f"The peers' packages, in a virtual environment of their own: {versions}.", REMEMBERING]
    return "\n".join(lines)
