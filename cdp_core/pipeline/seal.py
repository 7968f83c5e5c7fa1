"""How digest files are written, and those read that are encrypted: Parquet's own modular encryption.

Every file has a data key of its own, which the workspace's master key wraps (AES-256-GCM throughout, so that
a file that was tampered with does not open). The footer is encrypted too: who has no key learns the file's
size, and nothing of what it holds. A file tells itself whether it is encrypted, so that plain and encrypted
ones may lie side by side; the master key is asked for when the first file needs it.
"""

from __future__ import annotations

import binascii
import hashlib
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdp_core.errors import Code, GateFault

if TYPE_CHECKING:
    from pyarrow.parquet import encryption

KEY_SIZE = 32
_ENCRYPTED = b"PARE"
_NONCE = 12

# The master key of a workspace; None where its vault has none.
MasterKey = Callable[[], bytes | None]


def is_encrypted(path: Path) -> bool:
    """Whether a Parquet file's footer, and so all of it, is encrypted."""
    with path.open("rb") as file:
        return file.read(len(_ENCRYPTED)) == _ENCRYPTED


class Seal:
    """`encrypts` is whether files are written encrypted from now on. Threads may share it."""

    def __init__(self, master: MasterKey, *, encrypts: bool) -> None:
        self._master = master
        self.encrypts = encrypts

    def __repr__(self) -> str:
        return f"Seal(encrypts={self.encrypts})"

    def to_write(self) -> Any:
        """The properties that a writer is given; None for a plain file.

        Raises `GateFault` (LEDGER_SEALED) where the vault has no key.
        """
        if not self.encrypts:
            return None
        if self._master() is None:
            raise GateFault(
                Code.LEDGER_SEALED,
                "the ledger is to be encrypted, and the vault has no key for it",
                hint="cdp ledger encrypt makes one; or bring the vault back from a backup",
            )
        from pyarrow.parquet import encryption

        configuration = encryption.EncryptionConfiguration(
            footer_key=self._key[0],
            uniform_encryption=True,
            double_wrapping=False,
            data_key_length_bits=8 * KEY_SIZE,
        )
        return self._factory.file_encryption_properties(encryption.KmsConnectionConfig(), configuration)

    def to_read(self, path: Path) -> Any:
        """The properties that a reader is given; None for a plain file. Raises `GateFault` as `to_write`."""
        if not is_encrypted(path):
            return None
        from pyarrow.parquet import encryption

        self._require_key(path)
        return self._factory.file_decryption_properties(encryption.KmsConnectionConfig())

    def unreadable(self, path: Path) -> GateFault:
        """What to raise where an encrypted file does not open with the key that there is."""
        return _sealed(
            "the ledger is encrypted with another key than the vault's, or was tampered with", str(path)
        )

    def _require_key(self, path: Path) -> None:
        try:
            assert self._key  # noqa: S101 - to ask for it
        except GateFault as lacking:
            raise _sealed(lacking.message, str(path)) from None

    @cached_property
    def _key(self) -> tuple[str, bytes]:
        """The master key, after a name that tells it from another."""
        key = self._master()
        if key is None:
            raise _sealed("the ledger is encrypted, and the vault has no key for it", "")
        return f"ledger/{hashlib.sha256(key).hexdigest()[:16]}", key

    @cached_property
    def _factory(self) -> encryption.CryptoFactory:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from pyarrow.parquet import encryption

        name, key = self._key

        class Wrapping(encryption.KmsClient):  # type: ignore[misc]  # pyarrow has no types
            """Wraps data keys here, in this process: no service is asked."""

            def __init__(self, _: encryption.KmsConnectionConfig) -> None:
                super().__init__()

            def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
                nonce = os.urandom(_NONCE)
                wrapped = nonce + AESGCM(key).encrypt(nonce, key_bytes, master_key_identifier.encode())
                return wrapped.hex().encode("ascii")

            def unwrap_key(self, wrapped_key: str | bytes, master_key_identifier: str) -> bytes:
                found = binascii.unhexlify(wrapped_key)
                try:
                    return AESGCM(key).decrypt(found[:_NONCE], found[_NONCE:], master_key_identifier.encode())
                except InvalidTag:
                    raise ValueError(f"not wrapped with {name}") from None

        return encryption.CryptoFactory(Wrapping)


def _sealed(message: str, where: str) -> GateFault:
    return GateFault(
        Code.LEDGER_SEALED,
        message,
        where=where,
        hint="bring the vault back from a backup; without its key nobody can read what an audience holds, "
        "and it can only be given up: cdp ledger reset EXPORT",
    )


# Files as any reader of Parquet opens them.
PLAIN = Seal(lambda: None, encrypts=False)
