"""JSON: one document, in JSON's own types, exactly as the documentation has it."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from enum import StrEnum

import pytest

from cdp_core.app.run_views import RunReport
from cdp_core.cli.render.documents import (
    error_document,
    plain_value,
    print_document,
    report_document,
    text_of,
)
from cdp_core.errors import Code, ExitStatus, InvalidFault
from cdp_core.model.accounting import DeliveryCounts, KindCounts
from cdp_core.model.delivery import Audience
from cdp_core.model.run import Run, RunStatus
from cdp_core.model.secret import Secret


class Colour(StrEnum):
    RED = "red"


@dataclasses.dataclass(frozen=True)
class Thing:
    name: str
    when: datetime
    tags: frozenset[str]
    secret: Secret
    colour: Colour


def test_a_dataclass_becomes_its_fields_in_json_types() -> None:
    thing = Thing("x", datetime(2026, 1, 2, tzinfo=UTC), frozenset({"b", "a"}), Secret("s3cret"), Colour.RED)
    assert plain_value((thing,)) == [
        {
            "name": "x",
            "when": "2026-01-02T00:00:00+00:00",
            "tags": ["a", "b"],
            "secret": "••••••",
            "colour": "red",
        }
    ]


def test_letters_stay_readable_and_nothing_can_act_on_a_terminal() -> None:
    text = text_of({"name": "Zürich\x9b31m\u202e\x1b\ud800"})
    assert "Zürich" in text
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == {"name": "Zürich\x9b31m\u202e\x1b\ud800"}


def test_a_document_is_written_whole_where_the_encoding_lacks_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import io
    import sys

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    print_document({"name": "Zürich"})
    assert json.loads(raw.getvalue()) == {"name": "Zürich"}


RUN = Run(
    id="r-1",
    export_id="e",
    export_name="Loyal",
    status=RunStatus.COMMITTED,
    actor="ann",
    started_at=datetime(2026, 1, 2, tzinfo=UTC),
    kinds={"EMAIL": KindCounts(read=3, added=2, missing=1)},
    delivered=DeliveryCounts(planned=2, accepted=2, requests=1),
    audience=Audience(id="42", name="Best", upload_status="COMPLETE", details={"internal": True}),
    seconds=1.23456,
)


def test_the_document_of_a_run_has_the_documented_keys_and_values() -> None:
    document = report_document(RunReport(run=RUN, exit_status=ExitStatus.DONE))
    documented = {
        "run": "r-1",
        "export": "Loyal",
        "status": "committed",
        "dry_run": False,
        "kinds": {
            "EMAIL": {
                "read": 3,
                "added": 2,
                "unchanged": 0,
                "named": 0,
                "duplicate": 0,
                "missing": 1,
                "malformed": 0,
                "placeholder": 0,
                "unsupported": 0,
                "without_consent": 0,
                "suppressed": 0,
                "removed": 0,
                "owed": 0,
                "released": 0,
                "kept": 0,
                "unclaimed": 0,
                "resent": 0,
                "held_back": 0,
                "replaced": 0,
            }
        },
        "delivered": {
            "planned": 2,
            "accepted": 2,
            "refused": 0,
            "unknown": 0,
            "not_sent": 0,
            "left_out": 0,
            "dead_letters": 0,
            "requests": 1,
            "retries": 0,
            "halves": 0,
        },
        "audience": {
            "id": "42",
            "name": "Best",
            "upload_status": "COMPLETE",
            "targetable_status": None,
            "approximate_number_users": None,
        },
        "seconds": 1.235,
        "resumed_from": None,
    }
    assert {name: document[name] for name in documented} == documented
    assert document["error"] is None


def test_a_failed_run_carries_its_fault() -> None:
    run = dataclasses.replace(
        RUN,
        status=RunStatus.FAILED,
        error_code="CDP-901",
        error="no answer",
        error_hint="try again",
        audience=None,
    )
    document = report_document(RunReport(run=run, exit_status=ExitStatus.TEMPORARY))
    assert document["error"] == {
        "code": "CDP-901",
        "message": "no answer",
        "where": "run r-1 of export Loyal",
        "hint": "try again",
    }
    assert document["audience"] is None


def test_a_fault_has_code_message_where_hint_and_exit_status() -> None:
    fault = InvalidFault(Code.SEGMENT_INVALID, "no such column", where="line 1", hint="columns: a, b")
    assert error_document(fault) == {
        "error": {
            "code": "CDP-306",
            "message": "no such column",
            "where": "line 1",
            "hint": "columns: a, b",
            "exit_status": 3,
        }
    }
