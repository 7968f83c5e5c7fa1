"""Runs that are refused before they begin: whoever looks at the history in the morning finds them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cdp_core.model.configuration import ConnectionStatus
from cdp_core.store.state import State

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard

SETTINGS = ("--set", "audience_id=42", "--match", "EMAIL=email", "--segment", "Loyal")


def newest(cdp: Keyboard, export: str) -> Any:
    return cdp("export", "history", export, "--json").document[0]


def test_a_run_without_consent_is_in_the_history_and_the_next_one_goes_through(
    cdp: Keyboard, workspace: Path
) -> None:
    cdp.add_connection()
    cdp.add_export()
    said = cdp("export", "run", "Loyal to Acme", status=5)
    run = newest(cdp, "Loyal to Acme")
    assert (run["status"], run["error"]["code"]) == ("failed", "CDP-501")
    assert run["error"]["message"] in said.err
    assert run["ended_at"] is not None
    shown = cdp("export", "history", "Loyal to Acme").out
    assert "Failed" in shown
    cdp("connection", "agree", "Acme EU", "--agree")
    after = cdp("export", "run", "Loyal to Acme", "--json").document
    assert after["status"] == "committed"
    assert after["resumed_from"] is None
    assert len(cdp("export", "history", "Loyal to Acme", "--json").document) == 2


@pytest.mark.parametrize(
    ("status", "code"), [(ConnectionStatus.NEW, "CDP-601"), (ConnectionStatus.RECONNECT, "CDP-602")]
)
def test_a_run_over_a_connection_that_must_be_signed_in_is_in_the_history(
    cdp: Keyboard, workspace: Path, status: ConnectionStatus, code: str
) -> None:
    login = ("connection", "add", "acme-login", "--name", "Login", "--agree")
    cdp(*login, "--secret", "client_secret=env:ACME_KEY")
    cdp("export", "add", "E", "--connection", "Login", *SETTINGS)
    with State.open(workspace / "state.db") as state:
        state.connections.update(dataclasses.replace(state.connections.get("Login"), status=status))
    cdp("export", "run", "E", status=6)
    run = newest(cdp, "E")
    assert (run["status"], run["error"]["code"]) == ("failed", code)


def test_a_run_that_a_broken_access_plugin_stops_is_in_the_history(
    cdp: Keyboard, export: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = home / "later" / "acme_guard-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-guard\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[cdp.access]\nguard = there_is_no_such_module\n")
    monkeypatch.syspath_prepend(home / "later")
    cdp("export", "run", export, status=4)
    run = newest(cdp, export)
    assert (run["status"], run["error"]["code"]) == ("failed", "CDP-405")


def test_a_run_without_a_connection_or_a_role_is_in_the_audit_log_alone(cdp: Keyboard, export: str) -> None:
    cdp("role", "grant", "bob", "viewer")
    cdp("--as", "bob", "export", "run", export, status=4)
    cdp("export", "detach", export, "--yes")
    cdp("export", "run", export, status=3)
    assert cdp("export", "history", export, "--json").document == []
    entries = cdp("audit", "list", "--action", "export.run", "--json").document
    assert [entry["outcome"] for entry in entries] == ["failed", "begun", "denied"]
