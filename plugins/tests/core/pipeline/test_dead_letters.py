"""Dead letters from plan to plan: kept while refused and wanted, tried apart from the others, then gone."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cdp_core.model.delivery import BatchOutcome, BatchRange, BatchStatus, Operation
from cdp_core.model.journal import BatchRecord, DeadLetter, DeadLetterChange
from cdp_core.model.ledger import LedgerFile
from cdp_core.pipeline import dead_letters, ledger
from cdp_core.pipeline.claims import LedgerReader, by_kind
from cdp_core.pipeline.compare import compare
from cdp_core.pipeline.digest_file import DigestFileWriter
from cdp_core.pipeline.digest_sets import distinct, from_bytes
from cdp_core.pipeline.plan import Plan, PlanPart
from cdp_core.pipeline.prepare import Prepared, PreparedKind
from cdp_core.pipeline.suppressed import Suppressed
from cdp_core.runner.outcome import delivery_counts
from delivering import SAID, Choosy, Delivered, deliver

PEOPLE = [hashlib.sha256(bytes([n])).digest() for n in range(16)]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

people = st.sets(st.sampled_from(PEOPLE))


def records(done: Delivered, run_id: str) -> list[BatchRecord]:
    """What the journal would hold."""
    found = []
    for number, batch in done.journal.ranges.items():
        receipt = done.journal.receipts[number]
        assert receipt is not None
        found.append(
            BatchRecord(
                id=f"{run_id}/{number}",
                run_id=run_id,
                number=int(number),
                half_of=done.journal.half_of[number],
                range=batch,
                status=done.journal.statuses[number],
                request_id=receipt.request_id,
                http_status=receipt.http_status,
                message=receipt.message,
                opened_at=NOON,
                answered_at=NOON,
            )
        )
    return found


class Days:
    """One export of one audience, day by day."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "ledger").mkdir()
        self.files: tuple[LedgerFile, ...] = ()
        self.letters: dict[tuple[Operation, str, bytes], DeadLetter] = {}
        self.members: set[bytes] = set()
        self.day = 0

    def plan(self, wanted: set[bytes], suppressed: Suppressed | None = None) -> Plan:
        self.day += 1
        with DigestFileWriter(self.folder / f"wanted{self.day}") as file:
            file.write(distinct(from_bytes(b"".join(wanted))))
            written = file.close(durable=False)
        share = PreparedKind(read=len(wanted), reasons={}, distinct=len(wanted), wanted=(written,))
        return compare(
            Prepared(profiles=1, members=1, kinds={"EMAIL": share}),
            ledger_folder=self.folder / "ledger",
            files=self.files,
            export_id="e",
            folder=self.folder / f"plan{self.day}",
            letters=self.letters.values(),
            suppressed=suppressed,
        )

    def deliver(self, plan: Plan, bad: set[bytes], size: int) -> Delivered:
        service = Choosy(bad)
        service.members = self.members
        return deliver(plan, service, size=size)

    def take_over(self, plan: Plan, batches: list[BatchRecord]) -> DeadLetterChange:
        outcomes = [BatchOutcome(range=batch.range, status=batch.status) for batch in batches]
        self.files = ledger.apply(self.folder / "ledger", self.files, plan, outcomes, export_id="e")
        change = dead_letters.change(plan, batches)
        assert change.waiting is not None
        self.letters = {key: letter for key, letter in self.letters.items() if key in change.waiting} | {
            (letter.operation, letter.kind, letter.digest): letter for letter in change.refused
        }
        return change

    def claimed(self) -> set[bytes]:
        reader = LedgerReader(self.folder / "ledger", by_kind(self.files, "EMAIL").get("e", []))
        return {digest for fold in reader.read(reader.ranges) for digest in fold().all.to_pylist()}


@given(st.lists(st.tuples(people, people, st.integers(1, 8)), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_day_by_day_the_audience_is_what_is_wanted_but_for_what_is_refused(
    days: list[tuple[set[bytes], set[bytes], int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        job = Days(Path(folder))
        for wanted, bad, size in days:
            before, known = set(job.members), set(job.letters)
            plan = job.plan(wanted)
            done = job.deliver(plan, bad, size)
            batches = records(done, f"run{job.day}")
            job.take_over(plan, batches)

            assert job.members == (before | (wanted - bad)) - ((before - wanted) - bad)
            assert job.claimed() == job.members
            assert set(job.letters) == {
                *((Operation.ADD, "EMAIL", digest) for digest in (wanted - before) & bad),
                *((Operation.REMOVE, "EMAIL", digest) for digest in (before - wanted) & bad),
            }
            assert all(
                (letter.reason, letter.http_status, letter.run_id) == (SAID, 400, f"run{job.day}")
                for letter in job.letters.values()
            )
            for batch in batches:
                sent = {(batch.range.operation, "EMAIL", digest) for digest in plan.read(batch.range)}
                assert sent <= known if batch.range.again else sent.isdisjoint(known)
            counts = delivery_counts(plan, [BatchOutcome(range=b.range, status=b.status) for b in batches])
            assert counts.balances
            assert counts.refused == counts.dead_letters == len(job.letters)
            assert counts.planned == plan.counts["EMAIL"].added + plan.counts["EMAIL"].removed


def test_what_a_run_did_not_come_to_waits_and_what_is_not_planned_any_more_goes(tmp_path: Path) -> None:
    job = Days(tmp_path)
    first = job.plan(set(PEOPLE[:4]))
    job.take_over(first, records(job.deliver(first, set(PEOPLE[:3]), 8), "run1"))
    assert {digest for _, _, digest in job.letters} == set(PEOPLE[:3])
    kept = dict(job.letters)

    second = job.plan(set(PEOPLE[1:4]))
    file = second.file(PlanPart.ADD_AGAIN, "EMAIL")
    assert file is not None
    assert file.rows == 2
    assert second.file(PlanPart.ADD, "EMAIL") is None
    change = job.take_over(second, [])
    assert change.refused == ()
    assert job.letters == {key: letter for key, letter in kept.items() if key[2] != PEOPLE[0]}


def test_an_answer_that_never_came_leaves_the_letter_as_it_was(tmp_path: Path) -> None:
    job = Days(tmp_path)
    first = job.plan(set(PEOPLE[:2]))
    job.take_over(first, records(job.deliver(first, set(PEOPLE[:2]), 8), "run1"))
    kept = dict(job.letters)
    second = job.plan(set(PEOPLE[:2]))
    unanswered = BatchRecord(
        id="run2/1",
        run_id="run2",
        number=1,
        range=BatchRange(operation=Operation.ADD, kind="EMAIL", start=0, count=2, again=True),
        status=BatchStatus.UNKNOWN,
        opened_at=NOON,
    )
    job.take_over(second, [unanswered])
    assert job.letters == kept
    # They are perhaps there, so that they would be taken out were they not wanted any more.
    assert job.claimed() == set(PEOPLE[:2])
    third = job.plan(set())
    assert third.totals == {(Operation.REMOVE, "EMAIL"): 2}
    assert third.file(PlanPart.REMOVE_AGAIN, "EMAIL") is None


def test_a_batch_that_was_refused_whole_makes_no_letters(tmp_path: Path) -> None:
    job = Days(tmp_path)
    plan = job.plan(set(PEOPLE))
    service = Choosy(PEOPLE)
    done = deliver(plan, service, size=16, most_halves=0)
    assert list(done.journal.statuses.values()) == [BatchStatus.REFUSED]
    assert job.take_over(plan, records(done, "run1")) == DeadLetterChange()


def test_a_run_of_the_owed_removals_alone_lets_all_stay(tmp_path: Path) -> None:
    job = Days(tmp_path)
    first = job.plan(set(PEOPLE[:4]))
    job.take_over(first, records(job.deliver(first, set(PEOPLE[:1]), 8), "run1"))
    second = job.plan(set(PEOPLE[:3]), Suppressed({"EMAIL": PEOPLE[3]}))
    owed = second.only_owed(tmp_path / "owed")
    assert owed is not None
    assert dead_letters.change(second, ()).waiting == frozenset(job.letters)
    for narrowed in (owed, Plan.open(owed.folder, owed.sha256)):
        assert narrowed.owed_alone
        assert dead_letters.change(narrowed, ()) == DeadLetterChange(waiting=None)
    assert not Plan.open(second.folder, second.sha256).owed_alone
