"""Compare: today's digests against the audience's claims, range by range, into a plan.

For each kind, with `wanted` today's digests, `own` this export's claims (confirmed and perhaps there)
and `others` those of the audience's other exports:

- wanted and own and confirmed: unchanged;
- wanted and not so, but confirmed by another: unchanged, and claimed without sending;
- wanted otherwise: **add**; also what is only perhaps there;
- own and not wanted because it is suppressed or withheld for want of consent: **remove**, which is owed
  whatever another claims; the others' claims end with it;
- own and not wanted, and another claims it: released, sends nothing;
- own and not wanted otherwise: **remove**.

What is added or removed and was refused before (a dead letter) stands in a part of its own.

Other modes than mirror differ in which of these they keep, and belong into `_verdict`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.model.accounting import KindCounts, Reason
from cdp_core.model.delivery import Operation
from cdp_core.model.journal import DeadLetter
from cdp_core.model.ledger import LedgerFile
from cdp_core.pipeline.claims import Fold, LedgerReader, by_kind, together
from cdp_core.pipeline.digest_file import DigestFile
from cdp_core.pipeline.digest_sets import DIGEST, EMPTY, minus, part, union
from cdp_core.pipeline.grouping import THREADS, in_parallel
from cdp_core.pipeline.plan import Plan, PlanPart, PlanWriter
from cdp_core.pipeline.prepare import Prepared, PreparedKind
from cdp_core.pipeline.suppressed import Suppressed


def compare(
    prepared: Prepared,
    *,
    ledger_folder: Path,
    files: Iterable[LedgerFile],
    export_id: str,
    folder: Path,
    letters: Iterable[DeadLetter] = (),
    suppressed: Suppressed | None = None,
) -> Plan:
    """Write the plan into `folder`, which must not exist yet; `files` are the audience's, of all exports;
    `letters` are the export's. What is `suppressed` has been taken out of what was prepared already.

    A kind that the export claims and that is not prepared (it is not matched any more) is taken out.
    Raises `InvalidFault` where the disk is full; then nothing is left behind.
    """
    files = tuple(files)
    own_kinds = {file.kind for file in files if file.export_id == export_id}
    unmatched = dict.fromkeys(sorted(own_kinds - set(prepared.kinds)), _NOTHING_PREPARED)
    counts = {}
    refused = _Refused(letters)
    with PlanWriter(folder) as plan, ThreadPoolExecutor(THREADS) as threads:
        for kind, share in {**prepared.kinds, **unmatched}.items():
            claims = by_kind(files, kind)
            if claims or len(share.wanted) != 1 or len(refused.of(Operation.ADD, kind)):
                own = LedgerReader(ledger_folder, claims.pop(export_id, []))
                others = [LedgerReader(ledger_folder, each) for each in claims.values()]
                counts[kind] = _compare_kind(
                    plan,
                    threads,
                    kind,
                    share,
                    own=own,
                    others=others,
                    refused=refused,
                    suppressed=suppressed or Suppressed(),
                )
            else:
                counts[kind] = _take_everything(plan, kind, share)
        return plan.finish(counts)


_NOTHING_PREPARED = PreparedKind(read=0, reasons={}, distinct=0)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """One range's digests by what becomes of them."""

    parts: Mapping[PlanPart, pa.Array]


def _verdict(held: tuple[pa.Array, Fold, Fold, pa.Array]) -> _Verdict:
    """The mode's rule for one range."""
    wanted, own_fold, others_fold, barred = held
    own, others = own_fold(), others_fold()
    sure = part(wanted, own.confirmed)
    candidates = part(sure.only_left, others.confirmed)
    not_wanted = pa.concat_arrays([sure.only_right, minus(own.unconfirmed, wanted)])
    reasoned = part(not_wanted, barred)
    owed, gone = reasoned.both, part(reasoned.only_left, others.all)
    return _Verdict(
        {
            PlanPart.ADD: candidates.only_left,
            PlanPart.CLAIM: candidates.both,
            PlanPart.REMOVE: pa.concat_arrays([gone.only_left, owed]),
            PlanPart.RELEASE: gone.both,
            PlanPart.OWED: owed,
            PlanPart.END: part(owed, others.all).both,
        }
    )


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
        for operation in Operation:
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
) -> KindCounts:
    wanted = [DigestFile(written.path) for written in share.wanted]
    withheld = [DigestFile(written.path) for written in (share.withheld,) if written]
    ranges = max(
        [own.ranges, *(each.ranges for each in others), *(each.ranges for each in wanted + withheld)]
    )
    barred = map(_either, _wanted(withheld, ranges), suppressed.read(kind, ranges))
    held = zip(_wanted(wanted, ranges), own.read(ranges), together(others, ranges), barred, strict=True)
    rows = dict.fromkeys(PlanPart, 0)
    for verdict in in_parallel(threads, _verdict, held):
        for plan_part, digests in refused.apart(kind, verdict.parts).items():
            plan.file(plan_part, kind).write(digests)
            rows[plan_part] += len(digests)
    return _counts(share, rows)


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
    return _counts(share, {**dict.fromkeys(PlanPart, 0), PlanPart.ADD: share.distinct})


def _counts(share: PreparedKind, rows: Mapping[PlanPart, int]) -> KindCounts:
    reasons = {reason.value: share.reasons.get(reason, 0) for reason in Reason}
    added = rows[PlanPart.ADD] + rows[PlanPart.ADD_AGAIN]
    return KindCounts(
        read=share.read,
        added=added,
        unchanged=share.distinct - added,
        removed=rows[PlanPart.REMOVE] + rows[PlanPart.REMOVE_AGAIN],
        owed=rows[PlanPart.OWED],
        released=rows[PlanPart.RELEASE],
        **reasons,
    )
