"""A process of its own with one keeper: prints the token that it gets for a rejected one."""

from __future__ import annotations

import fcntl
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cdp_core.contract.connection import OAuth2, Token
from cdp_core.model.secret import Secret
from cdp_core.oauth.tokens import TokenKeeper


class FolderVault:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _file(self, name: str) -> Path:
        return self.folder / name.replace("/", "-")

    def get(self, name: str) -> Secret | None:
        return Secret(self._file(name).read_text()) if self._file(name).exists() else None

    def put(self, name: str, value: Secret) -> None:
        self._file(name).write_text(value.reveal())

    def delete(self, name: str) -> None:
        self._file(name).unlink()


class CountingService(OAuth2):
    """Ends a refresh token at its first use, as services that rotate them do."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "refreshes"

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


def keeper_in(folder: Path) -> TokenKeeper:
    @contextmanager
    def lock(name: str) -> Iterator[None]:
        with (folder / "lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    return TokenKeeper(
        connection_id="c1",
        connection_name="Snapchat EU",
        oauth=CountingService(folder),
        settings={},
        vault=FolderVault(folder),
        lock=lock,
        on_reconnect=print,
    )


if __name__ == "__main__":
    keeper = keeper_in(Path(sys.argv[1]))
    print(keeper.rejected(Secret("access-0")).reveal())  # noqa: T201 (its answer to the test)
