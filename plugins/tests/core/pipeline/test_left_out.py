"""Who is suppressed while a delivery is under way: left out at the moment of sending, and accounted for."""

from __future__ import annotations

import functools
import itertools
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cdp_core.contract.destination import Batch
from cdp_core.contract.digests import DigestBlock
from cdp_core.contract.faults import NeverSent, RightsRefused, Unanswered
from cdp_core.model.delivery import BatchOutcome, BatchRange, BatchStatus, Operation, Receipt
from cdp_core.model.run import Run, RunStatus
from cdp_core.pipeline.deliver import Delivery
from cdp_core.pipeline.ports import Screen
from cdp_core.runner.latecomers import Latecomers
from cdp_core.runner.outcome import counted
from cdp_core.store.state import State
from delivering import QUICK, Choosy, PlanOf, Service, Unhurried, deliver, digests

HELD = (BatchStatus.ACCEPTED, BatchStatus.UNKNOWN)


@functools.cache
def empty_state() -> bytes:
    """The file of a new state: to migrate one for each example takes long."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        State.create(path).close()
        return path.read_bytes()


@contextmanager
def a_state() -> Iterator[State]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        path.write_bytes(empty_state())
        with State.open(path) as state:
            yield state


def screening(suppressed: Callable[[], Iterable[bytes]]) -> Screen:
    def screen(kind: str, block: DigestBlock) -> list[int]:
        barred = set(suppressed())
        return [place for place, digest in enumerate(block) if digest in barred]

    return screen


def test_who_is_suppressed_meanwhile_is_left_out_and_the_neighbours_go() -> None:
    held = digests(30)
    late = [list(held)[place] for place in (0, 11, 12, 13, 29)]
    done = deliver(PlanOf(held), screen=screening(lambda: late))
    assert done.service.members == set(held) - set(late)
    assert done.end.fault is None
    told = {
        (each.range.start, each.range.count, each.status)
        for each in itertools.chain(*done.journal.left_out.values())
    }
    assert told == {
        (0, 1, BatchStatus.LEFT_OUT),
        (11, 3, BatchStatus.LEFT_OUT),
        (29, 1, BatchStatus.LEFT_OUT),
    }
    assert sum(done.progress) == 30


def test_what_is_left_out_is_written_down_before_the_rest_is_sent() -> None:
    done = deliver(PlanOf(digests(5)), screen=lambda kind, block: [1])
    assert [step for step, _ in done.journal.lines] == ["open", "leave out", "attempt", "close"]


def test_a_batch_of_nobody_is_never_sent() -> None:
    done = deliver(PlanOf(digests(5)), screen=lambda kind, block: range(len(block)))
    assert done.service.calls == 0
    assert done.journal.statuses == {"1": BatchStatus.LEFT_OUT}
    assert done.end.fault is None


def test_removals_are_sent_whoever_is_suppressed() -> None:
    held = digests(5)
    service = Service()
    service.members = set(held)
    deliver(PlanOf(digests(0), removals=held), service, screen=lambda kind, block: range(len(block)))
    assert service.members == set()


def test_who_is_suppressed_between_two_attempts_is_left_out_of_the_second_and_perhaps_there() -> None:
    held = digests(4)
    late: list[bytes] = []

    def unanswered_first(batch: Batch, call: int) -> None:
        if call == 1:
            late.append(next(iter(held)))
            raise Unanswered("no answer")

    done = deliver(PlanOf(held), Service(unanswered_first), screen=screening(lambda: late))
    assert done.service.members == set(held) - set(late)
    assert [each.status for each in done.journal.left_out["1"]] == [BatchStatus.UNKNOWN]
    assert done.journal.statuses == {"1": BatchStatus.ACCEPTED}


def test_a_batch_that_was_perhaps_applied_and_is_then_all_suppressed_is_perhaps_there() -> None:
    late: list[bytes] = []

    def unanswered(batch: Batch, call: int) -> None:
        late.extend(batch.digests)
        raise Unanswered("no answer")

    done = deliver(PlanOf(digests(3)), Service(unanswered), screen=screening(lambda: late))
    assert done.service.calls == 1
    assert done.journal.statuses == {"1": BatchStatus.UNKNOWN}


def test_who_was_perhaps_applied_then_suppressed_and_then_halved_is_counted_once() -> None:
    bad, other = digests(2)
    late: list[bytes] = []

    class Lost(Choosy):
        def deliver(self, batch: Batch) -> Receipt:
            if not late:
                late.append(other)
                self.calls += 1
                self.members |= set(batch.digests)
                raise Unanswered("no answer")
            return super().deliver(batch)

    with a_state() as state:
        start(state)
        send(state, PlanOf(digests(2)), Lost([bad]), screening(lambda: late))
        outcomes = state.journal.outcomes("run")
        counts = counted(2, outcomes, state.journal.totals("run"))
    assert ends_of(outcomes) == {0: {BatchStatus.UNKNOWN}, 1: {BatchStatus.UNKNOWN}}
    assert (counts.unknown, counts.not_sent, counts.left_out) == (2, 0, 0)


def test_halves_that_are_opened_before_their_batch_is_closed_tell_of_it_alone() -> None:
    with a_state() as state:
        start(state)
        whole = BatchRange(operation=Operation.ADD, kind="EMAIL", start=0, count=4)
        state.journal.open("run", whole, 1)
        state.journal.open("run", replace(whole, count=2), 2, half_of=1)
        first, *_ = state.journal.outcomes("run")
        assert first.status is BatchStatus.UNKNOWN
        state.journal.open("run", replace(whole, start=2, count=2), 3, half_of=1)
        outcomes = state.journal.outcomes("run")
        assert counted(4, outcomes, state.journal.totals("run")).unknown == 4
        assert ends_of(outcomes) == {row: {BatchStatus.UNKNOWN} for row in range(4)}


def start(state: State) -> None:
    now = datetime.now(UTC)
    state.runs.start(
        Run(id="run", export_id="e", export_name="E", status=RunStatus.DELIVERING, actor="a", started_at=now)
    )


def send(state: State, plan: PlanOf, service: Service, screen: Screen) -> None:
    Delivery(
        run_id="run",
        plan=plan,
        batch_size=10,
        concurrency=1,
        destination=service,
        journal=state.journal,
        pace=Unhurried(),
        renew=lambda: None,
        progress=lambda done: None,
        stop=threading.Event(),
        screen=screen,
        patience=QUICK,
    ).run()


class Scripted(Service):
    """Answers as told, refuses what is bad, and lets nobody in who was suppressed before the request left."""

    def __init__(self, answers: list[str], bad: set[bytes], suppress: Callable[[int], None]) -> None:
        super().__init__()
        self._answers = answers
        self._bad = bad
        self._suppress = suppress
        self.seen: set[bytes] = set()

    def deliver(self, batch: Batch) -> Receipt:
        held = set(batch.digests)
        assert held
        answer = self._answers[self.calls % len(self._answers)]
        self.calls += 1
        if answer == "never left":
            raise NeverSent("no route")
        if answer == "no rights":
            raise RightsRefused("no rights")
        self.seen |= held
        self._suppress(self.calls)
        if held & self._bad:
            return Receipt(accepted=False, message="bad")
        self.members |= held
        if answer == "lost":
            raise Unanswered("no answer")
        return Receipt(accepted=True)


@settings(max_examples=40, deadline=None)
@given(
    people=st.integers(1, 24),
    size=st.integers(1, 9),
    early=st.sets(st.integers(0, 23), max_size=3),
    late=st.dictionaries(st.integers(1, 6), st.integers(0, 23), max_size=4),
    bad=st.sets(st.integers(0, 23), max_size=2),
    answers=st.lists(
        st.sampled_from(["yes", "yes", "yes", "lost", "never left", "no rights"]), min_size=1, max_size=6
    ),
)
def test_every_row_has_one_end_and_nobody_suppressed_before_a_request_is_in_it(
    *,
    people: int,
    size: int,
    early: set[int],
    late: dict[int, int],
    bad: set[int],
    answers: list[str],
) -> None:
    held = list(digests(people))
    everybody = list(digests(24))
    now = datetime.now(UTC)
    with a_state() as state:
        known = state.suppressions.digests().newest
        run = Run(
            id="run", export_id="e", export_name="E", status=RunStatus.DELIVERING, actor="a", started_at=now
        )
        state.runs.start(run)
        suppressed: set[bytes] = set()

        def suppress(*numbers: int) -> None:
            for number in numbers:
                state.suppressions.add([("EMAIL", everybody[number])], note="", by="a", at=now)
                suppressed.add(everybody[number])

        suppress(*early)
        service = Scripted(
            answers,
            {everybody[number] for number in bad},
            lambda call: suppress(late[call]) if call in late else None,
        )
        forbidden: list[set[bytes]] = []
        original = service.deliver

        def watched(batch: Batch) -> Receipt:
            forbidden.append(suppressed & set(batch.digests))
            return original(batch)

        service.deliver = watched  # type: ignore[method-assign]
        Delivery(
            run_id="run",
            plan=PlanOf(DigestBlock(b"".join(held))),
            batch_size=size,
            concurrency=1,
            destination=service,
            journal=state.journal,
            pace=Unhurried(),
            renew=lambda: None,
            progress=lambda done: None,
            stop=threading.Event(),
            screen=Latecomers(state.suppressions, known),
            patience=QUICK,
        ).run()
        outcomes = state.journal.outcomes("run")
        totals = state.journal.totals("run")

    assert not any(forbidden)
    ends = ends_of(outcomes)
    for row, statuses in ends.items():
        assert len(statuses) == 1
        there = held[row] in service.members
        assert statuses & set(HELD) or not there
        assert there or statuses != {BatchStatus.ACCEPTED}
        assert held[row] in suppressed or BatchStatus.LEFT_OUT not in statuses
    counts = counted(people, outcomes, totals)
    assert counts.balances
    assert counts.left_out <= counts.not_sent
    assert counts.left_out == sum(statuses == {BatchStatus.LEFT_OUT} for statuses in ends.values())
    assert all(held.index(each) in ends for each in service.members)


def ends_of(outcomes: Iterable[BatchOutcome]) -> dict[int, set[BatchStatus]]:
    """What became of each row; a halved batch's rows count with its halves."""
    ends: dict[int, set[BatchStatus]] = {}
    for outcome in outcomes:
        if outcome.status is not BatchStatus.HALVED:
            for row in range(outcome.range.start, outcome.range.start + outcome.range.count):
                ends.setdefault(row, set()).add(outcome.status)
    return ends


def test_outcomes_of_a_batch_cover_its_range_once(tmp_path: Path) -> None:
    with State.create(tmp_path / "state.db") as state:
        run = Run(
            id="run",
            export_id="e",
            export_name="E",
            status=RunStatus.DELIVERING,
            actor="a",
            started_at=datetime.now(UTC),
        )
        state.runs.start(run)

        def rows(start: int, count: int) -> BatchRange:
            return BatchRange(operation=Operation.ADD, kind="EMAIL", start=start, count=count)

        def left(start: int, count: int, status: BatchStatus = BatchStatus.LEFT_OUT) -> BatchOutcome:
            return BatchOutcome(range=rows(start, count), status=status)

        batch = state.journal.open("run", rows(10, 10), 1)
        state.journal.leave_out(batch, [left(12, 2)])
        state.journal.attempt(batch)
        state.journal.leave_out(batch, [left(10, 1, BatchStatus.UNKNOWN), left(19, 1, BatchStatus.UNKNOWN)])
        assert [
            (each.range.start, each.range.count, each.status) for each in state.journal.outcomes("run")
        ] == [
            (10, 1, BatchStatus.UNKNOWN),
            (11, 1, BatchStatus.UNKNOWN),
            (12, 2, BatchStatus.LEFT_OUT),
            (14, 5, BatchStatus.UNKNOWN),
            (19, 1, BatchStatus.UNKNOWN),
        ]
        state.journal.close(batch, BatchStatus.ACCEPTED)
        accepted = [
            each.range for each in state.journal.outcomes("run") if each.status is BatchStatus.ACCEPTED
        ]
        assert accepted == [rows(11, 1), rows(14, 5)]
        assert state.journal.batches("run")[0].left_out[0] == left(12, 2)
