"""Where ledgers and plans lie: in the workspace's own folders, which the pipeline reads and writes.

`RemoteStore` (next door) adds a URL to that. What the state is to point to is kept here first.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from cdp_core.errors import Code, TemporaryFault
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.journal import PlanRecord
from cdp_core.model.ledger import LedgerFile
from cdp_core.pipeline import ledger
from cdp_core.pipeline.disk import link, private_folder, sha256, sync, writing
from cdp_core.pipeline.plan import Plan
from cdp_core.pipeline.seal import Seal, is_encrypted
from cdp_core.store.state import State
from cdp_core.workspace import Workspace

# Below the ledgers' URL, where an engine on a cluster leaves what is read here.
STAGING = "staging"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Where files were moved; `files` are their paths there, empty where none was."""

    folder: str
    files: tuple[str, ...]


class LedgerStore:
    """In the workspace, and nowhere else. Files never change, wherever they lie."""

    def __init__(self, workspace: Workspace, state: State, seal: Seal) -> None:
        self._workspace = workspace
        self._state = state
        self._seal = seal

    @property
    def folder(self) -> Path:
        """Where the pipeline reads and writes ledgers."""
        return self._workspace.ledger_folder

    @property
    def where(self) -> str:
        """The place, for people."""
        return str(self.folder)

    def require_current(self) -> None:
        """Raise `TemporaryFault` where the ledgers or the state were moved since the workspace was opened;
        asked under a lease, which keeps off whoever moves them."""
        settings = Workspace.open(self._workspace.folder).settings
        if settings.state_url != self._workspace.settings.state_url:
            raise TemporaryFault(
                Code.LEDGER_MOVED,
                f"the state was moved to {settings.state_url or 'the workspace'} while this command began",
                where=str(self._workspace.settings_path),
                hint="run it again",
            )
        now = settings.ledger_url
        if now != self._workspace.settings.ledger_url:
            raise TemporaryFault(
                Code.LEDGER_MOVED,
                f"the ledgers were moved to {now or 'the workspace'} while this command began",
                where=str(self._workspace.settings_path),
                hint="run it again",
            )

    def probe(self) -> None:
        """Raise what a run would meet where the files are to lie."""

    def verify(self, files: Collection[LedgerFile]) -> None:
        """Raise `GateFault` (LEDGER_DIFFERS) unless every file is what was committed; they are here then."""
        ledger.verify(self.folder, files)

    def differing(self, files: Collection[LedgerFile]) -> Iterator[tuple[str, str]]:
        """Places of files that are missing or not what was committed, each with which of the two it is."""
        for path, trouble in ledger.differing(self.folder, files):
            yield str(path), trouble

    def strangers(self) -> tuple[str, ...]:
        """What lies among the ledgers and is no run's of ours."""
        return tuple(map(str, ledger.strangers(self.folder)))

    def keep(self, files: Iterable[LedgerFile]) -> None:
        """Return when files that the state is to point to are where they are to lie."""

    def keep_plan(self, folder: Path) -> None:
        """The same for a plan."""

    def open_plan(self, record: PlanRecord) -> Plan:
        """Raises `GateFault` (PLAN_DIFFERS) unless it is what was written."""
        return Plan.open(self.plan_folder(record), record.sha256, self._seal)

    def has_plan(self, record: PlanRecord) -> bool:
        """Whether anything of it is left."""
        return self.plan_folder(record).exists()

    def plan_folder(self, record: PlanRecord) -> Path:
        return self._workspace.plans_folder / record.folder

    def keep_result(self, path: Path) -> None:
        """The same for the result of a static segment."""

    def bring_result(self, path: Path, digest: str) -> bool:
        """Whether a segment's result is here now, as it was kept."""
        return is_file(path, digest)

    def renew_result(self, path: Path) -> None:
        """Another has taken its place: it goes by and by, as if it had come just now."""
        with suppress(OSError):
            os.utime(path)

    def drop_result(self, path: Path) -> None:
        """Take away one that no segment has any more."""
        with suppress(OSError):
            path.unlink()

    def sweep_results(self, named: Collection[str]) -> None:
        """Take away those whose names no segment has any more, but none so young that a run may be reading
        it, or a segment about to name it."""
        for path in self._workspace.segments_folder.glob("*.parquet"):
            with suppress(OSError):
                if path.name not in named and time.time() - path.stat().st_mtime > ledger.ORPHANED_AFTER:
                    path.unlink()

    def drop(self, files: Iterable[LedgerFile]) -> None:
        """Take away files that the state does not point to any more."""
        for file in files:
            (self.folder / file.path).unlink(missing_ok=True)

    def drop_plan(self, folder: str) -> None:
        shutil.rmtree(self._workspace.plans_folder / folder, ignore_errors=True)

    def drop_unnamed(self, *, exports: Collection[str], plans: Collection[str]) -> None:
        """Take away at once what no list names, of exports and plans of an audience that the caller holds."""
        named = self._state.ledgers.referenced()
        for path in self.folder.rglob("*.parquet"):
            name = path.relative_to(self.folder).as_posix()
            if name not in named and is_of(name, exports):
                path.unlink(missing_ok=True)
        kept = self._state.plans.folders()
        for folder in self._workspace.plans_folder.iterdir():
            if folder.name not in kept and plan_of(folder.name) in plans:
                shutil.rmtree(folder, ignore_errors=True)

    def sweep(self, audience: AudienceKey) -> None:
        """After a commit to an audience's ledger: take away what no list names."""
        ledger.sweep(self.folder, self._state.ledgers.referenced())

    def sweep_dead(self, run_ids: Collection[str]) -> None:
        """Take away what runs that died have written of a plan and never named."""
        named = self._state.plans.folders() if run_ids else frozenset()
        for name in (name for run in run_ids for name in (run, f"{run}-owed")):
            if name not in named:
                self.drop_plan(name)
                shutil.rmtree(self._workspace.plans_folder / f".{name}.partial", ignore_errors=True)

    def sweep_other_form(self) -> None:
        """Take away what is encrypted where nothing is to be, or the reverse, and no list names. While nobody
        holds an audience, what no list names is nobody's."""
        named = self._state.ledgers.referenced()
        for path in self.folder.rglob("*.parquet"):
            nobodys = path.relative_to(self.folder).as_posix() not in named
            if nobodys and is_encrypted(path) != self._seal.encrypts:
                path.unlink()
        kept = self._state.plans.folders()
        for path in self._workspace.plans_folder.iterdir():
            if path.is_dir() and path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def moving_aside(self, files: Collection[LedgerFile]) -> Iterator[Aside]:
        """Give ledger files, and strangers among them, a name aside; take the old name away at the end.
        Killed between, every file has one of the two, and the state points to what is there."""
        old = [self.folder / file.path for file in files]
        moving = [path for path in (*old, *ledger.strangers(self.folder)) if path.exists()]
        folder = self._workspace.aside_folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"
        names = [path.relative_to(self.folder).as_posix() for path in moving]
        for name in names:
            with writing(folder):
                private_folder((folder / name).parent)
                link(self.folder / name, folder / name)
        sync_folders(folder, names)
        yield Aside(folder=str(folder), files=tuple(names))
        for path in moving:
            path.unlink(missing_ok=True)


def is_of(name: str, exports: Collection[str]) -> bool:
    """Whether a path below the ledgers is a file of ours, of one of the exports."""
    return ledger.is_named_by_us(name) and unquote(name.partition("/")[0]) in exports


def plan_of(folder: str) -> str:
    """The plan that a folder is, or was, the one of: one that was written anew has another folder,
    and one that was not written to its end a hidden one."""
    return folder.lstrip(".").partition(".")[0]


def is_file(path: Path, digest: str) -> bool:
    """Whether it is there, and has that SHA-256."""
    try:
        return sha256(path) == digest
    except OSError:
        return False


def sync_folders(folder: Path, names: Iterable[str]) -> None:
    """Return when the new files of these names, and the folders that they lie in, are on the disk itself."""
    inner = {folder / each for name in names for each in Path(name).parents}
    if inner:
        with writing(folder):
            for each in (*inner, folder.parent, folder.parent.parent):
                sync(each)
