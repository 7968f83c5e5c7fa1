"""What is PostgreSQL's own: what crosses the wire, what a segment may reach, its snapshot, and its faults.

That it agrees with the rules is `test_engines_agree.py`'s to show.
"""

from __future__ import annotations

import hashlib
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import phonenumbers
import pytest

from cdp_core.contract.source import EngineContext, Selected
from cdp_core.engines.postgres.engine import PostgresEngine
from cdp_core.engines.postgres.session import BATCH_ROWS
from cdp_core.errors import CdpError, Code, InvalidFault, TemporaryFault, UsageFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import ProfileSource, Segment
from cdp_core.model.policy import Region
from cdp_core.model.secret import Secret
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.member_consent import member_consent
from cdp_core.testing.engines import Kept, by_rule, select, where
from cdp_core.testing.phones import REGIONS
from postgres_server import Postgres
from wire import wire_to

Opened = Callable[..., PostgresEngine]

PEOPLE = [
    "Anna.Plain@Example.org",
    "Bj\u00f6rn@Example.org",
    "\u00a0carla@example.org",
    "\u0130nci@example.org",
]
PHONES = ["+31 6 12345678", "06 87654321", "06-11112222 ext 7", "+39 06 698 12345"]
KINDS = (("EMAIL", "email"), ("PHONE", "phone"))


@pytest.fixture
def opened(postgres: Postgres, tmp_path: Path) -> Iterator[Opened]:
    engines: list[PostgresEngine] = []

    def over(table: str, *, url: str = "", key: str = "id", local: bool = True) -> PostgresEngine:
        engine = PostgresEngine(
            EngineContext(
                source=ProfileSource(url=url or postgres.url(table), key=key),
                scratch=tmp_path,
                secrets={"password": Secret(postgres.password)},
                local_normalising=local,
            )
        )
        engines.append(engine)
        return engine

    yield over
    for engine in engines:
        engine.close()


@pytest.fixture
def people(postgres: Postgres) -> str:
    rows = [
        (n, email, phone, "ja, graag é") for n, (email, phone) in enumerate(zip(PEOPLE, PHONES, strict=True))
    ]
    return postgres.table({"id": "bigint", "email": "text", "phone": "text", "ads": "text"}, rows)


def identified(
    engine: PostgresEngine, *matching: tuple[str, str], **further: object
) -> tuple[Selected, Kept]:
    sink = Kept()
    return engine.identify(select(*matching, **further), sink, lambda members: None), sink


def spellings(text: str) -> list[bytes]:
    """A value as it could be told on a wire."""
    return [each.encode() for each in (text, text.strip().lower(), text.encode().hex(), text.strip())]


# What crosses the wire


def test_without_local_normalising_no_value_crosses_the_wire(
    postgres: Postgres, opened: Opened, people: str
) -> None:
    consent = member_consent("ads", ["yes"])
    with wire_to(postgres.port) as wire:
        engine = opened(people, url=postgres.url(people, port=wire.port), local=False)
        engine.check_segment(where("id < 100"))
        _, sink = identified(engine, *KINDS, region=Region(default="NL"), consent=consent)
        list(engine.keys_of(select(*KINDS), {"EMAIL": [b"\0" * 32]}))
        digest = hashlib.sha256(b"anna.plain@example.org").digest()
        assert digest in wire.received
        for value in [*PEOPLE, *PHONES, "ja, graag é", "31687654321"]:
            for spelling in spellings(value):
                assert spelling not in wire.received
                assert spelling not in wire.sent
    assert sink.counts["EMAIL"] == {digest: 1, Reason.UNSUPPORTED: 3}
    phone = hashlib.sha256(b"31612345678").digest()
    assert sink.counts["PHONE"] == {phone: 1, Reason.UNSUPPORTED: 3}
    assert sink.kept_back == {"EMAIL": {digest: 1}, "PHONE": {phone: 1}}


def test_with_it_only_undecided_values_cross_the_wire(
    postgres: Postgres, opened: Opened, people: str
) -> None:
    with wire_to(postgres.port) as wire:
        engine = opened(people, url=postgres.url(people, port=wire.port))
        _, sink = identified(engine, *KINDS, region=Region(default="NL"))
        for value in PEOPLE[1:] + PHONES[1:]:
            assert value.encode() in wire.received
        for value in (PEOPLE[0], PHONES[0]):
            for spelling in spellings(value):
                assert spelling not in wire.received
    assert sink.counts["EMAIL"] == by_rule("EMAIL", PEOPLE)
    assert sink.counts["PHONE"] == by_rule("PHONE", PHONES, ["NL"] * 4)


def test_a_realistic_value_is_decided_in_the_server(postgres: Postgres, opened: Opened) -> None:
    rows = {
        "EMAIL": ["Anna@Example.org ", "n/a", "nobody", "", "AB" * 32],
        "PHONE": [
            "+31612345678",
            "+44 20 7946-0018",
            "0049 1512 3456789",
            "n/a",
            " ",
            "06 12345678",
            "ab" * 32,
        ],
        "MOBILE_AD_ID": ["6D92078A-8246-4BA4-AE5B-76104861E7DC", "LIMITED", "12" * 16, "x"],
    }
    for kind, texts in rows.items():
        engine = opened(postgres.table({"id": "int", "value": "text"}, enumerate(texts)), local=False)
        assert identified(engine, (kind, "value"))[1].counts[kind] == by_rule(kind, texts)


def test_numbers_around_every_length_of_every_plan_are_decided_as_the_rule_does(
    postgres: Postgres, opened: Opened
) -> None:
    texts: list[str] = []
    places: list[str] = []
    for region in REGIONS[::3]:
        code = phonenumbers.country_code_for_region(region)
        for first in (*range(0, 100, 7), 1, 8, 9, 10, 11):
            rest = f"{first:02}34567891234"
            texts += [f"{start}{code}{rest[:length]}" for length in range(4, 14) for start in ("+", "00")]
        places += [region] * (len(texts) - len(places))
    rows = list(zip(range(len(texts)), texts, places, strict=True))
    table = postgres.table({"id": "int", "value": "text", "country": "text"}, rows)
    _, sink = identified(opened(table), ("PHONE", "value"), region=Region(field="country"))
    assert sink.counts["PHONE"] == by_rule("PHONE", texts, places)


# What a segment may reach


@pytest.mark.parametrize(
    "condition",
    [
        *("pg_sleep(0) IS NULL", "pg_read_file('/etc/passwd') <> ''", "PG_LS_DIR('/') IS NOT NULL"),
        *('"pg_sleep" /* (nested /* too */) */ (0) IS NULL', "set_config('role', 'postgres', true) = ''"),
        *("pg_catalog . pg_sleep(0) IS NULL", "query_to_xml('SELECT 1', true, true, '') IS NULL"),
        *("table_to_xml('pg_class', true, true, '') IS NULL", "current_setting('port') = '1'"),
        *("pg_get_viewdef(1) IS NULL", "EXISTS (SELECT 1 FROM pg_show_all_settings())"),
        *("EXISTS (SELECT 1 FROM pg_stat_get_activity(NULL))", "has_table_privilege('t', 'SELECT')"),
        *("lo_import('/etc/passwd') > 0", "nextval('s') > 0", "dblink_like(1) > 0", "random() < 0.5"),
    ],
)
def test_a_function_that_reaches_further_is_refused_before_it_runs(
    condition: str, postgres: Postgres, opened: Opened, people: str
) -> None:
    postgres.execute("CREATE OR REPLACE FUNCTION dblink_like(n int) RETURNS int LANGUAGE sql AS 'SELECT n'")
    with pytest.raises(InvalidFault, match="is not allowed in a segment: line 1, column") as caught:
        opened(people).check_segment(where(condition))
    assert caught.value.code is Code.SEGMENT_INVALID


@pytest.mark.parametrize(
    "segment",
    [
        where("id IN (SELECT id FROM public.secrets_of_others)"),
        where("EXISTS (SELECT 1 FROM pg_class)"),
        where("EXISTS (SELECT 1 FROM pg_settings WHERE name = 'port')"),
        where("EXISTS (SELECT 1 FROM pg_stat_activity WHERE query LIKE '%secret%')"),
        where("EXISTS (SELECT 1 FROM both_settings)"),
        where("email = '\udcff'"),
        Segment(id="1", name="Some", sql="SELECT id FROM secrets_of_others"),
        Segment(
            id="1", name="Some", sql="WITH a AS (SELECT * FROM secrets_of_others) SELECT id FROM a, profiles"
        ),
        Segment(id="1", name="Some", sql="DELETE FROM profiles RETURNING id"),
        Segment(
            id="1", name="Some", sql="WITH a AS (DELETE FROM secrets_of_others RETURNING id) SELECT id FROM a"
        ),
        Segment(id="1", name="Some", sql="SELECT id INTO copied FROM profiles"),
        Segment(id="1", name="Some", sql="SELECT id"),
        Segment(id="1", name="Some", sql="SELECT email FROM profiles"),
        Segment(id="1", name="Some", sql="SELECT id FROM profiles) AS a, (SELECT 1"),
        where("email = E'a\\' OR true --'"),
        where('U&"\\0069d" = 1'),
        where("id = $1"),
        where("email = $a$x$b$"),
        where("true /* /* */"),
    ],
    ids=lambda each: each.where or each.sql,
)
def test_a_segment_reads_the_profiles_and_nothing_else(
    segment: Segment, postgres: Postgres, opened: Opened, people: str
) -> None:
    postgres.execute("CREATE TABLE IF NOT EXISTS public.secrets_of_others (id bigint)")
    postgres.execute("GRANT ALL ON public.secrets_of_others TO reader")
    postgres.execute(
        "CREATE OR REPLACE VIEW public.both_settings AS "
        "SELECT a.name FROM ROWS FROM (pg_show_all_settings(), generate_series(1, 2)) AS a"
    )
    postgres.execute("GRANT ALL ON public.both_settings TO reader")
    with pytest.raises(InvalidFault) as caught:
        opened(people).check_segment(segment)
    assert caught.value.code is Code.SEGMENT_INVALID


@pytest.mark.parametrize(
    ("condition", "members"),
    [
        ("email = 'it''s; (fine' OR id = 1 -- ) and ;", 1),
        ("id = 1 OR email = $tag$a ' ; ( $b$ $tag$", 1),
        ('profiles."id" IN (1, 2) AND lower(email) <> upper(email)', 2),
        ("id = (SELECT max(id) FROM profiles)", 1),
        ("id IN (SELECT n FROM generate_series(0, 1) AS n)", 2),
        ("id IN (SELECT n FROM ROWS FROM (generate_series(0, 1), unnest(ARRAY[1, 2])) AS r(n, m))", 2),
        ("pg_typeof(email)::text = 'text'", 4),
        ("CASE WHEN phone ~ '^[+]' THEN true END", 2),
    ],
)
def test_what_a_segment_may_say(condition: str, members: int, opened: Opened, people: str) -> None:
    engine = opened(people)
    assert engine.check_segment(where(condition)) == members
    assert identified(engine, ("EMAIL", "email"), segments=(where(condition),))[0].members == members


def test_beneath_it_all_the_transaction_cannot_write(postgres: Postgres, opened: Opened, people: str) -> None:
    # A function that says of itself that it changes nothing, and calls one that does.
    postgres.execute(
        f"CREATE OR REPLACE FUNCTION wipe(n bigint) RETURNS bigint LANGUAGE plpgsql AS "
        f"$$ BEGIN EXECUTE 'DELETE FROM {people}'; RETURN n; END $$"
    )
    postgres.execute(
        "CREATE OR REPLACE FUNCTION sly(n bigint) RETURNS bigint STABLE LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN wipe(n); END $$"
    )
    postgres.execute(f"GRANT ALL ON {people} TO reader")
    engine = opened(people)
    with pytest.raises(InvalidFault, match="a segment only reads"):
        engine.check_segment(where("sly(id) > 0"))
    assert engine.check_segment(where("true")) == 4


def test_a_view_over_other_tables_is_read_as_one(postgres: Postgres, opened: Opened, people: str) -> None:
    view = f"public.seen_{uuid.uuid4().hex[:8]}"
    postgres.execute(
        f"CREATE VIEW {view} AS SELECT a.*, 'x' AS tier FROM {people} AS a JOIN {people} AS b USING (id)"
    )
    postgres.execute(f"GRANT SELECT ON {view} TO reader")
    engine = opened(view)
    assert engine.check_segment(where("tier = 'x' AND id > 1")) == 2
    assert identified(engine, ("EMAIL", "email"))[1].counts["EMAIL"] == by_rule("EMAIL", PEOPLE)


# Rows, types and the snapshot


def test_all_is_read_from_one_snapshot(postgres: Postgres, opened: Opened, people: str) -> None:
    engine = opened(people)
    postgres.execute(f"INSERT INTO {people} VALUES (0, 'late@example.org', NULL, NULL)")
    selected, sink = identified(engine, ("EMAIL", "email"))
    assert (selected.profiles, selected.members, selected.duplicate_keys) == (4, 4, 0)
    assert sink.counts["EMAIL"] == by_rule("EMAIL", PEOPLE)
    later, _ = identified(opened(people), ("EMAIL", "email"))
    assert (later.profiles, later.members, later.duplicate_keys) == (5, 5, 1)


def test_many_rows_come_in_many_batches_and_none_is_lost(postgres: Postgres, opened: Opened) -> None:
    count = 2 * BATCH_ROWS + 7
    rows = ((n, f"P{n % 50_000}@Example.org" if n % 5 else None) for n in range(count))
    engine = opened(postgres.table({"id": "int", "email": "text"}, rows))
    told: list[int] = []
    sink = Kept()
    engine.identify(select(("EMAIL", "email")), sink, told.append)
    assert told == [BATCH_ROWS, 2 * BATCH_ROWS, count]
    expected = by_rule("EMAIL", [f"p{n % 50_000}@example.org" if n % 5 else None for n in range(count)])
    assert sink.counts["EMAIL"] == expected


def test_a_column_of_another_type_is_read_as_its_text(postgres: Postgres, opened: Opened) -> None:
    columns = {
        "id": "uuid", "short": "varchar(40)", "padded": "char(30)", "bytes": "bytea", "ads": "boolean",
        "device": "uuid",
    }  # fmt: skip
    device = uuid.UUID("6D92078A-8246-4BA4-AE5B-76104861E7DC")
    rows = [
        (uuid.uuid4(), "A@b.de", "A@b.de", b"A@b.de", True, device),
        (uuid.uuid4(), None, "n/a", b"\xff\\@b.de", None, None),
    ]
    engine = opened(postgres.table(columns, rows))
    consent = member_consent("ads", ["true"])
    matching = (*(("EMAIL", each) for each in ("short", "padded", "bytes")), ("MOBILE_AD_ID", "device"))
    selected, sink = identified(engine, *matching, consent=consent)
    texts = ["A@b.de", None, "A@b.de", "n/a", "A@b.de", "\\xff@b.de"]
    assert sink.counts["EMAIL"] == by_rule("EMAIL", texts[:5]) + by_rule("EMAIL", ["no address"])
    assert sink.counts["MOBILE_AD_ID"] == by_rule("MOBILE_AD_ID", [str(device), None])
    assert sink.kept_back.get("EMAIL", {}) == {}
    assert selected.duplicate_keys == 0


def test_odd_names_are_quoted(postgres: Postgres, opened: Opened) -> None:
    odd = 'E "mail" %s'
    engine = opened(postgres.table({"Key'; --": "int", odd: "text"}, [(1, "a@b.de")]), key="Key'; --")
    assert identified(engine, ("EMAIL", odd), segments=(where("true"),))[1].counts["EMAIL"].total() == 1


def test_keys_of_digests_are_found_by_sql_and_by_the_rule(opened: Opened, people: str) -> None:
    engine = opened(people)
    sought = {"EMAIL": [BUILT_IN_KINDS["EMAIL"].identify(each).digest or b"" for each in PEOPLE[:2]]}
    found = engine.keys_of(select(*KINDS, consent=member_consent("ads", ["yes"])), sought)
    assert {(each.key, each.kind, each.digest) for each in found} == {
        ("0", "EMAIL", sought["EMAIL"][0]),
        ("1", "EMAIL", sought["EMAIL"][1]),
    }


def test_a_mistake_leaves_the_transaction_as_it_was(opened: Opened, people: str) -> None:
    engine = opened(people)
    for _ in range(3):
        with suppress(InvalidFault):
            engine.check_segment(where("email::int > 1"))
        assert engine.check_segment(where("id = 1")) == 1


# What goes wrong


def test_a_query_that_fails_on_a_value_does_not_repeat_it(opened: Opened, people: str) -> None:
    engine = opened(people)
    for read in (
        lambda: engine.check_segment(where("email::int > 1")),
        lambda: identified(engine, ("EMAIL", "email"), segments=(where("email::int > 1"),)),
    ):
        with pytest.raises(InvalidFault, match="fails on a value of the profiles") as caught:
            read()
        told = repr((caught.value, caught.value.hint, caught.value.__context__, caught.value.__cause__))
        assert "example" not in told.lower()


def test_an_address_in_a_query_is_not_repeated(opened: Opened, people: str) -> None:
    with pytest.raises(InvalidFault) as caught:
        opened(people).check_segment(where("id = 'anna.plain@example.org'"))
    assert "anna" not in caught.value.message
    assert "invalid input syntax" in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:s3cret@host/crm#t",
        "postgres://reader:s3/c#r?et@host/crm#t",
        "postgresql://reader@host/crm?password=s3cret#t",
        "postgresql://reader@host/crm?sslmode=require&p%61ssword=s3cret#t",
        "postgresql://reader@host/crm?sslpassword=s3cret#t",
    ],
)
def test_a_password_in_the_url_is_refused_and_not_repeated(url: str, opened: Opened) -> None:
    with pytest.raises(UsageFault) as caught:
        opened("", url=url)
    assert caught.value.code is Code.SECRET_ON_COMMAND_LINE
    assert "s3" not in repr((caught.value, caught.value.where, caught.value.hint))
    assert "--option password=env:NAME" in caught.value.hint


def fault(read: Callable[[], object]) -> CdpError:
    with pytest.raises(CdpError) as caught:
        read()
    assert caught.value.__context__ is None
    return caught.value


def test_what_cannot_be_opened_says_why(
    postgres: Postgres, opened: Opened, people: str, tmp_path: Path
) -> None:
    def over(
        url: str, *, key: str = "id", options: dict[str, str] | None = None, password: str = ""
    ) -> CdpError:
        source = ProfileSource(url=url, key=key, options=options or {})
        given = {"password": Secret(password or postgres.password)}
        return fault(lambda: PostgresEngine(EngineContext(source=source, scratch=tmp_path, secrets=given)))

    wrong = over(postgres.url(people), password="wrong")
    assert (wrong.code, wrong.message) == (
        Code.PROFILES_UNREADABLE,
        "the server does not accept this user's password",
    )
    unreachable = over(postgres.url(people, port=1))
    assert unreachable.code is Code.SERVICE_UNREACHABLE
    assert isinstance(unreachable, TemporaryFault)
    assert "Connection refused" in unreachable.message
    assert 'database "other" does not exist' in over(postgres.url(people, database="other")).message
    missing = over(postgres.url("public.nothing"))
    assert missing.message == "the database has no table 'public.nothing'"
    assert missing.hint.startswith("tables: public.")
    assert "which table" in over(postgres.url("")).message
    keyless = over(postgres.url(people), key="customer")
    assert keyless.code is Code.KEY_MISSING
    assert "email" in keyless.hint
    assert "'delimiter'" in over(postgres.url(people), options={"delimiter": ";"}).message
    assert over(postgres.url(people).replace("sslmode", "sslmood")).code is Code.PROFILES_UNREADABLE


def test_a_table_that_this_user_may_not_read_is_named(
    postgres: Postgres, opened: Opened, people: str
) -> None:
    engine = opened(people)
    postgres.execute(f"REVOKE SELECT ON {people} FROM reader")
    told = fault(lambda: opened(people).check_segment(where("true")))
    assert told.code is Code.PROFILES_UNREADABLE
    assert "permission denied for table" in told.message
    assert "GRANT SELECT" in told.hint
    engine.close()


def test_no_password_is_asked_for(
    postgres: Postgres, people: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = EngineContext(source=ProfileSource(url=postgres.url(people), key="id"), scratch=tmp_path)
    told = fault(lambda: PostgresEngine(context))
    assert told.message == "the server asks for a password, and none was given"
    monkeypatch.setenv("PGPASSWORD", postgres.password)
    with PostgresEngine(context) as engine:
        assert engine.columns()[0].type == "bigint"


def test_a_connection_that_is_cut_is_told(postgres: Postgres, opened: Opened, people: str) -> None:
    with wire_to(postgres.port) as wire:
        engine = opened(people, url=postgres.url(people, port=wire.port))
        wire.cut()
        told = fault(lambda: identified(engine, ("EMAIL", "email")))
    assert told.code is Code.SERVICE_UNREACHABLE


def test_without_the_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, opened: Opened) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    told = fault(lambda: opened("public.t"))
    assert told.hint == 'pip install "cdp-core[postgres]"'
