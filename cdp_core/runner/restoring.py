"""Brings a workspace back from a backup, into a folder of its own.

What was sent after the backup is not in its ledgers, and what was taken out since is. So nothing is sure any
more of what the audiences hold: every claim is perhaps there, and the next run sends again who is wanted and
takes out who is not. Of whom only later runs have added the backup knows nothing; the mode `replace` empties
an audience once.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from cdp_core.errors import Code, InvalidFault
from cdp_core.pipeline import ledger
from cdp_core.pipeline.disk import private_folder, sync, writing
from cdp_core.pipeline.seal import Seal
from cdp_core.runner.backup import MANIFEST, Backup, Part, read_manifest
from cdp_core.runner.watch import LeaseWatch
from cdp_core.store.processes import this_process
from cdp_core.store.state import State
from cdp_core.workspace.files import touch_private
from cdp_core.workspace.workspace import SETTINGS_FILE, STATE_FILE

_FOLDERS = ("ledger", "plans", "segments", "vault")
# More would be no list of files of ours.
_LARGEST_MANIFEST = 256 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9._=%-]+")
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """Of how many audiences how many claims are perhaps there from now on."""

    audiences: int
    claims: int


def looked_at(path: Path) -> tuple[Backup, bytes]:
    """What the backup says that it holds, and its `cdp.toml`, after every byte of it was read and compared;
    nothing is written."""
    settings: list[bytes] = []

    def take(part: Part, content: IO[bytes]) -> str:
        return _copied(content, settings.append if part.name == SETTINGS_FILE else _nowhere)

    backup = _read(path, take)
    if not settings or not any(part.name == STATE_FILE for part in backup.parts):
        raise _spoilt(path, "it has no state, or no settings")
    return backup, b"".join(settings)


def unpack(path: Path, folder: Path, *, size: int, progress: Callable[[int, int], None]) -> Backup:
    """Write all parts but the settings below the folder, each compared as it is written; `size` is of all."""
    written = 0

    def put(part: Part, content: IO[bytes]) -> str:
        nonlocal written
        written += part.size
        if part.name == SETTINGS_FILE:
            return _copied(content, _nowhere)
        place = folder / part.name
        with writing(place):
            private_folder(place.parent)
            touch_private(place, exist_ok=False)
            with place.open("r+b") as file:
                found = _copied(content, file.write)
                file.flush()
                os.fsync(file.fileno())
            sync(place.parent)
        progress(written, size)
        return found

    return _read(path, put)


def doubt(state: State, folder: Path, seal: Seal) -> Doubted:
    """Take every claim of the restored ledgers for one that is perhaps there; who held a lease then holds
    none here."""
    state.leases.let_go()
    audiences = claims = 0
    for version in state.ledgers.all():
        with LeaseWatch(state, version.audience, this_process(), threading.Event()) as watch:
            files = ledger.doubted(folder, version.files, seal)
            state.ledgers.mend(watch.lease, version.audience, files)
        audiences += 1
        claims += sum(file.claims for file in files)
    return Doubted(audiences=audiences, claims=claims)


def _read(path: Path, take: Callable[[Part, IO[bytes]], str]) -> Backup:
    """Go through the parts in their order; `take` gives the SHA-256 of what it has read."""
    try:
        with tarfile.open(path, "r:") as tar:
            backup = _manifest_of(tar, path)
            expected = {part.name: part for part in backup.parts}
            for entry in tar:
                if entry.name == MANIFEST:
                    continue
                part = expected.pop(entry.name, None)
                content = tar.extractfile(entry) if entry.isreg() else None
                if part is None or content is None or entry.size != part.size:
                    raise _spoilt(path, f"{entry.name!r} is none of its parts, or is not as large as it was")
                if take(part, content) != part.sha256:
                    raise _spoilt(path, f"{part.name} is not what was written")
    except FileNotFoundError:
        raise InvalidFault(
            Code.NOT_FOUND, "there is no such file", where=str(path), hint="name a backup's file"
        ) from None
    except (tarfile.TarError, EOFError) as failure:
        raise _spoilt(path, "it ends too early, or is none") from failure
    if expected:
        raise _spoilt(path, f"{next(iter(expected))} is missing")
    return backup


def _manifest_of(tar: tarfile.TarFile, path: Path) -> Backup:
    entry = tar.next()
    content = tar.extractfile(entry) if entry is not None and entry.isreg() else None
    if entry is None or content is None or entry.name != MANIFEST or entry.size > _LARGEST_MANIFEST:
        raise _spoilt(path, "it does not begin with the list of its parts")
    try:
        backup = read_manifest(content.read())
    except (ValueError, KeyError, TypeError, RecursionError) as reason:
        raise _spoilt(path, f"the list of its parts cannot be read: {type(reason).__name__}") from None
    for part in backup.parts:
        if not _is_a_place(part.name):
            raise _spoilt(path, f"{part.name!r} is no name of a workspace's file")
    return backup


def _is_a_place(name: str) -> bool:
    """Whether it lies where a workspace's files lie, and nowhere else."""
    if name in (SETTINGS_FILE, STATE_FILE):
        return True
    pieces = PurePosixPath(name).parts
    return (
        len(pieces) > 1
        and "/".join(pieces) == name
        and pieces[0] in _FOLDERS
        and all(_NAME.fullmatch(piece) and piece not in (".", "..") for piece in pieces)
    )


def _copied(content: IO[bytes], write: Callable[[bytes], object]) -> str:
    digest = hashlib.sha256()
    while piece := content.read(_PIECE):
        digest.update(piece)
        write(piece)
    return digest.hexdigest()


def _nowhere(_piece: bytes) -> None:
    return


def _spoilt(path: Path, why: str) -> InvalidFault:
    return InvalidFault(
        Code.WORKSPACE_BROKEN,
        f"the file is no whole backup: {why}",
        where=str(path),
        hint="nothing was restored; take another backup's file",
    )
