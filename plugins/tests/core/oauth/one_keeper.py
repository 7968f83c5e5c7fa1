"""A process with one keeper over a real state and vault: prints the token it gets for a rejected one."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cdp_core.contract.connection import OAuth2, Token
from cdp_core.errors import InvalidFault
from cdp_core.model.secret import Secret
from cdp_core.oauth.tokens import TokenKeeper
from cdp_core.store.backend import Place, Server
from cdp_core.store.state import State
from cdp_core.vault.file_vault import FileVault
from cdp_core.vault.state_vault import StateVault


class CountingService(OAuth2):
    """Notes the refresh token of each request in a file; takes its time, so that others come meanwhile."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def redirect_uri(self, settings: Mapping[str, Any]) -> str:
        return ""

    def authorization_url(self, settings: Mapping[str, Any], *, redirect_uri: str, state: str) -> str:
        return ""

    def exchange(self, settings: Mapping[str, Any], *, code: str, redirect_uri: str) -> Token:
        return Token(access=Secret(code))

    def refresh(self, settings: Mapping[str, Any], token: Token) -> Token:
        assert token.refresh is not None
        with self.log.open("a") as log:
            log.write(f"{token.refresh.reveal()}\n")
        time.sleep(0.1)
        number = len(self.log.read_text().splitlines())
        return Token(access=Secret(f"access-{number}"), refresh=Secret(f"refresh-{number}"))


@contextmanager
def keeper_in(folder: Path, url: str = "") -> Iterator[TokenKeeper]:
    """The keeper of the state and vault that lie in a folder, or in the server at `url`; they are made where
    there are none."""
    place: Place = Server(url=url) if url else folder / "state.db"
    with _made_or_opened(place) as state:
        sealed = StateVault(state.secrets, where=url, environ={"CDP_VAULT_KEY": "correct horse"})
        yield TokenKeeper(
            connection_id="c1",
            connection_name="Snapchat EU",
            oauth=CountingService(folder / "refreshes"),
            settings={},
            vault=sealed if url else FileVault(folder / "vault", {}),
            lock=state.lock,
            on_reconnect=print,
            client_hint="look at the secret",
        )


def _made_or_opened(place: Place) -> State:
    try:
        return State.create(place)
    except InvalidFault:
        return State.open(place)


if __name__ == "__main__":
    with keeper_in(Path(sys.argv[1]), *sys.argv[2:]) as keeper:
        print(keeper.rejected(Secret("access-0")).reveal())  # noqa: T201 (its answer to the test)
