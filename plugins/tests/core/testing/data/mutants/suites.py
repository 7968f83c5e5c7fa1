"""A suite for each mutant, with the tests alone that must find it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import KEY, LIST, released, service
from cdp_mutants import MUTANTS, Mutant

from cdp_core.testing import HttpDestinationSuite, StandIn


def suite(name: str, mutant: Mutant) -> type:
    class Suite(HttpDestinationSuite):
        @pytest.fixture
        def stand_in(self, tmp_path: Path) -> Iterator[StandIn]:
            with service(**mutant.service) as (held, app, url):
                yield StandIn(
                    destination=f"mutant-{name}",
                    settings={"api_url": url, "note": mutant.note(tmp_path)},
                    secrets={"api_key": KEY},
                    export={"audience_id": LIST},
                    held=lambda: list(held.rows.values()) if mutant.takes_rows else list(held.held),
                    app=app,
                    routes="add|remove",
                    settings_snapshot=released(f"mutant-{name}", tmp_path),
                )

    for rule in [each for each in dir(Suite) if each.startswith("test_")]:
        if rule not in mutant.fails:
            setattr(Suite, rule, None)
    return Suite


for _name, _mutant in MUTANTS.items():
    globals()[f"Test_{_name.replace('-', '_')}"] = suite(_name, _mutant)
