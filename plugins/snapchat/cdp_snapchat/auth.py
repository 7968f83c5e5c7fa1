"""Snapchat's side of the sign-in: which pages, which parameters; the token is the core's to keep.

The exchange itself is next door (`token_endpoint`), so that naming this class costs no import of
requests-oauthlib.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from cdp_core import OAuth2, Token


class SnapchatOAuth(OAuth2):
    """OAuth 2 at `accounts_url`, with the client's id and secret in the body, as the service wants them."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock

    def redirect_uri(self, settings: Mapping[str, Any]) -> str:
        return str(settings["redirect_uri"])

    def authorization_url(self, settings: Mapping[str, Any], *, redirect_uri: str, state: str) -> str:
        from cdp_snapchat.token_endpoint import authorization_url

        return authorization_url(settings, redirect_uri=redirect_uri, state=state)

    def exchange(self, settings: Mapping[str, Any], *, code: str, redirect_uri: str) -> Token:
        from cdp_snapchat.token_endpoint import TokenEndpoint

        return TokenEndpoint(settings, self._clock).for_code(code, redirect_uri)

    def refresh(self, settings: Mapping[str, Any], token: Token) -> Token:
        from cdp_snapchat.token_endpoint import TokenEndpoint

        return TokenEndpoint(settings, self._clock).refreshed(token)
