"""What an author tells a suite of a destination and of the stand-in of its service."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cdp_core.simulate import App

_RAW: Mapping[str, Callable[[int], str]] = {
    "EMAIL": lambda number: f"Person{number}@Example.org",
    "PHONE": lambda number: f"+31612{number:06d}",
    "MOBILE_AD_ID": lambda number: str(uuid.UUID(int=(1 << 126) + number)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """A destination, the settings that lead it to a stand-in, and what the stand-in holds.

    `destination` is the spec's key; `settings` and `secrets` are the connection's, `export` the export's, its
    audience among them, all as they would be typed. `held` tells whom the audience holds now: 32-byte
    digests, or, for a destination of whole rows, tuples of the values of its `fields` in their order.

    `app` is the stand-in where it speaks HTTP, and `routes` the names of those of its routes that take and
    remove members (a pattern, or several with `|` between). `kind` is the identifier kind that is sent, and
    `raw` writes the n-th made-up person's identifier of that kind. Where people sign in, `expire` lets
    the access tokens lapse that the stand-in has given, and `revoke` all of its grants. `cassettes` is the
    folder of recordings that the author's other tests keep, and `settings_snapshot` the file of the settings
    as they were released, which `cdp plugins record` writes.
    """

    destination: str
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    export: Mapping[str, str] = field(default_factory=dict)
    held: Callable[[], Collection[bytes] | Collection[tuple[str | None, ...]]]
    app: App | None = None
    routes: str = "*"
    kind: str = "EMAIL"
    raw: Callable[[int], str] | None = None
    fields: tuple[str, ...] = ("customer_id", "identifier")
    expire: Callable[[], None] | None = None
    revoke: Callable[[], None] | None = None
    cassettes: Path | None = None
    settings_snapshot: Path | None = None

    def identifier(self, number: int) -> str:
        """The n-th person's, not normalised."""
        write = self.raw or _RAW.get(self.kind)
        if write is None:
            raise ValueError(
                f"the stand-in's `raw` has to say how an identifier of kind {self.kind} is written"
            )
        return write(number)
