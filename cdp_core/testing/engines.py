"""What every engine must do alike, built-in or a plugin's: the same digests, counts and reasons on the same
rows. The oracle is the kinds' own Python rules.

An engine's author subclasses `EngineSuite` in a test module and gives it one fixture, `open_over`.
"""

# ruff: noqa: RUF001 - letters that look like others are the point
from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp_core.contract.source import DigestSink, Engine, KeptKeys, Selection
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Match, Segment
from cdp_core.model.identifiers import Identified, IdentifierKind
from cdp_core.model.policy import ChosenField, Region
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.member_consent import member_consent, says_yes
from cdp_core.rules.records import record_of
from cdp_core.testing.phones import REGIONS, examples, ways_to_write
from cdp_core.testing.texts import CORNERS, EDGES, HASHES, PLACES, anything

Texts = Sequence[str | None]
# Opens an engine over a table of text columns, whose key is the column `id`.
OpenOver = Callable[[Mapping[str, Texts]], Engine]
Counts = Counter[bytes | Reason]

EVERYBODY = Segment(id="1", name="Everybody", where="id IS NOT NULL")


class Kept(DigestSink):
    """Keeps what an engine hands over, screened as the core does."""

    def __init__(self) -> None:
        self.counts: dict[str, Counts] = {}
        self.kept_back: dict[str, Counter[bytes]] = {}

    def digests(self, kind: str, digests: bytes | memoryview) -> None:
        placeholders = _placeholders(kind)
        each = _parted(digests)
        self.counts.setdefault(kind, Counter()).update(
            Reason.PLACEHOLDER if digest in placeholders else digest for digest in each
        )

    def withheld(self, kind: str, digests: bytes | memoryview) -> None:
        each = [digest for digest in _parted(digests) if digest not in _placeholders(kind)]
        self.kept_back.setdefault(kind, Counter()).update(each)

    def reason(self, kind: str, reason: Reason, values: int) -> None:
        self.counts.setdefault(kind, Counter())[reason] += values


def by_rule(kind: str, texts: Texts, regions: Texts | None = None) -> Counts:
    """What the kind's own rule says of each value, read in its region."""
    rule = BUILT_IN_KINDS[kind].identify
    found = (rule(text, region) for text, region in zip(texts, regions or [None] * len(texts), strict=True))
    return Counter(each.digest or each.reason or b"" for each in found)


def select(*matching: tuple[str, str], **further: object) -> Selection:
    given: dict[str, object] = {"segments": (EVERYBODY,), "kinds": BUILT_IN_KINDS, **further}
    return Selection(matching=tuple(Match(kind=kind, field=field) for kind, field in matching), **given)  # type: ignore[arg-type]


def where(condition: str) -> Segment:
    return Segment(id=condition, name="Some", where=condition)


def numbered(**columns: Texts) -> dict[str, Texts]:
    """The columns, with a key."""
    return {"id": [f"k{n}" for n in range(len(next(iter(columns.values()))))], **columns}


def keys(digests: Sequence[bytes]) -> KeptKeys:
    """A result that is kept, in pieces of three."""
    pieces = [b"".join(digests[at : at + 3]) for at in range(0, len(digests), 3)]
    return KeptKeys(members=len(digests), blocks=lambda size: iter(pieces))


class EngineSuite:
    gives_rows = True
    tells_empty = True  # whether an empty text is another thing than none

    @pytest.fixture
    def open_over(self) -> OpenOver:
        raise NotImplementedError("give the fixture that opens your engine over a table of texts")

    @settings(max_examples=8, suppress_health_check=list(HealthCheck))
    @given(rows=st.lists(st.tuples(anything, anything, anything, anything), min_size=1, max_size=60))
    def test_a_row_has_the_record_that_the_rule_gives_it_and_its_values_come_when_it_is_sought(
        self, rows: list[tuple[str | None, str | None, str | None, str | None]], open_over: OpenOver
    ) -> None:
        if not self.gives_rows:
            return
        if not self.tells_empty:
            rows = [(name or None, city or None, *others) for name, city, *others in rows]  # type: ignore[misc]
        columns = numbered(name=[row[0] for row in rows], city=[row[1] for row in rows])
        columns |= {"email": [row[2] for row in rows], "says": [row[3] for row in rows]}
        fields = (ChosenField(field="name", column="Näme"), ChosenField(field="city", column="city"))
        consent = member_consent("says", ["yes", "ja"])
        selection = select(
            ("EMAIL", "email"), fields=fields, consent=consent, segments=(where("id <> 'k0'"),)
        )
        with open_over(columns) as engine:
            found = list(engine.rows(selection))
            told = {
                record: rest
                for block in found
                for record, *rest in zip(
                    *(each.to_pylist() for each in (block.records, block.members, block.agreed)),
                    block.digests[0].to_pylist(),
                    block.reasons[0],
                    strict=True,
                )
            }
            records = [record_of(f"k{n}", ["Näme", "city"], row[:2]) for n, row in enumerate(rows)]
            for n, row in enumerate(rows):
                ruled = BUILT_IN_KINDS["EMAIL"].identify(row[2])
                member, agreed, digest, reason = told[records[n]]
                assert (member, agreed) == (n != 0, says_yes(row[3], consent))
                if digest in _placeholders("EMAIL"):  # screened by the core, of every engine
                    digest, reason = None, Reason.PLACEHOLDER
                assert (digest, reason) == (ruled.digest, ruled.reason)
            assert len(told) == len(rows)
            assert not any(block.values for block in found)
            values = {
                record: texts
                for block in engine.rows(selection, b"".join([*records[::2], bytes(32)]))
                for record, *texts in zip(
                    *(each.to_pylist() for each in (block.records, *block.values)), strict=True
                )
            }
        assert values == {record: list(row[:2]) for record, row in zip(records[::2], rows[::2], strict=True)}

    def test_a_row_without_a_key_has_no_record(self, open_over: OpenOver) -> None:
        selection = select(("EMAIL", "email"), fields=(ChosenField(field="email", column="email"),))
        with open_over({"id": ["a", None, "a"], "email": ["a@b.de", "b@b.de", None]}) as engine:
            if not self.gives_rows:
                with pytest.raises(InvalidFault, match="no whole rows"):
                    list(engine.rows(selection))
                return
            records = {each for block in engine.rows(selection) for each in block.records.to_pylist()}
            # CSV has no difference between nothing and an empty text.
            assert records - {record_of("", ["email"], ["b@b.de"])} - {None} == {
                record_of("a", ["email"], ["a@b.de"]),
                *(records & {record_of("a", ["email"], [text]) for text in (None, "")}),
            }
            assert len(records) == 3
            assert engine.repeated_keys() == 1

    @pytest.mark.parametrize("kind", list(CORNERS))
    @pytest.mark.parametrize("default", [None, "NL"])
    def test_every_corner_of_unicode_yields_what_the_rule_yields(
        self, kind: str, default: str | None, open_over: OpenOver
    ) -> None:
        texts = CORNERS[kind] + HASHES
        sink = Kept()
        with open_over(numbered(value=texts)) as engine:
            selected = engine.identify(
                select((kind, "value"), region=Region(default=default)), sink, _unheard
            )
        assert (selected.profiles, selected.members) == (len(texts), len(texts))
        assert sink.counts[kind] == by_rule(kind, texts, [default] * len(texts))
        assert sink.kept_back == {}

    def test_every_way_to_write_a_phone_is_read_in_the_region_of_its_row(self, open_over: OpenOver) -> None:
        ways = [
            each
            for region in REGIONS[::6]
            for number in examples(region)
            for each in ways_to_write(number, region)
        ]
        texts = [each.text for each in ways] + CORNERS["PHONE"] * len(PLACES)
        places = [each.region for each in ways] + [at for at in PLACES for _ in CORNERS["PHONE"]]
        sink, region = Kept(), Region(field="country", default="BE")
        with open_over(numbered(value=texts, country=places)) as engine:
            engine.identify(select(("PHONE", "value"), region=region), sink, _unheard)
        assert sink.counts["PHONE"] == by_rule("PHONE", texts, list(map(region.of, places)))

    @settings(max_examples=8, suppress_health_check=list(HealthCheck))
    @given(rows=st.lists(st.tuples(anything, st.sampled_from(PLACES)), min_size=1, max_size=80))
    def test_whatever_stands_in_a_field_every_kind_reads_it_as_its_rule_does(
        self, rows: list[tuple[str | None, str | None]], open_over: OpenOver
    ) -> None:
        texts, places = [text for text, _ in rows], [place for _, place in rows]
        sink, region = Kept(), Region(field="country", default="DE")
        with open_over(numbered(value=texts, country=places)) as engine:
            engine.identify(select(*((kind, "value") for kind in CORNERS), region=region), sink, _unheard)
        for kind in CORNERS:
            regions = list(map(region.of, places))
            assert sink.counts[kind] == by_rule(kind, texts, regions if kind == "PHONE" else None)

    def test_a_static_segment_keeps_its_members_but_for_those_who_left(self, open_over: OpenOver) -> None:
        """By the digests of their keys, whatever its query says by then; beside a dynamic one."""
        people = [f"p{n}@example.org" for n in range(40)]
        static = Segment(id="a1", name="Some", where="length(email) = 14")
        dynamic = where("email = 'p30@example.org'")
        with open_over(numbered(email=people)) as engine:
            kept = b"".join(engine.keys_in(static))
        digests = [kept[at : at + 32] for at in range(0, len(kept), 32)]
        assert digests == sorted(digests)
        assert set(digests) == {hashlib.sha256(key.encode()).digest() for key in (f"k{n}" for n in range(10))}
        # The first of them are gone today, and others have come.
        rows = {"id": [f"k{n}" for n in range(5, 60)], "email": [f"p{n}@example.org" for n in range(5, 60)]}
        sink = Kept()
        with open_over(rows) as engine:
            engine.keep({static.id: keys(digests), "b2": keys([])})
            assert engine.check_segment(static) == 5
            engine.identify(select(("EMAIL", "email"), segments=(static, dynamic)), sink, _unheard)
        assert sink.counts["EMAIL"] == by_rule("EMAIL", [*rows["email"][:5], "p30@example.org"])
        with open_over(rows) as engine:
            engine.keep({static.id: keys([])})
            assert engine.check_segment(static) == 0

    def test_who_does_not_say_yes_is_withheld_member_or_not(self, open_over: OpenOver) -> None:
        consent = member_consent("ads", ["Granted", "oui, d’accord", "kelvin", "true"])
        said = [
            *(None, "", "granted", "GRANTED", "no", "granted.", "true", "1", "gran ted", "Oui, D’accord"),
            *("oui, d’accord", "\u212aelvin", "kelvın", "grantedİ"),
            *(f"{edge}granted{edge}" for edge in EDGES),
        ]
        people = [f"p{n % 20}@example.org" for n in range(len(said))]
        sink = Kept()
        rows = numbered(ads=said, email=people, phone=["+31612345678"] * len(said))
        some = (where("email = 'p1@example.org'"), where("email = 'p2@example.org' OR ads = 'no'"))
        with open_over(rows) as engine:
            matching = (("EMAIL", "email"), ("PHONE", "phone"))
            selected = engine.identify(select(*matching, segments=some, consent=consent), sink, _unheard)
        members = [
            each in ("p1@example.org", "p2@example.org") or ads == "no"
            for each, ads in zip(people, said, strict=True)
        ]
        chosen = [each for each, member in zip(people, members, strict=True) if member]
        refusing = [each for each, ads in zip(people, said, strict=True) if not says_yes(ads, consent)]
        assert (selected.profiles, selected.members) == (len(said), len(chosen))
        assert sink.counts["EMAIL"] == by_rule("EMAIL", chosen)
        assert sink.kept_back["EMAIL"] == by_rule("EMAIL", refusing)
        assert sink.kept_back["PHONE"].total() == len(refusing)

    def test_a_key_that_comes_again_is_counted_and_an_empty_one_is_not(self, open_over: OpenOver) -> None:
        keys: Texts = ["a", "b", "a", "a", "c", "b", None, None, "A"]
        rows: dict[str, Texts] = {"id": keys, "email": [f"p{n}@example.org" for n in range(len(keys))]}
        with open_over(rows) as engine:
            selected = engine.identify(
                select(("EMAIL", "email"), segments=(where("email LIKE '%org'"),)), Kept(), _unheard
            )
        assert (selected.profiles, selected.members, selected.duplicate_keys) == (9, 9, 3)

    def test_a_member_of_several_segments_is_read_once_and_nobody_for_whom_it_is_unknown(
        self, open_over: OpenOver
    ) -> None:
        rows = numbered(email=[f"p{n}@example.org" for n in range(6)], tier=["x", "x", "y", None, "z", "y"])
        segments = (
            where("tier = 'x' OR tier = 'y' -- or so"),
            where("tier <> 'z'"),
            Segment(id="3", name="asked", sql="SELECT id FROM profiles WHERE email LIKE 'p5%';"),
        )
        sink, told = Kept(), list[int]()
        with open_over(rows) as engine:
            assert [engine.check_segment(each) for each in segments] == [4, 4, 1]
            selected = engine.identify(select(("EMAIL", "email"), segments=segments), sink, told.append)
            nobody = engine.identify(
                select(("EMAIL", "email"), segments=(where("tier = 'none'"),)), Kept(), _unheard
            )
        assert (selected.members, nobody.members, nobody.profiles) == (4, 0, 6)
        assert sink.counts["EMAIL"] == by_rule("EMAIL", [rows["email"][n] for n in (0, 1, 2, 5)])
        assert told[-1] == 4

    def test_several_fields_feed_one_kind(self, open_over: OpenOver) -> None:
        rows = numbered(email=["a@b.de", None], work=["C@d.de", "a@b.de "])
        sink = Kept()
        with open_over(rows) as engine:
            engine.identify(select(("EMAIL", "email"), ("EMAIL", "work")), sink, _unheard)
        assert sink.counts["EMAIL"] == by_rule("EMAIL", [*rows["email"], *rows["work"]])

    def test_a_kind_that_a_plugin_declares_has_its_rule_asked(self, open_over: OpenOver) -> None:
        def card(raw: str | None) -> Identified:
            digest = hashlib.sha256((raw or "").encode()).digest()
            return Identified(None, digest) if raw else Identified(Reason.MISSING)

        texts: Texts = ["7", None, "ü7 ", "7"]
        sink = Kept()
        kinds = {"CARD": IdentifierKind(key="CARD", label="Card", rule=card)}
        with open_over(numbered(card=texts)) as engine:
            engine.identify(select(("CARD", "card"), kinds=kinds), sink, _unheard)
        assert sink.counts["CARD"] == Counter(card(each).digest or Reason.MISSING for each in texts)

    @pytest.mark.parametrize(
        "wrong",
        [
            *("tier >", "tiers = 'x'", "true) OR (true", "tier = 'x'; SELECT 1", "tier = 'x", "", "tier"),
            *("id IN (SELECT id FROM others)", "true ORDER BY id", "SELECT true"),
        ],
    )
    def test_a_condition_that_is_none_is_refused(self, wrong: str, open_over: OpenOver) -> None:
        with open_over(numbered(tier=["x"])) as engine:
            with pytest.raises(InvalidFault) as caught:
                engine.check_segment(where(wrong))
            assert caught.value.code is Code.SEGMENT_INVALID
            assert "'Some'" in caught.value.where
            assert engine.check_segment(where("tier = 'x'")) == engine.check_segment(where("true")) == 1

    def test_the_place_of_a_mistake_is_shown(self, open_over: OpenOver) -> None:
        with open_over(numbered(tier=["x"])) as engine, pytest.raises(InvalidFault, match="line 2, column 5"):
            engine.check_segment(where("tier = 'x'\nAND teir = 'y'"))

    def test_names_in_a_segment_hold_those_of_its_columns(self, open_over: OpenOver) -> None:
        with open_over(numbered(tier=["x"], email=["a@b.de"])) as engine:
            assert {"tier", "id"} <= engine.names_in(where("Tier = 'x' AND id IS NOT NULL"))

    @pytest.mark.parametrize(
        ("further", "field"),
        [
            ({}, "mail"),
            ({"region": Region(field="land")}, "land"),
            ({"consent": member_consent("ads", ["yes"])}, "ads"),
        ],
    )
    def test_a_field_that_is_not_there_is_named(
        self, further: dict[str, object], field: str, open_over: OpenOver
    ) -> None:
        matched = "mail" if field == "mail" else "phone"
        with (
            open_over(numbered(phone=["1"])) as engine,
            pytest.raises(InvalidFault, match=repr(field)) as caught,
        ):
            engine.identify(select(("PHONE", matched), **further), Kept(), _unheard)
        assert caught.value.code is Code.FIELD_MISSING


def _parted(digests: bytes | memoryview) -> list[bytes]:
    return [bytes(digests[at : at + 32]) for at in range(0, len(digests), 32)]


def _placeholders(kind: str) -> frozenset[bytes]:
    return BUILT_IN_KINDS[kind].placeholders if kind in BUILT_IN_KINDS else frozenset()


def _unheard(members: int) -> None:
    return
