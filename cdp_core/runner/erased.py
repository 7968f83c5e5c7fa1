"""Where people who are to be erased are in the workspace: claims, and what is kept of them beside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.errors import Code, GateFault, InvalidFault
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.erasure import Erasure, Identifier
from cdp_core.model.explanation import Held
from cdp_core.model.journal import PlanRecord
from cdp_core.model.ledger import LedgerFile
from cdp_core.model.run import Run
from cdp_core.pipeline import ledger
from cdp_core.pipeline.digest_file import DigestFile
from cdp_core.pipeline.digest_sets import DIGEST, halves
from cdp_core.pipeline.plan import Plan, PlanPart
from cdp_core.rules.records import RECORD
from cdp_core.runner.services import Services

# So many digests are looked for one by one; of more, a file is read once.
_FEW = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One export's claim on a digest (of a record its first half) of somebody who is erased."""

    erasure_id: str
    export_id: str
    kind: str
    digest: bytes
    held: Held = Held.YES


class Sought:
    """The digests of some erasures, of each kind once, and the halves of their rows' records."""

    def __init__(self, erasures: Sequence[Erasure]) -> None:
        self._whose: dict[Identifier, Erasure] = {}
        self._rows: dict[bytes, Erasure] = {}
        for erasure in erasures:
            for each in erasure.identifiers:
                self._whose.setdefault(each, erasure)
            for half in erasure.halves:
                self._rows.setdefault(half, erasure)

    @property
    def rows(self) -> Collection[bytes]:
        return self._rows.keys()

    def of(self, kind: str) -> list[bytes]:
        return [each.digest for each in self._whose if each.kind == kind]

    def joined(self) -> dict[str, bytes]:
        """By kind, one after another, as what is barred; of records only the first half counts."""
        kinds = {each.kind for each in self._whose}
        found = {kind: b"".join(self.of(kind)) for kind in kinds}
        if self._rows:
            found[RECORD] = b"".join(half.ljust(DIGEST.byte_width, b"\0") for half in self._rows)
        return found

    def in_file(self, kind: str, digests: DigestFile) -> bool:
        if kind == RECORD:
            return any(digests.of_row(half) for half in self._rows)
        sought = self.of(kind)
        if len(sought) <= _FEW:
            return any(digests.find(digest) is not None for digest in sought)
        wanted = pa.array(sought, DIGEST)
        return any(pc.any(pc.is_in(rows, value_set=wanted)).as_py() for rows in digests.read(digests.ranges))

    def replaced(self, kind: str, rows: pa.Array) -> pa.Array:
        """The rows of a plan, with what stands in for a digest in its place."""
        if kind == RECORD:
            width = len(next(iter(self._rows), b""))
            wanted = pa.array(list(self._rows), pa.binary(width))
            found = pc.is_in(halves(rows), value_set=wanted) if width else None
        else:
            found = pc.is_in(rows, value_set=pa.array(self.of(kind), DIGEST))
        if found is None or not found.true_count:
            return rows
        return pa.array(
            [
                self._stand_in(kind, each) if is_there else each
                for each, is_there in zip(rows.to_pylist(), found.to_pylist(), strict=True)
            ],
            DIGEST,
        )

    def _stand_in(self, kind: str, digest: bytes) -> bytes:
        if kind == RECORD:
            half = next(half for half in self._rows if digest.startswith(half))
            return self._rows[half].row_stand_in(digest)
        return self._whose[Identifier(kind=kind, digest=digest)].stand_in(digest)


class Places:
    """Looks for people at one place after the other."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._state = services.state

    def audiences(self) -> tuple[AudienceKey, ...]:
        """Every audience that a ledger or a run is about."""
        with_ledger = {version.audience for version in self._state.ledgers.all()}
        return tuple(sorted({*with_ledger, *self._state.runs.audiences()}))

    def claims(self, audience: AudienceKey, erasures: Iterable[Erasure]) -> list[Claim]:
        """What the audience's ledger holds of them. Raises `GateFault` where a file is not what was
        committed."""
        files: dict[tuple[str, str], list[LedgerFile]] = {}
        for file in self._state.ledgers.current(audience).files:
            files.setdefault((file.export_id, file.kind), []).append(file)
        self._services.ledgers.verify([file for each in files.values() for file in each])
        return [
            Claim(erasure_id=erasure.id, export_id=export_id, kind=kind, digest=digest, held=held)
            for erasure in erasures
            for (export_id, kind), of_kind in files.items()
            for digest in _sought(erasure, kind)
            if (held := self._held(kind, of_kind, digest)) is not Held.NO
        ]

    def unsettled(self, audience: AudienceKey, sought: Sought) -> list[Run]:
        """Runs that have not come to the ledger, and whose plans may have put them there."""
        return [
            run
            for run in self._state.runs.unfinished(audience)
            if run.plan_id is not None and (plan := self.plan(run.plan_id)) and is_in_plan(plan, sought)
        ]

    def plan(self, plan_id: str) -> Plan | None:
        """None where it is gone, or is not what was written."""
        try:
            return self._services.ledgers.open_plan(self._state.plans.get(plan_id))
        except (GateFault, InvalidFault) as fault:
            if fault.code in (Code.PLAN_DIFFERS, Code.PLAN_UNKNOWN):
                return None
            raise

    def plans(self, audience: AudienceKey, sought: Sought) -> Iterator[tuple[Run, PlanRecord, Plan]]:
        """The plans of an audience's runs that hold them."""
        for run in self._state.runs.on(audience):
            for record in self._state.plans.of_run(run.id):
                plan = self.plan(record.id) if self._services.ledgers.has_plan(record) else None
                if plan is not None and is_in_plan(plan, sought):
                    yield run, record, plan

    def traces(self, audience: AudienceKey, sought: Sought) -> list[str]:
        """Ledger files that hold them, whether the claim stands or has ended."""
        folder, seal = self._services.ledgers.folder, self._services.seal
        return [
            file.path
            for file in self._state.ledgers.current(audience).files
            if sought.in_file(file.kind, DigestFile(folder / file.path, seal))
        ]

    def _held(self, kind: str, files: Sequence[LedgerFile], digest: bytes) -> Held:
        folder, seal = self._services.ledgers.folder, self._services.seal
        if kind == RECORD:
            return ledger.holds_row(folder, files, digest, seal)
        return ledger.holds(folder, files, digest, seal)


def is_in_plan(plan: Plan, sought: Sought) -> bool:
    return any(
        sought.in_file(kind, digests)
        for kind in plan.kinds
        for part in PlanPart
        if (digests := plan.digests(part, kind))
    )


def _sought(erasure: Erasure, kind: str) -> tuple[bytes, ...]:
    if kind == RECORD:
        return erasure.halves
    return tuple(each.digest for each in erasure.identifiers if each.kind == kind)
