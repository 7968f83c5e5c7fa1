"""The webhook, configured for a service of the usual kind, held to what any destination is held to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import cdp_webhook
from acme_service import AUDIENCE, SETTINGS, acme_service
from cdp_core.testing import HttpDestinationSuite, StandIn

KEY = "s3cret-key"
RELEASED = Path(cdp_webhook.__file__).with_name("settings_snapshot.json")


class TestWebhook(HttpDestinationSuite):
    @pytest.fixture
    def stand_in(self) -> Iterator[StandIn]:
        with acme_service(key=("X-Api-Key", KEY)) as acme:
            yield StandIn(
                destination="webhook",
                settings={**SETTINGS, "api_url": acme.url, "auth": "api-key"},
                secrets={"api_key": KEY},
                export={"audience_id": AUDIENCE},
                held=acme.held,
                app=acme.app,
                routes="add|remove",
                settings_snapshot=RELEASED,
            )
