"""How files of a workspace are written and what is refused: private to their owner whatever the umask,
whole or not at all, never through a symbolic link. Settings, vault and state all write by these rules.

A workspace may be opened to a group. Its folders carry the set-group-ID bit then, so that what lies in them
is the group's, and that bit is what tells: a file has the rights that its folder says.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shlex
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cdp_core.errors import Code, InvalidFault

FOLDER_MODE = 0o700
FILE_MODE = 0o600
SHARED_FOLDER_MODE = 0o2770
SHARED_FILE_MODE = 0o660

# What the system says where there is no room or no right to write.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
UNWRITABLE = NO_ROOM | {errno.EROFS, errno.EACCES, errno.EPERM}


def is_shared(folder: Path) -> bool:
    """Whether a folder of a workspace is open to its group."""
    return bool(folder.stat().st_mode & stat.S_ISGID)


def file_mode(folder: Path) -> int:
    """The rights of a file in a folder."""
    return SHARED_FILE_MODE if is_shared(folder) else FILE_MODE


def folder_mode(folder: Path) -> int:
    """The rights of a folder in a folder."""
    return SHARED_FOLDER_MODE if is_shared(folder) else FOLDER_MODE


def make_private_folder(folder: Path, *, mode: int | None = None) -> None:
    """Make one folder (its parent is there) with the rights that its parent says; one that is there already
    stays as it is."""
    refuse_symlink(folder)
    with storing(folder):
        try:
            folder.mkdir(mode=FOLDER_MODE)
        except FileExistsError:
            if mode is None:
                _finish(folder)
            return
        # A umask can take the owner's own bits from mkdir's mode.
        folder.chmod(folder_mode(folder.parent) if mode is None else mode)


def _finish(folder: Path) -> None:
    """Open a shared folder whose maker died before it was open; only its owner can."""
    found = folder.stat()
    ours = found.st_uid == os.geteuid()
    if ours and is_shared(folder.parent) and stat.S_IMODE(found.st_mode) != SHARED_FOLDER_MODE:
        folder.chmod(SHARED_FOLDER_MODE)


def scratch_folder(prefix: str, within: Path) -> Path:
    """A new folder for what is thrown away. In a shared workspace whoever comes later may throw it away."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=within))
    folder.chmod(folder_mode(within))
    return folder


def share_with(folder: Path, gid: int) -> None:
    """Open a new, empty folder to a group, and so whatever comes to lie in it."""
    os.chown(folder, -1, gid)
    folder.chmod(SHARED_FOLDER_MODE)


def touch_private(path: Path, *, exist_ok: bool = True) -> None:
    """Make an empty file, whatever the umask, with the rights that its folder says."""
    path.touch(mode=FILE_MODE, exist_ok=exist_ok)
    path.chmod(file_mode(path.parent))


def write_private(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace a file as a whole: a reader, or a crash at any point, finds the old content or the new. `mode`
    is for files outside of a workspace, whose folder says nothing."""
    refuse_symlink(path)
    with storing(path), _written_aside(path, content, mode) as aside:
        aside.replace(path)
        _sync_folder(path.parent)


def create_private(path: Path, content: bytes, *, mode: int | None = None) -> bool:
    """Write a file that is not there yet; False, and nothing changed, where another process was first."""
    refuse_symlink(path)
    with storing(path), _written_aside(path, content, mode) as aside:
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
    """Raise `InvalidFault` where others, or a group that was not let in, may read or write it."""
    mode = stat.S_IMODE((found or path.stat()).st_mode)
    is_folder = path.is_dir()
    shared = is_shared(path if is_folder else path.parent)
    if os.name == "posix" and mode & (stat.S_IRWXO if shared else stat.S_IRWXG | stat.S_IRWXO):
        wanted = folder_mode(path) if is_folder else file_mode(path.parent)
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
def _written_aside(path: Path, content: bytes, mode: int | None) -> Iterator[Path]:
    """A synced private file beside `path`, gone afterwards unless it was moved away."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, file_mode(path.parent) if mode is None else mode)
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
