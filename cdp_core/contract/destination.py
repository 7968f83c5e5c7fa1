"""A destination: where members go. The spec registers it; the class behaves.

The core calls a destination from several threads at once; it must keep no state between calls but
what it was given. It never retries, stores, logs or waits by itself: the core does, so that every
attempt is journaled and counted.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from cdp_core.contract.digests import DigestBlock
from cdp_core.model.delivery import Audience, Operation, Receipt

if TYPE_CHECKING:
    import marshmallow
    import pyarrow
    import requests


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingRule:
    """Whether an identifier kind must, may, or (with the others so marked) at least once must be matched."""

    kind: str
    need: Literal["required", "at-least-one", "optional"] = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most so many requests a second."""

    requests_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the destination can do, so that the core plans batches that it takes.

    `batch_limit` is the most digests (or rows) in one request; `rate` is the service's limit for one access
    token and `app_rate` that for an app (see `ConnectionType.app`); `concurrency` how many requests may be
    under way at once. `payload` is what leaves: digests, or chosen fields of whole rows (`records`). Rows
    need a connection type of their own, to whose consent prompts the core adds its text about them, and an
    Administrator; their modes are `mirror` and `replace`, and the matched identifiers only screen them.
    `answers` says whether the service answers for each record (`Receipt.refused`).
    Who declares `Operation.REMOVE_ALL` says in `while_emptied`, in a sentence for people, what they lose
    from the emptying until the audience is filled again.

    `lists_audiences` and `creates_audiences` say whether `audiences()` and `create_audience()` may be
    called. A service may refuse members to an audience for some seconds after its creation: for so many
    `newborn_seconds` after the first refusal such a batch is sent again, not taken for refused.
    """

    operations: frozenset[Operation] = frozenset({Operation.ADD, Operation.REMOVE})
    batch_limit: int = 100_000
    rate: Rate | None = None
    app_rate: Rate | None = None
    concurrency: int = 4
    answers: Literal["batch", "record"] = "batch"
    payload: Literal["digests", "records"] = "digests"
    smallest_audience: int | None = None
    largest_audience: int | None = None
    while_emptied: str = ""
    lists_audiences: bool = False
    creates_audiences: bool = False
    newborn_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Digests of one kind for one operation; at most the destination's limit of them.

    For a destination of whole rows (`Capabilities.payload`) the kind is `RECORD`, the digests stand for rows,
    and `rows` is a table with a column of text for each chosen field, in the digests' order: what is to be
    added, and NULLs where it is to be removed. A row whose values have changed is added under another digest,
    and removed under the one it had.
    """

    operation: Operation
    kind: str
    digests: DigestBlock
    rows: pyarrow.Table | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionContext:
    """What a connection's code is handed: loaded settings (secret ones as `Secret`) and an HTTP
    session that carries the connection's credentials, its proxies and its timeouts."""

    settings: Mapping[str, Any]
    http: requests.Session
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivering:
    """The run that delivers: its id, the export's name, and when it began (UTC)."""

    run_id: str
    export: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationContext:
    """What a destination is handed: its connection, the export's loaded settings, and the run that delivers
    (None where the audience is only asked for). To list and create audiences there is no export yet: the
    settings are the schema's defaults then, without an audience."""

    connection: ConnectionContext
    settings: Mapping[str, Any]
    delivering: Delivering | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAudience:
    """An audience to be made. `description` must be kept by the service, and come back with the audience:
    the core finds by it what a lost answer has made."""

    name: str
    description: str = ""
    retention_in_days: int | None = None


class Destination(abc.ABC):
    """One audience at a service, reached through a connection.

    Every method may raise a `DestinationFault`; nothing else is taken for an answer of the service.
    """

    @abc.abstractmethod
    def verify(self) -> Audience:
        """Check, before anything is sent, that the audience is there and can take members.

        Raises `ValueError` with a sentence for people where it cannot, for example because it is of
        another kind.
        """

    @abc.abstractmethod
    def audiences(self) -> Iterator[Audience]:
        """All audiences that the connection reaches, page by page."""

    @abc.abstractmethod
    def create_audience(self, request: NewAudience) -> Audience:
        """Make a new, empty audience. Raises `ValueError` with a sentence for people where it cannot."""

    @abc.abstractmethod
    def deliver(self, batch: Batch) -> Receipt:
        """Send one batch once, and say what the service answered."""

    def remove_all(self) -> Receipt:
        """Empty the audience once, and say what the service answered. Asked for only where the destination
        declares `Operation.REMOVE_ALL`."""
        raise NotImplementedError(f"{type(self).__name__} declares no {Operation.REMOVE_ALL}")

    def finish(self, *, whole: bool) -> None:
        """Called when a run's last batch has had its answer, before anything is committed, and again where
        it fails; `whole` is whether all that was planned was accepted. For destinations that make known at
        the end what was delivered. A run that dies, or that another has taken over from, is never finished:
        the next one finds what it left."""
        return

    @abc.abstractmethod
    def audience_status(self) -> Audience:
        """The audience as the service sees it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSpec:
    """Registers a destination. `audience_setting` names the setting that holds the audience's id,
    `batch_size_setting` the one for smaller batches than the limit, and `concurrency_setting` the one for how
    many requests are under way at once, where there is one."""

    key: str
    label: str
    connection_type: str
    settings_schema: type[marshmallow.Schema]
    matching: tuple[MatchingRule, ...]
    capabilities: Capabilities
    factory: Callable[[DestinationContext], Destination]
    audience_setting: str = "audience_id"
    batch_size_setting: str | None = None
    concurrency_setting: str | None = None
