"""Snapchat, held to what any destination is held to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import cdp_snapchat
from cdp_core.testing import HttpDestinationSuite, StandIn
from cdp_snapchat.simulator import AUDIENCE_ID, snapchat_simulator

CASSETTES = Path(__file__).with_name("cassettes")
RELEASED = Path(cdp_snapchat.__file__).with_name("settings_snapshot.json")


class TestSnapchat(HttpDestinationSuite):
    @pytest.fixture
    def stand_in(self) -> Iterator[StandIn]:
        with snapchat_simulator(rate_limit=False, client_secret="s3cret-of-the-app") as snapchat:
            yield StandIn(
                destination="snapchat",
                settings={
                    "client_id": "demo-client",
                    "api_url": snapchat.api_url,
                    "accounts_url": snapchat.accounts_url,
                    "redirect_uri": "http://127.0.0.1:0/callback",
                },
                secrets={"client_secret": "s3cret-of-the-app"},
                export={"audience_id": AUDIENCE_ID},
                held=lambda: snapchat.members(AUDIENCE_ID),
                app=snapchat.app,
                routes="add-users|remove-users|remove-all-users",
                expire=snapchat.expire_tokens,
                revoke=snapchat.revoke_tokens,
                cassettes=CASSETTES,
                settings_snapshot=RELEASED,
            )
