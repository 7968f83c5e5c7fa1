"""The options of `cdp export add` and `edit` for an export's own rules, and the policy that they make."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import rich_click

from cdp_core.errors import Code, UsageFault
from cdp_core.model.policy import Policy

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    rich_click.option(
        "--max-shrink",
        metavar="SHARE",
        help="The most of what the export has put into its audience that one run may take out: 30%. "
        "Default: 50%.",
    ),
    rich_click.option(
        "--on-audience-size",
        type=rich_click.Choice(["skip", "warn", "fail"]),
        help="What to do where the audience is smaller or larger than the service can use. Default: warn.",
    ),
)


def policy_options(function: F) -> F:
    """Rules that are not given are None."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def typed_policy(before: Policy, **given: Any) -> Policy:
    """The rules as they were, but for those that were typed; raises `UsageFault` where one is not valid."""
    gates = before.gates
    if given["max_shrink"] is not None:
        gates = dataclasses.replace(gates, max_shrink=_share(given["max_shrink"], "--max-shrink"))
    if given["on_audience_size"] is not None:
        gates = dataclasses.replace(gates, on_audience_size=given["on_audience_size"])
    return dataclasses.replace(before, gates=gates)


def _share(text: str, option: str) -> float:
    """`30%` is 0.3. Without its sign, 0.5 could be a half or half a hundredth."""
    number, sign, rest = text.strip().partition("%")
    try:
        share = Fraction(number.strip()) / 100
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not sign or rest or not 0 <= share <= 1:
        raise UsageFault(
            Code.USAGE, f"{text!r} is no share", where=option, hint=f"from 0% to 100%, as in: {option} 30%"
        )
    return float(share)
