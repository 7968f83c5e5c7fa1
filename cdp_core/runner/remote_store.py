"""Ledgers and plans under a URL, with the workspace's folders as what is read and written here.

Whatever the state is to point to is brought to the URL before it does, and fetched, by its SHA-256, where it
is not here. So a crash leaves a file that nobody names, never a name without its file, and any machine with
the same state goes on. A file that was read once is known again by the mark that the provider gives it (a
size and a tag), so that a run asks for a list of files, not for the files.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from cdp_core.errors import CdpError, Code, GateFault, TemporaryFault
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.journal import PlanRecord
from cdp_core.model.ledger import LedgerFile
from cdp_core.model.names import as_typed
from cdp_core.pipeline import ledger
from cdp_core.pipeline.disk import private_folder, sha256, sync, writing
from cdp_core.pipeline.plan import MANIFEST, Plan
from cdp_core.pipeline.seal import Seal
from cdp_core.remote.files import Entry, RemoteFiles
from cdp_core.runner.eviction import evict
from cdp_core.runner.ledger_store import STAGING, Aside, LedgerStore, is_file, is_of, plan_of
from cdp_core.runner.seen import Seen
from cdp_core.store.state import State
from cdp_core.workspace import Workspace
from cdp_core.workspace.files import scratch_folder, touch_private

LEDGER, PLANS, ASIDE, RESULTS = "ledger", "plans", "ledger-aside", "segments"
FETCHED = "fetched-"
_SEEN = "ledger-seen.json"
_MISSING = "a ledger file is missing"
_DIFFERS = "a ledger file is not what was committed"


class RemoteStore(LedgerStore):
    def __init__(self, workspace: Workspace, state: State, seal: Seal, remote: RemoteFiles) -> None:
        super().__init__(workspace, state, seal)
        self._files = remote
        self._seen = Seen(workspace.folder / _SEEN, remote.url)

    @property
    def where(self) -> str:
        return self._files.url

    def probe(self) -> None:
        """Raise what a run would meet there: it is reached, lets us write and remove, and is ours."""
        self._files.probe()
        self._remote.below(STAGING)

    def verify(self, files: Collection[LedgerFile]) -> None:
        for file, trouble in self._brought(files):
            raise GateFault(
                Code.LEDGER_DIFFERS,
                trouble,
                where=self._files.at(_name(file)),
                hint=f"cdp ledger move --to {as_typed(self.where)} puts back what a machine still has; or "
                "restore it from a backup, or let an Administrator mend the ledger from the runs' receipts: "
                "cdp ledger rebuild EXPORT (or give it up: cdp ledger reset EXPORT)",
            )

    def differing(self, files: Collection[LedgerFile]) -> Iterator[tuple[str, str]]:
        for file, trouble in self._brought(files):
            yield self._files.at(_name(file)), trouble

    def strangers(self) -> tuple[str, ...]:
        return (*super().strangers(), *map(self._files.at, self._remote_strangers()))

    def keep(self, files: Iterable[LedgerFile]) -> None:
        named = self._state.ledgers.referenced()
        self.put_ledger(file for file in files if file.path not in named)

    def put_ledger(self, files: Iterable[LedgerFile]) -> None:
        """Bring files there, whatever there is."""
        new = {_name(file): file for file in files}
        if new:
            put = self._remote.put({name: self.folder / file.path for name, file in new.items()})
            self._seen.add({name: (entry.mark, new[name].sha256) for name, entry in put.items()})

    def keep_plan(self, folder: Path) -> None:
        kept = f"{PLANS}/{folder.name}"
        there = self._remote.below(kept)
        files = {
            f"{kept}/{path.relative_to(folder).as_posix()}": path
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        new = {
            name: path
            for name, path in files.items()
            if name not in there or there[name].size != path.stat().st_size
        }
        # The list of its files comes last: a plan with a list is whole.
        manifest = {name: new.pop(name) for name in tuple(new) if name.endswith(f"/{MANIFEST}")}
        self._remote.put(new)
        self._remote.put(manifest)

    def open_plan(self, record: PlanRecord) -> Plan:
        try:
            plan = super().open_plan(record)
        except GateFault:
            self._fetch_plan(record)
            plan = super().open_plan(record)
        os.utime(plan.folder)
        return plan

    def has_plan(self, record: PlanRecord) -> bool:
        return super().has_plan(record) or bool(self._remote.below(f"{PLANS}/{record.folder}"))

    def keep_result(self, path: Path) -> None:
        self._remote.put({_result(path): path})

    def bring_result(self, path: Path, digest: str) -> bool:
        return super().bring_result(path, digest) or self._fetch(_result(path), path, digest)

    def renew_result(self, path: Path) -> None:
        super().renew_result(path)
        if path.exists():
            self._remote.put({_result(path): path})

    def require_result(self, path: Path, digest: str) -> None:
        """Raise `TemporaryFault` unless it can be read there as it was kept."""
        self._require_whole({_result(path): digest})

    def drop_result(self, path: Path) -> None:
        super().drop_result(path)
        self._remote.remove([_result(path)])

    def sweep_results(self, named: Collection[str]) -> None:
        super().sweep_results(named)
        there = self._remote.below(RESULTS)
        self._remote.remove(_old((name for name in there if name.rpartition("/")[2] not in named), there))

    def drop(self, files: Iterable[LedgerFile]) -> None:
        gone = tuple(files)
        super().drop(gone)
        self._remote.remove(map(_name, gone))

    def drop_plan(self, folder: str) -> None:
        super().drop_plan(folder)
        self._remote.remove(self._remote.below(f"{PLANS}/{folder}"))

    def drop_unnamed(self, *, exports: Collection[str], plans: Collection[str]) -> None:
        super().drop_unnamed(exports=exports, plans=plans)
        named, kept = self._state.ledgers.referenced(), self._state.plans.folders()
        below = (name.removeprefix(f"{LEDGER}/") for name in self._remote.below(LEDGER))
        self._remote.remove(
            f"{LEDGER}/{name}" for name in below if name not in named and is_of(name, exports)
        )
        for folder in self._remote.folders(PLANS) - kept:
            if plan_of(folder) in plans:
                self._remote.remove(self._remote.below(f"{PLANS}/{folder}"))

    def sweep(self, audience: AudienceKey) -> None:
        super().sweep(audience)
        # The run has ended well: what cannot be swept now is swept by the next one.
        with suppress(CdpError):
            there = self._remote.below(LEDGER)
            named = self._state.ledgers.referenced()
            unnamed = (
                name for name in there if _is_ours(name) and name.removeprefix(f"{LEDGER}/") not in named
            )
            self._remote.remove(_old(unnamed, there))
            self._seen.only(there)
            # What an engine that was killed has left; runs of a day ago have ended.
            staged = self._remote.below(STAGING)
            self._remote.remove(_old(staged, staged))
        evict(self._workspace, self._state, audience)

    def sweep_other_form(self) -> None:
        super().sweep_other_form()
        # Another machine may be about to point to what it has just brought there: the names are asked for
        # after the files, and only what has lain there for a day is nobody's.
        old = time.time() - ledger.ORPHANED_AFTER
        there, plans = self._remote.below(LEDGER), self._remote.folders(PLANS)
        named = self._state.ledgers.referenced()
        self._remote.remove(
            name
            for name, entry in there.items()
            if _is_ours(name) and name.removeprefix(f"{LEDGER}/") not in named and _is_older(entry, old)
        )
        for folder in plans - self._state.plans.folders():
            files = self._remote.below(f"{PLANS}/{folder}")
            if all(_is_older(entry, old) for entry in files.values()):
                self._remote.remove(files)

    @contextmanager
    def moving_aside(self, files: Collection[LedgerFile]) -> Iterator[Aside]:
        with super().moving_aside(files) as here:
            there = self._remote.below(LEDGER)
            moving = [*(_name(file) for file in files if _name(file) in there), *self._remote_strangers()]
            folder = f"{ASIDE}/{Path(here.folder).name}"
            self._remote.copy({name: f"{folder}/{name.removeprefix(f'{LEDGER}/')}" for name in moving})
            names = dict.fromkeys((*(name.removeprefix(f"{LEDGER}/") for name in moving), *here.files))
            places = [self._files.at(folder)] if moving else []
            places += [here.folder] if here.files else []
            yield Aside(folder=" and ".join(places), files=tuple(names))
            self._remote.remove(moving)

    def wrong(self, files: Collection[LedgerFile]) -> list[LedgerFile]:
        """Those that are not at the URL as they were committed, by a list of what is there and its marks."""
        there = self._listed(files)
        unknown = [name for name in map(_name, files) if self._is_unknown(name, there)]
        found = self._remote.sha256(unknown)
        wrong = []
        for file in files:
            name = _name(file)
            if name in found:
                if found[name] == file.sha256:
                    self._seen.add({name: (there[name].mark, file.sha256)})
                else:
                    wrong.append(file)
            elif name not in there or self._seen.known(name, there[name].mark) != file.sha256:
                wrong.append(file)
        return wrong

    def bring_over(self, files: Collection[LedgerFile]) -> int:
        """Bring there what lies here and is not there, and read it back; how many files that were."""
        wrong = self.wrong(files)
        self.put_ledger(wrong)
        self._require_whole({_name(file): file.sha256 for file in wrong})
        return len(wrong)

    def bring_plan_over(self, plan: Plan) -> None:
        self.keep_plan(plan.folder)
        kept = f"{PLANS}/{plan.folder.name}"
        paths = [path for path in plan.folder.rglob("*") if path.is_file()]
        digests = {f"{kept}/{path.relative_to(plan.folder).as_posix()}": sha256(path) for path in paths}
        self._require_whole(digests)

    def _require_whole(self, digests: Mapping[str, str]) -> None:
        for name, found in self._remote.sha256(digests).items():
            if found != digests[name]:
                raise TemporaryFault(
                    Code.LEDGER_PLACE_UNREACHABLE,
                    "a file that was copied is not there as it was written",
                    where=self._files.at(name),
                    hint="remove it there and run again; nothing points to it yet",
                )

    def _brought(self, files: Collection[LedgerFile]) -> Iterator[tuple[LedgerFile, str]]:
        """Have the files here, as they were committed; those for which that cannot be, or that are not so at
        the URL, with which it is."""
        if not files:
            return
        there = self._listed(files)
        lacking = {path for path, _ in ledger.differing(self.folder, files)}
        for file in files:
            with suppress(OSError):
                os.utime(self.folder / file.path)
        fetched: dict[str, bool] = {}

        def fetch(file: LedgerFile) -> None:
            fetched[_name(file)] = self._fetch(_name(file), self.folder / file.path, file.sha256)

        needed = [file for file in files if self.folder / file.path in lacking and _name(file) in there]
        self._remote.fetch_all(needed, fetch)
        good = {name: there[name].mark for name, whole in fetched.items() if whole}
        self._seen.add(
            {_name(file): (good[_name(file)], file.sha256) for file in files if _name(file) in good}
        )
        rest = [file for file in files if _name(file) not in fetched]
        wrong = {_name(file) for file in self.wrong(rest)} | {
            name for name, whole in fetched.items() if not whole
        }
        for file in files:
            if _name(file) in wrong:
                yield file, _DIFFERS if _name(file) in there else _MISSING

    def _is_unknown(self, name: str, there: Mapping[str, Entry]) -> bool:
        return name in there and self._seen.known(name, there[name].mark) is None

    def _listed(self, files: Iterable[LedgerFile]) -> dict[str, Entry]:
        folders = {f"{LEDGER}/{file.path.rpartition('/')[0]}" for file in files}
        return {name: entry for folder in folders for name, entry in self._remote.below(folder).items()}

    def _fetch(self, name: str, path: Path, digest: str) -> bool:
        """Put a file of the URL in its place here, whole or not at all; whether it is what it should be."""
        aside = scratch_folder(FETCHED, self._workspace.scratch_folder)
        try:
            part = aside / path.name
            touch_private(part)
            with part.open("r+b") as file:
                if self._remote.fetch(name, file) != digest:
                    return False
                file.flush()
                with writing(path):
                    os.fsync(file.fileno())
            with writing(path):
                private_folder(path.parent)
                part.replace(path)
                sync(path.parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return True

    def _fetch_plan(self, record: PlanRecord) -> None:
        folder, kept = self.plan_folder(record), f"{PLANS}/{record.folder}"
        manifest = folder / MANIFEST
        if not is_file(manifest, record.sha256) and not self._fetch(
            f"{kept}/{MANIFEST}", manifest, record.sha256
        ):
            raise self._plan_differs(f"{kept}/{MANIFEST}")
        files = json.loads(manifest.read_bytes())["files"]
        lacking = [each for each in files if not is_file(folder / each["path"], each["sha256"])]
        wrong: list[str] = []

        def fetch(each: Mapping[str, Any]) -> None:
            name = f"{kept}/{each['path']}"
            if not self._fetch(name, folder / each["path"], each["sha256"]):
                wrong.append(name)

        self._remote.fetch_all(lacking, fetch)
        for name in wrong:
            raise self._plan_differs(name)

    def _plan_differs(self, name: str) -> GateFault:
        return GateFault(
            Code.PLAN_DIFFERS,
            "the plan's file is missing or is not what was written",
            where=self._files.at(name),
            hint="make a new plan: `cdp export plan`",
        )

    def _remote_strangers(self) -> list[str]:
        return sorted(name for name in self._remote.below(LEDGER) if not _is_ours(name))

    @cached_property
    def _remote(self) -> RemoteFiles:
        """The place, after a look that it is this state's; raises where it is another's."""
        self._files.claim(self._state.audit.first_digest())
        return self._files


def _is_older(entry: Entry, moment: float) -> bool:
    return entry.modified is not None and entry.modified < moment


def _name(file: LedgerFile) -> str:
    return f"{LEDGER}/{file.path}"


def _old(names: Iterable[str], there: Mapping[str, Entry]) -> Iterator[str]:
    """Those that have lain there so long that no run is about to name them."""
    before = time.time() - ledger.ORPHANED_AFTER
    for name in names:
        modified = there[name].modified
        if modified is not None and modified < before:
            yield name


def _result(path: Path) -> str:
    return f"{RESULTS}/{path.name}"


def _is_ours(name: str) -> bool:
    return ledger.is_named_by_us(name.removeprefix(f"{LEDGER}/"))
