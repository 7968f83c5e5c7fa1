"""The destination held to what any is held to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cdp_core.testing import HttpDestinationSuite, StandIn

import cdp_mailer
from cdp_mailer.stand_in import DEMO_KEY, LIST, mailer_stand_in

RELEASED = Path(cdp_mailer.__file__).with_name("settings_snapshot.json")


class TestMailer(HttpDestinationSuite):
    @pytest.fixture
    def stand_in(self) -> Iterator[StandIn]:
        with mailer_stand_in(rate_limit=False) as (mailer, url):
            yield StandIn(
                destination="mailer",
                settings={"api_url": url},
                secrets={"api_key": DEMO_KEY},
                export={"list_id": LIST},
                held=mailer.members,
                app=mailer.app,
                routes="subscribers",
                settings_snapshot=RELEASED,
            )
