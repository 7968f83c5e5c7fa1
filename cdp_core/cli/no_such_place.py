"""What the operating system says of a path that was typed and cannot be: too long, below a file, not there,
not ours. It is said as a fault with that path; about a file that nobody named, it is a fault of ours."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from cdp_core.errors import CdpError, Code, InvalidFault, UsageFault

_WORKSPACE = "CDP_WORKSPACE"

_MISNAMED = {
    errno.ENAMETOOLONG: "name a shorter one: most disks take names of at most 255 bytes, and 4,095 in all",
    errno.ENOTDIR: "something that is no folder stands in its way: name another path",
    errno.EISDIR: "a folder is there: name a file",
    errno.ELOOP: "its symbolic links lead round in a circle: name the place itself",
}
_ABSENT = {errno.ENOENT: "see whether it is the path that you meant, and make the folder that it lies in"}
_CLOSED = {
    errno.EACCES: "mend its permissions and those of its folder, or name a place of yours",
    errno.EPERM: "mend its permissions and those of its folder, or name a place of yours",
    errno.EROFS: "name a place on a disk that can be written to",
}


def of_typed_path(fault: BaseException, arguments: Sequence[str]) -> CdpError | None:
    """The fault where it is the system's about a path among the arguments, or about a folder above it."""
    if not isinstance(fault, OSError) or fault.errno is None or not (of_it := _meant(fault, arguments)):
        return None
    said, where = os.strerror(fault.errno).lower(), str(of_it[0])
    if hint := _MISNAMED.get(fault.errno):
        return UsageFault(Code.USAGE, f"the path cannot be used: {said}", where=where, hint=hint)
    if hint := _ABSENT.get(fault.errno):
        return InvalidFault(Code.NOT_FOUND, said, where=where, hint=hint)
    if hint := _CLOSED.get(fault.errno):
        return InvalidFault(Code.DISK_FULL, f"the path cannot be used: {said}", where=where, hint=hint)
    return None


def _meant(fault: OSError, arguments: Sequence[str]) -> list[Path]:
    """The typed paths that it is about."""
    try:
        typed = set(_typed(arguments))
        return [meant for path in _paths(fault) for meant in _becoming(path) if meant in typed]
    except (OSError, ValueError):  # the folder that one is in is gone, or a word is no path
        return []


def _paths(fault: OSError) -> Iterator[Path]:
    """A file that was opened by its number has none."""
    for name in (fault.filename, fault.filename2):
        if isinstance(name, str | bytes | os.PathLike):
            yield Path(os.fsdecode(name)).absolute()


def _becoming(path: Path) -> Iterator[Path]:
    """The path, and what a `.NAME.…` beside it is renamed to when it is whole."""
    yield path
    name = path.name
    for _suffix in range(2 if name.startswith(".") else 0):
        name = name.rpartition(".")[0]
        if len(name) > 1:
            yield path.with_name(name[1:])


def _typed(arguments: Sequence[str]) -> Iterator[Path]:
    """Each word as a path, and the folders that were named on the way to it."""
    words = [*arguments, *(word.partition("=")[2] for word in arguments if word.startswith("--"))]
    for word in filter(None, (*words, os.environ.get(_WORKSPACE))):
        path = Path(os.path.expanduser(word))  # noqa: PTH111 (it does not fail where there is no such user)
        for each in (path, *path.parents):
            if each != Path():
                yield each.absolute()
                yield Path(os.path.realpath(each))
