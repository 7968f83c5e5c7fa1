"""How a Snapchat simulator behaves where Snapchat's own behaviour is a setting, or is not known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

RefreshTokens = Literal["rotated", "same", "omitted"]

DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Seconds are of the simulator's clock, but for `latency`.

    `redirect_uris` are the app's registered ones; None takes any `https` URI and any loopback one.
    `refresh_tokens`: what the answer to a refresh carries: a new one, which ends the old, the same,
    or none. `new_audience_seconds` is how long a created audience refuses users, with
    `new_audience_status` (200: an ERROR within a success). `match_rate` is the share of identifiers
    that become matched users. `seed` makes ids, tokens and the chances of faults repeat.
    """

    client_id: str = "demo-client"
    client_secret: str = field(default="demo-secret", repr=False)
    redirect_uris: tuple[str, ...] | None = None
    expires_in: int = 3600
    refresh_tokens: RefreshTokens = "rotated"
    rate_limit: bool = True
    latency: float = 0.0
    seed: int | None = None
    processing_seconds: float = DAY
    new_audience_seconds: float = 0.0
    new_audience_status: int = 404
    match_rate: float = 1.0
    retention_immutable: bool = False
    bad_digests: frozenset[bytes] = field(default=frozenset(), repr=False)
