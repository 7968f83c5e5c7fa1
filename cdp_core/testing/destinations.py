"""The suites of destinations: what the core counts on, whatever the way to the service; and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cdp_core.testing.answers import Answers
from cdp_core.testing.declarations import Declarations
from cdp_core.testing.membership import Membership
from cdp_core.testing.runs import Runs
from cdp_core.testing.secrecy import Secrecy
from cdp_core.testing.stage import Stage
from cdp_core.testing.stand_in import StandIn


class _Suite:
    @pytest.fixture
    def stand_in(self) -> Iterator[StandIn]:
        """The author's: a stand-in that runs for as long as the test."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `stand_in`: see cdp_core.testing")

    @pytest.fixture
    def stage(self, stand_in: StandIn, tmp_path: Path) -> Stage:
        return Stage(tmp_path, stand_in)


class DestinationSuite(Declarations, Membership, Runs, Secrecy, _Suite):
    """What every destination is held to."""


class HttpDestinationSuite(Answers, DestinationSuite):
    """What a destination is held to besides whose service is asked by HTTP, with a stand-in made of
    `cdp_core.simulate`."""
