"""The options of `cdp export run` that say of what a gate stops: it is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import rich_click

from cdp_core.model.gates import Gate

F = TypeVar("F", bound=Callable[..., object])

_HELP = {
    Gate.SHRINK: "Take out more of the audience than --max-shrink of the export allows.",
    Gate.AUDIENCE_SIZE: "Send also where the audience is smaller or larger than the service can use.",
    Gate.DUPLICATE_KEYS: "Send although several rows of the profile table have one key.",
    Gate.SCHEMA: "Send although fields that the export uses have changed since its last run.",
}


def meant_options(function: F) -> F:
    for gate, said in reversed(_HELP.items()):
        function = rich_click.option(str(gate.flag), _parameter(gate), is_flag=True, help=said)(function)
    return function


def meant_gates(**flags: bool) -> frozenset[Gate]:
    """The gates whose flags were typed."""
    return frozenset(gate for gate in _HELP if flags[_parameter(gate)])


def _parameter(gate: Gate) -> str:
    return f"meant_{gate.name.lower()}"
