"""The ledger: for each audience, the digests that the service has accepted, and for which export.

Its files never change. A run writes what it changed into files of their own (a base, then additions
and endings; now and then all into a new base) and hands on the list that the state will point to; a
file that no list names is swept. The same function settles a run that was killed, from its journal.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from cdp_core.errors import Code, GateFault
from cdp_core.model.delivery import BatchOutcome, BatchStatus, Operation
from cdp_core.model.explanation import Held
from cdp_core.model.ledger import LedgerFile, LedgerPart
from cdp_core.model.policy import Mode
from cdp_core.pipeline.changes import Told
from cdp_core.pipeline.digest_file import DigestFile, DigestFileWriter
from cdp_core.pipeline.disk import sha256, sync
from cdp_core.pipeline.grouping import THREADS
from cdp_core.pipeline.plan import Plan
from cdp_core.pipeline.seal import PLAIN, Seal, is_encrypted
from cdp_core.pipeline.settlement import (
    Doubting,
    OthersSettlement,
    ResendSettlement,
    Settlement,
    Standing,
    TakingOutSettlement,
    new_path,
)

ORPHANED_AFTER = 24 * 3600.0
_PARTS = "|".join(LedgerPart)
_OUR_NAME = re.compile(rf"[^/]+/[^/]+\.(?:{_PARTS})\.[0-9a-f]{{32}}\.parquet")


def verify(folder: Path, files: Iterable[LedgerFile]) -> None:
    """Raises `GateFault` (LEDGER_DIFFERS) naming the file that is missing or not what was committed."""
    for path, trouble in differing(folder, files):
        raise GateFault(
            Code.LEDGER_DIFFERS,
            trouble,
            where=str(path),
            hint="where another machine has it, cdp ledger move --to URL there lets all reach it; or "
            "restore it from a backup, or let an Administrator mend the ledger from the runs' receipts: "
            "cdp ledger rebuild EXPORT (or give it up: cdp ledger reset EXPORT)",
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
    return tuple(sorted(path for path in found if not _is_ours(folder, path)))


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
    files = emptied(folder, files, outcomes, plan.seal)
    before = _apart(files)
    for kind in plan.kinds:
        before.setdefault((export_id, kind), [])
    told = Told(outcomes)
    result = []
    for (holder, kind), held in before.items():
        if holder != export_id:
            settlement: type[Settlement] = OthersSettlement
        elif plan.resends:
            settlement = ResendSettlement
        else:
            settlement = TakingOutSettlement if plan.mode is Mode.REMOVE else Settlement
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
    folder: Path, files: Iterable[LedgerFile], outcomes: Iterable[BatchOutcome], seal: Seal = PLAIN
) -> tuple[LedgerFile, ...]:
    """The audience's files after what the outcomes tell of its emptying: where the service said so, every
    claim ends; where no answer came, all are perhaps there, so that nobody is missed who is gone."""
    files = tuple(files)
    told = {each.status for each in outcomes if each.range.operation is Operation.REMOVE_ALL}
    if BatchStatus.ACCEPTED in told:
        return ()
    if not told & {BatchStatus.UNKNOWN, BatchStatus.JOURNALED}:
        return files
    return doubted(folder, files, seal)


def doubted(folder: Path, files: Iterable[LedgerFile], seal: Seal = PLAIN) -> tuple[LedgerFile, ...]:
    """The audience's files, where nothing is sure of what it holds: every claim is perhaps there."""
    return tuple(
        file
        for (holder, kind), before in _apart(files).items()
        for file in Doubting(folder=folder, before=before, export_id=holder, kind=kind, seal=seal).files()
    )


def without_traces(
    folder: Path, files: Iterable[LedgerFile], sought: Callable[[str, DigestFile], bool], seal: Seal = PLAIN
) -> tuple[LedgerFile, ...]:
    """The same claims, where a file in which something is `sought` (of its kind) is written anew without the
    claims that have ended. What is sought must not be claimed any more."""
    result: list[LedgerFile] = []
    for (holder, kind), before in _apart(files).items():
        if any(sought(kind, DigestFile(folder / file.path, seal)) for file in before):
            standing = Standing(folder=folder, before=before, export_id=holder, kind=kind, seal=seal)
            result += standing.in_one_base()
        else:
            result += before
    return tuple(result)


def _apart(files: Iterable[LedgerFile]) -> dict[tuple[str, str], list[LedgerFile]]:
    """By export and kind, in their order."""
    found: dict[tuple[str, str], list[LedgerFile]] = {}
    for file in files:
        found.setdefault((file.export_id, file.kind), []).append(file)
    return found


def count(files: Iterable[LedgerFile]) -> Mapping[tuple[str, str], int]:
    """How many claims each (export, kind) has."""
    found: Counter[tuple[str, str]] = Counter()
    for file in files:
        found[file.export_id, file.kind] += file.claims
    return found


def holds(folder: Path, files: Iterable[LedgerFile], digest: bytes, seal: Seal = PLAIN) -> Held:
    """Whether the claims of one export and kind have a digest; the files come in their order."""
    held = Held.NO
    for file in files:
        if DigestFile(folder / file.path, seal).find(digest) is None:
            continue
        if file.part is LedgerPart.UNCONFIRMED:
            return Held.PERHAPS
        held = Held.NO if file.part is LedgerPart.ENDED else Held.YES
    return held


def holds_row(folder: Path, files: Iterable[LedgerFile], half: bytes, seal: Seal = PLAIN) -> Held:
    """The same of a row, by the half that its records begin with: the version that is most surely held."""
    files = tuple(files)
    records = {each for file in files for each in DigestFile(folder / file.path, seal).of_row(half)}
    found = {holds(folder, files, record, seal) for record in records}
    return next((held for held in (Held.YES, Held.PERHAPS) if held in found), Held.NO)


def encrypted(folder: Path, files: Iterable[LedgerFile]) -> int:
    """How many of the files that are there are encrypted."""
    return sum((folder / file.path).is_file() and is_encrypted(folder / file.path) for file in files)


def written_anew(folder: Path, files: Iterable[LedgerFile], seal: Seal) -> tuple[LedgerFile, ...]:
    """The same claims in new files, encrypted or not as `seal` says; files that are so already stay."""
    return tuple(
        file if is_encrypted(folder / file.path) == seal.encrypts else _copied(folder, file, seal)
        for file in files
    )


def _copied(folder: Path, file: LedgerFile, seal: Seal) -> LedgerFile:
    before = DigestFile(folder / file.path, seal)
    path = new_path(folder, file.export_id, file.kind, file.part)
    with DigestFileWriter(path, seal) as writer:
        for digests in before.read(before.ranges):
            writer.write(digests)
        written = writer.close(durable=True)
    sync(path.parent)
    return dataclasses.replace(file, path=path.relative_to(folder).as_posix(), sha256=written.sha256)


def sweep(folder: Path, referenced: Iterable[str], *, older_than: float = ORPHANED_AFTER) -> int:
    """Take away files of ours that no list names, but none so young (in seconds) that a run may be about
    to name it; how many there were."""
    named = set(referenced)
    swept = 0
    for path in folder.rglob("*.parquet"):
        if not _is_ours(folder, path) or path.relative_to(folder).as_posix() in named:
            continue
        # Another run takes its own files away, too.
        with suppress(FileNotFoundError):
            # A file that was linked here is as young as its link, whatever its contents' age.
            if time.time() - path.stat().st_ctime > older_than:
                path.unlink()
                swept += 1
    return swept


def is_named_by_us(path: str) -> bool:
    """Of a path relative to the ledger's folder."""
    return _OUR_NAME.fullmatch(path) is not None


def _is_ours(folder: Path, path: Path) -> bool:
    return is_named_by_us(path.relative_to(folder).as_posix())


def _sha256_or_none(path: Path) -> str | None:
    try:
        return sha256(path)
    except OSError:
        return None
