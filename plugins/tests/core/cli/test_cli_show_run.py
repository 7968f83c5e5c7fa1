"""`cdp export show-run`: every batch of a run, what was halved, and the service's own words."""

from __future__ import annotations

import dataclasses
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from cdp_core.cli.render.batches import batches
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.delivery import BatchOutcome, BatchRange, BatchStatus, Operation
from cdp_core.model.journal import BatchRecord
from cdp_core.store.state import State

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
    told = shown.pop("batches")
    assert shown == run
    assert [(each["number"], each["half_of"], each["digests"], each["status"]) for each in told] == [
        (1, None, 2, "halved"),
        (2, 1, 1, "dead_letter"),
        (3, 1, 1, "dead_letter"),
    ]
    for each in told:
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


def test_what_a_refused_batch_left_out_was_not_refused(cdp: Keyboard, export: str, home: Path) -> None:
    planned = cdp("export", "plan", export, "--json").document
    whole = BatchRange(operation=Operation.ADD, kind="EMAIL", start=0, count=2)
    with State.open(home / ".cdp" / "state.db") as state:
        run = dataclasses.replace(state.runs.get(planned["run"]), id="20261123-1200-abcdef", dry_run=False)
        state.runs.start(run)
        batch = state.journal.open(run.id, whole, 1)
        first = dataclasses.replace(whole, count=1)
        state.journal.leave_out(batch, [BatchOutcome(range=first, status=BatchStatus.LEFT_OUT)])
        state.journal.attempt(batch)
        state.journal.close(batch, BatchStatus.REFUSED, message="not today")
        plan = state.plans.get(planned["plan"])
    shown = cdp("export", "show-run", run.id).out
    (reason,) = [line for line in shown.splitlines() if line.startswith("not today")]
    assert reason.split()[-2:] == ["1", "1"]
    (told,) = cdp("export", "show-run", run.id, "--json").document["batches"]
    assert (told["digests"], told["left_out"]) == (1, 1)
    cdp("export", "rejected", run.id, "--output", "r.ndjson")
    rows = [json.loads(line) for line in (home / "r.ndjson").read_text().splitlines()]
    folder = home / ".cdp" / "plans" / plan.folder
    digests = pq.read_table(next(folder.rglob("*.parquet")))["digest"].to_pylist()
    assert {(row["digest"], row["alone"]) for row in rows} == {(digests[1].hex(), False)}


def test_every_way_that_a_batch_ends_has_its_word() -> None:
    batch = BatchRange(operation=Operation.REMOVE, kind="EMAIL", start=0, count=2, again=True)
    records = [
        BatchRecord(
            id=f"r/{n}",
            run_id="r",
            number=n,
            range=batch,
            status=status,
            opened_at=datetime(2026, 11, 23, tzinfo=UTC),
        )
        for n, status in enumerate(BatchStatus, 1)
    ]
    console = Console(width=200, file=io.StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(batches(records))
    lines = captured.get().splitlines()[1:]
    assert len({tuple(line.split()[5:]) for line in lines}) == len(BatchStatus)
    assert all("remove again" in line for line in lines)


def test_a_run_that_failed_is_shown_with_its_error_and_how_to_mend_it(
    cdp: Keyboard, export: str, home: Path
) -> None:
    (home / "profiles.csv").write_text("customer_id,email\n1,p1@example.org\n")
    planned = cdp("export", "plan", export, status=3)
    assert "up to date" not in planned.out
    cdp("export", "run", export, status=3)
    shown = cdp("export", "show-run", newest(cdp, export)).out
    assert "CDP-306: " in shown
    assert "cdp segment edit " in shown


def test_what_stopped_a_commit_is_kept_until_the_next_run_settles_it_and_after(
    cdp: Keyboard, export: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **more: object) -> None:
        raise InvalidFault(Code.DISK_FULL, "cannot write: permission denied", where="ledger", hint="chmod")

    with monkeypatch.context() as broken:
        broken.setattr("cdp_core.runner.sending.ledger.apply", fail)
        cdp("export", "run", export, status=3)
    (left,) = cdp("export", "history", export, "--json").document
    assert left["status"] == "failed"
    assert left["error"]["code"] == "CDP-320"
    assert left["error"]["message"] == "cannot write: permission denied; the next run settles what it left"
    (waiting,) = cdp("status", "--json").document["attention"]
    assert "CDP-320" in waiting["trouble"]
    cdp("export", "run", export)
    settled = cdp("export", "history", export, "--json").document[1]
    assert (settled["run"], settled["error"]["code"]) == (left["run"], "CDP-320")
    assert settled["error"]["message"] == "cannot write: permission denied"
