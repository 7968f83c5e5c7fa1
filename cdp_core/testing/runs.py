"""Whole runs, and what is left of them when their process dies."""

from __future__ import annotations

import pytest

from cdp_core.errors import ExitStatus
from cdp_core.model.run import RunStatus
from cdp_core.testing.stage import Stage

_STORE = "cdp_core.store"
_JOURNALED = ("open:before:1", "open:after:1", "attempt:after:1", "close:before:1", "close:after:2")
# From a run's beginning to its commit, in their order but for what delivery repeats.
STEPS = (
    *(f"{_STORE}.runs:Runs.start:after:1", f"{_STORE}.plans:Plans.record:after:1"),
    *(f"{_STORE}.journal:Journal.{step}" for step in _JOURNALED),
    *("deliver:before:1", "deliver:after:1", "deliver:before:2", "deliver:after:2"),
    *(f"{_STORE}.ledgers:Ledgers.commit:{moment}:1" for moment in ("before", "after")),
)


class Runs:
    def test_an_audience_follows_its_segment(self, stage: Stage) -> None:
        """Who is new comes, who has left goes, and where nothing has changed nothing is sent."""
        require_done(stage)
        assert stage.held() == stage.expected(range(10))
        stage.write(range(4, 14))
        require_done(stage)
        assert stage.held() == stage.expected(range(4, 14))
        sent = require_done(stage)
        assert sent == 0
        assert stage.held() == stage.expected(range(4, 14))

    def test_who_changes_is_there_as_they_are_now(self, stage: Stage) -> None:
        """What is new is sent before what was is taken out: a service that tells the two by anything but
        what it was sent, such as a row's key, would lose them."""
        require_done(stage)
        stage.write(range(10), changed=range(3))
        require_done(stage)
        assert stage.held() == stage.expected(range(10), changed=range(3))

    @pytest.mark.parametrize("step", STEPS)
    def test_a_crash_loses_and_doubles_nobody(self, stage: Stage, step: str) -> None:
        """The process is killed at a step; the next run ends with the audience as it should be."""
        if step.startswith("deliver"):
            _, moment, number = step.split(":")
            step = stage.deliver_step(moment, int(number))
        assert stage.killed(step), f"a run does not come to {step}"
        stage.write(range(2, 12))
        require_done(stage)
        assert sorted(map(repr, stage.stand_in.held())) == sorted(map(repr, stage.expected(range(2, 12))))


def require_done(stage: Stage) -> int:
    """Run; how many digests were sent."""
    report = stage.run()
    assert report.exit_status is ExitStatus.DONE, (
        f"the run ended with {report.exit_status}: {report.run.error}"
    )
    assert report.run.status is RunStatus.COMMITTED
    return report.run.delivered.planned
