"""The rate limits of a connection, shared through the state by every process: its token's and its app's."""

from __future__ import annotations

from dataclasses import dataclass

from cdp_core.contract.destination import Rate
from cdp_core.store.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPace:
    """Seconds to wait before the next request. A connection has one token; an app's limit (`app` names it)
    is shared by all connections that sign in through it."""

    state: State
    connection_id: str
    rate: Rate | None
    app: str = ""
    app_rate: Rate | None = None

    @property
    def _token_key(self) -> str:
        return f"token/{self.connection_id}"

    @property
    def _limits(self) -> dict[str, float]:
        limits = {} if self.rate is None else {self._token_key: self.rate.requests_per_second}
        if self.app and self.app_rate is not None:
            limits[f"app/{self.app}"] = self.app_rate.requests_per_second
        return limits

    def reserve(self) -> float:
        limits = self._limits
        return self.state.rates.reserve(limits) if limits else 0.0

    def penalise(self, seconds: float) -> None:
        """The service has said that it is too much. Which of the limits it means, it does not say: the token
        pauses, and both go slower for a while."""
        self.state.rates.penalise(self._token_key, seconds, slowed=tuple(self._limits))
