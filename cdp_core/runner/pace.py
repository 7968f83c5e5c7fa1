"""The rate limit of one access token, shared through the state by every process that uses it."""

from __future__ import annotations

from dataclasses import dataclass

from cdp_core.contract.destination import Rate
from cdp_core.store.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPace:
    """Seconds to wait before the next request; a connection has one token, and so one limit."""

    state: State
    connection_id: str
    rate: Rate | None

    @property
    def _key(self) -> str:
        return f"token/{self.connection_id}"

    def reserve(self) -> float:
        if self.rate is None:
            return 0.0
        return self.state.rates.reserve(self._key, self.rate.requests_per_second)

    def penalise(self, seconds: float) -> None:
        """Nobody sends for so long: the service has said that it is too much."""
        self.state.rates.penalise(self._key, seconds)
