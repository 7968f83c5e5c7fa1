"""Each gate on both sides of its bound, as the pure function of numbers that it is."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.contract.destination import Capabilities
from cdp_core.errors import Code
from cdp_core.model.configuration import Column
from cdp_core.model.gates import FieldChange, Finding, Gate, GateNumbers, Verdict
from cdp_core.model.policy import Gates
from cdp_core.runner.gates import CODES, asked, changed_fields, fault_of, skips

QUIET = GateNumbers(
    profiles=10,
    held=100,
    removed=0,
    owed=0,
    people_at_most=5_000,
    digests_at_least=5_000,
    duplicate_keys=0,
)
SIZES = Capabilities(smallest_audience=1_000, largest_audience=10_000)


def verdicts(
    numbers: GateNumbers,
    policy: Gates | None = None,
    capabilities: Capabilities = SIZES,
    meant: frozenset[Gate] = frozenset(),
) -> dict[Gate, Verdict]:
    found = asked(numbers, policy or Gates(), capabilities, meant)
    assert len({each.gate for each in found}) == len(found)
    return {each.gate: each.verdict for each in found}


def test_nothing_unusual_is_let_through_without_a_word() -> None:
    assert verdicts(QUIET) == {}


def test_an_empty_source_is_told_alone_and_cannot_be_meant() -> None:
    empty = dataclasses.replace(QUIET, profiles=0, removed=100, people_at_most=0)
    assert verdicts(empty, meant=frozenset(Gate)) == {Gate.EMPTY_SOURCE: Verdict.STOP}


@given(
    percent=st.integers(0, 100),
    held=st.integers(0, 10_000),
    removed=st.integers(0, 10_000),
    owed=st.integers(0, 10_000),
)
def test_a_shrink_stops_exactly_beyond_the_limit_and_what_is_owed_does_not_count(
    percent: int, held: int, removed: int, owed: int
) -> None:
    numbers = dataclasses.replace(QUIET, held=held, removed=removed + owed, owed=owed)
    policy = Gates(max_shrink=float(Decimal(percent) / 100))
    # The oracle: whole numbers, without a fraction anywhere.
    beyond = removed * 100 > percent * held
    assert (Gate.SHRINK in verdicts(numbers, policy)) == beyond
    if beyond:
        assert verdicts(numbers, policy, meant=frozenset({Gate.SHRINK}))[Gate.SHRINK] is Verdict.ALLOW


@pytest.mark.parametrize(
    ("at_most", "at_least", "told"),
    [(999, 0, True), (1_000, 0, False), (10_000, 10_000, False), (10_001, 10_001, True), (0, 0, True)],
)
@pytest.mark.parametrize(
    ("choice", "verdict"), [("warn", Verdict.WARN), ("fail", Verdict.STOP), ("skip", Verdict.SKIP)]
)
def test_sizes_are_told_on_both_sides_of_their_bounds(
    at_most: int,
    at_least: int,
    told: bool,
    choice: Literal["skip", "warn", "fail"],
    verdict: Verdict,
) -> None:
    numbers = dataclasses.replace(QUIET, people_at_most=at_most, digests_at_least=at_least)
    policy = Gates(on_audience_size=choice)
    assert verdicts(numbers, policy) == ({Gate.AUDIENCE_SIZE: verdict} if told else {})
    assert verdicts(numbers, policy, Capabilities()) == {}


def test_who_does_not_know_what_is_left_says_nothing_of_sizes() -> None:
    numbers = dataclasses.replace(QUIET, people_at_most=None, digests_at_least=None)
    assert verdicts(numbers, Gates(on_audience_size="fail")) == {}
    assert GateNumbers.from_dict(numbers.as_dict()) == numbers


@pytest.mark.parametrize(
    ("removed", "owed", "of_all", "told"),
    [
        (100, 0, False, "all 100 members that this export put into the audience would be taken out"),
        (40, 10, True, "30 members that exports here put into the audience would be taken out"),
        (10, 10, False, "a load that failed, or a wrong path"),
    ],
)
def test_an_empty_source_says_whom_it_would_take_out(
    removed: int, owed: int, of_all: bool, told: str
) -> None:
    numbers = dataclasses.replace(QUIET, profiles=0, removed=removed, owed=owed, of_all=of_all)
    (found,) = asked(numbers, Gates(), SIZES)
    assert found.message == f"the profile source has no rows: {told}"


def test_one_row_more_with_a_key_of_another_stops() -> None:
    assert verdicts(dataclasses.replace(QUIET, duplicate_keys=1)) == {Gate.DUPLICATE_KEYS: Verdict.STOP}


def test_numbers_come_back_from_what_is_kept_with_a_plan() -> None:
    change = FieldChange(field="age", before="BIGINT", now=None)
    numbers = dataclasses.replace(QUIET, changes=(change,))
    kept = {**numbers.as_dict(), "changes": [dict(each) for each in numbers.as_dict()["changes"]]}
    assert GateNumbers.from_dict(kept) == numbers


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [
        ("VARCHAR", "VARCHAR", False),
        ("BIGINT", "DOUBLE", False),
        ("UINTEGER", "DECIMAL(18,3)", False),
        ("BIGINT", "VARCHAR", True),
        ("DATE", "TIMESTAMP", True),
        ("VARCHAR", None, True),
        ("VARCHAR[]", "VARCHAR", True),
        ("BIGINT[]", "BIGINT", True),
    ],
)
def test_a_field_in_use_counts_as_changed_by_its_type(before: str, now: str | None, changed: bool) -> None:
    columns = [Column(name="Age", type=now)] if now else []
    expected = [FieldChange(field="Age", before=before, now=now)] if changed else []
    assert list(changed_fields({"Age": before}, columns, {"age"})) == expected
    assert list(changed_fields({"Age": before}, columns, {"email"})) == []
    stop = {Gate.SCHEMA: Verdict.STOP} if changed else {}
    assert verdicts(dataclasses.replace(QUIET, changes=tuple(expected))) == stop


@given(
    st.lists(
        st.builds(Finding, gate=st.sampled_from(Gate), verdict=st.sampled_from(Verdict), message=st.just("m"))
    )
)
def test_only_what_stops_is_a_fault_and_it_names_every_flag(found: list[Finding]) -> None:
    stops = [each.gate for each in found if each.verdict is Verdict.STOP]
    fault = fault_of(found, export="E", plan="p")
    assert (fault is not None) == bool(stops)
    assert skips(found) == any(each.verdict is Verdict.SKIP for each in found)
    if fault is not None:
        assert fault.code is CODES[stops[0]]
        assert fault.code.exit_status == 7
        if Gate.EMPTY_SOURCE not in stops:
            assert all(str(gate.flag) in fault.hint for gate in stops)


def test_every_gate_has_a_code_of_its_own() -> None:
    assert set(CODES) == set(Gate)
    assert len(set(CODES.values())) == len(CODES)
    assert CODES[Gate.EMPTY_SOURCE] is Code.PROFILES_EMPTY
