"""Compare and the ledger against a model of claims in plain sets: several exports, any answer."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.compute as pc
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cdp_core.model.delivery import BatchOutcome, BatchStatus, Operation
from cdp_core.model.ledger import LedgerFile
from cdp_core.pipeline import ledger
from cdp_core.pipeline.claims import LedgerReader, by_kind
from cdp_core.pipeline.compare import compare
from cdp_core.pipeline.digest_file import DigestFileWriter, Written, split
from cdp_core.pipeline.digest_sets import distinct, from_bytes
from cdp_core.pipeline.plan import Plan, PlanPart
from cdp_core.pipeline.prepare import Prepared, PreparedKind
from cdp_core.pipeline.suppressed import Suppressed

PEOPLE = [hashlib.sha256(bytes([n])).digest() for n in range(24)]
KINDS = ("EMAIL", "PHONE")

people = st.sets(st.sampled_from(PEOPLE))
statuses = st.sampled_from(BatchStatus)


@dataclass
class Held:
    """One export's claims of one kind, as the model has them."""

    confirmed: set[bytes] = field(default_factory=set)
    perhaps: set[bytes] = field(default_factory=set)


def digests_of(plan: Plan, part: PlanPart, kind: str) -> list[bytes]:
    file = plan.digests(part, kind)
    joined = b"".join(file.blocks(1_000)) if file else b""
    return [joined[at : at + 32] for at in range(0, len(joined), 32)]


def claims_in(folder: Path, files: tuple[LedgerFile, ...], export: str, kind: str) -> Held:
    reader = LedgerReader(folder, by_kind(files, kind).get(export, []))
    held = Held()
    for fold in reader.read(reader.ranges):
        claims = fold()
        for found, kept in ((claims.confirmed, held.confirmed), (claims.unconfirmed, held.perhaps)):
            assert len(found) == pc.count_distinct(found).as_py()
            assert not kept & set(found.to_pylist())
            kept.update(found.to_pylist())
    return held


class Claims(RuleBasedStateMachine):
    """Exports of one audience run in any order, each with any answer to any batch."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ledger = self.folder / "ledger"
        self.ledger.mkdir()
        self.files: tuple[LedgerFile, ...] = ()
        self.held = {(export, kind): Held() for export in "ab" for kind in KINDS}
        self.runs = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @rule(
        export=st.sampled_from("ab"),
        wanted=st.dictionaries(st.sampled_from(KINDS), people, max_size=2),
        withheld=st.dictionaries(st.sampled_from(KINDS), people, max_size=1),
        suppressed=st.dictionaries(st.sampled_from(KINDS), people, max_size=1),
        ranges=st.sampled_from([1, 4]),
        answers=st.lists(statuses, min_size=1, max_size=8),
        size=st.integers(1, 9),
    )
    def run(
        self,
        *,
        export: str,
        wanted: dict[str, set[bytes]],
        ranges: int,
        answers: list[BatchStatus],
        size: int,
        withheld: dict[str, set[bytes]] | None = None,
        suppressed: dict[str, set[bytes]] | None = None,
    ) -> None:
        self.runs += 1
        before = self.files
        # Only a kind that is matched can have withheld digests; suppressed are the other kinds' too.
        withheld = {kind: digests for kind, digests in (withheld or {}).items() if kind in wanted}
        suppressed = suppressed or {}
        barred = {kind: withheld.get(kind, set()) | suppressed.get(kind, set()) for kind in KINDS}
        wanted = {kind: digests - barred[kind] for kind, digests in wanted.items()}
        plan = compare(
            self._prepared(wanted, withheld, ranges),
            ledger_folder=self.ledger,
            files=self.files,
            export_id=export,
            folder=self.folder / f"plan{self.runs}",
            suppressed=Suppressed({kind: b"".join(digests) for kind, digests in suppressed.items()}),
        )
        self._check_plan(plan, export, wanted, barred)
        outcomes = list(self._outcomes(plan, answers, size))
        self.files = ledger.apply(self.ledger, self.files, plan, outcomes, export_id=export)
        for kind in KINDS:
            self._model(plan, export, kind, outcomes)
        if not plan.totals and not any(plan.file(part, kind) for part in PlanPart for kind in KINDS):
            assert set(self.files) == set(before)

    @invariant()
    def the_ledger_holds_what_the_model_holds(self) -> None:
        ledger.verify(self.ledger, self.files)
        for (export, kind), held in self.held.items():
            assert claims_in(self.ledger, self.files, export, kind) == held
            count = ledger.count(self.files).get((export, kind), 0)
            assert count == len(held.confirmed) + len(held.perhaps)

    @invariant()
    def nothing_that_is_named_is_swept(self) -> None:
        ledger.sweep(self.ledger, [file.path for file in self.files], older_than=-1)
        found = {path.relative_to(self.ledger).as_posix() for path in self.ledger.rglob("*.parquet")}
        assert found == {file.path for file in self.files}

    def _prepared(
        self, wanted: dict[str, set[bytes]], withheld: dict[str, set[bytes]], ranges: int
    ) -> Prepared:
        kinds = {}
        for kind, digests in wanted.items():
            kinds[kind] = PreparedKind(
                read=len(digests),
                reasons={},
                distinct=len(digests),
                wanted=(self._written(digests, ranges),),
                withheld=self._written(withheld[kind], ranges) if withheld.get(kind) else None,
            )
        return Prepared(profiles=1, members=1, kinds=kinds)

    def _written(self, digests: set[bytes], ranges: int) -> Written:
        path = self.folder / f"wanted{self.runs}-{len(list(self.folder.iterdir()))}.parquet"
        with DigestFileWriter(path) as file:
            for part in split([distinct(from_bytes(b"".join(digests)))], 1, ranges):
                file.write(part)
            return file.close(durable=False)

    def _check_plan(
        self, plan: Plan, export: str, wanted: dict[str, set[bytes]], barred: dict[str, set[bytes]]
    ) -> None:
        for kind in KINDS:
            own, today = self.held[export, kind], wanted.get(kind, set())
            others = [self.held[other, kind] for other in "ab" if other != export]
            sure = set().union(*(other.confirmed for other in others))
            theirs = sure.union(*(other.perhaps for other in others))
            mine = own.confirmed | own.perhaps
            assert set(digests_of(plan, PlanPart.ADD, kind)) == today - own.confirmed - sure
            assert set(digests_of(plan, PlanPart.CLAIM, kind)) == (today - own.confirmed) & sure
            owed = (mine - today) & barred[kind]
            assert set(digests_of(plan, PlanPart.REMOVE, kind)) == (mine - today - theirs) | owed
            assert set(digests_of(plan, PlanPart.RELEASE, kind)) == ((mine - today) & theirs) - owed
            assert set(digests_of(plan, PlanPart.OWED, kind)) == owed
            assert set(digests_of(plan, PlanPart.END, kind)) == owed & theirs
            if kind in plan.counts:
                counts = plan.counts[kind]
                assert counts.balances
                assert counts.added == len(today - own.confirmed - sure)
                assert counts.removed + counts.released == len(mine - today)
                assert counts.owed == len(owed)

    def _outcomes(self, plan: Plan, answers: list[BatchStatus], size: int) -> Iterator[BatchOutcome]:
        batches = [
            batch
            for operation in Operation
            for kind in plan.kinds
            for batch, _ in plan.blocks(operation, kind, size)
        ]
        # Batches beyond the answers were never opened.
        for batch, status in zip(batches, answers, strict=False):
            yield BatchOutcome(range=batch, status=status)

    def _model(self, plan: Plan, export: str, kind: str, outcomes: list[BatchOutcome]) -> None:
        held = self.held[export, kind]
        told = {(outcome.range.operation, status): set() for outcome in outcomes for status in BatchStatus}  # type: ignore[var-annotated]
        for outcome in outcomes:
            if outcome.range.kind == kind:
                told[outcome.range.operation, outcome.status] |= set(plan.read(outcome.range))
        added = told.get((Operation.ADD, BatchStatus.ACCEPTED), set())
        perhaps = told.get((Operation.ADD, BatchStatus.UNKNOWN), set()) | told.get(
            (Operation.ADD, BatchStatus.JOURNALED), set()
        )
        claimed = set(digests_of(plan, PlanPart.CLAIM, kind))
        gone = told.get((Operation.REMOVE, BatchStatus.ACCEPTED), set()) | set(
            digests_of(plan, PlanPart.RELEASE, kind)
        )
        # A removal without an answer may have been carried out: who is wanted again must be sent again.
        doubted = told.get((Operation.REMOVE, BatchStatus.UNKNOWN), set()) | told.get(
            (Operation.REMOVE, BatchStatus.JOURNALED), set()
        )
        held.confirmed = (held.confirmed | added | claimed) - gone - doubted
        held.perhaps = ((held.perhaps | perhaps) - added - claimed - gone) | doubted
        # An owed removal ends every claim on the audience.
        shared = set(digests_of(plan, PlanPart.END, kind))
        for other in "ab":
            if other != export:
                theirs = self.held[other, kind]
                claimed_there = (theirs.confirmed | theirs.perhaps) & shared
                left, unsure = claimed_there & gone, claimed_there & doubted
                theirs.confirmed -= left | unsure
                theirs.perhaps = (theirs.perhaps - left) | unsure


Claims.TestCase.settings = settings(max_examples=30, stateful_step_count=6, deadline=None)
TestClaims = Claims.TestCase


@pytest.mark.parametrize("everything", [True, False])
def test_changes_are_gathered_beside_the_base_until_they_are_many(
    everything: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if everything:
        monkeypatch.setattr(ledger, "_LARGEST_CHANGE", 100.0)
        monkeypatch.setattr(ledger, "_MOST_CHANGES", 2)
    machine = Claims()
    try:
        parts = []
        for size in (20, 21, 22, 23):
            accepted = [BatchStatus.ACCEPTED] * 24
            machine.run(export="a", wanted={"EMAIL": set(PEOPLE[:size])}, ranges=1, answers=accepted, size=9)
            parts.append([str(file.part) for file in machine.files])
            machine.the_ledger_holds_what_the_model_holds()
        assert parts[:3] == [["base"], ["base", "added"], ["base", "added", "added"]]
        assert parts[3] == (["base"] if everything else ["base", "added", "added", "added"])
    finally:
        machine.teardown()
