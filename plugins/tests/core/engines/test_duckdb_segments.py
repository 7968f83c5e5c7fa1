"""Segments' queries: what is let through, what is not, and what is said of the place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Segment

Make = Callable[..., Any]


@pytest.fixture
def engine(open_engine: Make, parquet: Make) -> Any:
    return open_engine(
        parquet(
            id=["1", "2", "3"],
            email=["secret1@x.de", "secret2@x.de", "secret3@x.de"],
            value=[100.0, 600.0, None],
        )
    )


def where(text: str) -> Segment:
    return Segment(id="1", name="Some", where=text)


def sql(text: str) -> Segment:
    return Segment(id="1", name="Some", sql=text)


@pytest.mark.parametrize(
    ("segment", "members"),
    [
        (where("value > 500"), 1),
        (where("value > 500 AND email <> 'a;b' -- enough; really"), 1),
        (where("value IS NULL OR value < 500 -- the rest"), 2),
        (where("profiles.value > 500"), 1),
        (where("value > (SELECT avg(value) FROM profiles)"), 1),
        (where("id IN (SELECT id FROM profiles QUALIFY row_number() OVER (ORDER BY value) = 1)"), 1),
        (where("  (value > 500) OR (value < 500)\n"), 2),
        (sql("SELECT id FROM profiles WHERE value > 50"), 2),
        (sql("FROM profiles;"), 3),
        (sql("WITH rich AS (SELECT * FROM profiles WHERE value > 500) SELECT id FROM rich -- yes"), 1),
        (sql("SELECT ID FROM Profiles ORDER BY value DESC NULLS LAST LIMIT 1"), 1),
        (sql("SELECT id FROM profiles, unnest([1, 2]) AS two(n)"), 3),
        (sql("SELECT id FROM profiles UNION SELECT '9'"), 3),
    ],
)
def test_a_query_over_the_profiles_counts_its_members(engine: Any, segment: Segment, members: int) -> None:
    assert engine.check_segment(segment) == members


@pytest.mark.parametrize(
    "segment",
    [
        where("value > 500 ORDER BY id"),
        where("true) or (true"),
        where("1 = 1)\nOR (false"),
        where("true) ORDER BY (id"),
        where("true) GROUP BY (id"),
        where("true) UNION SELECT * FROM (SELECT * FROM profiles"),
        where("true; DROP VIEW profiles"),
        where("EXISTS (SELECT * FROM read_csv('/etc/passwd'))"),
        where("EXISTS (FROM '/etc/passwd')"),
        where("EXISTS (FROM duckdb_settings())"),
        where("EXISTS (FROM information_schema.tables)"),
        where("current_setting('memory_limit') = '1'"),
        where("error(email) IS NULL"),
        where("list_transform([email], lambda x: error(x)) IS NULL"),
        where("email.error() IS NULL"),
        where("pg_sleep(1) IS NULL"),
        where("current_query() LIKE '%s%'"),
        where("json_serialize_plan('FROM profiles') IS NULL"),
        where("pg_get_viewdef(1) IS NULL"),
        where("EXISTS (FROM seq_scan('profiles'))"),
        where("EXISTS (FROM profiles p, LATERAL (FROM read_text(p.email)))"),
        where("value > 1\x00; DROP VIEW profiles"),
        where("'\udcff' = ''"),
        where("value > ?"),
        where("value > $1"),
        where(""),
        where("-- nothing"),
        sql("-- nothing"),
        where("sum(value) > 3"),
        sql(""),
        sql("SELECT id FROM profiles; SELECT id FROM profiles"),
        sql("INSERT INTO profiles VALUES (1)"),
        sql("CREATE TABLE t AS FROM profiles"),
        sql("COPY profiles TO '/tmp/stolen.csv'"),
        sql("ATTACH '/tmp/x.db'"),
        sql("SET memory_limit = '1GB'"),
        sql("PRAGMA version"),
        sql("INSTALL httpfs"),
        sql("LOAD httpfs"),
        sql("EXPORT DATABASE '/tmp/x'"),
        sql("CALL pragma_version()"),
        sql("DESCRIBE profiles"),
        sql("SUMMARIZE profiles"),
        sql("SHOW TABLES"),
        sql("SELECT id FROM (DESCRIBE profiles)"),
        sql("SELECT content AS id FROM read_text('/etc/passwd')"),
        sql("SELECT file AS id FROM glob('/etc/*')"),
        sql("SELECT id FROM 'https://example.org/p.parquet'"),
        sql('SELECT id FROM "/etc/passwd"'),
        sql("SELECT id FROM main.profiles"),
        sql("SELECT id FROM memory.main.profiles"),
        sql("SELECT id FROM sqlite_scan('x.db', 't')"),
        sql("SELECT id FROM query('FROM profiles')"),
        sql("SELECT id FROM query_table('profiles')"),
        sql("WITH t AS (FROM read_json('/x.json')) SELECT id FROM t"),
        sql("SELECT (SELECT max(content) FROM read_blob('/etc/passwd')) AS id FROM profiles"),
        sql("PREPARE p AS SELECT 1"),
        sql("WITH x AS (INSERT INTO profiles VALUES (1) RETURNING id) SELECT id FROM x"),
        sql("SELECT id FROM profiles; ATTACH '/tmp/x.db'"),
        sql("SELECT id FROM profiles) AS members; DROP VIEW profiles; --"),
        sql("SELECT id FROM profiles LIMIT (SELECT count(*) FROM glob('/etc/*'))"),
        sql("SELECT * REPLACE ((SELECT max(content) FROM read_text('/etc/passwd')) AS id) FROM profiles"),
        sql("WITH RECURSIVE a AS (FROM glob('/*') UNION ALL FROM a) SELECT id FROM profiles"),
        sql("SELECT value FROM profiles"),
    ],
)
def test_whatever_is_no_read_of_the_profiles_is_refused(engine: Any, segment: Segment) -> None:
    with pytest.raises(InvalidFault) as caught:
        engine.check_segment(segment)
    assert caught.value.code is Code.SEGMENT_INVALID
    assert "Some" in caught.value.where


@pytest.mark.parametrize("deep", ["NOT {0}true", "value > {1}1{2}", "EXISTS (FROM {3}profiles{2})"])
def test_a_query_is_refused_where_it_is_nested_too_deeply(engine: Any, deep: str) -> None:
    for depth in (500, 5_000, 50_000):
        text = deep.format("NOT " * depth, "abs(" * depth, ")" * depth, "(FROM " * depth)
        for read in (engine.check_segment, engine.names_in):
            with pytest.raises(InvalidFault) as caught:
                read(where(text))
            assert caught.value.code is Code.SEGMENT_INVALID


@pytest.mark.parametrize(
    ("segment", "place"),
    [
        (where("value + 5 > 1 AND\n  valu > 3"), "line 2, column 3\n    valu > 3\n    ^"),
        (where("ünï > 3"), "line 1, column 1\n  ünï > 3\n  ^"),
        (where("value > 3 AND AND true"), "line 1, column 15\n"),
        (sql("SELECT id\nFROM profiles\nWHERE gone = 1"), "line 3, column 7\n  WHERE gone = 1\n        ^"),
        (sql("SELECT id FROM profiles WHERE '„ü“' = email AND x.y(1)"), "line 1, column 49"),
        (sql("SELECT id\nFROM '/etc/passwd'"), "line 2, column 6"),
    ],
)
def test_the_place_in_the_query_is_shown(engine: Any, segment: Segment, place: str) -> None:
    with pytest.raises(InvalidFault) as caught:
        engine.check_segment(segment)
    assert place in caught.value.message


@pytest.mark.parametrize(
    "condition",
    ["email = 'anna.b@mail.example' AND valu > 3", "valu > 3 OR email IN ('x@y.de','anna.b@mail.example')"],
)
def test_an_address_that_the_query_names_is_not_shown(engine: Any, condition: str) -> None:
    with pytest.raises(InvalidFault) as caught:
        engine.check_segment(where(condition))
    line, caret = caught.value.message.splitlines()[-2:]
    assert "@" not in str(caught.value)
    assert line[caret.index("^") :].startswith("valu >")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("true) or (true", 'syntax error at or near ")": line 1, column 5\n  true) or (true\n      ^'),
        ("value > 3)", 'syntax error at or near ")": line 1, column 10\n'),
        ("value >", "the condition ends too early: line 1, column 8\n  value >\n         ^"),
        ("value > 3\n  AND", "the condition ends too early: line 2, column 6\n    AND\n       ^"),
        ("(value > 3", "the condition ends too early: line 1, column 11\n"),
        ("value > 3 '", "unterminated"),
        (
            "value > 3 AND email <> ';'; DROP TABLE profiles",
            "a condition is one expression, without `;`: line 1, column 27\n",
        ),
        ("value > 3\n;", "a condition is one expression, without `;`: line 2, column 1\n  ;\n  ^"),
        ("value", "a condition must be true or false; this one is of type DOUBLE"),
        ("upper(email)", "a condition must be true or false; this one is of type VARCHAR"),
    ],
)
def test_a_broken_condition_is_told_in_its_own_words(engine: Any, text: str, message: str) -> None:
    with pytest.raises(InvalidFault) as caught:
        engine.check_segment(where(text))
    assert caught.value.message.startswith(message)
    assert "COALESCE" not in caught.value.message


def test_the_place_is_right_where_a_short_text_fails_on_a_row(open_engine: Make, parquet: Make) -> None:
    engine = open_engine(parquet(id=["1"], email=["a@b.de"], n=["secret"]))
    with pytest.raises(InvalidFault, match="line 1, column 2\n"):
        engine.check_segment(where("n::BOOL"))


def test_a_value_that_does_not_convert_is_told_without_the_value(engine: Any) -> None:
    for segment in (
        where("CAST(email AS INTEGER) > 3"),
        sql("SELECT id FROM profiles WHERE email::DATE > '2026-01-01'"),
    ):
        with pytest.raises(InvalidFault, match="cannot be converted to") as caught:
            engine.check_segment(segment)
        told = caught.value
        assert "secret" not in repr((told, told.__context__, told.__cause__, told.hint))
        assert "line 1" in told.message


@pytest.mark.parametrize("condition", ["CAST(note AS INTEGER) > 3", "strptime(note, '%Y') IS NULL"])
def test_a_query_that_fails_while_members_are_read_is_told_without_the_row(
    condition: str, open_engine: Make, identified: Make, parquet: Make
) -> None:
    rows = 300_000
    path = parquet(
        id=list(range(rows)), email=["secret@x.de"] * rows, note=["2026"] * (rows - 1) + ["secret"]
    )
    with pytest.raises(InvalidFault) as caught:
        identified(open_engine(path), where(condition))
    told = caught.value
    assert (told.code, told.where) == (Code.SEGMENT_INVALID, "segment 'Some'")
    assert "secret" not in repr((told, told.__context__, told.__cause__, told.hint))


def test_a_query_that_fails_on_a_row_is_told_without_the_row(engine: Any) -> None:
    with pytest.raises(InvalidFault) as caught:
        engine.check_segment(where("strptime(email, '%Y') IS NOT NULL"))
    assert "secret" not in repr((caught.value, caught.value.__context__, caught.value.hint))


def test_the_engine_itself_reaches_no_file_or_setting_either(engine: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")
    connection = engine._connection
    for query in (
        f"FROM '{other}'",
        f"FROM read_text('{other}')",
        f"FROM glob('{tmp_path}/*')",
        f"COPY profiles TO '{other}'",
        f"ATTACH '{tmp_path}/x.db'",
        "SET enable_external_access = true",
        "SET memory_limit = '1GB'",
        "RESET lock_configuration",
        "INSTALL httpfs",
        "LOAD httpfs",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(query)
    assert other.read_text() == "a\n1\n"


def test_python_variables_are_no_tables(engine: Any) -> None:
    people = object()
    with pytest.raises(InvalidFault):
        engine.check_segment(sql("SELECT id FROM people"))
    with pytest.raises(duckdb.Error):
        engine._connection.execute("FROM people")
    del people


def test_a_query_that_needs_more_than_memory_spills_to_the_scratch_folder(
    open_engine: Make, parquet: Make
) -> None:
    rows = 150_000
    engine = open_engine(
        parquet(id=[f"customer number {n:>50}" for n in range(rows)], email=["a@b.de"] * rows)
    )
    counted = engine.check_segment(
        sql("SELECT a.id FROM profiles a, range(12) ORDER BY hash(a.id, range) LIMIT 100000000")
    )
    assert counted == rows
