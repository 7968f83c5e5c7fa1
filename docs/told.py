"""What the page of events is made of: the moments, alerts, log lines and entries that the code knows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

from cdp_core.alerts.ways import document_of
from cdp_core.model.alert import Alert, AlertKind
from cdp_core.model.audit import AuditEntry, AuditOutcome
from cdp_core.model.log import LogEvent
from cdp_core.model.run import EventState, RunEvent, RunStatus, Station
from cdp_core.telemetry.names import Metric

Row = tuple[str, ...]

# A field has its sentence here, since a dataclass has none for each; a new one without it stops the page.
EVENT_FIELDS = {
    "run_id": "the run's id",
    "export": "the export's name",
    "station": "where the run is; see below",
    "state": "whether the station has begun, goes on or has ended; see below",
    "done": "how many members or digests are done within the station; 0 where it does not count",
    "total": "of how many; 0 where it is not known",
    "note": "a sentence for people",
    "run": "the run as it stands in the history, when it has ended; else None",
}
STATES = {
    "started": "the station is entered",
    "progress": "more of it is done: `done` of `total`",
    "ended": "it is left; a run that fails may leave a station without it",
}
ALERT_FIELDS = {
    "id": "the alert's own; the same one may come twice, where the answer to the first was lost",
    "at": "when it was written down (ISO 8601, UTC)",
    "kind": "one of the above",
    "export": "the export's name; empty in a test",
    "run": "the run's id, or null",
    "message": "what happened, for people",
    "hint": "what mends it, and the command that leads on; or empty",
}
AUDIT_FIELDS = {
    "seq": "its number, from 1 on, without a gap",
    "at": "when (ISO 8601, UTC)",
    "actor": "who acted, or as whom somebody acted with `--as`",
    "real": "who it was, by the operating system",
    "action": "what was done",
    "object": "to what: a name",
    "outcome": "see below",
    "details": "what else there is to say: counts, codes, settings; no identifier, no secret",
    "previous": "the `digest` of the entry before",
    "digest": "SHA-256 over everything else in the entry, in hexadecimal",
}


def _names(of: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(of)]


def run_events() -> Iterator[Row]:
    yield "Field", "What it is"
    yield from ((f"`{name}`", EVENT_FIELDS[name]) for name in _names(RunEvent))


def run_event_states() -> Iterator[Row]:
    yield "State", "When"
    yield from ((f"`{state}`", STATES[state]) for state in get_args(EventState))


def stations() -> Iterator[Row]:
    yield "Station", "What is done there"
    yield from ((f"`{station}`", station.meaning) for station in Station)


def run_statuses() -> Iterator[Row]:
    yield "Status", "Shown as", "What it means"
    yield from ((f"`{status}`", str(status.shown), status.meaning) for status in RunStatus)


def alerts() -> Iterator[Row]:
    yield "Kind", "When"
    yield from ((f"`{kind}`", kind.meaning) for kind in AlertKind)


def alert_fields() -> Iterator[Row]:
    posted = document_of(Alert(id="", at=datetime.now(UTC), kind=AlertKind.TEST, export="", message=""))
    yield "Field", "What it is"
    yield from ((f"`{name}`", ALERT_FIELDS[name]) for name in posted)


def log_events() -> Iterator[Row]:
    yield "Event", "When", "Fields"
    for event in LogEvent:
        yield f"`{event}`", event.meaning, ", ".join(f"`{name}`" for name in event.fields)


def metrics() -> Iterator[Row]:
    yield "Metric", "Instrument", "Unit", "What it is"
    yield from ((f"`{metric}`", metric.sort, metric.unit, metric.meaning) for metric in Metric)


def audit_fields() -> Iterator[Row]:
    yield "Field", "What it is"
    yield from ((f"`{name}`", AUDIT_FIELDS[name]) for name in _names(AuditEntry))


def audit_outcomes() -> Iterator[Row]:
    yield "Outcome", "When"
    yield from ((f"`{outcome}`", outcome.meaning) for outcome in AuditOutcome)


PARTS = {
    "run events": run_events,
    "run event states": run_event_states,
    "stations": stations,
    "run statuses": run_statuses,
    "alerts": alerts,
    "alert fields": alert_fields,
    "log events": log_events,
    "metrics": metrics,
    "audit fields": audit_fields,
    "audit outcomes": audit_outcomes,
}
