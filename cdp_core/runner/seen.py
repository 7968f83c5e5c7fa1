"""What was read of the files at the ledgers' URL, so that they need not be read again."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from cdp_core.workspace.files import write_private


class Seen:
    """Which content had which mark at the URL, when it was last read there. What is lost is read again."""

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._url = url
        self._guard = threading.Lock()

    @cached_property
    def _kept(self) -> dict[str, list[str]]:
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._path.read_bytes())
            if kept["url"] == self._url:
                return dict(kept["files"])
        return {}

    def known(self, name: str, mark: str) -> str | None:
        """The SHA-256 of a file with this mark."""
        found = self._kept.get(name)
        return found[1] if found and found[0] == mark else None

    def add(self, files: Mapping[str, tuple[str, str]]) -> None:
        if files:
            with self._guard:
                self._kept.update({name: list(about) for name, about in files.items()})
                self._write()

    def only(self, names: Collection[str]) -> None:
        """Forget all others."""
        with self._guard:
            gone = self._kept.keys() - names
            for name in gone:
                del self._kept[name]
            if gone:
                self._write()

    def _write(self) -> None:
        write_private(self._path, json.dumps({"url": self._url, "files": self._kept}).encode())
