"""`cdp export show-run`: every batch of a run, what was halved, and the service's own words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard


def newest(cdp: Keyboard, export: str) -> str:
    found: str = cdp("export", "history", export, "--limit", "1", "--json").document[0]["run"]
    return found


def test_a_run_is_shown_with_its_funnel_and_its_batches(cdp: Keyboard, export: str) -> None:
    cdp("export", "run", export)
    run = newest(cdp, export)
    shown = cdp("export", "show-run", run).out
    assert "Successful" in shown
    assert "distinct" in shown
    (line,) = [line for line in shown.splitlines() if line.startswith("    1 ")]
    assert line.split()[:5] == ["1", "add", "EMAIL", "2", "accepted"]
    assert "Refused because" not in shown
    assert cdp("export", "show-run", run[:-2]).out == shown


def test_refusals_are_told_in_the_services_own_words_made_harmless(
    cdp: Keyboard, export: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_REFUSES", "1")
    told = cdp("export", "run", export, status=8)
    run = newest(cdp, export)
    assert f"cdp export show-run {run}" in told.out
    assert "2 further requests were sent to find the refused digests." in told.out
    assert "The next run tries 2 of them again, apart from the others." in told.out
    shown = cdp("export", "show-run", run).out
    assert "\x1b" not in shown
    assert shown.count("refused alone") == 2
    assert shown.count("halved") == 1
    (reason,) = [line for line in shown.splitlines() if line.startswith("not [2Jtoday")]
    assert reason.split()[-2:] == ["2", "2"]
    again = cdp("export", "run", export, "--json", status=8).document
    assert again["delivered"]["dead_letters"] == 2
    assert "add again" in cdp("export", "show-run", again["run"]).out


def test_as_json_it_is_the_runs_document_with_its_batches(
    cdp: Keyboard, export: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_REFUSES", "1")
    run = cdp("export", "run", export, "--json", status=8).document
    shown = cdp("export", "show-run", run["run"], "--json").document
    batches = shown.pop("batches")
    assert shown == run
    assert [(each["number"], each["half_of"], each["digests"], each["status"]) for each in batches] == [
        (1, None, 2, "halved"),
        (2, 1, 1, "dead_letter"),
        (3, 1, 1, "dead_letter"),
    ]
    for each in batches:
        assert (each["operation"], each["kind"], each["refused_before"]) == ("add", "EMAIL", False)
        assert (each["attempts"], each["message"]) == (1, "not \x1b[2Jtoday")
        assert each["seconds"] >= 0


def test_a_plan_has_no_batches_and_an_unknown_run_is_named(cdp: Keyboard, export: str, home: Path) -> None:
    cdp("export", "plan", export)
    assert "Batch " not in cdp("export", "show-run", newest(cdp, export)).out
    assert "there is no single run 'nothing'" in cdp("export", "show-run", "nothing", status=3).err
    entry = cdp("audit", "list", "--limit", "2", "--action", "export.show-run", "--json").document
    assert [(each["object"], each["outcome"]) for each in entry] == [
        ("nothing", "failed"),
        (export, "done"),
    ]
