"""The codes and tokens that the simulated sign-in has given out, and until when they are good."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from cdp_core.simulate import Clock, Refusal
from cdp_snapchat.simulator.options import Options
from cdp_snapchat.simulator.world import World

CODE_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """What a grant yields; `refresh_token` is None where the answer carries none."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int

    def as_json(self) -> dict[str, str | int]:
        answer: dict[str, str | int] = {"expires_in": self.expires_in, "token_type": "Bearer"}
        if self.refresh_token is not None:
            answer["refresh_token"] = self.refresh_token
        return answer | {"access_token": self.access_token}


class Tokens:
    """Codes are good once, for ten minutes; access tokens until they lapse; refresh tokens until another
    takes their place or they are revoked."""

    def __init__(self, options: Options, world: World, clock: Clock) -> None:
        self._options = options
        self._world = world
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: dict[str, tuple[str, float]] = {}
        self._access: dict[str, float] = {}
        self._refresh: set[str] = set()

    def new_code(self, redirect_uri: str) -> str:
        code = self._world.token()
        with self._lock:
            self._codes[code] = (redirect_uri, self._clock.time() + CODE_SECONDS)
        return code

    def for_code(self, code: str, redirect_uri: str) -> IssuedToken:
        """Raises `Refusal` (400 invalid_grant). The code is used up either way."""
        with self._lock:
            expected, until = self._codes.pop(code, ("", 0.0))
        if self._clock.time() >= until:
            raise Refusal(400, "the code is unknown, used or too old", code="invalid_grant")
        if redirect_uri != expected:
            raise Refusal(400, "redirect_uri is not that of the sign-in", code="invalid_grant")
        return self.issue()

    def for_refresh_token(self, refresh_token: str) -> IssuedToken:
        """Raises `Refusal` (400 invalid_grant)."""
        with self._lock:
            if refresh_token not in self._refresh:
                raise Refusal(400, "the refresh token is unknown or revoked", code="invalid_grant")
            if self._options.refresh_tokens == "rotated":
                self._refresh.discard(refresh_token)
        if self._options.refresh_tokens == "rotated":
            return self.issue()
        kept = refresh_token if self._options.refresh_tokens == "same" else None
        return IssuedToken(
            access_token=self._new_access(), refresh_token=kept, expires_in=self._options.expires_in
        )

    def issue(self) -> IssuedToken:
        refresh = self._world.token()
        with self._lock:
            self._refresh.add(refresh)
        return IssuedToken(
            access_token=self._new_access(), refresh_token=refresh, expires_in=self._options.expires_in
        )

    def is_good(self, access_token: str) -> bool:
        return self._clock.time() < self._access.get(access_token, 0.0)

    def in_use(self) -> set[str]:
        """The access and refresh tokens that are good now."""
        with self._lock:
            return {*self._access, *self._refresh}

    def expire(self) -> None:
        """Every access token lapses; refresh tokens stay good."""
        with self._lock:
            self._access.clear()

    def revoke(self) -> None:
        """As when the user withdraws what they agreed to: nothing given out is good any more."""
        with self._lock:
            self._access.clear()
            self._refresh.clear()
            self._codes.clear()

    def _new_access(self) -> str:
        token = f"0.{self._world.token()}"
        with self._lock:
            self._access[token] = self._clock.time() + self._options.expires_in
        return token
