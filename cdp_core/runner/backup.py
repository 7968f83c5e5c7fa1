"""Backs a workspace up while it is at work: one file with its state, ledgers, plans and settings.

The state is copied in one view; ledgers, plans and kept results never change once they are written, and get
a second name before they are read, so that no run can sweep them away. Secrets come as they are sealed, in
a file vault or a shared state, and never the key that opens them. What is in it is as private as the
workspace, and its owner's alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import shutil
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from cdp_core.errors import CdpError, Code, GateFault, TemporaryFault
from cdp_core.model.audit import AuditHead
from cdp_core.pipeline.disk import link, private_folder, sha256, writing
from cdp_core.runner.ledger_store import LedgerStore
from cdp_core.store import copying
from cdp_core.store.state import State
from cdp_core.vault.file_vault import KEY_FILE
from cdp_core.workspace import Workspace
from cdp_core.workspace.files import FILE_MODE, scratch_folder
from cdp_core.workspace.workspace import SETTINGS_FILE, STATE_FILE

FORMAT = 1
MANIFEST = "backup.json"
_TRIES = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file of the backup: its name, its size in bytes and its SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds. `lost` are plans, and `lost_results` results of static segments, that
    were gone or spoilt before; `digest` is that of its list of
    parts, which stands for the whole; `head` is the audit log's."""

    made_at: datetime
    tables: dict[str, int]
    parts: tuple[Part, ...]
    lost: int
    lost_results: int
    head: str
    vault: str
    digest: str = ""

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)


class BackingUp:
    def __init__(self, workspace: Workspace, state: State, store: LedgerStore) -> None:
        self._workspace = workspace
        self._state = state
        self._store = store

    def write(self, path: Path, progress: Callable[[int, int], None]) -> Backup:
        """Write the file as a whole, beside its place first. `progress` is told the bytes that are written,
        and of how many. Raises `GateFault` where a ledger's file is not what was committed."""
        folder = scratch_folder("backup-", self._workspace.scratch_folder)
        aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            tables, head, lost, lost_results = self._gathered(folder)
            parts = tuple(_parts(folder))
            backup = Backup(
                made_at=datetime.now(UTC),
                tables=tables,
                parts=parts,
                lost=lost,
                lost_results=lost_results,
                head=str(head),
                vault=self._workspace.settings.vault,
            )
            manifest = _manifest(backup)
            with writing(path):
                _write(aside, folder, manifest, parts, progress)
                aside.replace(path)
            return read_manifest(manifest)
        finally:
            aside.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)

    def _gathered(self, folder: Path) -> tuple[dict[str, int], AuditHead | None, int, int]:
        """The state in one view, and second names of the files that it points to. A run that commits between
        the two may have swept one away: then all of it once more."""
        for attempt in range(_TRIES):
            shutil.rmtree(folder, ignore_errors=True)
            with writing(folder):
                private_folder(folder)
            tables = self._copy_state(folder / STATE_FILE)
            try:
                with State.open(folder / STATE_FILE) as copied:
                    head = copied.audit.head()
                    self._ledgers(copied, folder)
                    lost = self._plans(copied, folder)
                    lost_results = self._results(copied, folder)
            except (FileNotFoundError, GateFault) as gone:
                if self._is_so_still(gone):
                    raise
                time.sleep(0.1 * attempt)
                continue
            for side in ("-wal", "-shm"):
                (folder / f"{STATE_FILE}{side}").unlink(missing_ok=True)
            shutil.copyfile(self._workspace.settings_path, folder / SETTINGS_FILE)
            if self._workspace.settings.vault == "file":
                self._vault(folder)
            return tables, head, lost, lost_results
        raise TemporaryFault(
            Code.STATE_BUSY,
            f"runs committed so fast that {_TRIES} views of the workspace were past before they were kept",
            where=str(self._workspace.folder),
            hint="run it again",
        )

    def _is_so_still(self, gone: Exception) -> bool:
        """Whether a file that is not what it should be is one that today's ledgers name too."""
        if not isinstance(gone, GateFault):
            return False
        try:
            for version in self._state.ledgers.all():
                self._store.verify(version.files)
        except GateFault:
            return True
        return False

    def _copy_state(self, path: Path) -> dict[str, int]:
        tables: dict[str, int] = {}
        with self._state.as_it_is() as source:
            State.create(path, fill=lambda _, target: tables.update(copying.copy(source, target))).close()
        return tables

    def _ledgers(self, copied: State, folder: Path) -> None:
        for version in copied.ledgers.all():
            self._store.verify(version.files)
            for file in version.files:
                _named(self._store.folder / file.path, folder / "ledger" / file.path)

    def _plans(self, copied: State, folder: Path) -> int:
        lost = 0
        for record in copied.plans.all():
            try:
                plan = self._store.open_plan(record)
            except CdpError:
                lost += 1
                continue
            for path in sorted(plan.folder.rglob("*")):
                if path.is_file():
                    _named(path, folder / "plans" / record.folder / path.relative_to(plan.folder))
        return lost

    def _results(self, copied: State, folder: Path) -> int:
        lost = 0
        for segment in copied.segments.all():
            if segment.kept is None:
                continue
            path = self._workspace.segments_folder / segment.kept.path
            if self._store.bring_result(path, segment.kept.sha256):
                _named(path, folder / "segments" / path.name)
            elif any(now.kept == segment.kept for now in self._state.segments.all()):
                lost += 1
            else:
                raise FileNotFoundError(path)
        return lost

    def _vault(self, folder: Path) -> None:
        for path in sorted(self._workspace.vault_folder.iterdir()):
            if path.is_file() and path.name != KEY_FILE:
                private_folder(folder / "vault")
                with suppress(FileNotFoundError):
                    shutil.copyfile(path, folder / "vault" / path.name)


def _named(existing: Path, name: Path) -> None:
    with writing(name):
        private_folder(name.parent)
        link(existing, name)


def _parts(folder: Path) -> Iterator[Part]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            yield Part(name=name, size=path.stat().st_size, sha256=sha256(path))


def _manifest(backup: Backup) -> bytes:
    said = {
        "format": FORMAT,
        "made_at": backup.made_at.isoformat(),
        "tables": backup.tables,
        "parts": [asdict(part) for part in backup.parts],
        "lost": backup.lost,
        "lost_results": backup.lost_results,
        "head": backup.head,
        "vault": backup.vault,
    }
    return json.dumps(said, indent=1).encode()


def read_manifest(content: bytes) -> Backup:
    """Raises `ValueError` or `KeyError` where it is none of a format that is known here."""
    said = json.loads(content)
    if said["format"] != FORMAT:
        raise ValueError("another format")
    tables: dict[str, Any] = dict(said["tables"])
    return Backup(
        made_at=datetime.fromisoformat(said["made_at"]),
        tables={name: _of(int, rows) for name, rows in tables.items()},
        parts=tuple(_part(part) for part in said["parts"]),
        lost=_of(int, said["lost"]),
        lost_results=_of(int, said.get("lost_results", 0)),
        head=_of(str, said["head"]),
        vault=_of(str, said["vault"]),
        digest=hashlib.sha256(content).hexdigest(),
    )


def _part(said: Mapping[str, Any]) -> Part:
    size = _of(int, said["size"])
    if size < 0:
        raise ValueError("a size below nought")
    return Part(name=_of(str, said["name"]), size=size, sha256=_of(str, said["sha256"]))


def _of(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"not {kind.__name__}")
    return value


def _write(
    path: Path, folder: Path, manifest: bytes, parts: tuple[Part, ...], progress: Callable[[int, int], None]
) -> None:
    path.touch(mode=FILE_MODE, exist_ok=False)
    path.chmod(FILE_MODE)
    total, written = sum(part.size for part in parts), 0
    with path.open("r+b") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            # Whoever reads it knows first what is to come.
            tar.addfile(_entry(MANIFEST, len(manifest)), io.BytesIO(manifest))
            for part in parts:
                with (folder / part.name).open("rb") as content:
                    tar.addfile(_entry(part.name, part.size), content)
                written += part.size
                progress(written, total)
        file.flush()
        os.fsync(file.fileno())


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, FILE_MODE, int(time.time())
    return entry
