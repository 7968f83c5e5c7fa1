"""Secrets in the operating system's keyring, which encrypts them under the user's login."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import keyring
from keyring.backends import fail, null
from keyring.errors import KeyringError, PasswordDeleteError

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.secret import Secret
from cdp_core.vault.redaction import remember

# From this on, keyring's own documentation recommends a backend.
RECOMMENDED = 1

_PATIENCE = 3.0
_OTHER_VAULT = (
    'unlock it, or keep secrets in a file: kind = "file" below [vault] in cdp.toml, then sign in again'
)


def usable_keyring() -> bool:
    """Whether there is a real keyring here. Nothing is read or written, so that no dialog can appear,
    and a session bus that does not answer is not waited for."""
    found: list[bool] = []
    looking = threading.Thread(target=lambda: found.append(_recommended()), daemon=True)
    looking.start()
    looking.join(_PATIENCE)
    return any(found)


def _recommended() -> bool:
    try:
        backend = keyring.get_keyring()
        return not isinstance(backend, fail.Keyring | null.Keyring) and backend.priority >= RECOMMENDED
    except (KeyringError, ImportError, AttributeError, RuntimeError, ValueError, OSError):
        return False


class KeyringVault:
    """Entries under one service name, which tells one workspace's from another's.

    `hint` is what to do where the keyring does not open.
    """

    def __init__(self, service: str, *, hint: str = _OTHER_VAULT) -> None:
        self._service = service
        self._hint = hint

    def get(self, name: str, /) -> Secret | None:
        with self._opened():
            value = keyring.get_password(self._service, name)
        return None if value is None else remember(Secret(value))

    def put(self, name: str, secret: Secret, /) -> None:
        remember(secret)
        with self._opened():
            keyring.set_password(self._service, name, secret.reveal())

    def delete(self, name: str, /) -> None:
        with self._opened(), contextlib.suppress(PasswordDeleteError):
            keyring.delete_password(self._service, name)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[None]:
        try:
            yield
        except (KeyringError, RuntimeError, OSError) as error:
            raise InvalidFault(
                Code.VAULT_LOCKED,
                f"the system's keyring cannot be used ({type(error).__name__})",
                where=f"keyring entries of {self._service!r}",
                hint=self._hint,
            ) from error
