"""Schedules on the command line: what may be typed, what is shown, and the unit that systemd is given."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from .conftest import Keyboard


def test_the_refresh_is_off_until_it_is_set_and_keeps_what_was_set(cdp: Keyboard, export: str) -> None:
    assert cdp("schedule", "show", "--json").document["active"] is False
    cdp("schedule", "on", status=3)
    told = cdp(
        "schedule", "set", "--daily", "02:00,14:00", "--timezone", "Europe/Amsterdam", "--json"
    ).document
    assert (told["active"], told["timezone"], len(told["next"])) == (True, "Europe/Amsterdam", 5)
    (loyal,) = told["exports"]
    assert (loyal["follows"], loyal["active"], loyal["next"]) == ("refresh", True, told["next"][0])
    off = cdp("schedule", "off", "--json").document
    assert (off["active"], off["next"], off["when"]) == (False, [], told["when"])
    assert cdp("schedule", "on", "--json").document["active"] is True


def test_times_are_shown_in_the_schedules_own_zone(cdp: Keyboard, export: str) -> None:
    said = cdp("schedule", "set", "--weekly", "mon", "--at", "02:00", "--timezone", "Asia/Tokyo").out
    assert "02:00 JST" in said


def test_an_export_has_times_of_its_own_or_follows_the_refresh(cdp: Keyboard, export: str) -> None:
    own = cdp("export", "schedule", export, "--cron", "30 6 * * mon-fri", "--timezone", "UTC", "--json")
    assert (own.document["follows"], own.document["cron"]) == ("own", ["30 6 * * mon-fri"])
    off = cdp("export", "schedule", export, "off", "--json").document
    assert (off["active"], off["cron"], off["next"]) == (False, ["30 6 * * mon-fri"], None)
    assert cdp("export", "schedule", export, "on", "--json").document["next"] is not None
    cdp("schedule", "set", "--daily", "02:00", "--timezone", "UTC")
    assert cdp("schedule", "show", "--json").document["exports"][0]["follows"] == "own"
    cdp("schedule", "set", "--daily", "02:00", "--timezone", "UTC", "--for-all")
    assert cdp("schedule", "show", "--json").document["exports"][0]["follows"] == "refresh"


def test_following_the_refresh_again_forgets_the_own_times(cdp: Keyboard, export: str) -> None:
    cdp("export", "schedule", export, "--daily", "03:00", "--timezone", "UTC")
    back = cdp("export", "schedule", export, "--refresh", "--json").document
    assert (back["follows"], back["cron"]) == ("refresh", [])


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("schedule", "set"), 2),
        (("schedule", "set", "--daily", "02:00", "--cron", "0 2 * * *"), 2),
        (("schedule", "set", "--weekly", "mon"), 2),
        (("schedule", "set", "--timezone", "UTC"), 2),
        (("schedule", "set", "--daily", "26:00", "--timezone", "UTC"), 3),
        (("schedule", "set", "--daily", "02:00", "--timezone", "Mars/Olympus"), 3),
        (("export", "schedule", "Loyal to Acme"), 2),
        (("export", "schedule", "Loyal to Acme", "--refresh", "--daily", "02:00"), 2),
        (("export", "schedule", "Nobody's", "on"), 3),
        (("export", "run", "Loyal to Acme", "--all"), 2),
        (("schedule", "set", "--daily", "02:00", "--timezone", ""), 3),
        (("scheduler", "run-due", "Loyal to Acme", "--due-at", "tonight"), 2),
        (("scheduler", "run-due", "Loyal to Acme", "--due-at", "2999-01-01T00:00:00Z"), 2),
        (("scheduler", "start", "--once", "--health-file", "health"), 2),
    ],
)
def test_what_contradicts_itself_or_is_not_there_is_refused(
    cdp: Keyboard, export: str, words: tuple[str, ...], status: int
) -> None:
    before = cdp("schedule", "show", "--json").out
    assert "mend:" in cdp(*words, status=status).err
    assert cdp("schedule", "show", "--json").out == before


@pytest.mark.usefixtures("workspace")
def test_a_zone_that_is_nearly_one_is_asked_for(cdp: Keyboard) -> None:
    words = ("schedule", "set", "--daily", "02:00", "--timezone", "Europe/Amsterdm")
    assert "did you mean Europe/Amsterdam?" in cdp(*words, status=3).err


def test_only_administrators_set_the_refresh_and_start_the_scheduler(cdp: Keyboard, export: str) -> None:
    cdp("role", "grant", "con", "contributor")
    cdp("connection", "share", "Acme EU", "--with", "contributor")
    cdp("--as", "con", "schedule", "show")
    cdp("--as", "con", "export", "schedule", export, "--daily", "02:00", "--timezone", "UTC")
    for words in (("schedule", "set", "--daily", "02:00"), ("schedule", "off"), ("scheduler", "start")):
        assert "CDP-401" in cdp("--as", "con", *words, status=4).err


def test_run_all_says_where_nothing_is_to_run(cdp: Keyboard, workspace: Path) -> None:
    told = cdp("export", "run", "--all", "--json")
    assert told.document == []
    assert "No export" in told.err


def test_a_due_run_of_an_unknown_export_or_of_one_that_was_done_is_told(cdp: Keyboard, export: str) -> None:
    cdp("scheduler", "run-due", "Nobody's", "--due-at", "2026-11-25T01:00:00Z", status=3)
    cdp("scheduler", "run-due", export, "--due-at", "2026-11-25T01:00:00Z")
    assert len(cdp("export", "history", export, "--json").document) == 1
    cdp("scheduler", "run-due", export, "--due-at", "2026-11-25T01:00:00Z")
    assert len(cdp("export", "history", export, "--json").document) == 1


def test_the_unit_is_one_that_systemd_takes(cdp: Keyboard, workspace: Path, home: Path) -> None:
    spaced = home / "a % folder"
    workspace.rename(spaced)
    printed = cdp("--workspace", str(spaced), "scheduler", "install", "--print").out
    assert f'--workspace "{str(spaced).replace("%", "%%")}" scheduler start' in printed
    cdp("--workspace", str(spaced), "scheduler", "install")
    unit = home / ".config" / "systemd" / "user" / "cdp-scheduler.service"
    assert unit.read_text() == printed
    assert not stat.S_IMODE(unit.stat().st_mode) & stat.S_IWOTH
    cdp("--workspace", str(spaced), "scheduler", "install", status=2)
    cdp("--workspace", str(spaced), "scheduler", "install", "--yes")
    if analyze := shutil.which("systemd-analyze"):
        looked = subprocess.run(
            [analyze, "verify", "--user", str(unit)], capture_output=True, text=True, check=False
        )
        assert "cdp-scheduler" not in looked.stderr, looked.stderr
