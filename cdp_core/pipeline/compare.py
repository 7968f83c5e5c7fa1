"""Compare: today's digests against the audience's claims, range by range, into a plan.

What becomes of a digest is the mode's rule (`modes.py`). What is added or removed and was refused before (a
dead letter) stands in a part of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.model.accounting import KindCounts, Reason
from cdp_core.model.delivery import OF_DIGESTS, Operation
from cdp_core.model.journal import DeadLetter
from cdp_core.model.ledger import LedgerFile
from cdp_core.model.policy import Mode
from cdp_core.pipeline.claims import LedgerReader, by_kind, together
from cdp_core.pipeline.digest_file import DigestFile
from cdp_core.pipeline.digest_sets import DIGEST, EMPTY, union
from cdp_core.pipeline.grouping import THREADS, in_parallel
from cdp_core.pipeline.modes import Again, Verdict, of_rows, rule, without_additions
from cdp_core.pipeline.plan import Plan, PlanPart, PlanWriter
from cdp_core.pipeline.prepare import Prepared, PreparedKind
from cdp_core.pipeline.seal import PLAIN, Seal
from cdp_core.pipeline.suppressed import Suppressed
from cdp_core.rules.records import RECORD


def compare(
    prepared: Prepared,
    *,
    ledger_folder: Path,
    files: Iterable[LedgerFile],
    export_id: str,
    folder: Path,
    letters: Iterable[DeadLetter] = (),
    suppressed: Suppressed | None = None,
    mode: Mode = Mode.MIRROR,
    resend: int | None = 0,
    adds: bool = True,
    owed_alone: bool = False,
    seal: Seal = PLAIN,
) -> Plan:
    """Write the plan into `folder`, which must not exist yet; `files` are the audience's, of all exports;
    `letters` are the export's. What is `suppressed` has been taken out of what was prepared already, but in
    the mode `remove`. At most `resend` digests that are there are sent again on purpose; None: all.

    Unless it `adds`, what would be added is held back. `owed_alone`: nothing was prepared on purpose, and the
    plan says nothing of who is wanted.

    Of a kind that the export claims and that is not prepared (it is not matched any more) nothing is wanted.
    Raises `InvalidFault` where the disk is full; then nothing is left behind.
    """
    files = tuple(files)
    own_kinds = {file.kind for file in files if file.export_id == export_id}
    unmatched = dict.fromkeys(sorted(own_kinds - set(prepared.kinds)), _NOTHING_PREPARED)
    counts = {}
    refused = _Refused(letters)
    finish = Again(resend).with_more if adds else without_additions
    with PlanWriter(folder, seal) as plan, ThreadPoolExecutor(THREADS) as threads:
        for kind, share in {**prepared.kinds, **unmatched}.items():
            claims = by_kind(files, kind)
            apart = mode is Mode.REMOVE or len(refused.of(Operation.ADD, kind))
            if claims or apart or not adds or len(share.wanted) != 1:
                own = LedgerReader(ledger_folder, claims.pop(export_id, []), seal)
                others = [LedgerReader(ledger_folder, each, seal) for each in claims.values()]
                counts[kind] = _compare_kind(
                    plan,
                    threads,
                    kind,
                    share,
                    own=own,
                    others=others,
                    refused=refused,
                    suppressed=suppressed or Suppressed(),
                    mode=mode,
                    finish=finish,
                    seal=seal,
                )
            else:
                counts[kind] = _take_everything(plan, kind, share)
        return plan.finish(counts, owed_alone=owed_alone, mode=mode, resends=resend != 0)


_NOTHING_PREPARED = PreparedKind(read=0, reasons={}, distinct=0)


class _Refused:
    """What the service refused before, by operation and kind."""

    def __init__(self, letters: Iterable[DeadLetter]) -> None:
        found: dict[tuple[Operation, str], list[bytes]] = {}
        for letter in letters:
            found.setdefault((letter.operation, letter.kind), []).append(letter.digest)
        self._digests = {key: pa.array(digests, DIGEST) for key, digests in found.items()}

    def of(self, operation: Operation, kind: str) -> pa.Array:
        return self._digests.get((operation, kind), EMPTY)

    def apart(self, kind: str, parts: Mapping[PlanPart, pa.Array]) -> Mapping[PlanPart, pa.Array]:
        """One range's parts, with what was refused before in those of its own."""
        parted = dict(parts)
        for operation in OF_DIGESTS:
            if len(refused := self.of(operation, kind)):
                new, again = (PlanPart.sent(operation, again=each) for each in (False, True))
                known = pc.is_in(parts[new], value_set=refused)
                parted[new] = parts[new].filter(pc.invert(known))
                parted[again] = parts[new].filter(known)
        return parted


def _compare_kind(
    plan: PlanWriter,
    threads: ThreadPoolExecutor,
    kind: str,
    share: PreparedKind,
    *,
    own: LedgerReader,
    others: list[LedgerReader],
    refused: _Refused,
    suppressed: Suppressed,
    mode: Mode,
    finish: Callable[[Verdict], Verdict],
    seal: Seal,
) -> KindCounts:
    wanted = [DigestFile(written.path, seal) for written in share.wanted]
    withheld = [DigestFile(written.path, seal) for written in (share.withheld,) if written]
    ranges = max(
        [own.ranges, *(each.ranges for each in others), *(each.ranges for each in wanted + withheld)]
    )
    barred = map(_either, _wanted(withheld, ranges), suppressed.read(kind, ranges))
    held = zip(_wanted(wanted, ranges), own.read(ranges), together(others, ranges), barred, strict=True)
    rows = dict.fromkeys(PlanPart, 0)
    beside = Counter[str]()
    judge = rule(mode) if kind != RECORD else of_rows(rule(mode), adds=finish is not without_additions)
    for verdict in map(finish, in_parallel(threads, judge, held)):
        beside.update(verdict.beside)
        for plan_part, digests in refused.apart(kind, verdict.parts).items():
            plan.file(plan_part, kind).write(digests)
            rows[plan_part] += len(digests)
    return _counts(share, rows, beside, mode)


def _either(one: pa.Array, other: pa.Array) -> pa.Array:
    return union([one, other]) if len(one) and len(other) else one if len(one) else other


def _wanted(files: list[DigestFile], ranges: int) -> Iterator[pa.Array]:
    if not files:
        yield from (fold().confirmed for fold in together([], ranges))
        return
    for arrays in zip(*(file.read(ranges) for file in files), strict=True):
        yield arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)


def _take_everything(plan: PlanWriter, kind: str, share: PreparedKind) -> KindCounts:
    """Nobody claims anything yet: what was prepared is what will be added."""
    if share.distinct:
        plan.take_over(PlanPart.ADD, kind, share.wanted[0])
    rows = {**dict.fromkeys(PlanPart, 0), PlanPart.ADD: share.distinct}
    return _counts(share, rows, {}, Mode.MIRROR)


def _counts(
    share: PreparedKind, rows: Mapping[PlanPart, int], beside: Mapping[str, int], mode: Mode
) -> KindCounts:
    reasons = {reason.value: share.reasons.get(reason, 0) for reason in Reason}
    added = rows[PlanPart.ADD] + rows[PlanPart.ADD_AGAIN] - beside.get("resent", 0)
    takes_out = mode is Mode.REMOVE
    return KindCounts(
        read=share.read,
        added=added,
        unchanged=0 if takes_out else share.distinct - added - beside.get("held_back", 0),
        named=share.distinct if takes_out else 0,
        removed=rows[PlanPart.REMOVE] + rows[PlanPart.REMOVE_AGAIN] + rows[PlanPart.EMPTIED],
        owed=rows[PlanPart.OWED],
        released=rows[PlanPart.RELEASE],
        **beside,
        **reasons,
    )
