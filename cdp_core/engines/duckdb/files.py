"""Which files a path, a folder or a glob names. Whatever is among them and cannot be read is a fault: what is
passed over in silence, as `glob` and `Path.rglob` do, would be rows that nobody misses.

Links are followed, and each file is taken once, however many ways lead to it.
"""

from __future__ import annotations

import fnmatch
import functools
import glob
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from cdp_core.errors import Code, InvalidFault


def named(url: str, is_profiles: Callable[[Path], object]) -> tuple[Path, ...]:
    """The file of that name; else those of a folder, and of folders below it, that `is_profiles` says yes
    to; else what the glob matches. Raises `InvalidFault` where there are none or one cannot be read, and
    `OSError` where a folder cannot be looked into."""
    path = Path(url).expanduser()
    if path.is_dir():
        # A folder of Parquet also holds _SUCCESS and checksum files; those are no profiles.
        files = [file for file in _matching(path, ("**", "*"), (".", "_")) if is_profiles(file)]
    elif os.path.lexists(path) or not glob.has_magic(url):
        return (readable(path),)
    else:
        files = list(_matching(Path(path.anchor), path.parts[bool(path.anchor) :]))
    if not files:
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "there are no profile files",
            where=url,
            hint="looked for .parquet, .csv, .tsv, .txt, .ndjson and .jsonl files",
        )
    real = functools.cache(os.path.realpath)
    once = {
        os.path.split(real(file)) if file.is_symlink() else (real(file.parent), file.name): file
        for file in sorted(files, reverse=True)
    }
    return tuple(readable(file) for file in sorted(once.values()))


def readable(path: Path) -> Path:
    """The path; raises `InvalidFault` where no file is there that may be read."""
    _require_there(path)
    if not path.is_file():
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "that is a folder" if path.is_dir() else "that is no file",
            where=str(path),
            hint="name a file in it"
            if path.is_dir()
            else "name a file: profiles are read more than once, which a pipe does not allow",
        )
    try:
        path.open("rb").close()
    except OSError as failure:
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            f"it cannot be read: {(failure.strerror or str(failure)).lower()}",
            where=str(path),
            hint="let the user that runs `cdp` read it",
        ) from None
    return path


def _matching(folder: Path, parts: tuple[str, ...], hidden: tuple[str, ...] = (".",)) -> Iterator[Path]:
    """What is no folder and matches the parts of a glob, from `folder` on; `**` is any number of folders.
    Names that begin with what is `hidden` are matched by parts that do so, too."""
    part, following = parts[0], parts[1:]
    if part == "**":
        for below in _folders(folder, hidden, {os.path.realpath(folder)}):
            yield from _matching(below, following or ("*",), hidden)
        return
    if glob.has_magic(part):
        found = [
            path
            for path in sorted(folder.iterdir())
            if fnmatch.fnmatch(path.name, part)
            and (part.startswith(hidden) or not path.name.startswith(hidden))
        ]
    else:
        found = [folder / part] if _is_there(folder / part) else []
    for path in found:
        if not _is_folder(path):
            if not following:
                yield path
        elif following:
            yield from _matching(path, following, hidden)


def _folders(folder: Path, hidden: tuple[str, ...], seen: set[str]) -> Iterator[Path]:
    """The folder and every one below it, once: a link that leads back would never end."""
    yield folder
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(hidden) and _is_folder(path):
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield from _folders(path, hidden, seen)


def _is_folder(path: Path) -> bool:
    """Raises `InvalidFault` for a link to nothing, which may have been a folder of files, and `OSError` where
    nobody can tell."""
    if path.is_symlink():
        _require_there(path)
    return stat.S_ISDIR(path.stat().st_mode)


def _require_there(path: Path) -> None:
    if not _is_there(path):
        dangling = path.is_symlink()
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "the link leads to nothing" if dangling else "there is no such file",
            where=str(path),
            hint=f"it points to {path.readlink()}" if dangling else "check the path's spelling",
        )


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
