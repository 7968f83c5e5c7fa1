"""Compare and the ledger against a model of claims in plain sets: several exports, any mode, any answer."""

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

from cdp_core.model.delivery import OF_DIGESTS, BatchOutcome, BatchRange, BatchStatus, Operation
from cdp_core.model.ledger import LedgerFile
from cdp_core.model.policy import Mode
from cdp_core.pipeline import ledger, settlement
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
# Mostly the service takes what it is sent.
statuses = st.sampled_from([*BatchStatus, *[BatchStatus.ACCEPTED] * 8])


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
        mode=st.sampled_from(Mode),
        resend=st.sampled_from([0, 0, 3, None]),
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
        mode: Mode = Mode.MIRROR,
        resend: int | None = 0,
    ) -> None:
        self.runs += 1
        if mode is Mode.REPLACE and any(
            held.confirmed | held.perhaps for (other, _), held in self.held.items() if other != export
        ):
            # Refused: see `runner/modes.py`.
            mode = Mode.MIRROR
        resend = 0 if mode in (Mode.REPLACE, Mode.REMOVE) else resend
        before = self.files
        # Only a kind that is matched can have withheld digests; suppressed are the other kinds' too.
        withheld = {kind: digests for kind, digests in (withheld or {}).items() if kind in wanted}
        suppressed = suppressed or {}
        barred = {kind: withheld.get(kind, set()) | suppressed.get(kind, set()) for kind in KINDS}
        if mode is not Mode.REMOVE:
            wanted = {kind: digests - barred[kind] for kind, digests in wanted.items()}
        plan = compare(
            self._prepared(wanted, withheld, ranges),
            ledger_folder=self.ledger,
            files=self.files,
            export_id=export,
            folder=self.folder / f"plan{self.runs}",
            suppressed=Suppressed({kind: b"".join(digests) for kind, digests in suppressed.items()}),
            mode=mode,
            resend=resend,
        )
        self._check_plan(plan, export, wanted, barred, resend)
        outcomes = list(self._outcomes(plan, answers, size))
        self.files = ledger.apply(self.ledger, self.files, plan, outcomes, export_id=export)
        for kind in KINDS:
            self._model(plan, export, kind, outcomes)
        if (
            not plan.totals
            and plan.emptied is None
            and not any(plan.file(part, kind) for part in PlanPart for kind in KINDS)
        ):
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
        self,
        plan: Plan,
        export: str,
        wanted: dict[str, set[bytes]],
        barred: dict[str, set[bytes]],
        resend: int | None,
    ) -> None:
        resendable, resent = 0, 0
        for kind in KINDS:
            own, today = self.held[export, kind], wanted.get(kind, set())
            others = [self.held[other, kind] for other in "ab" if other != export]
            expected = expected_parts(plan.mode, today, own, others, barred[kind])
            found = {part: digests_of(plan, part, kind) for part in PlanPart}
            assert all(len(digests) == len(set(digests)) for digests in found.values())
            there = own.confirmed & today if plan.resends else set()
            if plan.resends and plan.mode is Mode.ADD_ONLY:
                there |= (own.confirmed | own.perhaps) - today - barred[kind]
            if resend is None:
                there |= expected.pop(PlanPart.CLAIM)
                expected[PlanPart.ADD] |= there
            again = set(found[PlanPart.ADD]) & there
            resendable, resent = resendable + len(there), resent + len(again)
            added = expected.pop(PlanPart.ADD) - there
            assert set(found[PlanPart.ADD]) - again == added
            assert {part: set(found[part]) for part in expected} == expected
            if kind in plan.counts:
                theirs = set().union(*(other.confirmed | other.perhaps for other in others))
                mine = own.confirmed | own.perhaps
                check_counts(plan, kind, {part: set(digests) for part, digests in found.items()}, today, mine)
                assert plan.counts[kind].unclaimed == (
                    len(set(found[PlanPart.REMOVE]) - mine - theirs) if plan.mode is Mode.REMOVE else 0
                )
                assert plan.counts[kind].resent == len(again)
        assert resent == (resendable if resend is None else min(resend, resendable))

    def _outcomes(self, plan: Plan, answers: list[BatchStatus], size: int) -> Iterator[BatchOutcome]:
        def batches(operation: Operation) -> list[BatchRange]:
            return [batch for kind in plan.kinds for batch, _ in plan.blocks(operation, kind, size)]

        # Batches beyond the answers were never opened.
        if plan.emptied is None:
            ranges = [batch for operation in OF_DIGESTS for batch in batches(operation)]
            for batch, status in zip(ranges, answers, strict=False):
                yield BatchOutcome(range=batch, status=status)
            return
        emptying = BatchRange(operation=Operation.REMOVE_ALL, kind="", start=0, count=plan.emptied)
        ranges = [*batches(Operation.REMOVE), emptying, *batches(Operation.ADD)]
        for batch, status in zip(ranges, answers, strict=False):
            yield BatchOutcome(range=batch, status=status)
            if batch is emptying and status is not BatchStatus.ACCEPTED:
                return

    def _model(self, plan: Plan, export: str, kind: str, outcomes: list[BatchOutcome]) -> None:
        held = self.held[export, kind]
        told = {(operation, status): set() for operation in OF_DIGESTS for status in BatchStatus}  # type: ignore[var-annotated]
        for outcome in outcomes:
            if outcome.range.kind == kind:
                told[outcome.range.operation, outcome.status] |= set(plan.read(outcome.range))
        added = told[Operation.ADD, BatchStatus.ACCEPTED]
        perhaps = unanswered(told, Operation.ADD)
        claimed = set(digests_of(plan, PlanPart.CLAIM, kind))
        gone = told[Operation.REMOVE, BatchStatus.ACCEPTED] | set(digests_of(plan, PlanPart.RELEASE, kind))
        # A removal without an answer may have been carried out: who is wanted again must be sent again.
        doubted = unanswered(told, Operation.REMOVE)
        emptying = {each.status for each in outcomes if each.range.operation is Operation.REMOVE_ALL}
        if emptying == {BatchStatus.ACCEPTED}:
            for other in "ab":
                self.held[other, kind] = Held()
            held, gone, doubted = self.held[export, kind], set(), set()
        elif emptying & {BatchStatus.UNKNOWN, BatchStatus.JOURNALED}:
            for other in "ab":
                theirs = self.held[other, kind]
                theirs.perhaps, theirs.confirmed = theirs.perhaps | theirs.confirmed, set()
        doubted &= held.confirmed | held.perhaps
        if plan.resends:
            # What was sent again and not taken is perhaps not there any more.
            doubted |= (set(digests_of(plan, PlanPart.ADD, kind)) - added) & held.confirmed
        before = held.confirmed
        held.confirmed = (held.confirmed | added | claimed) - gone - doubted
        held.perhaps = ((held.perhaps | (perhaps - before)) - added - claimed - gone) | doubted
        # An owed removal, and one that names members whoever put them in, ends every claim on the audience.
        shared = set(digests_of(plan, PlanPart.END, kind))
        for other in "ab":
            if other != export:
                theirs = self.held[other, kind]
                claimed_there = (theirs.confirmed | theirs.perhaps) & shared
                left, unsure = claimed_there & gone, claimed_there & unanswered(told, Operation.REMOVE)
                theirs.confirmed -= left | unsure
                theirs.perhaps = (theirs.perhaps - left) | unsure


def check_counts(
    plan: Plan, kind: str, found: dict[PlanPart, set[bytes]], today: set[bytes], mine: set[bytes]
) -> None:
    """The sums of each mode, as `docs/explanation/accounting.md` has them."""
    counts = plan.counts[kind]
    assert counts.balances
    planned = sum(rows for (_, of), rows in plan.totals.items() if of == kind)
    assert planned == counts.added + counts.removed + counts.resent
    assert counts.owed == len(found[PlanPart.OWED])
    if plan.mode is Mode.REMOVE:
        assert (counts.added, counts.unchanged, counts.named) == (0, 0, len(today))
        assert counts.removed == counts.named + len(found[PlanPart.REMOVE] - today)
    else:
        assert counts.added + counts.unchanged == len(today)
        assert counts.removed + counts.released + counts.kept == len(mine - today)
        assert counts.kept == 0 or plan.mode is Mode.ADD_ONLY


def unanswered(told: dict[tuple[Operation, BatchStatus], set[bytes]], operation: Operation) -> set[bytes]:
    return told[operation, BatchStatus.UNKNOWN] | told[operation, BatchStatus.JOURNALED]


def expected_parts(
    mode: Mode, today: set[bytes], own: Held, others: list[Held], barred: set[bytes]
) -> dict[PlanPart, set[bytes]]:
    """The modes' rules once more, in plain sets and word for word after the table of the modes."""
    mine = own.confirmed | own.perhaps
    sure = set().union(*(other.confirmed for other in others))
    theirs = sure.union(*(other.perhaps for other in others))
    owed = (mine if mode is Mode.REMOVE else mine - today) & barred
    parts: dict[PlanPart, set[bytes]] = {each: set() for each in PlanPart}
    parts |= {PlanPart.OWED: owed, PlanPart.REMOVE: owed, PlanPart.END: owed & theirs}
    left = mine - today - owed
    if mode in (Mode.MIRROR, Mode.ADD_ONLY):
        parts |= {
            PlanPart.ADD: today - own.confirmed - sure,
            PlanPart.CLAIM: (today - own.confirmed) & sure,
        }
    if mode is Mode.MIRROR:
        parts |= {PlanPart.REMOVE: owed | (left - theirs), PlanPart.RELEASE: left & theirs}
    elif mode is Mode.REMOVE:
        parts |= {PlanPart.REMOVE: owed | today, PlanPart.END: (owed | today) & theirs}
    elif mode is Mode.REPLACE:
        parts |= {PlanPart.ADD: today, PlanPart.EMPTIED: left}
    return parts


Claims.TestCase.settings = settings(max_examples=60, stateful_step_count=6, deadline=None)
TestClaims = Claims.TestCase


@pytest.mark.parametrize("everything", [True, False])
def test_changes_are_gathered_beside_the_base_until_they_are_many(
    everything: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if everything:
        monkeypatch.setattr(settlement, "_LARGEST_CHANGE", 100.0)
        monkeypatch.setattr(settlement, "_MOST_CHANGES", 2)
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


@pytest.mark.parametrize("emptying", [BatchStatus.ACCEPTED, BatchStatus.UNKNOWN, BatchStatus.REFUSED])
def test_what_emptying_an_audience_makes_of_claims(emptying: BatchStatus) -> None:
    machine = Claims()
    try:
        accepted = [BatchStatus.ACCEPTED] * 9
        machine.run(export="a", wanted={"EMAIL": set(PEOPLE[:9])}, ranges=1, answers=accepted, size=9)
        machine.run(
            export="a",
            wanted={"EMAIL": set(PEOPLE[3:12])},
            suppressed={"EMAIL": set(PEOPLE[:1])},
            ranges=1,
            # What is owed goes first, then everything.
            answers=[BatchStatus.ACCEPTED, emptying, BatchStatus.ACCEPTED],
            size=9,
            mode=Mode.REPLACE,
        )
        machine.the_ledger_holds_what_the_model_holds()
        held = machine.held["a", "EMAIL"]
        assert (held.confirmed, held.perhaps) == {
            BatchStatus.ACCEPTED: (set(PEOPLE[3:12]), set()),
            BatchStatus.UNKNOWN: (set(), set(PEOPLE[1:9])),
            BatchStatus.REFUSED: (set(PEOPLE[1:9]), set()),
        }[emptying]
    finally:
        machine.teardown()


def test_what_is_sent_again_and_not_taken_is_not_believed_to_be_there() -> None:
    machine = Claims()
    try:
        accepted = [BatchStatus.ACCEPTED] * 9
        machine.run(export="a", wanted={"EMAIL": set(PEOPLE[:9])}, ranges=1, answers=accepted, size=9)
        machine.run(
            export="a",
            wanted={"EMAIL": set(PEOPLE[:9])},
            ranges=1,
            answers=[BatchStatus.ACCEPTED, BatchStatus.NOT_SENT],
            size=3,
            resend=None,
        )
        machine.the_ledger_holds_what_the_model_holds()
        held = machine.held["a", "EMAIL"]
        assert (len(held.confirmed), len(held.perhaps)) == (3, 6)
    finally:
        machine.teardown()
