"""A destination that is open: what delivers, over a session that carries the connection's credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cdp_core.contract.destination import Destination, DestinationSpec
from cdp_core.model.configuration import Connection

if TYPE_CHECKING:
    from cdp_core.oauth.session import ConnectionSession

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDestination:
    destination: Destination
    spec: DestinationSpec
    settings: Mapping[str, Any]
    connection: Connection
    http: ConnectionSession

    def renewing(self, ask: Callable[[], R]) -> R:
        """What `ask` yields, with a newer token where the service turns down the one in use."""
        from cdp_core.oauth.session import with_renewal

        return with_renewal(self.http, ask)

    @property
    def batch_size(self) -> int:
        """Digests in a request: the export's own setting, at most the destination's limit."""
        return batch_size(self.spec, self.settings)

    @property
    def concurrency(self) -> int:
        """Requests under way at once: the export's own setting, else the destination's."""
        return concurrency(self.spec, self.settings)


def batch_size(spec: DestinationSpec, settings: Mapping[str, Any]) -> int:
    """The same for an export's loaded settings."""
    setting = spec.batch_size_setting
    asked = settings.get(setting) if setting else None
    limit = spec.capabilities.batch_limit
    return min(int(asked), limit) if asked else limit


def concurrency(spec: DestinationSpec, settings: Mapping[str, Any]) -> int:
    """Requests under way at once, for an export's loaded settings."""
    setting = spec.concurrency_setting
    return int((settings.get(setting) if setting else None) or spec.capabilities.concurrency)
