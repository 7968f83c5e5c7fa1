"""The modes of an export in words."""

from __future__ import annotations

from collections.abc import Mapping

from cdp_core.cli.language import _, marked
from cdp_core.cli.render.words import counted
from cdp_core.model.policy import Mode, Policy

_MODES: Mapping[Mode, str] = {
    Mode.MIRROR: marked("adds who is new, takes out who has left"),
    Mode.ADD_ONLY: marked("adds who is new, takes out only who withdrew consent or is suppressed"),
    Mode.REMOVE: marked("takes its members out, whoever put them in"),
    Mode.REPLACE: marked("empties the audience, then adds"),
}


def mode_of(policy: Policy) -> str:
    """The mode, what it does, and when the audience is kept alive."""
    said = f"{policy.mode}: {_(_MODES[policy.mode])}"
    days = policy.keep_alive_days
    if days is None:
        return said
    quiet = counted(days, "quiet day", "quiet days")
    return _("{mode}; sends one batch again after {quiet}").format(mode=said, quiet=quiet)
