"""How files of a workspace are written and what is refused: private to their owner whatever the umask,
whole or not at all, never through a symbolic link. Settings, vault and state all write by these rules."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from cdp_core.errors import Code, InvalidFault

FOLDER_MODE = 0o700
FILE_MODE = 0o600
OTHERS = stat.S_IRWXG | stat.S_IRWXO

# What the system says where there is no room or no right to write.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
UNWRITABLE = NO_ROOM | {errno.EROFS, errno.EACCES, errno.EPERM}


def make_private_folder(folder: Path) -> None:
    """Make one folder (its parent is there) for its owner alone; one that is there already stays as it is."""
    refuse_symlink(folder)
    with storing(folder):
        try:
            folder.mkdir(mode=FOLDER_MODE)
        except FileExistsError:
            return
        # A umask can take the owner's own bits from mkdir's mode.
        folder.chmod(FOLDER_MODE)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file as a whole: a reader, or a crash at any point, finds the old content or the new."""
    refuse_symlink(path)
    with storing(path), _written_aside(path, content) as aside:
        aside.replace(path)
        _sync_folder(path.parent)


def create_private(path: Path, content: bytes) -> bool:
    """Write a file that is not there yet; False, and nothing changed, where another process was first."""
    refuse_symlink(path)
    with storing(path), _written_aside(path, content) as aside:
        try:
            os.link(aside, path)
        except FileExistsError:
            return False
        _sync_folder(path.parent)
        return True


def read_private(path: Path) -> bytes:
    """What lies in a file; raises `FileNotFoundError`, or `InvalidFault` where others could read it too."""
    refuse_symlink(path)
    with path.open("rb") as file:
        refuse_open_to_others(path, os.fstat(file.fileno()))
        return file.read()


def refuse_open_to_others(path: Path, found: os.stat_result | None = None) -> None:
    """Raise `InvalidFault` where the group or others may read or write what is the owner's alone."""
    mode = stat.S_IMODE((found or path.stat()).st_mode)
    if os.name == "posix" and mode & OTHERS:
        wanted = FOLDER_MODE if path.is_dir() else FILE_MODE
        raise InvalidFault(
            Code.WORKSPACE_BROKEN,
            f"{path.name} is open to other users of this machine (its mode is {mode:03o})",
            where=str(path),
            hint=f"chmod {wanted:o} {shlex.quote(str(path))}",
        )


def refuse_symlink(path: Path) -> None:
    if path.is_symlink():
        raise InvalidFault(
            Code.WORKSPACE_BROKEN,
            f"{path.name} is a symbolic link; a workspace's own files lie in its folder",
            where=str(path),
            hint="move what it points to into its place, or make the whole workspace elsewhere: cdp init DIR",
        )


@contextlib.contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn what a full or write-protected disk says into a fault with its place; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise InvalidFault(
            Code.DISK_FULL,
            f"cannot write {path.name}: {os.strerror(error.errno or 0).lower()}",
            where=str(path),
            hint="make room, then run again"
            if error.errno in NO_ROOM
            else "mend the permissions of the folder, then run again",
        ) from error


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other processes out of a read-change-write in a folder; the lock falls with the process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _written_aside(path: Path, content: bytes) -> Iterator[Path]:
    """A synced private file beside `path`, gone afterwards unless it was moved away."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, FILE_MODE)
            file.write(content)
            file.flush()
            os.fsync(handle)
        yield aside
    finally:
        aside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
