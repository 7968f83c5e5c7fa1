"""The benchmark of the peers on tiny tables: who should be in an audience, and what is written of who is."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from xml.etree import ElementTree

import duckdb
import pytest

from benchmarks import dirty_profiles
from benchmarks.loopback import Took
from benchmarks.peers import packages
from benchmarks.peers.audience import compare, digest, should_be
from benchmarks.peers.contestants import FLOOR, OURS, contestants
from benchmarks.peers.days import Day, Difference, Results, Seen
from benchmarks.peers.measure import Bench
from benchmarks.peers.page import died, page, verdicts
from benchmarks.peers.picture import picture
from benchmarks.peers.plain_loop import digests
from benchmarks.peers.rule import hashed
from cdp_core.model.identifiers import Identified
from cdp_core.rules.identifiers.email import email

ROWS = 5_000


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("days")
    first, second = folder / "first.parquet", folder / "second.parquet"
    dirty_profiles.write(first, ROWS)
    dirty_profiles.write(second, ROWS, changed=0.1)
    return first, second


def of(path: Path) -> set[bytes]:
    with duckdb.connect() as connection:
        return {row[0] for row in connection.execute(f"SELECT digest FROM '{path}'").fetchall()}


def emails(path: Path) -> list[str | None]:
    with duckdb.connect() as connection:
        return [row[0] for row in connection.execute(f"SELECT email FROM '{path}'").fetchall()]


def ruled(raw: str | None) -> bytes | None:
    found: Identified = email(raw)
    return found.digest


def test_who_should_be_there_is_who_the_rule_finds(days: tuple[Path, Path]) -> None:
    for day in days:
        assert {found for raw in emails(day) if (found := digest(raw))} == of(should_be(day))
        assert [digest(raw) for raw in emails(day)] == [ruled(raw) for raw in emails(day)]


def test_the_peers_are_given_the_same_rule_but_for_what_sql_lower_cases_otherwise(
    days: tuple[Path, Path],
) -> None:
    should = of(should_be(days[0]))
    assert {bytes.fromhex(text) for text in digests(str(days[0]))} == should
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT digest FROM ({hashed(str(days[0]))})").fetchall()
    by_sql = {bytes.fromhex(row[0]) for row in rows}
    others = {digest(raw) for raw in emails(days[0]) if raw and not raw.isascii()}
    assert should - by_sql <= others
    assert len(by_sql) == len(should)


def test_a_difference_counts_who_is_missing_who_has_left_and_who_is_nobody(
    days: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = (should_be(day) for day in days)
    gone, stayed, held = of(first) - of(second), sorted(of(second)), tmp_path / "held"
    assert gone
    listed = [*stayed[3:], *gone, b"\x00" * 32]
    held.write_text("".join(f"{one.hex()}\n" for one in listed), encoding="ascii")
    found = compare(held, first, second)
    assert found == Difference(right=len(stayed) - 3, missing=3, left=len(gone), foreign=1)
    held.write_text("".join(f"{one.hex()}\n" for one in stayed), encoding="ascii")
    assert compare(held, first, second).is_right
    held.write_bytes(b"")
    assert compare(held, first, second) == Difference(right=0, missing=len(stayed), left=0, foreign=0)


def day(seconds: float) -> Day:
    took = Took(seconds=seconds, processor=seconds, peak=100 + seconds, printed="")
    return Day(took=took, requests=21, identifiers=1_234)


def results() -> Results:
    right = Difference(right=10, missing=0, left=0, foreign=0)
    wrong = Difference(right=10, missing=0, left=7, foreign=0)
    return {
        OURS: Seen(first=[day(2), day(3)], same=[day(1)], second=[day(1)], audience=right),
        FLOOR: Seen(first=[day(2)], second=[day(2)], audience=wrong),
        "dlt": Seen(first=[day(3)], second=[day(4)], audience=wrong),
        "dlt, paced": Seen(first=[day(4)], second=[day(5)], audience=wrong),
        "dlt, incremental": Seen(first=[day(3.5)], second=[day(2)], audience=wrong),
    }


def test_each_aim_is_told_with_its_number_and_whether_it_was_met() -> None:
    told = "\n".join(verdicts({1_000_000: results(), 10_000_000: results()}))
    assert (
        "10,000,000 profiles, first run: 1.20 times as fast as the fastest peer, dlt (aim: 1.2, met)" in told
    )
    paced = "1.60 times as fast as the fastest peer that keeps to 10 requests a second, dlt, paced"
    assert paced in told
    assert "first run: 21 requests take 2 s at the least at 10 a second, and all else took 0.5 s" in told
    assert "1% changed: 0.40 of the first run (aim: 0.7, met)" in told
    assert "4.00 times as fast as the second day of the fastest peer of those that send the day" in told
    assert "2.00 times as fast as the second day of the fastest peer of all" in told
    assert f"right on the second day: {OURS} (aim: {OURS} alone, met)" in told
    assert "1.00 times (aim: 1.3, met)" in told


def test_the_page_and_the_picture_show_everybody() -> None:
    sizes = {1_000_000: results(), 10_000_000: results()}
    written = page(sizes, contestants(Path("python")), "this machine", packages.pins())
    drawn = picture(sizes)
    words = "".join(ElementTree.fromstring(drawn).itertext())  # noqa: S314 (our own)
    assert "| cdp export run | 2 | 2.00 to 3.00 | 2.50 |" in written
    assert "| dlt | 21 | 1,234 | 10 | 0 | 7 | 0 | wrong |" in written
    assert f"dlt {packages.pins()['dlt']}" in written
    for name in results():
        assert words.count(name) >= 2
    assert words.count("audience right") == 2
    assert words.count("7 still there who have left") == 8


def test_every_package_of_a_peer_is_pinned() -> None:
    lines = packages.REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    assert len(packages.pins()) == sum(not line.startswith("#") for line in lines)


class _Mortal:
    """A tool that the system ends as often as it is told, each time within its second day."""

    told = ""

    def __init__(self, name: str, deaths: int) -> None:
        self.name = name
        self._deaths = deaths
        self._runs = 0

    def prepare(self, folder: Path, service: Any) -> None:
        self._runs = 0

    def run(self, folder: Path, service: Any) -> Took:
        self._runs += 1
        if self._runs == 2 and self._deaths:
            self._deaths -= 1
            raise subprocess.CalledProcessError(-signal.SIGSEGV, ["tool"])
        return Took(seconds=1.0, processor=1.0, peak=1.0, printed="")


@pytest.mark.parametrize(("name", "deaths", "lives"), [("dlt", 2, True), ("dlt", 3, False), (OURS, 1, False)])
def test_a_round_that_a_peer_dies_in_is_done_anew_and_said(
    name: str, deaths: int, lives: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.peers.measure.DATA", tmp_path)
    dirty_profiles.write(tmp_path / "profiles-10.parquet", 10)
    dirty_profiles.write(tmp_path / "profiles-10-0.01.parquet", 10, changed=0.01)
    service = Mock(**{"refused.return_value": 0, "users_requests.return_value": 0})
    seen = Seen(audience=Difference(right=1, missing=0, left=0, foreign=0))
    through = Bench(tmp_path, service, 10).through
    if not lives:
        with pytest.raises(subprocess.CalledProcessError):
            through(_Mortal(name, deaths), seen)
        return
    through(_Mortal(name, deaths), seen)
    assert (len(seen.first), len(seen.second), seen.died) == (1, 1, deaths)
    assert died({name: seen}) == [
        f"Processes that ended by a signal, whose rounds were done anew: {name}, {deaths}.",
        "",
    ]
    assert died({name: Seen()}) == []
