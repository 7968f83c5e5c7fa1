"""Member consent in the engine, by the rule: every row that does not say yes has its digests withheld."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp_core.contract.source import Selection
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Match, Segment
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.member_consent import member_consent, says_yes

Make = Callable[..., Any]
CONSENT = member_consent("ads", ["Granted", " true ", "Oui, déjà", "kelvin"])


def selection(segment: str = "true", *fields: str, field: str = "ads") -> Selection:
    return Selection(
        segments=(Segment(id="1", name="Some", where=segment),),
        matching=tuple(Match(kind="EMAIL", field=each) for each in fields or ("email",)),
        kinds=BUILT_IN_KINDS,
        consent=member_consent(field, CONSENT.granted),
    )


def digest(address: str) -> bytes:
    return hashlib.sha256(address.encode()).digest()


def nothing_told(members: int) -> None:
    return


said = st.one_of(
    st.none(),
    st.sampled_from(CONSENT.granted).flatmap(
        lambda yes: st.sampled_from(
            [yes, yes.upper(), f"\t{yes}\n", f"\u00a0{yes}\u3000", f"{yes}.", "\x85" + yes]
        )
    ),
    st.sampled_from(["", "no", "false", "1", "TRUE\x00", "\u212aelvin", "İ", "gran ted"]),
    st.text(max_size=4),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=st.lists(st.tuples(said, st.integers(0, 5), st.booleans()), min_size=1, max_size=40))
def test_a_row_says_yes_or_its_digests_are_withheld_whatever_the_segment(
    rows: list[tuple[str | None, int, bool]], open_engine: Make, found: Any, parquet: Make
) -> None:
    found.counts.clear()
    found.kept_back.clear()
    path = parquet(
        id=list(range(len(rows))),
        ads=pa.array([answer for answer, _, _ in rows], pa.string()),
        email=[f"p{person}@b.de" for _, person, _ in rows],
        member=[member for _, _, member in rows],
    )
    selected = open_engine(path).identify(selection("member"), found, nothing_told)
    assert found.counts == Counter(digest(f"p{person}@b.de") for _, person, member in rows if member)
    assert found.kept_back == Counter(
        digest(f"p{person}@b.de") for answer, person, _ in rows if not says_yes(answer, CONSENT)
    )
    assert (selected.members, selected.profiles) == (sum(member for _, _, member in rows), len(rows))


def test_every_matched_field_of_a_row_without_consent_is_withheld_and_counted_as_what_it_is(
    open_engine: Make, found: Any, parquet: Make
) -> None:
    path = parquet(id=[1, 2], ads=["no", "yes"], email=["a@b.de", "n/a"], work=["c@d.de", None])
    open_engine(path).identify(selection("true", "email", "work"), found, nothing_told)
    assert found.kept_back == {digest("a@b.de"): 1, digest("c@d.de"): 1}
    assert found.counts == {
        digest("a@b.de"): 1, digest("c@d.de"): 1, Reason.PLACEHOLDER: 1, Reason.MISSING: 1
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "agree"),
    [
        (pa.array([True, False, None]), [True, False, False]),
        (pa.array([1, 0, None], pa.int64()), [False, False, False]),
        (pa.array([b"granted", b"\xff", None], pa.binary()), [True, False, False]),
        (pa.array(["true", "GRANTED", "truely"]).dictionary_encode(), [True, True, False]),
    ],
    ids=["booleans", "numbers", "bytes", "categories"],
)
def test_a_field_of_another_type_is_read_as_its_text(
    column: pa.Array, agree: list[bool], open_engine: Make, found: Any, parquet: Make
) -> None:
    path = parquet(id=[0, 1, 2], ads=column, email=[f"p{n}@b.de" for n in range(3)])
    open_engine(path).identify(selection(), found, nothing_told)
    assert set(found.kept_back) == {digest(f"p{n}@b.de") for n in range(3) if not agree[n]}


def test_a_segment_may_speak_of_columns_that_have_the_names_of_our_own(
    open_engine: Make, found: Any, parquet: Make
) -> None:
    names = {name: [1, 0] for name in ("member", "said", "agreed", "value0", "digest0")}
    path = parquet(id=["a", "b"], ads=["granted", "no"], email=["a@b.de", "b@b.de"], **names)
    where = " AND ".join(f"{name} = 1" for name in names) + " AND id IN (SELECT id FROM profiles)"
    assert open_engine(path).identify(selection(where), found, nothing_told).members == 1
    assert found.counts == {digest("a@b.de"): 1}
    assert found.kept_back == {digest("b@b.de"): 1}


def test_a_member_for_whom_the_condition_is_unknown_is_none(
    open_engine: Make, found: Any, parquet: Make
) -> None:
    path = parquet(id=[1, 2], ads=["no", "no"], email=["a@b.de", "b@b.de"], value=[None, 5])
    assert open_engine(path).identify(selection("value > 1"), found, nothing_told).members == 1


def test_many_rows_come_in_many_batches_and_no_answer_is_lost(
    open_engine: Make, found: Any, parquet: Make
) -> None:
    answers = ["granted" if n % 3 else ("Oui, déjà" if n % 2 else None) for n in range(300_000)]
    path = parquet(id=list(range(300_000)), ads=answers, email=[f"p{n}@b.de" for n in range(300_000)])
    selected = open_engine(path).identify(selection("id < 200000"), found, nothing_told)
    assert selected.members == found.counts.total() == 200_000
    assert found.kept_back.total() == answers.count(None)


def test_a_consent_field_that_is_not_there_is_named(open_engine: Make, found: Any, parquet: Make) -> None:
    engine = open_engine(parquet(id=[1], email=["a@b.de"], ads=["granted"]))
    with pytest.raises(InvalidFault, match="'Ads' that holds the members' consent") as caught:
        engine.identify(selection(field="Ads"), found, nothing_told)
    assert caught.value.code is Code.FIELD_MISSING
    assert found.counts == {}
