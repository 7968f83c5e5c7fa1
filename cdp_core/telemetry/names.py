"""The metrics that runs leave, by the names that a dashboard stands on."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class Metric(StrEnum):
    """`sort` is OpenTelemetry's instrument; the unit of what is only counted is empty."""

    MEMBERS = "cdp.run.members", "gauge", "", "Members of the segments"
    ACCEPTED = "cdp.digests.accepted", "counter", "", "Digests accepted"
    REFUSED = "cdp.digests.refused", "counter", "", "Digests refused"
    RETRIES = "cdp.requests.retries", "counter", "", "Requests sent again"
    SECONDS = "cdp.run.duration", "histogram", "s", "Length of a run"
    TOKEN_AGE = "cdp.token.age", "gauge", "s", "Age of the sign-in's token"
    LAG = "cdp.schedule.lag", "gauge", "s", "From when a run was due to when it began"

    sort: Literal["gauge", "counter", "histogram"]
    unit: str
    meaning: str

    def __new__(
        cls, name: str, sort: Literal["gauge", "counter", "histogram"], unit: str, meaning: str
    ) -> Metric:
        metric = str.__new__(cls, name)
        metric._value_ = name
        metric.sort = sort
        metric.unit = unit
        metric.meaning = meaning
        return metric
