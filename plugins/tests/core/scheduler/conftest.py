"""A state with exports to schedule, and a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cdp_core.model.configuration import Connection, Export
from cdp_core.model.schedule import Schedule
from cdp_core.rules.recurrence import cron
from cdp_core.store.backend import Place
from cdp_core.store.state import State
from postgres_server import postgres  # noqa: F401 - a fixture

# A Wednesday noon, so that nights lie before and after it.
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, **time: float) -> datetime:
        self.now += timedelta(**time)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def state(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[State]:
    in_a_file = request.param == "sqlite"
    place: Place = tmp_path / "state.db" if in_a_file else request.getfixturevalue("postgres").state_place()
    with State.create(place, clock=clock) as made:
        made.connections.add(Connection(id="c", name="Acme EU", type="acme", created_at=NOON))
        made.schedules.set_refresh(
            Schedule(recurrence=cron("0 2 * * *", timezone="UTC"), since=NOON, set_by="ann")
        )
        yield made


def export(state: State, name: str, *, connection: str | None = "c") -> Export:
    made = Export(
        id=f"id of {name}", name=name, destination="acme", connection_id=connection, created_at=NOON
    )
    state.exports.add(made)
    return made
