"""References to secrets: settings hold where a secret is, and it is read there each time that it is used.

A secret itself on a command line would stay in the shell's history and in the list of processes.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.secret import Secret
from cdp_core.model.sentence import Sentence
from cdp_core.vault.redaction import remember

FORMS = "env:NAME, file:PATH or keyring:SERVICE/NAME"

_LARGEST = 65_536

Scheme = Literal["env", "file", "keyring", "vault"]


class Kept(Protocol):
    """As much of a vault as a reference needs."""

    def get(self, name: str, /) -> Secret | None: ...


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is. As text it is what settings keep; a file's path is absolute in it."""

    scheme: Scheme
    place: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.place}"


def parse(text: str, *, setting: str = "") -> Reference:
    """The reference that a text is; raises `UsageFault`, which does not repeat the text, where it is none."""
    scheme, _, place = text.partition(":")
    if scheme == "env" and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", place):
        return Reference("env", place)
    if scheme == "file" and place:
        return Reference("file", str(Path(place).expanduser().absolute()))
    if scheme == "keyring" and all(place.rpartition("/")[::2]):
        return Reference("keyring", place)
    if scheme == "vault" and place:
        return Reference("vault", place)
    if text in ("env:", "file:", "keyring:"):
        raise UsageFault(
            Code.SECRET_ON_COMMAND_LINE,
            f"{text} names no place where the secret is",
            where=setting,
            hint=f"give {FORMS}; an empty shell variable may have stood there",
        )
    raise UsageFault(
        Code.SECRET_ON_COMMAND_LINE,
        "a secret is given by reference, not literally: what is typed here stays in the shell's history",
        where=setting,
        hint=f"give {FORMS}, or leave it out and type it at the prompt; if it was the secret, change it",
    )


def resolve(reference: Reference | str, vault: Kept, *, environ: Mapping[str, str] = os.environ) -> Secret:
    """The secret as it is there now; raises `InvalidFault` where there is none, or others could read it."""
    at = parse(reference) if isinstance(reference, str) else reference
    if at.scheme == "env":
        value = environ.get(at.place, "")
    elif at.scheme == "file":
        value = _read(at)
    else:
        value = _kept(at, vault)
    if not value.strip():
        how = f"export {at.place}=… before the command" if at.scheme == "env" else "put the secret there"
        raise _unreadable(at, Sentence("it is not set, or empty"), how)
    return remember(Secret(value.strip()))


def _kept(at: Reference, vault: Kept) -> str:
    if at.scheme == "keyring":
        from cdp_core.vault.keyring_vault import KeyringVault

        service, _, name = at.place.rpartition("/")
        found = KeyringVault(service, hint="unlock it, or refer to env:NAME or file:PATH instead").get(name)
    else:
        found = vault.get(at.place)
    return "" if found is None else found.reveal()


def _read(at: Reference) -> str:
    path = Path(at.place)
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                hint = "name a file that can be read again and again"
                raise _unreadable(at, Sentence("it is no regular file"), hint)
            if os.name == "posix" and found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                mode = f"{stat.S_IMODE(found.st_mode):03o}"
                raise _unreadable(
                    at,
                    Sentence("other users of this machine can read it (its mode is {mode})", mode=mode),
                    f"chmod 600 {shlex.quote(at.place)}",
                )
            content = file.read(_LARGEST + 1)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise _unreadable(at, reason, "name a file that is there, and that this user can read") from None
    if len(content) > _LARGEST:
        too_long = Sentence("it is longer than {most} bytes", most=_LARGEST)
        raise _unreadable(at, too_long, "name the file that holds the secret")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _unreadable(at, Sentence("it is not a UTF-8 text"), "save it as UTF-8") from None


def _unreadable(at: Reference, reason: str, hint: str) -> InvalidFault:
    told = Sentence("there is no secret at {place}: {reason}", place=str(at), reason=reason)
    return InvalidFault(Code.SECRET_UNREADABLE, told, where=str(at), hint=hint)
