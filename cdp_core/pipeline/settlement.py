"""Settles one kind of one export: its ledger files before, what became of a plan, its files after.

Files never change: what a run changed is written into files of their own, and now and then all into a new
base.
"""

from __future__ import annotations

import dataclasses
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from cdp_core.model.ledger import LedgerFile, LedgerPart
from cdp_core.pipeline.changes import (
    REMOVED,
    Change,
    ChangeReader,
    Changes,
    EndReader,
    NoChange,
    ResendReader,
    Told,
    both,
)
from cdp_core.pipeline.claims import Claims, Fold, LedgerReader
from cdp_core.pipeline.digest_file import DigestFileWriter, Written, ranges_for
from cdp_core.pipeline.digest_sets import EMPTY, minus, part, union
from cdp_core.pipeline.disk import link, private_folder, sync, writing
from cdp_core.pipeline.grouping import THREADS, in_parallel
from cdp_core.pipeline.plan import Plan, PlanPart
from cdp_core.pipeline.seal import Seal

# Changes are kept beside the base until they are a fifth of it, or many; then everything is written anew.
_LARGEST_CHANGE = 0.2
_MOST_CHANGES = 16


def new_path(folder: Path, export_id: str, kind: str, ledger_part: LedgerPart) -> Path:
    """Where a new file of the ledger goes; its folder is there when this returns."""
    of_export = folder / quote(export_id, safe="")
    with writing(of_export):
        private_folder(of_export)
    return of_export / f"{quote(kind, safe='')}.{ledger_part}.{uuid.uuid4().hex}.parquet"


class Settlement:
    """One kind of one export: its files before, what became of the plan, its files after."""

    def __init__(
        self,
        *,
        folder: Path,
        before: list[LedgerFile],
        plan: Plan,
        told: Told,
        export_id: str,
        kind: str,
        replay: bool,
    ) -> None:
        self._folder = folder
        self._seal = plan.seal
        self._before = before
        self._plan = plan
        self._told = told
        self._export_id = export_id
        self._kind = kind
        self._replay = replay

    def files(self) -> list[LedgerFile]:
        if not self._changes:
            return self._before
        return self._compacted(self._linked() if self._all_added else self._written())

    @property
    def _changes(self) -> bool:
        return self._changed_by(*PlanPart)

    def _changed_by(self, *parts: PlanPart) -> bool:
        return any(
            self._plan.file(each, self._kind) is not None
            if each in (PlanPart.CLAIM, PlanPart.RELEASE)
            else self._told.anything(each, self._kind)
            for each in parts
        )

    @property
    def _all_added(self) -> bool:
        """Whether the plan's additions, none held and all of them accepted, are the only change."""
        added = self._plan.file(PlanPart.ADD, self._kind)
        return (
            added is not None
            and not self._replay
            and self._told.accepted(PlanPart.ADD, self._kind).count == added.rows
            and not self._changed_by(*set(PlanPart) - {PlanPart.ADD})
            and not any(file.part is LedgerPart.UNCONFIRMED for file in self._before)
        )

    def _linked(self) -> list[LedgerFile]:
        """The plan's own file becomes the ledger's: a second name, and nothing is written."""
        planned = self._plan.file(PlanPart.ADD, self._kind)
        assert planned is not None  # noqa: S101 - _all_added has looked
        ledger_part = LedgerPart.ADDED if self._before else LedgerPart.BASE
        path = self._new_path(ledger_part)
        with writing(path):
            link(self._plan.folder / planned.path, path)
            sync(path.parent)
        return [*self._before, self._entry(ledger_part, Written(path, planned.sha256, planned.rows))]

    @property
    def _change_reader(self) -> Changes:
        return ChangeReader(self._plan, self._told, self._kind)

    def _settle(self, work: tuple[Fold, Change]) -> Change:
        fold, change = work
        return self._settled(fold(), change)

    def _settled(self, before: Claims, change: Change) -> Change:
        return _replayed(before, change) if self._replay else _settled(before, change)

    def _written(self) -> list[LedgerFile]:
        changes = self._change_reader
        own = LedgerReader(self._folder, self._before, self._seal)
        ranges = max(own.ranges, changes.ranges)
        kept = [file for file in self._before if file.part is not LedgerPart.UNCONFIRMED]
        first = LedgerPart.ADDED if kept else LedgerPart.BASE
        writers = {
            ledger_part: DigestFileWriter(self._new_path(ledger_part), self._seal)
            for ledger_part in (first, LedgerPart.UNCONFIRMED, LedgerPart.ENDED)
        }
        try:
            with ThreadPoolExecutor(THREADS) as threads:
                work = zip(own.read(ranges), changes.read(ranges), strict=True)
                for change in in_parallel(threads, self._settle, work):
                    for writer, digests in zip(
                        writers.values(), (change.confirmed, change.perhaps, change.ended), strict=True
                    ):
                        writer.write(digests)
            found = [
                self._entry(each, writer.close(durable=True))
                for each, writer in writers.items()
                if writer.rows
            ]
        finally:
            for writer in writers.values():
                writer.discard()
        sync(self._new_path(first).parent)
        return [*kept, *found]

    def _compacted(self, files: list[LedgerFile]) -> list[LedgerFile]:
        """Everything confirmed in one new base, once the changes beside the base are many."""
        changes = [file for file in files if file.part in (LedgerPart.ADDED, LedgerPart.ENDED)]
        base = sum(file.rows for file in files if file.part is LedgerPart.BASE)
        changed = sum(file.rows for file in changes)
        if not changes or (changed <= base * _LARGEST_CHANGE and len(changes) <= _MOST_CHANGES):
            return files
        return self._one_base(files)

    def _one_base(self, files: list[LedgerFile]) -> list[LedgerFile]:
        unconfirmed = [file for file in files if file.part is LedgerPart.UNCONFIRMED]
        confirmed_files = [file for file in files if file not in unconfirmed]
        reader = LedgerReader(self._folder, confirmed_files, self._seal)
        ranges = max(reader.ranges, ranges_for(sum(file.claims for file in files)))
        path = self._new_path(LedgerPart.BASE)
        with DigestFileWriter(path, self._seal) as writer, ThreadPoolExecutor(THREADS) as threads:
            for confirmed in in_parallel(
                threads, lambda fold: union([fold().confirmed]), reader.read(ranges)
            ):
                writer.write(confirmed)
            if not writer.rows:
                return unconfirmed
            written = writer.close(durable=True)
        sync(path.parent)
        return [self._entry(LedgerPart.BASE, written), *unconfirmed]

    def _new_path(self, ledger_part: LedgerPart) -> Path:
        return new_path(self._folder, self._export_id, self._kind, ledger_part)

    def _entry(self, ledger_part: LedgerPart, written: Written) -> LedgerFile:
        return LedgerFile(
            export_id=self._export_id,
            kind=self._kind,
            part=ledger_part,
            path=written.path.relative_to(self._folder).as_posix(),
            sha256=written.sha256,
            rows=written.rows,
        )


class OthersSettlement(Settlement):
    """One kind of another export of the audience: only what an owed removal took out ends its claims."""

    @property
    def _changes(self) -> bool:
        return self._plan.file(PlanPart.END, self._kind) is not None and self._changed_by(*REMOVED)

    @property
    def _all_added(self) -> bool:
        return False

    @property
    def _change_reader(self) -> Changes:
        return EndReader(self._plan, self._told, self._kind)

    def _settle(self, work: tuple[Fold, Change]) -> Change:
        fold, change = work
        before = fold()
        ended, doubted = (part(each, before.all).both for each in (change.ended, change.doubted))
        return self._settled(before, Change(EMPTY, EMPTY, ended, doubted))


class TakingOutSettlement(Settlement):
    """Of a plan that takes out whoever it names: only what the export claims of that ends."""

    def _settle(self, work: tuple[Fold, Change]) -> Change:
        fold, change = work
        before = fold()
        ended, doubted = (part(each, before.all).both for each in (change.ended, change.doubted))
        return self._settled(before, dataclasses.replace(change, ended=ended, doubted=doubted))


class ResendSettlement(Settlement):
    """Of a plan that sends claims again: those that the service has not accepted are perhaps there."""

    @property
    def _changes(self) -> bool:
        return True

    @property
    def _all_added(self) -> bool:
        return False

    @property
    def _change_reader(self) -> Changes:
        return ResendReader(self._plan, self._told, self._kind)

    def _settle(self, work: tuple[Fold, Change]) -> Change:
        fold, change = work
        before = fold()
        return _replayed(
            before, dataclasses.replace(change, doubted=part(change.doubted, before.confirmed).both)
        )


class Standing(Settlement):
    """One kind of one export, of which no plan has changed anything."""

    def __init__(
        self, *, folder: Path, before: list[LedgerFile], export_id: str, kind: str, seal: Seal
    ) -> None:
        self._folder = folder
        self._seal = seal
        self._before = before
        self._export_id = export_id
        self._kind = kind

    def in_one_base(self) -> list[LedgerFile]:
        """The same claims, without a trace of those that have ended."""
        return self._one_base(self._before)


class Doubting(Standing):
    """Nothing is sure any more of what one export claims of one kind."""

    @property
    def _changes(self) -> bool:
        return any(file.part is not LedgerPart.UNCONFIRMED for file in self._before)

    @property
    def _all_added(self) -> bool:
        return False

    @property
    def _change_reader(self) -> Changes:
        return NoChange()

    def _settle(self, work: tuple[Fold, Change]) -> Change:
        fold, change = work
        before = fold()
        return _settled(before, dataclasses.replace(change, doubted=before.confirmed))


def _settled(before: Claims, change: Change) -> Change:
    """For one range: what becomes confirmed, all that is perhaps there then, and the confirmed that ends."""
    unsure = before.unconfirmed
    perhaps = minus(minus(union([unsure, change.perhaps]), change.confirmed), change.ended)
    return Change(
        change.confirmed,
        both(perhaps, change.doubted),
        minus(both(change.ended, change.doubted), unsure),
        change.doubted,
    )


def _replayed(before: Claims, change: Change) -> Change:
    """The same for a change that was planned against other claims than these, perhaps."""
    held = before.confirmed
    new = dataclasses.replace(
        change, confirmed=minus(change.confirmed, held), perhaps=minus(change.perhaps, held)
    )
    settled = _settled(before, new)
    return dataclasses.replace(settled, ended=part(settled.ended, held).both)
