"""An observer of runs that makes a trace of each (run → station → batch), and counts.

A run's trace is made when it has ended, from what was told on the way and from its journal, so that sending
waits for nothing. No attribute holds personal data: names of exports, codes, counts and times. A service's
ids of requests are not among them, for a service may echo in them what it was sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from cdp_core.contract.hookspecs import hookimpl
from cdp_core.model.journal import BatchRecord
from cdp_core.model.run import Run, RunEvent, Station
from cdp_core.telemetry.names import Metric

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Tracer

# Of a run with more of them, the others are counted and have no span.
MOST_BATCHES = 1_000


@dataclass(slots=True)
class _UnderWay:
    """Moments in nanoseconds since the epoch."""

    began: int
    stations: list[tuple[Station, int, int]] = field(default_factory=list)
    entered: dict[Station, int] = field(default_factory=dict)


class Observer:
    """`batches` gives a run's by its id, `token_age` the age in seconds of the token that an export (by its
    id) is sent with, None where there is none."""

    def __init__(
        self,
        tracer: Tracer,
        meter: Meter,
        *,
        batches: Callable[[str], Iterable[BatchRecord]],
        token_age: Callable[[str], float | None],
    ) -> None:
        self._tracer = tracer
        self._batches = batches
        self._token_age = token_age
        self._guard = threading.Lock()
        self._runs: dict[str, _UnderWay] = {}
        self._members = meter.create_gauge(**_named(Metric.MEMBERS))
        self._accepted = meter.create_counter(**_named(Metric.ACCEPTED))
        self._refused = meter.create_counter(**_named(Metric.REFUSED))
        self._retries = meter.create_counter(**_named(Metric.RETRIES))
        self._seconds = meter.create_histogram(
            name=Metric.SECONDS, unit=Metric.SECONDS.unit, description=Metric.SECONDS.meaning
        )
        self._age = meter.create_gauge(**_named(Metric.TOKEN_AGE))
        self._lag = meter.create_gauge(**_named(Metric.LAG))

    @hookimpl
    def cdp_run_event(self, event: RunEvent) -> None:
        now = time.time_ns()
        if event.station is Station.RUN and event.state == "ended" and event.run is not None:
            with self._guard:
                under_way = self._runs.pop(event.run_id, _UnderWay(began=now))
            self._trace(event.run, under_way, now)
            self._count(event.run)
            return
        with self._guard:
            under_way = self._runs.setdefault(event.run_id, _UnderWay(began=now))
            if event.state == "started":
                under_way.entered[event.station] = now
            elif event.state == "ended":
                began = under_way.entered.pop(event.station, now)
                under_way.stations.append((event.station, began, now))

    def late(self, export: str, seconds: float) -> None:
        """How long after it was due a scheduled run began."""
        self._lag.set(seconds, {"cdp.export": export})

    def _trace(self, run: Run, under_way: _UnderWay, now: int) -> None:
        from opentelemetry.trace import Status, StatusCode, set_span_in_context

        sent = run.delivered
        root = self._tracer.start_span(
            "cdp.run",
            start_time=under_way.began,
            attributes={
                "cdp.run": run.id,
                "cdp.export": run.export_name,
                "cdp.status": str(run.status),
                "cdp.dry_run": run.dry_run,
                "cdp.profiles": run.profiles,
                "cdp.members": run.members,
                "cdp.planned": sent.planned,
                "cdp.accepted": sent.accepted,
                "cdp.refused": sent.refused,
                "cdp.unknown": sent.unknown,
                "cdp.not_sent": sent.not_sent,
                "cdp.requests": sent.requests,
                "cdp.retries": sent.retries,
                **({"cdp.error": run.error_code} if run.error_code else {}),
            },
        )
        if run.error_code:
            root.set_status(Status(StatusCode.ERROR, run.error_code))
        within = set_span_in_context(root)
        for station, began, ended in under_way.stations:
            span = self._tracer.start_span(
                f"cdp.{str(station).replace(' ', '_')}", context=within, start_time=began
            )
            if station is Station.DELIVER:
                self._trace_batches(run, set_span_in_context(span))
            span.end(ended)
        root.end(now)

    def _trace_batches(self, run: Run, within: Context) -> None:
        for number, batch in enumerate(self._batches(run.id)):
            if number == MOST_BATCHES:
                return
            span = self._tracer.start_span(
                "cdp.batch",
                context=within,
                start_time=_nanoseconds(batch.sent_at or batch.opened_at),
                attributes={
                    "cdp.batch": batch.number,
                    "cdp.operation": str(batch.range.operation),
                    "cdp.kind": batch.range.kind,
                    "cdp.digests": batch.range.count,
                    "cdp.status": str(batch.status),
                    "cdp.attempts": batch.attempts,
                    "http.response.status_code": batch.http_status,
                },
            )
            span.end(_nanoseconds(batch.answered_at or batch.sent_at or batch.opened_at))

    def _count(self, run: Run) -> None:
        about = {"cdp.export": run.export_name}
        self._members.set(run.members, about)
        self._accepted.add(run.delivered.accepted, about)
        self._refused.add(run.delivered.refused, about)
        self._retries.add(run.delivered.retries, about)
        self._seconds.record(run.seconds, {**about, "cdp.status": str(run.status)})
        age = self._token_age(run.export_id)
        if age is not None:
            self._age.set(age, about)


def _named(metric: Metric) -> dict[str, str]:
    return {"name": str(metric), "unit": metric.unit, "description": metric.meaning}


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e9)
