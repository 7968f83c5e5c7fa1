"""Secrets in the state that several machines share, so that none of them holds an old refresh token.

Each is sealed (AES-256-GCM, for its name) before it goes there, with a key that every machine makes from its
`CDP_VAULT_KEY` (scrypt): whoever reads the database alone reads no secret. The first one who keeps something
settles the key; another is refused before anything is written with it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Protocol

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.secret import Secret
from cdp_core.vault.file_vault import VARIABLE
from cdp_core.vault.redaction import remember

_PROOF_NAME = "the key of this vault"
_PROOF = b"it opens"
_SALT_SIZE = 16


class Shelf(Protocol):
    """Where what is sealed lies: as much of the state as this vault needs."""

    def get(self, name: str, /) -> bytes | None: ...

    def put(self, name: str, sealed: bytes, /) -> None: ...

    def delete(self, name: str, /) -> None: ...

    def key(self) -> tuple[bytes, bytes] | None:
        """(salt, proof) of the key that everything here is sealed with; None before the first."""
        ...

    def settle_key(self, salt: bytes, proof: bytes, /) -> tuple[bytes, bytes]:
        """Make this the key, unless there is one already; which one there is."""
        ...


class StateVault:
    """Thread-safe, and safe between machines. `where` is what faults name as the place."""

    def __init__(self, shelf: Shelf, *, where: str, environ: Mapping[str, str] = os.environ) -> None:
        self._shelf = shelf
        self._where = where
        self._environ = environ
        self._key: bytes | None = None
        self._deriving = threading.Lock()

    def get(self, name: str, /) -> Secret | None:
        found = self._shelf.get(name)
        if found is None:
            return None
        from cdp_core.vault import sealing

        try:
            return remember(Secret(sealing.opened(found, self._opened(), name).decode()))
        except ValueError:
            raise self._locked(
                "a secret in the shared state is damaged",
                "bring the database back from a copy, or sign in and type secrets again: what is kept anew "
                "takes its place",
            ) from None

    def put(self, name: str, secret: Secret, /) -> None:
        from cdp_core.vault import sealing

        remember(secret)
        self._shelf.put(name, sealing.sealed(secret.reveal().encode(), self._opened(), name))

    def delete(self, name: str, /) -> None:
        self._shelf.delete(name)

    def prove(self) -> None:
        """Raise `InvalidFault` (VAULT_LOCKED) where this machine's key is missing, or not the vault's."""
        self._opened()

    def _opened(self) -> bytes:
        """The key, once it is known to be the right one."""
        from cdp_core.vault import sealing

        with self._deriving:
            if self._key is None:
                phrase = phrase_of(self._environ, where=self._where)
                settled = self._shelf.key()
                if settled is None:
                    salt = os.urandom(_SALT_SIZE)
                    key = sealing.key_from(phrase, salt)
                    settled = self._shelf.settle_key(salt, sealing.sealed(_PROOF, key, _PROOF_NAME))
                salt, proof = settled
                key = sealing.key_from(phrase, salt)
                try:
                    sealing.opened(proof, key, _PROOF_NAME)
                except ValueError:
                    raise self._locked(
                        f"{VARIABLE} is not the one that the secrets in the shared state are sealed with",
                        f"set {VARIABLE} to the value that the other machines have; nothing was changed",
                    ) from None
                self._key = key
            return self._key

    def _locked(self, reason: str, hint: str) -> InvalidFault:
        return InvalidFault(Code.VAULT_LOCKED, reason, where=self._where, hint=hint)


def phrase_of(environ: Mapping[str, str], *, where: str) -> str:
    """What the key is made from; raises `InvalidFault` (VAULT_LOCKED) where this machine has none."""
    phrase = environ.get(VARIABLE, "")
    if not phrase:
        raise InvalidFault(
            Code.VAULT_LOCKED,
            f"secrets lie sealed in the shared state, and {VARIABLE}, which opens them, is not set here",
            where=where,
            hint="set it to what it is on the other machines; for a new state, to a long random text: "
            "openssl rand -base64 32",
        )
    return phrase
