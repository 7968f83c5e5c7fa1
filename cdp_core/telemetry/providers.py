"""OpenTelemetry's own machinery: what is made of a run leaves by OTLP over HTTP, as its variables say.

A collector that is not there costs a few seconds at the end of a command, and no run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from cdp_core.errors import Code, InvalidFault

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Tracer

SECONDS = 5
NAME = "cdp"


@dataclass(frozen=True, slots=True)
class Providers:
    """`close` sends what is left."""

    tracer: Tracer
    meter: Meter
    close: Callable[[], None]


def providers() -> Providers:
    """Raises `InvalidFault` where OpenTelemetry is not installed."""
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise InvalidFault(
            Code.SETTING_INVALID,
            "telemetry is on, and OpenTelemetry is not installed",
            where="[telemetry] in cdp.toml",
            hint='pip install "cdp-core[otel]"',
        ) from None
    # What the environment says of the resource goes before.
    resource = Resource.create({"service.name": NAME, "service.version": version("cdp-core")})
    traces = TracerProvider(resource=resource, shutdown_on_exit=False)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=SECONDS)))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(timeout=SECONDS))
    metrics = MeterProvider(metric_readers=[reader], resource=resource, shutdown_on_exit=False)

    def close() -> None:
        # What it says of a collector that does not answer is one line, not a traceback of its own.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        traces.shutdown()
        metrics.shutdown(timeout_millis=SECONDS * 1000)

    return Providers(traces.get_tracer(NAME), metrics.get_meter(NAME), close)
