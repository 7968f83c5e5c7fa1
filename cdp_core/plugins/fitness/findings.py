"""What was found of a plugin: a row for each thing looked at, and the verdict that they come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Weight = Literal["ok", "warning", "error"]


class Verdict(StrEnum):
    FITS = "fits"
    FITS_BUT = "fits, but"
    UNFIT = "does not fit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`plugin` is empty for what is said of the whole distribution; `where` is a file and line, or a key."""

    plugin: str
    check: str
    state: Weight
    message: str
    where: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitness:
    """A distribution, or one plugin of it, beside this version of the core."""

    distribution: str
    version: str
    core: str
    plugins: tuple[str, ...]
    verdict: Verdict
    findings: tuple[Finding, ...]


def verdict_on(findings: Iterable[Finding]) -> Verdict:
    states = {finding.state for finding in findings}
    if "error" in states:
        return Verdict.UNFIT
    return Verdict.FITS_BUT if "warning" in states else Verdict.FITS
