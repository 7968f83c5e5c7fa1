"""Which files a path, a folder or a glob names. Whatever is among them and cannot be read is a fault: what is
passed over in silence would be rows that nobody misses."""

from __future__ import annotations

import glob
import os
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
        files = [file for file in _below(path) if is_profiles(file)]
    elif _is_there(path) or not glob.has_magic(url):
        return (readable(path),)
    else:
        files = _matches(path)
    if not files:
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "there are no profile files",
            where=url,
            hint="looked for .parquet, .csv, .tsv, .txt, .ndjson and .jsonl files",
        )
    return tuple(map(readable, files))


def readable(path: Path) -> Path:
    """The path; raises `InvalidFault` where no file is there that may be read."""
    if not _is_there(path):
        dangling = path.is_symlink()
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "the link leads to no file" if dangling else "there is no such file",
            where=str(path),
            hint=f"it points to {path.readlink()}" if dangling else "check the path's spelling",
        )
    if not path.is_file():
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "that is no file",
            where=str(path),
            hint="profiles are read more than once: write what a pipe gives to a file",
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


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _below(folder: Path) -> list[Path]:
    """What is in a folder and in those below it, links to folders among them; nothing that is hidden."""
    found: list[Path] = []
    seen = {folder.resolve()}
    for place, folders, files in os.walk(folder, onerror=_fail, followlinks=True):
        # A link that leads back would never end; one folder by two ways would double its rows.
        inside = {name: Path(place, name).resolve() for name in sorted(folders) if not _is_hidden(name)}
        once = {real: name for name, real in reversed(inside.items()) if real not in seen}
        seen.update(once)
        folders[:] = sorted(once.values())
        found += [Path(place, name) for name in files if not _is_hidden(name)]
    return sorted(found)


def _fail(failure: OSError) -> None:
    raise failure


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _matches(pattern: Path) -> list[Path]:
    for folder in _looked_into(pattern):
        # glob passes over a folder that it may not list.
        os.scandir(folder).close()
    found = glob.glob(str(pattern), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    return [path for path in map(Path, sorted(found)) if not path.is_dir()]


def _looked_into(pattern: Path) -> Iterator[str]:
    """Every folder whose contents a glob is compared with."""
    parts = pattern.parts
    for count in range(len(parts) + (parts[-1] == "**")):
        if any(map(glob.has_magic, parts[: count + 1])):
            folders = str(Path(*parts[:count], "_"))[:-1] or "./"
            yield from glob.glob(folders, recursive=True)  # noqa: PTH207
