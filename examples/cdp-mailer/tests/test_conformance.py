"""The destination held to what any is held to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cdp_core.testing import HttpDestinationSuite, StandIn

from cdp_mailer.stand_in import DEMO_KEY, LIST, mailer_stand_in


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
            )
