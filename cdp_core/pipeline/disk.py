"""What the pipeline asks of the disk: that what is written survives a crash, and a full disk says so."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cdp_core.errors import Code, InvalidFault
from cdp_core.workspace.files import UNWRITABLE, make_private_folder, touch_private


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Whatever is written within goes to `place`; raises `InvalidFault` naming it where it has no room."""
    try:
        yield
    except OSError as failure:
        if failure.errno not in UNWRITABLE:
            raise
        raise InvalidFault(
            Code.DISK_FULL,
            f"cannot write: {(failure.strerror or 'the disk is full').lower()}",
            where=str(place),
            hint="make room or mend the folder's rights, then run again",
        ) from failure


def private_folder(path: Path) -> Path:
    """Make a folder, and those that it lies in, with the rights that the first of them says; `mkdir` would
    leave the outer ones open."""
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir() or folder == path:
            make_private_folder(folder)
    return path


def sync(path: Path) -> None:
    """Return when a file, or a folder's list of names, is on the disk itself."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Of a file's bytes, in hexadecimal; other threads run meanwhile."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def link(existing: Path, path: Path) -> None:
    """Give a finished file a second name, at no cost where the file system can; else copy it."""
    try:
        os.link(existing, path)
    except OSError:
        touch_private(path)
        shutil.copyfile(existing, path)
    sync(path)
