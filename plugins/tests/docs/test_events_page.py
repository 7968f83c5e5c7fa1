"""Each moment, status, alert, line of the log, metric and field has its row on the page of events."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from cdp_core.alerts.ways import document_of
from cdp_core.model.alert import Alert, AlertKind
from cdp_core.model.audit import AuditEntry, AuditOutcome
from cdp_core.model.log import LogEvent
from cdp_core.model.retention import Purged
from cdp_core.model.run import EventState, RunEvent, RunStatus, Station
from cdp_core.telemetry.names import Metric

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/events.md").read_text(encoding="utf-8")
OURS = [ROOT / "cdp_core", *(ROOT / "plugins").glob("*/cdp_*")]
MODULES = sorted(path for folder in OURS for path in folder.rglob("*.py"))


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> dict[str, str]:
    """Of each table of a section the first cell, and what stands beside it."""
    return dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", section(title), re.MULTILINE))


@pytest.mark.parametrize("word", [*Station, *get_args(EventState), *RunStatus], ids=str)
def test_every_station_state_and_status_of_a_run_is_documented(word: str) -> None:
    said = rows("Moments of a run")[word]
    assert getattr(word, "meaning", "") in said


@pytest.mark.parametrize("field", dataclasses.fields(RunEvent), ids=lambda field: field.name)
def test_every_field_of_a_run_event_is_documented(field: dataclasses.Field[object]) -> None:
    assert field.name in rows("Moments of a run")


@pytest.mark.parametrize("kind", AlertKind)
def test_every_kind_of_alert_is_documented_and_told_where_one_sets_them_up(kind: AlertKind) -> None:
    assert rows("Alerts")[kind] == kind.meaning
    how_to = (ROOT / "docs/how-to/alerts.md").read_text(encoding="utf-8")
    assert f"| `{kind}` |" in how_to or kind is AlertKind.TEST


def test_every_field_that_the_webhook_gets_is_documented() -> None:
    posted = document_of(Alert(id="", at=datetime.now(UTC), kind=AlertKind.TEST, export="", message=""))
    assert posted.keys() == rows("Alerts").keys() - set(AlertKind)


@pytest.mark.parametrize("event", LogEvent)
def test_every_event_of_the_log_is_documented_with_its_fields(event: LogEvent) -> None:
    meaning, _, fields = rows("The log")[event].rpartition(" | ")
    assert meaning == event.meaning
    assert re.findall(r"`(\w+)`", fields) == list(event.fields)


@pytest.mark.parametrize("metric", Metric)
def test_every_metric_is_documented(metric: Metric) -> None:
    assert rows("Traces and metrics")[metric] == f"{metric.sort} | {metric.unit} | {metric.meaning}"


def test_every_field_and_outcome_of_the_audit_log_is_documented() -> None:
    fields = {field.name for field in dataclasses.fields(AuditEntry)}
    assert rows("The audit log").keys() == fields | set(AuditOutcome)


def extras() -> Iterator[tuple[Path, ast.expr]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield from ((path, each.value) for each in node.keywords if each.arg == "extra")


def told() -> Iterator[tuple[Path, LogEvent, list[str | None]]]:
    """Each place in the code that tells of an event, with the fields that it gives; None is several."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        attr="about", value=ast.Attribute(attr=name, value=ast.Name(id="LogEvent"))
                    )
                ):
                    yield path, LogEvent[name], [each.arg for each in node.keywords]


def test_every_event_is_told_somewhere_with_its_fields_and_no_other() -> None:
    assert {event for _, event, _ in told()} == set(LogEvent)
    for path, event, fields in told():
        if None in fields:
            assert set(fields) - {None} <= set(event.fields), path
        else:
            assert sorted(map(str, fields)) == sorted(event.fields), (path, event)


def test_what_is_given_in_one_go_has_the_fields_of_the_page() -> None:
    assert tuple(Purged(skipped={}, dry_run=True).counts()) == LogEvent.PURGED.fields


def test_no_line_of_the_log_has_an_event_past_the_list() -> None:
    for path, given in extras():
        assert not isinstance(given, ast.Dict), f"{path}: a line of the log is told by `LogEvent`"
    assert len(list(extras())) > 10


def test_what_goes_missing_from_the_page_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    gaps: dict[str, Callable[[], None]] = {
        "| `read back` |": lambda: test_every_station_state_and_status_of_a_run_is_documented(
            Station.READ_BACK
        ),
        "| `skipped` |": lambda: test_every_station_state_and_status_of_a_run_is_documented(
            RunStatus.SKIPPED
        ),
        "`due_at`, ": lambda: test_every_event_of_the_log_is_documented_with_its_fields(LogEvent.DUE),
        "| `cdp.token.age` |": lambda: test_every_metric_is_documented(Metric.TOKEN_AGE),
        "| `hint` |": test_every_field_that_the_webhook_gets_is_documented,
        "| `previous` |": test_every_field_and_outcome_of_the_audit_log_is_documented,
    }
    for words, check in gaps.items():
        with monkeypatch.context() as gone:
            gone.setitem(globals(), "PAGE", PAGE.replace(words, ""))
            with pytest.raises((AssertionError, KeyError)):
                check()
