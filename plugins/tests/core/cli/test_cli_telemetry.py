"""Traces and metrics of real runs, in OpenTelemetry's in-memory exporters."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cdp_core.app.facade import CDP
from cdp_core.model.run import RunEvent, Station
from cdp_core.telemetry import telemetry
from cdp_core.telemetry.names import Metric
from cdp_core.telemetry.providers import Providers
from cdp_core.workspace import Workspace

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard


@dataclass
class Memory:
    spans: InMemorySpanExporter
    reader: InMemoryMetricReader

    def of(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans.get_finished_spans() if span.name == name]

    def metrics(self) -> dict[str, Any]:
        """The last point of each metric."""
        data = self.reader.get_metrics_data()
        assert data is not None
        return {
            metric.name: metric.data.data_points[-1]
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> Iterator[Memory]:
    """Telemetry is on, and goes to memory."""
    kept = Memory(InMemorySpanExporter(), InMemoryMetricReader())
    traces, meters = (
        TracerProvider(shutdown_on_exit=False),
        MeterProvider([kept.reader], shutdown_on_exit=False),
    )
    traces.add_span_processor(SimpleSpanProcessor(kept.spans))
    made = Providers(traces.get_tracer("cdp"), meters.get_meter("cdp"), close=lambda: None)
    monkeypatch.setattr(telemetry.Telemetry.__init__, "__kwdefaults__", {"open_providers": lambda: made})
    settings = workspace / "cdp.toml"
    settings.write_text(settings.read_text() + "\n[telemetry]\nopentelemetry = true\n")
    yield kept
    meters.shutdown()
    traces.shutdown()


def test_a_run_is_a_trace_of_its_stations_and_batches(cdp: Keyboard, memory: Memory, export: str) -> None:
    cdp("export", "run", export)
    (run,) = memory.of("cdp.run")
    assert run.attributes is not None
    assert run.attributes["cdp.export"] == export
    assert run.attributes["cdp.status"] == "committed"
    assert run.attributes["cdp.accepted"] == 2
    assert run.status.is_ok or run.status.is_unset
    stations = {
        span.name
        for span in memory.spans.get_finished_spans()
        if span.parent is not None and span.parent.span_id == run.context.span_id
    }
    assert {"cdp.prepare", "cdp.compare", "cdp.deliver", "cdp.commit", "cdp.read_back"} <= stations
    (deliver,), (batch,) = memory.of("cdp.deliver"), memory.of("cdp.batch")
    assert batch.parent is not None
    assert batch.parent.span_id == deliver.context.span_id
    assert batch.attributes is not None
    assert (batch.attributes["cdp.digests"], batch.attributes["cdp.status"]) == (2, "accepted")
    assert "cdp.request_id" not in batch.attributes, "a service may echo in it what it was sent"
    assert run.start_time is not None
    assert run.end_time is not None
    assert batch.start_time is not None
    assert run.start_time <= batch.start_time <= run.end_time


def test_counts_and_lengths_are_metrics(cdp: Keyboard, memory: Memory, export: str) -> None:
    cdp("export", "run", export)
    cdp("export", "run", export)
    found = memory.metrics()
    assert found["cdp.run.members"].value == 5
    assert found["cdp.digests.accepted"].value == 2
    assert found["cdp.digests.refused"].value == 0
    assert found["cdp.run.duration"].count == 2
    assert dict(found["cdp.run.members"].attributes) == {"cdp.export": export}


def test_a_run_that_fails_says_with_what_code(cdp: Keyboard, memory: Memory, export: str, home: Path) -> None:
    cdp("export", "run", export)
    (home / "profiles.csv").write_text("customer_id,email,lifetime_value\n1,ann@example.org,900\n")
    cdp("export", "edit", export, "--max-shrink", "10%")
    cdp("export", "run", export, status=7)
    failed = memory.of("cdp.run")[-1]
    assert failed.attributes is not None
    assert failed.attributes["cdp.error"] == "CDP-706"
    assert not failed.status.is_ok
    assert failed.status.description == "CDP-706"


def test_no_attribute_holds_personal_data(cdp: Keyboard, memory: Memory, export: str) -> None:
    cdp("export", "run", export)
    values = [
        str(value) for span in memory.spans.get_finished_spans() for value in (span.attributes or {}).values()
    ]
    assert values
    for value in values:
        assert "@" not in value
        assert not re.search(r"[0-9a-f]{64}", value)


def test_every_span_and_attribute_is_in_the_reference(cdp: Keyboard, memory: Memory, export: str) -> None:
    page = (Path(__file__).parents[4] / "docs/reference/events.md").read_text(encoding="utf-8")
    cdp("export", "run", export)
    spans = memory.spans.get_finished_spans()
    rows = {span.name: next(line for line in page.splitlines() if f"`{span.name}`" in line) for span in spans}
    assert len(rows) > 6
    for span in spans:
        assert [name for name in span.attributes or () if f"`{name}`" not in rows[span.name]] == []
    points = memory.metrics()
    assert points.keys() <= {str(metric) for metric in Metric}
    for point in points.values():
        assert [name for name in point.attributes if f"`{name}`" not in page] == []


def test_a_scheduled_run_says_how_late_it_began(cdp: Keyboard, memory: Memory, export: str) -> None:
    cdp("scheduler", "run-due", export, "--due-at", "2026-01-01T00:00:00+00:00")
    assert memory.metrics()["cdp.schedule.lag"].value > 3600


def test_the_lag_of_what_was_not_run_is_told_of_no_other_run(
    cdp: Keyboard, memory: Memory, export: str, workspace: Path
) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    with CDP(Workspace.open(workspace)) as opened:
        assert opened.schedules.run_due(export, due_at=noon) is not None
        lag = memory.metrics()["cdp.schedule.lag"].value
        assert opened.schedules.run_due(export, due_at=noon - timedelta(days=1)) is None
        opened.exports.run(export)
        assert len(memory.of("cdp.run")) == 2
        told = memory.metrics().get("cdp.schedule.lag")
    assert told is None or told.value == lag


def test_several_threads_open_it_once() -> None:
    opened = []

    def opening() -> Providers:
        time.sleep(0.05)
        traces, meters = TracerProvider(shutdown_on_exit=False), MeterProvider(shutdown_on_exit=False)
        opened.append(meters)
        return Providers(traces.get_tracer("cdp"), meters.get_meter("cdp"), close=lambda: None)

    made = telemetry.Telemetry(batches=lambda run: (), token_age=lambda export: None, open_providers=opening)
    event = RunEvent(run_id="r", export="Loyal", station=Station.DELIVER, state="progress")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(made.cdp_run_event, [event] * 4))
    assert len(opened) == 1


def test_it_is_off_by_default(cdp: Keyboard, export: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened() -> Providers:
        raise AssertionError("nobody asked for it")

    monkeypatch.setattr(telemetry.Telemetry.__init__, "__kwdefaults__", {"open_providers": opened})
    cdp("export", "run", export)
