"""The ledger: for each audience, the digests that the service has accepted, and for which export.

Its files never change. A run writes what it changed into files of their own (a base, then additions
and endings; now and then all into a new base) and hands on the list that the state will point to; a
file that no list names is swept. The same function settles a run that was killed, from its journal.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import pyarrow as pa

from cdp_core.errors import Code, GateFault
from cdp_core.model.delivery import BatchOutcome, BatchStatus, Operation
from cdp_core.model.explanation import Held
from cdp_core.model.ledger import LedgerFile, LedgerPart
from cdp_core.model.policy import Mode
from cdp_core.pipeline.claims import Claims, Fold, LedgerReader
from cdp_core.pipeline.digest_file import DigestFile, DigestFileWriter, Written, ranges_for
from cdp_core.pipeline.digest_sets import EMPTY, minus, part, union
from cdp_core.pipeline.disk import link, private_folder, sha256, sync, writing
from cdp_core.pipeline.grouping import THREADS, in_parallel
from cdp_core.pipeline.intervals import Intervals
from cdp_core.pipeline.plan import Plan, PlanPart

# Changes are kept beside the base until they are a fifth of it, or many; then everything is written anew.
_LARGEST_CHANGE = 0.2
_MOST_CHANGES = 16
_ORPHANED_AFTER = 24 * 3600.0
_PARTS = "|".join(LedgerPart)
_OUR_NAME = re.compile(rf"[^/]+/[^/]+\.(?:{_PARTS})\.[0-9a-f]{{32}}\.parquet")


def verify(folder: Path, files: Iterable[LedgerFile]) -> None:
    """Raises `GateFault` (LEDGER_DIFFERS) naming the file that is missing or not what was committed."""
    for path, trouble in differing(folder, files):
        raise GateFault(
            Code.LEDGER_DIFFERS,
            trouble,
            where=str(path),
            hint="restore it from a backup, or let an Administrator mend the ledger from the runs' receipts: "
            'cdp ledger rebuild "EXPORT" (or give it up: cdp ledger reset "EXPORT")',
        )


def differing(folder: Path, files: Iterable[LedgerFile]) -> Iterator[tuple[Path, str]]:
    """The files that are missing or not what was committed, each with which of the two it is."""
    digests = {file.path: file.sha256 for file in files}
    with ThreadPoolExecutor(THREADS) as threads:
        found = threads.map(lambda path: _sha256_or_none(folder / path), digests)
        for (path, committed), now in zip(digests.items(), found, strict=True):
            if now != committed:
                missing = now is None
                trouble = "a ledger file is missing" if missing else "a ledger file is not what was committed"
                yield folder / path, trouble


def strangers(folder: Path) -> tuple[Path, ...]:
    """Files in the ledger's folder that no run of ours has written; `sweep` leaves them alone."""
    found = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return tuple(sorted(path for path in found if not _is_named_by_us(folder, path)))


def apply(
    folder: Path,
    files: Iterable[LedgerFile],
    plan: Plan,
    outcomes: Iterable[BatchOutcome],
    *,
    export_id: str,
    replay: bool = False,
) -> tuple[LedgerFile, ...]:
    """Write what a plan's outcomes change of an export's claims; the audience's new list of files.

    Accepted additions are confirmed claims, unknown ones are perhaps there; refused and unsent ones
    change nothing. Accepted removals end the claim; unknown ones make it one that is perhaps there, so
    that a member who is wanted again is sent again; all others leave it. Claims that change hands are
    carried out as planned. A batch that is only journaled counts as unknown; where two outcomes tell
    of one digest, acceptance counts first. Other exports' files are handed on as they are, but for their
    claims on what an owed removal took out: those end as the export's own does.

    A plan is made against the claims that it meets: what it adds is not held, and what it ends is. In a
    `replay` that may not be so, where an earlier plan is lost or an earlier answer came late; then what
    is held already is not added again, and only what is held ends. So it is with a plan that sends again
    what is held: where that is not accepted, the claim is perhaps there from now on.
    """
    outcomes = tuple(outcomes)
    files = emptied(folder, files, outcomes)
    before: dict[tuple[str, str], list[LedgerFile]] = {}
    for file in files:
        before.setdefault((file.export_id, file.kind), []).append(file)
    for kind in plan.kinds:
        before.setdefault((export_id, kind), [])
    told = _Told(outcomes)
    result = []
    for (holder, kind), held in before.items():
        if holder != export_id:
            settlement: type[_Settlement] = _OthersSettlement
        elif plan.resends:
            settlement = _ResendSettlement
        else:
            settlement = _TakingOutSettlement if plan.mode is Mode.REMOVE else _Settlement
        result += settlement(
            folder=folder,
            before=held,
            plan=plan,
            told=told,
            export_id=holder,
            kind=kind,
            replay=replay,
        ).files()
    return tuple(result)


def emptied(
    folder: Path, files: Iterable[LedgerFile], outcomes: Iterable[BatchOutcome]
) -> tuple[LedgerFile, ...]:
    """The audience's files after what the outcomes tell of its emptying: where the service said so, every
    claim ends; where no answer came, all are perhaps there, so that nobody is missed who is gone."""
    files = tuple(files)
    told = {each.status for each in outcomes if each.range.operation is Operation.REMOVE_ALL}
    if BatchStatus.ACCEPTED in told:
        return ()
    if not told & {BatchStatus.UNKNOWN, BatchStatus.JOURNALED}:
        return files
    held: dict[tuple[str, str], list[LedgerFile]] = {}
    for file in files:
        held.setdefault((file.export_id, file.kind), []).append(file)
    return tuple(
        file
        for (holder, kind), before in held.items()
        for file in _Doubting(folder=folder, before=before, export_id=holder, kind=kind).files()
    )


def count(files: Iterable[LedgerFile]) -> Mapping[tuple[str, str], int]:
    """How many claims each (export, kind) has."""
    found: Counter[tuple[str, str]] = Counter()
    for file in files:
        found[file.export_id, file.kind] += file.claims
    return found


def holds(folder: Path, files: Iterable[LedgerFile], digest: bytes) -> Held:
    """Whether the claims of one export and kind have a digest; the files come in their order."""
    held = Held.NO
    for file in files:
        if DigestFile(folder / file.path).find(digest) is None:
            continue
        if file.part is LedgerPart.UNCONFIRMED:
            return Held.PERHAPS
        held = Held.NO if file.part is LedgerPart.ENDED else Held.YES
    return held


def sweep(folder: Path, referenced: Iterable[str], *, older_than: float = _ORPHANED_AFTER) -> int:
    """Take away files of ours that no list names, but none so young (in seconds) that a run may be about
    to name it; how many there were."""
    named = set(referenced)
    swept = 0
    for path in folder.rglob("*.parquet"):
        if not _is_named_by_us(folder, path) or path.relative_to(folder).as_posix() in named:
            continue
        # Another run takes its own files away, too.
        with suppress(FileNotFoundError):
            # A file that was linked here is as young as its link, whatever its contents' age.
            if time.time() - path.stat().st_ctime > older_than:
                path.unlink()
                swept += 1
    return swept


def _is_named_by_us(folder: Path, path: Path) -> bool:
    return _OUR_NAME.fullmatch(path.relative_to(folder).as_posix()) is not None


def _sha256_or_none(path: Path) -> str | None:
    try:
        return sha256(path)
    except OSError:
        return None


class _Told:
    """What became of each row of a plan."""

    def __init__(self, outcomes: Collection[BatchOutcome]) -> None:
        self._accepted: dict[tuple[PlanPart, str], Intervals] = {}
        self._unknown: dict[tuple[PlanPart, str], Intervals] = {}
        # What was removed before an audience was emptied has no claims any more that could end.
        emptied = any(
            (each.range.operation, each.status) == (Operation.REMOVE_ALL, BatchStatus.ACCEPTED)
            for each in outcomes
        )
        ignored = (Operation.REMOVE_ALL, *((Operation.REMOVE,) if emptied else ()))
        for outcome in outcomes:
            batch = outcome.range
            if batch.operation in ignored:
                continue
            if outcome.status is BatchStatus.ACCEPTED:
                told = self._accepted
            elif outcome.status in (BatchStatus.UNKNOWN, BatchStatus.JOURNALED):
                told = self._unknown
            else:
                continue
            sent = PlanPart.sent(batch.operation, again=batch.again)
            told.setdefault((sent, batch.kind), Intervals()).add(batch.start, batch.count)

    def accepted(self, sent: PlanPart, kind: str) -> Intervals:
        return self._accepted.get((sent, kind), Intervals())

    def unknown(self, sent: PlanPart, kind: str) -> Intervals:
        return self._unknown.get((sent, kind), Intervals()).without(self.accepted(sent, kind))

    def anything(self, sent: PlanPart, kind: str) -> bool:
        """Whether anything of a part is accepted or unknown."""
        return bool(self.accepted(sent, kind) or self.unknown(sent, kind))


class _Settlement:
    """One kind of one export: its files before, what became of the plan, its files after."""

    def __init__(
        self,
        *,
        folder: Path,
        before: list[LedgerFile],
        plan: Plan,
        told: _Told,
        export_id: str,
        kind: str,
        replay: bool,
    ) -> None:
        self._folder = folder
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
    def _change_reader(self) -> _Changes:
        return _ChangeReader(self._plan, self._told, self._kind)

    def _settle(self, work: tuple[Fold, _Change]) -> _Change:
        fold, change = work
        return self._settled(fold(), change)

    def _settled(self, before: Claims, change: _Change) -> _Change:
        return _replayed(before, change) if self._replay else _settled(before, change)

    def _written(self) -> list[LedgerFile]:
        changes = self._change_reader
        own = LedgerReader(self._folder, self._before)
        ranges = max(own.ranges, changes.ranges)
        kept = [file for file in self._before if file.part is not LedgerPart.UNCONFIRMED]
        first = LedgerPart.ADDED if kept else LedgerPart.BASE
        writers = {
            ledger_part: DigestFileWriter(self._new_path(ledger_part))
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
        unconfirmed = [file for file in files if file.part is LedgerPart.UNCONFIRMED]
        reader = LedgerReader(self._folder, [file for file in files if file not in unconfirmed])
        ranges = max(reader.ranges, ranges_for(sum(file.claims for file in files)))
        path = self._new_path(LedgerPart.BASE)
        with DigestFileWriter(path) as writer, ThreadPoolExecutor(THREADS) as threads:
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
        folder = self._folder / quote(self._export_id, safe="")
        with writing(folder):
            private_folder(folder)
        return folder / f"{quote(self._kind, safe='')}.{ledger_part}.{uuid.uuid4().hex}.parquet"

    def _entry(self, ledger_part: LedgerPart, written: Written) -> LedgerFile:
        return LedgerFile(
            export_id=self._export_id,
            kind=self._kind,
            part=ledger_part,
            path=written.path.relative_to(self._folder).as_posix(),
            sha256=written.sha256,
            rows=written.rows,
        )


class _OthersSettlement(_Settlement):
    """One kind of another export of the audience: only what an owed removal took out ends its claims."""

    @property
    def _changes(self) -> bool:
        return self._plan.file(PlanPart.END, self._kind) is not None and self._changed_by(*_REMOVED)

    @property
    def _all_added(self) -> bool:
        return False

    @property
    def _change_reader(self) -> _Changes:
        return _EndReader(self._plan, self._told, self._kind)

    def _settle(self, work: tuple[Fold, _Change]) -> _Change:
        fold, change = work
        before = fold()
        ended, doubted = (part(each, before.all).both for each in (change.ended, change.doubted))
        return self._settled(before, _Change(EMPTY, EMPTY, ended, doubted))


class _TakingOutSettlement(_Settlement):
    """Of a plan that takes out whoever it names: only what the export claims of that ends."""

    def _settle(self, work: tuple[Fold, _Change]) -> _Change:
        fold, change = work
        before = fold()
        ended, doubted = (part(each, before.all).both for each in (change.ended, change.doubted))
        return self._settled(before, dataclasses.replace(change, ended=ended, doubted=doubted))


class _ResendSettlement(_Settlement):
    """Of a plan that sends claims again: those that the service has not accepted are perhaps there."""

    @property
    def _changes(self) -> bool:
        return True

    @property
    def _all_added(self) -> bool:
        return False

    @property
    def _change_reader(self) -> _Changes:
        return _ResendReader(self._plan, self._told, self._kind)

    def _settle(self, work: tuple[Fold, _Change]) -> _Change:
        fold, change = work
        before = fold()
        return _replayed(
            before, dataclasses.replace(change, doubted=part(change.doubted, before.confirmed).both)
        )


class _Doubting(_Settlement):
    """Nothing is sure any more of what one export claims of one kind."""

    def __init__(self, *, folder: Path, before: list[LedgerFile], export_id: str, kind: str) -> None:
        self._folder = folder
        self._before = before
        self._export_id = export_id
        self._kind = kind

    @property
    def _changes(self) -> bool:
        return any(file.part is not LedgerPart.UNCONFIRMED for file in self._before)

    @property
    def _all_added(self) -> bool:
        return False

    @property
    def _change_reader(self) -> _Changes:
        return _NoChange()

    def _settle(self, work: tuple[Fold, _Change]) -> _Change:
        fold, change = work
        before = fold()
        return _settled(before, dataclasses.replace(change, doubted=before.confirmed))


_ADDED = (PlanPart.ADD, PlanPart.ADD_AGAIN)
_REMOVED = (PlanPart.REMOVE, PlanPart.REMOVE_AGAIN)


@dataclass(frozen=True, slots=True)
class _Change:
    """Digests of one range; `perhaps` are those that are perhaps there, `doubted` those among the
    confirmed whose removal got no answer."""

    confirmed: pa.Array
    perhaps: pa.Array
    ended: pa.Array
    doubted: pa.Array


class _Changes(Protocol):
    """What has changed, range by range."""

    @property
    def ranges(self) -> int: ...

    def read(self, ranges: int) -> Iterator[_Change]: ...


class _NoChange:
    ranges = 1

    def read(self, ranges: int) -> Iterator[_Change]:
        return itertools.repeat(_Change(EMPTY, EMPTY, EMPTY, EMPTY), ranges)


class _ChangeReader:
    """What a plan's outcomes say, range by range: confirmed, perhaps there, and ended digests."""

    def __init__(self, plan: Plan, told: _Told, kind: str) -> None:
        self._told = told
        self._kind = kind
        self._files = {each: plan.digests(each, kind) for each in PlanPart}

    @property
    def ranges(self) -> int:
        return max((file.ranges for file in self._files.values() if file), default=1)

    def read(self, ranges: int) -> Iterator[_Change]:
        columns = (
            self._accepted(ranges, *_ADDED, PlanPart.CLAIM),
            self._unknown(ranges, *_ADDED),
            self._accepted(ranges, *_REMOVED, PlanPart.RELEASE),
            self._unknown(ranges, *_REMOVED),
        )
        for change in zip(*columns, strict=True):
            yield _Change(*change)

    def _accepted(self, ranges: int, *parts: PlanPart) -> Iterator[pa.Array]:
        """What was accepted of some parts, together; of those that are not sent, everything."""
        told = {
            each: Intervals.everything()
            if each in (PlanPart.CLAIM, PlanPart.RELEASE)
            else self._told.accepted(each, self._kind)
            for each in parts
        }
        return self._together(told, ranges)

    def _unknown(self, ranges: int, *parts: PlanPart) -> Iterator[pa.Array]:
        return self._together({each: self._told.unknown(each, self._kind) for each in parts}, ranges)

    def _together(self, told: Mapping[PlanPart, Intervals], ranges: int) -> Iterator[pa.Array]:
        columns = (self._rows(plan_part, rows, ranges) for plan_part, rows in told.items())
        for arrays in zip(*columns, strict=True):
            yield functools.reduce(_both, arrays)

    def _rows(self, plan_part: PlanPart, rows: Intervals, ranges: int) -> Iterable[pa.Array]:
        file = self._files[plan_part]
        return file.read(ranges, rows) if file and rows else itertools.repeat(EMPTY, ranges)


class _EndReader(_ChangeReader):
    """The same of what other exports claim too: what ended of it, and what is in doubt."""

    def read(self, ranges: int) -> Iterator[_Change]:
        columns = (
            self._rows(PlanPart.END, Intervals.everything(), ranges),
            self._accepted(ranges, *_REMOVED),
            self._unknown(ranges, *_REMOVED),
        )
        for shared, ended, doubted in zip(*columns, strict=True):
            yield _Change(EMPTY, EMPTY, part(shared, ended).both, part(shared, doubted).both)


class _ResendReader(_ChangeReader):
    """The same, with what was sent again and not accepted among what is in doubt."""

    def read(self, ranges: int) -> Iterator[_Change]:
        missed = self._together(
            {each: Intervals.everything().without(self._told.accepted(each, self._kind)) for each in _ADDED},
            ranges,
        )
        for change, more in zip(super().read(ranges), missed, strict=True):
            yield dataclasses.replace(change, doubted=_both(more, change.doubted))


def _both(one: pa.Array, other: pa.Array) -> pa.Array:
    return union([one, other]) if len(other) else one


def _settled(before: Claims, change: _Change) -> _Change:
    """For one range: what becomes confirmed, all that is perhaps there then, and the confirmed that ends."""
    unsure = before.unconfirmed
    perhaps = minus(minus(union([unsure, change.perhaps]), change.confirmed), change.ended)
    return _Change(
        change.confirmed,
        _both(perhaps, change.doubted),
        minus(_both(change.ended, change.doubted), unsure),
        change.doubted,
    )


def _replayed(before: Claims, change: _Change) -> _Change:
    """The same for a change that was planned against other claims than these, perhaps."""
    held = before.confirmed
    new = dataclasses.replace(
        change, confirmed=minus(change.confirmed, held), perhaps=minus(change.perhaps, held)
    )
    settled = _settled(before, new)
    return dataclasses.replace(settled, ended=part(settled.ended, held).both)
