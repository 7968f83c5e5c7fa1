"""The modes of an export in words."""

from __future__ import annotations

from collections.abc import Mapping

from cdp_core.cli.render.words import counted
from cdp_core.model.policy import Mode, Policy

_MODES: Mapping[Mode, str] = {
    Mode.MIRROR: "adds who is new, takes out who has left",
    Mode.ADD_ONLY: "adds who is new, takes out only who withdrew consent or is suppressed",
    Mode.REMOVE: "takes its members out, whoever put them in",
    Mode.REPLACE: "empties the audience, then adds",
}


def mode_of(policy: Policy) -> str:
    """The mode, what it does, and when the audience is kept alive."""
    said = f"{policy.mode}: {_MODES[policy.mode]}"
    days = policy.keep_alive_days
    return said if days is None else f"{said}; sends one batch again after {counted(days, 'quiet day')}"
