"""Secrets in encrypted files, for machines without a keyring: one file for each, AES-256-GCM.

The key is made from `CDP_VAULT_KEY` (scrypt), else it lies in a private key file beside them, which
keeps the secrets out of backups and greps of single files, though not from whoever reads the folder.
A file belongs to its name: one put in another's place does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import threading
from collections.abc import Mapping
from pathlib import Path

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.secret import Secret
from cdp_core.vault.redaction import remember
from cdp_core.workspace.files import (
    create_private,
    make_private_folder,
    read_private,
    refuse_open_to_others,
    storing,
    write_private,
)

VARIABLE = "CDP_VAULT_KEY"
KEY_SIZE = 32
KEY_FILE = "key"
SALT_FILE = "salt"

_MAGIC = b"cdp-vault-1 "
_BY_VARIABLE, _BY_KEY_FILE = b"E", b"K"


class FileVault:
    """Thread-safe, and safe between processes: every file is replaced as a whole."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._folder = folder
        self._environ = environ
        self._derived: dict[str, bytes] = {}
        self._deriving = threading.Lock()
        make_private_folder(folder)
        refuse_open_to_others(folder)

    def get(self, name: str, /) -> Secret | None:
        path = self._path(name)
        try:
            sealed = read_private(path)
        except FileNotFoundError:
            return None
        from cdp_core.vault import sealing

        start = len(_MAGIC) + 1
        manner, content = sealed[start - 1 : start], sealed[start:]
        if not sealed.startswith(_MAGIC) or manner not in (_BY_VARIABLE, _BY_KEY_FILE):
            raise self._locked("a file of the vault is damaged", path)
        key = self._key_of_variable() if manner == _BY_VARIABLE else self._key_of_file()
        try:
            return remember(Secret(sealing.opened(content, key, name).decode()))
        except ValueError:
            reason = (
                f"{VARIABLE} is not the one that the secret was stored with, or the file is damaged"
                if manner == _BY_VARIABLE
                else "the key file is not the one that the secret was stored with, or the file is damaged"
            )
            raise self._locked(reason, path) from None

    def put(self, name: str, secret: Secret, /) -> None:
        from cdp_core.vault import sealing

        remember(secret)
        if self._environ.get(VARIABLE):
            manner, key = _BY_VARIABLE, self._key_of_variable()
        else:
            manner, key = _BY_KEY_FILE, self._key_of_file(make=not self._keeps_by_key_file())
        write_private(self._path(name), _MAGIC + manner + sealing.sealed(secret.reveal().encode(), key, name))

    def delete(self, name: str, /) -> None:
        path = self._path(name)
        with storing(path):
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()}.secret"

    def _keeps_by_key_file(self) -> bool:
        """Whether something lies here that only the key file opens: a new key would lock it for good."""
        begins = _MAGIC + _BY_KEY_FILE
        return any(read_private(path).startswith(begins) for path in self._folder.glob("*.secret"))

    def _key_of_file(self, *, make: bool = False) -> bytes:
        path = self._folder / KEY_FILE
        if make and not path.exists():
            create_private(path, base64.b64encode(os.urandom(KEY_SIZE)) + b"\n")
        try:
            key = base64.b64decode(read_private(path), validate=False)
        except FileNotFoundError:
            raise self._locked("the vault's key file is gone", path) from None
        except binascii.Error:
            key = b""
        if len(key) != KEY_SIZE:
            raise self._locked("the vault's key file is damaged", path)
        return key

    def _key_of_variable(self) -> bytes:
        phrase = self._environ.get(VARIABLE, "")
        if not phrase:
            raise InvalidFault(
                Code.VAULT_LOCKED,
                f"the secret was stored with {VARIABLE}, which is not set",
                where=str(self._folder),
                hint=f"set {VARIABLE} to the value that it had then",
            )
        from cdp_core.vault import sealing

        with self._deriving:
            if phrase not in self._derived:
                self._derived[phrase] = sealing.key_from(phrase, self._salt())
            return self._derived[phrase]

    def _salt(self) -> bytes:
        path = self._folder / SALT_FILE
        if not path.exists():
            create_private(path, os.urandom(16))
        return read_private(path)

    def _locked(self, reason: str, path: Path) -> InvalidFault:
        return InvalidFault(
            Code.VAULT_LOCKED,
            reason,
            where=str(path),
            hint="put the right key back; if it is lost, delete the vault folder's files and sign in again",
        )
