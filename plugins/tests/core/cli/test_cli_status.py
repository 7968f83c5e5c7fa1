"""`cdp status`, and the filters of `cdp export history`."""

from __future__ import annotations

import dataclasses
import itertools
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cdp_core.model.alert import Alert, AlertKind, Standing
from cdp_core.model.delivery import AudienceKey
from cdp_core.store.ledgers import Ledgers, LedgerVersion
from cdp_core.store.state import State


def alter(workspace: Path, statement: str) -> None:
    with sqlite3.connect(workspace / "state.db") as state:
        state.execute(statement)
    state.close()


def test_everything_is_on_one_page(cdp: Any, export: str, home: Path) -> None:
    cdp("schedule", "set", "--daily", "02:00", "--timezone", "Europe/Amsterdam")
    for rows in (2, 1):
        cdp("export", "run", export, "--allow-shrink")
        (home / "profiles.csv").write_text(
            "customer_id,email,lifetime_value\n" + "".join(f"{n},p{n}@example.org,900\n" for n in range(rows))
        )
    cdp("export", "run", export, "--allow-shrink")
    shown = cdp("status").out
    assert "Refresh  At 02:00 every day (Europe/Amsterdam); next " in shown
    assert "Successful" in shown
    assert "▇" in shown or "█" in shown
    found = cdp("status", "--json").document
    assert found["refresh"]["active"]
    (glance,) = found["exports"]
    assert glance["shown"] == "successful"
    assert glance["sizes"] == [2, 2, 1]
    assert glance["next"].endswith(("T02:00:00+01:00", "T02:00:00+02:00"))


def test_it_names_what_waits_for_somebody(cdp: Any, workspace: Path) -> None:
    assert "Nothing needs anybody." in cdp("status").out
    cdp.add_connection()
    key = ("--secret", "client_secret=env:ACME_KEY")
    cdp("connection", "add", "acme-login", "--name", "Acme login", *key, "--agree")
    waiting = cdp("status", "--json").document["attention"]
    # To the first one nobody can sign in: it has a key.
    assert [each["command"] for each in waiting] == [
        'cdp connection agree "Acme EU"',
        'cdp connection authenticate "Acme login"',
    ]


def test_a_scheduled_export_without_a_user_and_one_that_is_late_are_named(
    cdp: Any, export: str, workspace: Path
) -> None:
    cdp("export", "schedule", export, "--cron", "* * * * *", "--timezone", "UTC")
    alter(workspace, "UPDATE connections SET export_user = NULL")
    alter(workspace, "UPDATE schedules SET since = datetime('now', '-1 hour')")
    alter(workspace, "UPDATE exports SET created_at = datetime('now', '-1 day')")
    shown = cdp("status").out
    assert "it has no export user" in shown
    alter(workspace, "UPDATE schedules SET recurrence = json_set(recurrence, '$.lines[0]', '0 * * * *')")
    told = " ".join(each["trouble"] for each in cdp("status", "--json").document["attention"])
    # On the hour itself it has only just become due.
    assert "and has not begun" in told or datetime.now().minute < 6


def test_a_paused_export_and_a_failed_run_lead_on(cdp: Any, export: str, workspace: Path) -> None:
    cdp("export", "run", export)
    alter(workspace, "UPDATE runs SET status = 'failed', error_code = 'CDP-901', error = 'no answer'")
    (failed,) = cdp("status", "--json").document["attention"]
    assert failed["trouble"] == "CDP-901: no answer"
    assert failed["command"].startswith("cdp export show-run ")


def test_a_paused_export_says_what_mends_its_fault_before_the_run(
    cdp: Any, export: str, workspace: Path
) -> None:
    cdp("export", "run", export)
    cdp("export", "schedule", export, "--daily", "02:00", "--timezone", "UTC")
    alter(workspace, "UPDATE runs SET status = 'failed', error_code = 'CDP-608', error = 'not the app''s'")
    paused_now = "paused = 'CDP-608: not the app''s', paused_at = datetime('now')"
    alter(workspace, f"UPDATE schedules SET {paused_now} WHERE export_id IS NOT NULL")
    run = f'cdp export run "{export}"'
    (paused,) = cdp("status", "--json").document["attention"]
    assert paused["command"] == run
    alter(workspace, "UPDATE runs SET error_hint = 'look at env:ACME_KEY'")
    (paused,) = cdp("status", "--json").document["attention"]
    assert paused["command"] == f"look at env:ACME_KEY, then: {run}"
    assert f"look at env:ACME_KEY, daarna: {run}" in cdp("--language", "nl", "status").out
    alter(workspace, "UPDATE runs SET error_code = 'CDP-602'")
    (paused,) = cdp("status", "--json").document["attention"]
    assert paused["command"] == run


def test_alerts_that_do_not_arrive_are_named(cdp: Any, export: str, workspace: Path) -> None:
    with (workspace / "cdp.toml").open("a") as settings:
        settings.write('\n[alerts]\nurls = ["env:PAGER"]\n')
    now = datetime.now(UTC)
    with State.open(workspace / "state.db") as state:
        loyal = state.exports.get(export).id
        for minutes, ways in (
            (60 * 25, ("webhook",)),
            (30, ("webhook", "env:PAGER")),
            (25, ("webhook",)),
            (20, ()),
            (1, ("env:PAGER",)),
        ):
            alert = Alert(
                id=f"{minutes}",
                at=now - timedelta(minutes=minutes),
                kind=AlertKind.FAILED,
                export=export,
                message="CDP-901: no answer",
                waiting=ways,
            )
            state.alerts.record(loyal, Standing(), [alert])
    (late,) = cdp("status", "--json").document["attention"]
    assert late["about"] == "alerts"
    assert late["trouble"] == "1 waits to be sent by env:PAGER, for 30 minutes"
    assert late["command"] == "cdp alerts test"


def test_two_exports_on_one_audience_have_each_their_own_size(cdp: Any, export: str, home: Path) -> None:
    cdp("export", "duplicate", export, "A second")
    for each in (export, "A second"):
        cdp("export", "run", each)
    assert {each["export"]: each["sizes"] for each in cdp("status", "--json").document["exports"]} == {
        export: [2],
        "A second": [2],
    }
    found = cdp("export", "status", export, "--json").document
    assert (found["claims"], found["claims_of_others"]) == (2, 2)
    assert "2 digests; of other exports: 2 digests" in cdp("export", "status", export).out


def test_the_claims_of_an_export_and_of_others_are_of_one_version_of_the_ledger(
    cdp: Any, export: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cdp("export", "duplicate", export, "A second")
    for each in (export, "A second"):
        cdp("export", "run", each)
    current, reads = Ledgers.current, itertools.count()

    def changing(ledgers: Ledgers, audience: AudienceKey) -> LedgerVersion:
        version = current(ledgers, audience)
        return version if next(reads) % 2 else dataclasses.replace(version, files=())

    monkeypatch.setattr(Ledgers, "current", changing)
    found = cdp("export", "status", export, "--json").document
    assert next(reads) > 0
    assert (found["claims"], found["claims_of_others"]) in ((2, 2), (0, 0))


def test_a_segment_that_fails_waits_for_somebody(cdp: Any, export: str, home: Path) -> None:
    (home / "profiles.csv").write_text("customer_id,email\n1,p1@example.org\n")
    cdp("export", "run", export, status=3)
    (waiting,) = cdp("status", "--json").document["attention"]
    assert "CDP-306" in waiting["trouble"]
    assert "cdp segment edit " in waiting["command"]


def test_of_all_exports_the_one_that_could_not_begin_is_named(cdp: Any, export: str, workspace: Path) -> None:
    cdp("export", "schedule", export, "--daily", "02:00", "--timezone", "UTC")
    alter(workspace, "DELETE FROM consents")
    said = cdp("export", "run", "--all", status=5).err
    assert f'  where: export "{export}": connection' in said


def test_a_plan_that_is_not_there_is_no_run_of_the_export(cdp: Any, export: str) -> None:
    cdp("export", "run", export)
    assert "CDP-321" in cdp("export", "run", export, "--plan", "nope", status=3).err
    cdp("export", "duplicate", export, "Another")
    others = cdp("export", "plan", "Another", "--json").document["plan"]
    assert "belongs to another export" in cdp("export", "run", export, "--plan", others, status=3).err
    (run,) = cdp("export", "history", export, "--json").document
    assert run["status"] == "committed"


@pytest.mark.usefixtures("export")
def test_connections_that_are_not_shared_are_none_of_others_business(cdp: Any, workspace: Path) -> None:
    alter(workspace, "UPDATE connections SET status = 'reconnect'")
    assert "sign in again" in cdp("status").out
    cdp("role", "grant", "nobody", "viewer")
    assert "Acme EU" not in cdp("--as", "nobody", "status").out


def test_the_history_is_filtered(cdp: Any, export: str) -> None:
    cdp("export", "plan", export)
    cdp("export", "run", export)
    cdp("export", "run", export)

    def statuses(*words: str) -> list[str]:
        return [run["status"] for run in cdp("export", "history", *words, "--json").document]

    assert statuses(export) == ["committed", "committed", "planned"]
    assert statuses("--all", "--status", "planned") == ["planned"]
    assert statuses(export, "--status", "successful", "--limit", "1") == ["committed"]
    assert statuses(export, "--status", "failed") == []
    tomorrow = (datetime.now().astimezone() + timedelta(days=1)).strftime("%Y-%m-%d")
    assert statuses(export, "--since", tomorrow) == []
    assert len(statuses(export, "--until", tomorrow)) == 3
    assert "No run is like that." in cdp("export", "history", export, "--status", "failed").out
    assert export in cdp("export", "history", "--all").out
    cdp("export", "history", export, "--all", status=2)
    refused = cdp("export", "history", export, "--since", "yesterday", status=2).err
    assert "CDP-203" in refused
    assert "'yesterday' is no date such as 2026-11-25" in refused


def test_a_run_whose_process_died_is_among_the_failed(cdp: Any, export: str, workspace: Path) -> None:
    cdp("export", "run", export)
    alter(workspace, "UPDATE runs SET status = 'delivering', ended_at = NULL")
    assert len(cdp("export", "history", export, "--status", "failed", "--json").document) == 1
    assert cdp("export", "history", export, "--status", "processing", "--json").document == []
