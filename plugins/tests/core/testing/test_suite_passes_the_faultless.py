"""A destination without a fault passes the whole suite: the one that the mutants are made from."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdp_core.testing import HttpDestinationSuite, StandIn

DATA = Path(__file__).parent / "data" / "mutants"

# Found here and not left on the path: a plugin on the path is every test's.
sys.path.append(str(DATA))
from bench import KEY, LIST, released, service  # noqa: E402

sys.path.remove(str(DATA))


class TestBench(HttpDestinationSuite):
    @pytest.fixture(autouse=True)
    def _is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(DATA))

    @pytest.fixture
    def stand_in(self, tmp_path: Path) -> Iterator[StandIn]:
        with service() as (held, app, url):
            yield StandIn(
                destination="mutant-none",
                settings={"api_url": url},
                secrets={"api_key": KEY},
                export={"audience_id": LIST},
                held=lambda: list(held.held),
                app=app,
                routes="add|remove",
                settings_snapshot=released("mutant-none", tmp_path),
            )
