"""Phones and mobile ad ids in SQL, against the rules that they must agree with."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cdp_core.contract.source import Selection
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Match, Segment
from cdp_core.model.identifiers import IdentifierKind
from cdp_core.model.policy import Region
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.identifiers.mobile_ad_id import PLACEHOLDER_IDS
from cdp_core.rules.identifiers.numbering import plan
from cdp_core.rules.identifiers.phone import PLACEHOLDER_NUMBERS, PLACEHOLDER_WORDS, SAME_DIGIT
from cdp_core.testing.phones import REGIONS, examples, ways_to_write

Make = Callable[..., Any]
Row = tuple[str | None, str | None]
EVERYBODY = Segment(id="1", name="Everybody", where="true")

DIGITS = st.text("0123456789", max_size=16)
CODES = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)).map(str)
PLACES = st.one_of(
    st.none(),
    st.sampled_from(REGIONS),
    st.sampled_from(
        ["", " ", "nl", " Gb\n", "XX", "Germany", "\u00a0", "\ufb01", "N", "NL0", "\u0131t", "zZ"]
    ),
)


@st.composite
def numbers(draw: st.DrawFn) -> Row:
    """A number of some country's plan, or nearly, with its country or another."""
    region = draw(st.sampled_from(REGIONS))
    known = [phonenumbers.national_significant_number(number) for number in examples(region)]
    code = str(phonenumbers.country_code_for_region(region))
    rest = draw(st.one_of(st.sampled_from(known), DIGITS))
    if draw(st.booleans()):
        at = draw(st.integers(0, len(rest)))
        rest = rest[:at] + draw(DIGITS)[: len(rest) - at + draw(st.integers(0, 1))]
    start = draw(
        st.sampled_from(
            [
                *(
                    "",
                    "0",
                    "1",
                    "8",
                    "06",
                    "+",
                    "00",
                    "011",
                    "(0)",
                    code,
                    f"{code}0",
                    f"00{code}",
                    f"00{code}(0)",
                ),
                *(f"+{code}", f"+{code}0", f"+{code} (0)", f"(+{code})", f"+{code}( 0 ) ", f"+{code[:1]}(0)"),
            ]
        )
    )
    text = start + rest
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(" .-/()0+x\t")) + text[at:]
    return text, draw(st.one_of(st.just(region), PLACES))


@st.composite
def written(draw: st.DrawFn) -> Row:
    region = draw(st.sampled_from(REGIONS))
    ways = [each for number in examples(region) for each in ways_to_write(number, region)]
    each = draw(st.sampled_from(ways))
    return each.text, draw(st.sampled_from([each.region, region, None]))


HASHES = st.sampled_from([15, 16, 20, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
LISTED = st.sampled_from(sorted(PLACEHOLDER_WORDS | PLACEHOLDER_NUMBERS | SAME_DIGIT))
OTHERS = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.text(" +0123456789().-/x\t\n\x1f\u00a0", max_size=24),
    DIGITS.map("+{}".format),
    st.builds(
        "{}{}{}".format, st.sampled_from(["", " ", "+", "00", "+1", "1"]), LISTED, st.sampled_from(["", " "])
    ),
    HASHES.map(bytes.hex),
    HASHES.map(lambda digest: f" {digest.hex().upper()}\n"),
    st.text("0123456789", min_size=20, max_size=70),
)
ROWS = st.one_of(numbers(), written(), st.tuples(OTHERS, PLACES))


def counted(kind: IdentifierKind, rows: list[Row]) -> Counter[bytes | Reason]:
    """What the rule says of each value."""
    found = (kind.identify(text, region) for text, region in rows)
    return Counter(each.digest or each.reason or b"" for each in found)


def screened(kind: IdentifierKind, counts: Counter[bytes | Reason]) -> Counter[bytes | Reason]:
    """The core screens placeholders that have a digest, whatever engine found them."""
    result: Counter[bytes | Reason] = Counter()
    for each, count in counts.items():
        result[Reason.PLACEHOLDER if each in kind.placeholders else each] += count
    return result


@pytest.fixture
def agrees(open_engine: Make, found: Any, parquet: Make) -> Callable[..., None]:
    """Compare engine and rule over rows of (value, what the country field holds)."""

    def compare(key: str, rows: list[Row], default: str | None = None) -> None:
        kind, region = BUILT_IN_KINDS[key], Region(field="country", default=default)
        path = parquet(
            id=list(range(len(rows))),
            value=pa.array([text for text, _ in rows], pa.string()),
            country=pa.array([place for _, place in rows], pa.string()),
        )
        selection = Selection(
            segments=(EVERYBODY,),
            matching=(Match(kind=key, field="value"),),
            kinds=BUILT_IN_KINDS,
            region=region,
        )
        found.counts.clear()
        open_engine(path).identify(selection, found, lambda members: None)
        expected = counted(kind, [(text, region.of(place)) for text, place in rows])
        assert screened(kind, found.counts) == expected

    return compare


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(rows=st.lists(ROWS, min_size=1, max_size=150), default=st.sampled_from([None, "NL", "US", "IT", "AR"]))
@example(
    rows=[("+4(0)4 20 7946 0018", None), ("+44 20 (0)7946 018", None), ("+2(0)0 212345678", "EG")],
    default="NL",
)
@example(
    rows=[("123456789", "PL"), ("123456789", "NL"), ("123456789", None), ("666666666", "ES")], default=None
)
def test_the_fast_way_yields_what_the_rule_yields_for_every_phone(
    rows: list[Row], default: str | None, agrees: Callable[..., None]
) -> None:
    agrees("PHONE", rows, default)


def test_every_way_to_write_every_example_in_every_region_is_decided_as_the_rule_does(
    agrees: Callable[..., None],
) -> None:
    ways = [
        each for region in REGIONS for number in examples(region) for each in ways_to_write(number, region)
    ]
    agrees("PHONE", [(each.text, each.region) for each in ways])


def test_numbers_around_every_length_and_prefix_of_every_plan_are_decided_as_the_rule_does(
    agrees: Callable[..., None],
) -> None:
    rows: list[Row] = []
    for region in REGIONS:
        code = phonenumbers.country_code_for_region(region)
        for first in range(100):
            rest = f"{first:02}34567891234"
            lengths = range(4, 13) if first % 10 in (0, 1, 9) else range(8, 11)
            rows += [(f"{start}{rest[:length]}", region) for length in lengths for start in ("", f"+{code}")]
    agrees("PHONE", rows)


HEXADECIMAL = st.text("0123456789abcdefABCDEF-", max_size=40)
IDS = st.one_of(
    st.none(),
    st.text(max_size=8),
    HEXADECIMAL,
    st.uuids().map(str),
    st.uuids().map(lambda each: f"\x1f{str(each).upper()}\u3000"),
    st.uuids().map(lambda each: f" {each}\n"),
    st.uuids().map(lambda each: f"{{{each}}}"),
    st.uuids().map(lambda each: str(each).replace("f", "\uff26").replace("k", "\u212a")),
    HASHES.map(bytes.hex),
    HASHES.map(lambda digest: f"\t{digest.hex().upper()}"),
    st.sampled_from(sorted(PLACEHOLDER_IDS | {"N/A", "0" * 32})),
)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(ids=st.lists(IDS, min_size=1, max_size=60))
def test_the_fast_way_yields_what_the_rule_yields_for_every_mobile_ad_id(
    ids: list[str | None], agrees: Callable[..., None]
) -> None:
    agrees("MOBILE_AD_ID", [(each, None) for each in ids])


def test_a_realistic_number_is_decided_without_asking_the_rule(
    open_engine: Make, found: Any, parquet: Make
) -> None:
    def asked(text: str | None, region: str | None) -> Any:
        raise AssertionError

    rows = [
        ("+31612345678", None),
        ("+31 6 1234 5678", "DE"),
        ("+44 (0)20 7946-0018", None),
        ("0049 1512 3456789", "NL"),
        ("06-12345678", "NL"),
        ("(706) 767-5127", "US"),
        ("1-706-767-5127", "US"),
        ("612 34 56 78", "ES"),
        ("06 12 34 56 78", None),
        ("+39 06 698 12345", None),
    ]
    path = parquet(
        id=list(range(len(rows))), value=[text for text, _ in rows], country=[at for _, at in rows]
    )
    kind = IdentifierKind(key="PHONE", label="Phone", rule=asked, regional=True)
    selection = Selection(
        segments=(EVERYBODY,),
        matching=(Match(kind="PHONE", field="value"),),
        kinds={"PHONE": kind},
        region=Region(field="country", default="FR"),
    )
    open_engine(path).identify(selection, found, lambda members: None)
    known = (
        *("31612345678", "31612345678", "442079460018", "4915123456789", "31612345678", "17067675127"),
        *("17067675127", "34612345678", "33612345678", "390669812345"),
    )
    expected = Counter(hashlib.sha256(digits.encode()).digest() for digits in known)
    assert found.counts == expected


def test_a_region_field_that_is_not_there_is_named(open_engine: Make, found: Any, parquet: Make) -> None:
    engine = open_engine(parquet(id=[1], phone=["06 12345678"]))
    selection = Selection(
        segments=(EVERYBODY,),
        matching=(Match(kind="PHONE", field="phone"),),
        kinds=BUILT_IN_KINDS,
        region=Region(field="country"),
    )
    with pytest.raises(InvalidFault, match="'country' that holds the region") as caught:
        engine.identify(selection, found, lambda members: None)
    assert caught.value.code is Code.FIELD_MISSING


def test_each_distinct_value_is_asked_once(open_engine: Make, found: Any, parquet: Make) -> None:
    asked: Counter[Row] = Counter()

    def rule(text: str | None, region: str | None) -> Any:
        asked[text, region] += 1
        return BUILT_IN_KINDS["PHONE"].identify(text, region)

    rows = [
        ("+31 6 12345678 ext 9", "NL"),
        ("06 12345678 ext 9", "NL"),
        ("06 12345678 ext 9", "BE"),
        ("", None),
    ]
    path = parquet(
        id=list(range(200_000)),
        value=[rows[at % 4][0] for at in range(200_000)],
        country=[rows[at % 4][1] for at in range(200_000)],
    )
    selection = Selection(
        segments=(EVERYBODY,),
        matching=(Match(kind="PHONE", field="value"), Match(kind="PHONE", field="value")),
        kinds={"PHONE": IdentifierKind(key="PHONE", label="Phone", rule=rule, regional=True)},
        region=Region(field="country"),
    )
    open_engine(path).identify(selection, found, lambda members: None)
    assert found.counts.total() == 400_000
    assert set(asked.values()) == {1}


def test_the_patterns_of_every_plan_are_such_that_every_regular_expression_engine_reads_them() -> None:
    patterns = [value for value in vars_of(plan()).values() if isinstance(value, str)]
    assert len(patterns) == 11
    for pattern in patterns:
        assert "(?" not in pattern.replace("(?:", "")
        assert "\\" not in pattern.replace("\\d", "")


def test_no_calling_code_begins_with_another() -> None:
    codes = sorted(set(plan().codes.values()))
    assert not any(second.startswith(first) for first, second in itertools.pairwise(codes))


def vars_of(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}
