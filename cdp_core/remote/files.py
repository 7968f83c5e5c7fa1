"""Files under a URL: put there, fetched, listed and removed, each try with its back-off.

Names are paths relative to the URL (`ledger/…`, `plans/…`). Everything is streamed, a piece at a time. A
file that was put has its final name at once: nothing may point to it before `put` returns.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from cdp_core.errors import CdpError, Code, InvalidFault, TemporaryFault
from cdp_core.model.delivery import Patience
from cdp_core.remote.faults import OUR_FAULTS, fault_of
from cdp_core.remote.places import file_system
from cdp_core.workspace.files import storing

T = TypeVar("T")
# The least that S3 takes as a part of a file.
PIECE = 5 * 2**20
AT_ONCE = 4
MARKER = "cdp.json"
_MOST_TRIES = 4
# Whose libraries create a file only where there is none.
_CREATING = frozenset({"s3", "file"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file that is there. `mark` changes whenever its content does; `modified` is None where the provider
    does not say."""

    size: int
    mark: str
    modified: float | None


class RemoteFiles:
    """Any thread may ask. Nothing is opened before the first question."""

    def __init__(self, url: str, options: Callable[[], Mapping[str, str]], patience: Patience) -> None:
        self.url = url
        self._options = options
        self._patience = patience
        # Libraries that are not asynchronous inside have one connection, and one question at a time.
        self._one_by_one = threading.RLock()
        self._opening = threading.Lock()
        self._opened: tuple[Any, str] | None = None

    def at(self, name: str) -> str:
        """The URL of a file, for people."""
        return f"{self.url}/{name}"

    def put(self, files: Mapping[str, Path]) -> dict[str, Entry]:
        """Bring local files there, several at once."""
        return dict(zip(files, self._each(self._put, files.items()), strict=True))

    def sha256(self, names: Iterable[str]) -> Mapping[str, str | None]:
        """Of what lies there, read piece by piece; None where nothing does."""
        wanted = tuple(names)
        return dict(zip(wanted, self._each(self._sha256, ((name,) for name in wanted)), strict=True))

    def fetch(self, name: str, into: BinaryIO) -> str | None:
        """Write a file's content to a new local one; its SHA-256, or None where there is no such file."""
        return self._asked("read", partial(self._read, name, into))

    def fetch_all(self, wanted: Iterable[T], one: Callable[[T], None]) -> None:
        """Call `one`, which fetches something, for each, several at once."""
        for _ in self._each(one, ((each,) for each in wanted)):
            pass

    def remove(self, names: Iterable[str]) -> None:
        """What is not there is gone already."""
        for _ in self._each(self._remove, ((name,) for name in names)):
            pass

    def copy(self, pairs: Mapping[str, str]) -> None:
        """Give files a second name there, through this process: not every provider can by itself."""
        for _ in self._each(self._copy, pairs.items()):
            pass

    def below(self, folder: str) -> dict[str, Entry]:
        """All files below a folder of the URL; a folder that is not there has none."""
        return self._asked("list", lambda: dict(self._found(folder)))

    def folders(self, folder: str) -> frozenset[str]:
        """The names of the folders right below one."""

        def listed() -> frozenset[str]:
            with suppress(FileNotFoundError):
                found = self._fs.ls(self._path(folder), detail=True)
                return frozenset(
                    each["name"].rstrip("/").rpartition("/")[2]
                    for each in found
                    if each["type"] == "directory"
                )
            return frozenset()

        return self._asked("list", listed)

    def probe(self) -> None:
        """Write, read back, list and remove something small; raises what a run would meet."""
        name = f"probe-{secrets.token_hex(8)}"
        self._asked("write", lambda: self._write(name, name.encode()))
        found = self._asked("read", lambda: self._content(name))
        self.below(name)
        self._asked("remove", lambda: self._remove(name))
        if found != name.encode():
            raise InvalidFault(
                Code.LEDGER_PLACE_REFUSED,
                "what is written at the ledgers' URL is not what is read there",
                where=self.url,
                hint="name a place that keeps files as they are",
            )

    def claim(self, owner: str) -> None:
        """Mark the place as one state's. Raises `InvalidFault` where it is another's: its sweeping would take
        our files away, and ours its."""
        try:
            kept = self._asked("read", lambda: self._content(MARKER))
        except FileNotFoundError:
            kept = None
        if kept is None:
            content = json.dumps({"state": owner}).encode()
            self._asked("write", lambda: self._create(MARKER, content))
            # Another state may have come in between.
            kept = self._asked("read", lambda: self._content(MARKER))
        try:
            found = json.loads(kept)["state"]
        except (ValueError, KeyError, TypeError):
            found = None
        if found != owner:
            raise InvalidFault(
                Code.LEDGER_PLACE_TAKEN,
                "the ledgers of another workspace lie at this URL",
                where=self.at(MARKER),
                hint="name a prefix of its own; only workspaces with the same state may share one",
            )

    def _put(self, name: str, path: Path) -> Entry:
        def once() -> Entry:
            with path.open("rb") as source, self._writing(name) as target:
                _poured(source, target)
            found = self._entry(name)
            if found.size != path.stat().st_size:
                raise TemporaryFault(
                    Code.LEDGER_PLACE_UNREACHABLE, "a file came there only in part", where=self.at(name)
                )
            return found

        return self._asked("write", once)

    def _sha256(self, name: str) -> str | None:
        return self._asked("read", partial(self._read, name, None))

    def _read(self, name: str, into: BinaryIO | None) -> str | None:
        found = hashlib.sha256()
        if into is not None:
            into.seek(0)
            into.truncate()
        try:
            with self._fs.open(self._path(name), "rb", block_size=PIECE, cache_type="none") as source:
                while piece := source.read(PIECE):
                    found.update(piece)
                    if into is not None:
                        with storing(Path(into.name)):
                            into.write(piece)
        except FileNotFoundError:
            return None
        return found.hexdigest()

    def _remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._asked("remove", lambda: self._fs.rm_file(self._path(name)))

    def _copy(self, old: str, new: str) -> None:
        def once() -> None:
            with (
                self._fs.open(self._path(old), "rb", block_size=PIECE, cache_type="none") as source,
                self._writing(new) as target,
            ):
                _poured(source, target)

        self._asked("write", once)

    def _write(self, name: str, content: bytes) -> None:
        with self._writing(name) as file:
            file.write(content)

    def _create(self, name: str, content: bytes) -> None:
        """Write a file; where the provider can tell, only if there is none yet."""
        protocol = self._fs.protocol
        if _CREATING & {protocol, *([] if isinstance(protocol, str) else protocol)}:
            path = self._path(name)
            try:
                if not self._is_flat:
                    self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._fs.pipe_file(path, content, mode="create")
                return
            except FileExistsError:
                return
            except (PermissionError, ConnectionError, TimeoutError):
                raise
            except Exception as refused:  # noqa: BLE001 - not every server of S3's kind knows the condition
                del refused
        self._write(name, content)

    def _content(self, name: str) -> bytes:
        with self._fs.open(self._path(name), "rb") as file:
            content: bytes = file.read()
        return content

    def _writing(self, name: str) -> Any:
        path = self._path(name)
        if not self._is_flat:
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        return self._fs.open(path, "wb", block_size=PIECE)

    def _entry(self, name: str) -> Entry:
        return _entry(self._fs.info(self._path(name)))

    def _found(self, folder: str) -> Iterator[tuple[str, Entry]]:
        for info in self._infos(self._path(folder)):
            yield str(info["name"]).removeprefix(f"{self._root}/"), _entry(info)

    def _infos(self, path: str) -> Iterator[Mapping[str, Any]]:
        try:
            if self._is_flat:
                found = self._fs.find(path, detail=True)
                # Azure's library names a file that is asked about as a folder, and tells no more of it.
                yield from found.values() if isinstance(found, Mapping) else map(self._fs.info, found)
                return
            # `find` would take a connection that was cut for an empty folder.
            below = self._fs.ls(path, detail=True)
        except FileNotFoundError:
            return
        for info in below:
            if info["type"] == "directory":
                yield from self._infos(info["name"])
            else:
                yield info

    @property
    def _is_flat(self) -> bool:
        """Object stores, whose libraries are all asynchronous, have no folders: making one makes a bucket."""
        return bool(self._fs.async_impl)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @property
    def _fs(self) -> Any:
        return self._open()[0]

    @property
    def _root(self) -> str:
        return self._open()[1]

    def _open(self) -> tuple[Any, str]:
        with self._opening:
            if self._opened is None:
                self._opened = file_system(self.url, self._options())
            return self._opened

    def close(self) -> None:
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None and hasattr(opened[0], "close"):
            with suppress(Exception):
                opened[0].close()

    def _each(self, act: Callable[..., T], arguments: Iterable[tuple[Any, ...]]) -> Iterator[T]:
        listed = list(arguments)
        if not listed:
            return
        if len(listed) == 1:
            yield act(*listed[0])
            return
        with ThreadPoolExecutor(AT_ONCE) as threads:
            yield from threads.map(lambda each: act(*each), listed)

    def _asked(self, doing: str, act: Callable[[], T]) -> T:
        """Raises `FileNotFoundError` for a file that is read and is not there; else faults of the house."""
        import tenacity

        tries = min(self._patience.attempts, _MOST_TRIES)
        first = self._patience.first_wait
        waits = tenacity.wait_exponential(multiplier=first, max=self._patience.longest_wait)
        trying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TemporaryFault),
            stop=tenacity.stop_after_attempt(tries),
            wait=waits + tenacity.wait_random(0, first),
            reraise=True,
        )
        result: T = trying(self._once, doing, act)
        return result

    def _once(self, doing: str, act: Callable[[], T]) -> T:
        with nullcontext() if self._is_flat else self._one_by_one:
            try:
                return act()
            except (CdpError, *OUR_FAULTS):
                raise
            except FileNotFoundError as error:
                if doing in ("read", "remove"):
                    raise
                raise fault_of(error, self.url, doing) from None
            except Exception as error:  # noqa: BLE001 - each provider's library has faults of its own
                if not self._is_flat:
                    # A connection that was cut is no good for the next try.
                    self.close()
                raise fault_of(error, self.url, doing) from None


def _poured(source: BinaryIO, target: BinaryIO) -> None:
    while piece := source.read(PIECE):
        target.write(piece)


def _entry(info: Mapping[str, Any]) -> Entry:
    size = int(info["size"] or 0)
    tags = ("ETag", "etag", "generation", "md5Hash", "content_md5")
    tag = next((str(info[name]).strip('"') for name in tags if info.get(name)), None)
    modified = _modified(info)
    return Entry(size=size, mark=f"{size}/{tag or modified}", modified=modified)


def _modified(info: Mapping[str, Any]) -> float | None:
    for name in ("LastModified", "last_modified", "mtime", "updated", "modified"):
        found = info.get(name)
        if isinstance(found, str):
            with suppress(ValueError):
                found = datetime.fromisoformat(found)
        if isinstance(found, datetime):
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        if isinstance(found, int | float):
            return float(found)
    return None
