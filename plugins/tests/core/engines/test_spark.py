"""What is Spark's own: its tables, what a segment may reach, what is staged and left behind, and its faults.

That it agrees with the rules is `test_engines_agree.py`'s to show.
"""

from __future__ import annotations

import datetime
import decimal
import functools
import hashlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp_core.contract.source import EngineContext, Selected
from cdp_core.engines.spark.engine import SparkEngine
from cdp_core.engines.spark.session import BATCH_ROWS
from cdp_core.engines.spark.staging import Staging
from cdp_core.errors import CdpError, Code, InternalFault, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import ProfileSource, Segment
from cdp_core.model.identifiers import Identified, IdentifierKind
from cdp_core.model.policy import Region
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.member_consent import member_consent
from cdp_core.testing.engines import Kept, by_rule, select, where
from spark_session import MASTER

Opened = Callable[..., SparkEngine]

EMAILS = ["Anna.Plain@Example.org", "Bj\u00f6rn@Example.org", "\u00a0carla@example.org", "nobody"]
PHONES = ["+31 6 12345678", "06 87654321", "06-11112222 ext 7", None]


@pytest.fixture
def opened(spark: Any, tmp_path: Path) -> Iterator[Opened]:
    engines: list[SparkEngine] = []

    def over(
        table: pa.Table | str, *, key: str = "id", shared: str | None = None, **options: str
    ) -> SparkEngine:
        if isinstance(table, pa.Table):
            path = tmp_path / f"{uuid.uuid4().hex}.parquet"
            pq.write_table(table, path, row_group_size=BATCH_ROWS)
            table = f"parquet.`{path}`"
        source = ProfileSource(url=f"spark://{MASTER}#{table}", key=key, options=options)
        engine = SparkEngine(EngineContext(source=source, scratch=tmp_path / "scratch", shared=shared))
        engines.append(engine)
        return engine

    yield over
    for engine in engines:
        engine.close()


@pytest.fixture
def people(opened: Opened) -> SparkEngine:
    return opened(pa.table({"id": [1, 2, 3, 4], "email": EMAILS, "phone": PHONES, "vip": [True, False] * 2}))


def identified(engine: SparkEngine, *matching: tuple[str, str], **further: object) -> tuple[Selected, Kept]:
    sink = Kept()
    return engine.identify(select(*matching, **further), sink, lambda members: None), sink


def fault(read: Callable[[], object]) -> CdpError:
    with pytest.raises(CdpError) as caught:
        read()
    assert caught.value.__context__ is None
    return caught.value


# What a segment may reach


def test_a_segment_reads_the_profiles_and_nothing_else(people: SparkEngine) -> None:
    refused = {
        "reflect('java.lang.System', 'getenv') IS NULL": "the function reflect is not allowed",
        "Java_Method('java.lang.System', 'exit', 1) = ''": "the function java_method is not allowed",
        "raise_error(email) IS NULL": "the function raise_error is not allowed",
        "from_xml(email, 'a INT', map('rowValidationXSDPath', '/etc/x')) IS NULL": "from_xml is not allowed",
        "from_avro(x'00', '', map('avroSchemaUrl', 'file:/etc/x')) IS NULL": "from_avro is not allowed",
        "email = '\udcff'": "no text in UTF-8",
        "NOT " * 5_000 + "vip": "",
        "nothing_known(id) = 1": "nothing_known is none that Spark brings",
        "spark_catalog.default.mine(id) = 1": "none that Spark brings",
        "IDENTIFIER('reflect')('java.lang.System', 'getenv') = ''": "no computed names",
        "id = :given": "no parameters",
        "id AS one": "one expression",
        "id IN (SELECT id FROM parquet.`/etc/x`)": "it names 'parquet./etc/x': line 1, column 23",
        "EXISTS (SELECT 1 FROM default.profiles)": "it names 'default.profiles'",
        "(WITH x AS (SELECT * FROM x) SELECT count(*) FROM x) > 0": "it names 'x'",
        "id IN (SELECT id FROM x WHERE (WITH x AS (SELECT 1) SELECT 1 FROM x) = 1)": "it names 'x'",
        "id IN (SELECT id FROM python_worker_logs())": "the table function python_worker_logs",
        "id IN (SELECT id FROM STREAM profiles)": "nothing else",
        "count(*) > 1": "contains invalid expressions",
    }
    for condition, told in refused.items():
        said = fault(functools.partial(people.check_segment, where(condition)))
        assert said.code is Code.SEGMENT_INVALID, condition
        assert told in said.message, condition


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("DELETE FROM profiles", "one SELECT over `profiles`"),
        ("INSERT INTO t SELECT id FROM profiles", "one SELECT over `profiles`"),
        ("SELECT TRANSFORM(id) USING 'cat' AS id FROM profiles", "one SELECT over `profiles`"),
        ("CREATE TABLE t AS SELECT id FROM profiles", "one SELECT over `profiles`"),
        ("SELECT id FROM profiles; SELECT 1", "Syntax error"),
        ("SELECT id FROM profiles) AS a, (SELECT 1", "Syntax error"),
        ("SELECT email FROM profiles", "must yield the key column 'id'; it yields email"),
        ("SELECT id\nFROM profiles\nWHERE emial = ''", "line 3, column 7"),
        (" ", "empty"),
    ],
)
def test_a_query_is_one_select_that_yields_the_key(query: str, told: str, people: SparkEngine) -> None:
    said = fault(lambda: people.check_segment(Segment(id="1", name="Some", sql=query)))
    assert (said.code, told in said.message) == (Code.SEGMENT_INVALID, True), said.message


@pytest.mark.parametrize(
    "query",
    [
        *("SELECT id FROM profiles ORDER BY {}", "SELECT id FROM profiles LIMIT length({})", "SELECT {}, id"),
        "SELECT id FROM profiles JOIN profiles AS p ON {} = ''",
        "SELECT id, count(*) FROM profiles GROUP BY id, {}",
        "SELECT id, count(*) FROM profiles GROUP BY GROUPING SETS ((id), ({}))",
        "SELECT id, count(*) FROM profiles GROUP BY id HAVING max({}) = ''",
        "SELECT id, count(*) FILTER (WHERE {} = '') FROM profiles GROUP BY id",
        "SELECT id, row_number() OVER (PARTITION BY {} ORDER BY id) FROM profiles",
        "SELECT id, row_number() OVER w FROM profiles WINDOW w AS (ORDER BY {})",
        "SELECT transform(array(1), x -> {}), id FROM profiles",
        "SELECT id FROM profiles LATERAL VIEW explode(array({})) t AS x",
        "SELECT id FROM profiles LATERAL VIEW mine.explode(array(1)) t AS x",
        "SELECT id FROM profiles, LATERAL (SELECT {} AS x)",
        "SELECT id FROM profiles, (VALUES ({})) AS v(x)",
        "SELECT id FROM profiles, range(length({}))",
        "SELECT id FROM profiles PIVOT (max({}) FOR vip IN (true))",
        "SELECT id FROM profiles UNPIVOT (x FOR y IN (email, phone))",
        "WITH a AS (SELECT id FROM profiles WHERE {} = '') SELECT id FROM a",
        "SELECT id FROM profiles WHERE id = (SELECT max(id) FROM profiles WHERE {} = '')",
        "SELECT id FROM profiles WHERE CASE WHEN {} = '' THEN true END",
        "SELECT id FROM profiles UNION SELECT {}",
        "FROM profiles |> EXTEND {} AS x |> SELECT id",
    ],
)
def test_what_may_not_be_called_may_nowhere_be_called(query: str, people: SparkEngine) -> None:
    called = query.format("reflect('java.lang.System', 'lineSeparator')")
    said = fault(lambda: people.check_segment(Segment(id="1", name="Some", sql=called)))
    assert said.code is Code.SEGMENT_INVALID
    # By the walk, and not by Spark for some reason of its own.
    refusals = ("not allowed", "no place", "takes explode", "one SELECT over `profiles`")
    assert any(each in said.message for each in refusals), said.message


def test_queries_that_only_compute_are_let_through(people: SparkEngine) -> None:
    queries = {
        "WITH some AS (SELECT * FROM profiles WHERE vip), all AS (SELECT id FROM some) SELECT * FROM all": 2,
        "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id DESC) n FROM profiles) WHERE n <= 3;": 3,
        "SELECT id FROM profiles UNION SELECT id + 1 FROM range(2) AS numbers ORDER BY id LIMIT 9": 4,
        "FROM profiles |> WHERE id > 1 |> SELECT id": 3,
        "SELECT * EXCEPT (email) FROM profiles LATERAL VIEW explode(array(1, 2)) t AS x": 4,
        "SELECT id, any_value(upper(email)) FROM profiles, range(2) AS r(x) GROUP BY ALL ORDER BY 1": 4,
    }
    for query, members in queries.items():
        assert people.check_segment(Segment(id="1", name="Some", sql=query)) == members, query
    # Of a table alone Spark reads `profiles WHERE (vip)` as an alias.
    assert people.check_segment(where("vip")) == 2
    assert people.names_in(where("vip OR lower(Email) = 'x'")) == {"vip", "email"}


def test_a_segment_is_given_no_variable_of_the_environment_or_of_spark(
    opened: Opened,
) -> None:
    asked_for = {"spark.sql.variable.substitute": "true"}
    people = opened(pa.table({"id": [1], "email": ["a@b.de"]}), **asked_for)
    for name in ("env:PATH", "system:user.home", "spark.app.name"):
        assert people.check_segment(where(f"'${{{name}}}' = concat('$', '{{{name}}}')")) == 1


# Rows, types and what is staged


def test_no_value_is_staged_and_nothing_is_left_behind(people: SparkEngine, tmp_path: Path) -> None:
    matching = (("EMAIL", "email"), ("PHONE", "phone"))
    consent = member_consent("vip", ["true"])
    _, sink = identified(people, *matching, region=Region(default="NL"), consent=consent)
    staged = b"".join(each.read_bytes() for each in (tmp_path / "scratch").rglob("*.parquet"))
    assert hashlib.sha256(EMAILS[0].lower().encode()).digest() in staged
    for value in filter(None, [*EMAILS, *PHONES]):
        assert value.strip().lower().encode() not in staged.lower()
    assert sink.counts["EMAIL"] == by_rule("EMAIL", EMAILS)
    assert sink.kept_back["EMAIL"] == by_rule("EMAIL", EMAILS[1:2])
    assert sink.kept_back["PHONE"] == by_rule("PHONE", PHONES[1:2], ["NL"])
    people.close()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_many_rows_come_in_many_batches_and_none_is_lost(opened: Opened) -> None:
    count = 2 * BATCH_ROWS + 7
    emails = [f"P{n % 9_000}@Example.org" if n % 5 else None for n in range(count)]
    engine = opened(pa.table({"id": range(count), "email": emails}))
    told: list[int] = []
    sink = Kept()
    selected = engine.identify(select(("EMAIL", "email")), sink, told.append)
    assert (selected.profiles, selected.members, told[-1]) == (count, count, count)
    assert len(told) >= 3
    assert sink.counts["EMAIL"] == by_rule("EMAIL", emails)


def test_a_column_of_another_type_is_read_as_its_text(opened: Opened) -> None:
    day = datetime.date(2026, 11, 26)
    texts = [b"A@b.de", b"\xff@b.de"]
    engine = opened(
        pa.table(
            {
                "id": [decimal.Decimal("1.50"), decimal.Decimal("1.50")],
                "bytes": pa.array(texts, pa.binary()),
                "day": [day, None],
                "ads": [True, None],
                "odd `name`": ["a@b.de", "n/a"],
            }
        )
    )
    assert [column.type for column in engine.columns()] == [
        "decimal(3,2)",
        "binary",
        "date",
        "boolean",
        "string",
    ]
    matching = tuple(("EMAIL", each) for each in ("bytes", "day", "odd `name`"))
    selected, sink = identified(engine, *matching, consent=member_consent("ads", ["true"]))
    expected = ["A@b.de", "\udcff@b.de", str(day), None, "a@b.de", "n/a"]
    assert sink.counts["EMAIL"] == by_rule("EMAIL", expected)
    assert sink.kept_back.get("EMAIL", {}) == {}
    assert selected.duplicate_keys == 1


def test_keys_of_digests_are_found(people: SparkEngine) -> None:
    sought = {"EMAIL": [BUILT_IN_KINDS["EMAIL"].identify(each).digest or b"" for each in EMAILS[:2]]}
    found = people.keys_of(select(("EMAIL", "email"), ("PHONE", "phone"), segments=()), sought)
    assert {(each.key, each.kind, each.digest) for each in found} == {
        ("1", "EMAIL", sought["EMAIL"][0]),
        ("2", "EMAIL", sought["EMAIL"][1]),
    }


def test_a_table_of_the_catalog_is_read_by_name(spark: Any, opened: Opened) -> None:
    spark.range(3).selectExpr("id", "concat('P', id, '@b.de') AS email").createGlobalTempView("customers")
    selected, sink = identified(opened("global_temp.customers"), ("EMAIL", "email"))
    assert selected.members == 3
    assert sink.counts["EMAIL"] == by_rule("EMAIL", ["p0@b.de", "p1@b.de", "p2@b.de"])
    missing = fault(lambda: opened("global_temp.custommers"))
    assert (missing.code, missing.message) == (
        Code.PROFILES_UNREADABLE,
        "Spark has no table 'global_temp.custommers'",
    )
    assert "catalog.schema.table" in missing.hint


# What goes wrong


def test_a_query_that_fails_on_a_value_repeats_it_nowhere(
    people: SparkEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    failing = where("CAST(email AS INT) > 1")
    for read in (
        lambda: people.check_segment(failing),
        lambda: identified(people, ("EMAIL", "email"), segments=(failing,)),
    ):
        told = fault(read)
        assert told.message == "the query fails on a value of the profiles: cast invalid input"
    shown = capfd.readouterr()
    assert "xample" not in shown.out + shown.err + told.hint


def test_a_rule_that_fails_is_told_without_the_value(people: SparkEngine) -> None:
    def broken(raw: str | None) -> Identified:
        raise ValueError(raw)

    kinds = {"CARD": IdentifierKind(key="CARD", label="Card", rule=broken)}
    told = fault(lambda: identified(people, ("CARD", "email"), kinds=kinds))
    assert isinstance(told, InternalFault)
    assert told.message == "the rule of the kind CARD failed: ValueError"


def test_an_executor_with_another_release_is_refused(
    people: SparkEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdp_core.engines.spark.identify.metadata.version", lambda name: "99.0")
    told = fault(lambda: identified(people, ("EMAIL", "email")))
    assert "Python on the executors is not like the one here: cdp-core" in told.message
    assert "pip install" in told.hint


def test_a_staging_folder_that_nobody_can_write_is_told(opened: Opened) -> None:
    engine = opened(pa.table({"id": [1], "email": ["a@b.de"]}), staging="file:/proc/nowhere")
    told = fault(lambda: identified(engine, ("EMAIL", "email")))
    assert told.code is Code.PROFILES_UNREADABLE
    assert told.message == "Spark cannot read it, or not stage what it finds: IOException"
    assert "file:/proc/nowhere" in told.hint


def test_a_cluster_needs_a_folder_to_stage_in(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdp_core.engines.spark.session.is_local", lambda master: False)
    table = pa.table({"id": [1], "email": ["a@b.de"]})
    told = fault(lambda: opened(table))
    assert told.code is Code.SETTING_INVALID
    assert "--option staging=" in told.hint
    assert opened(table, staging="/mnt/shared/cdp").columns()[0].name == "id"


def test_a_cluster_stages_below_the_url_of_the_ledgers(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdp_core.engines.spark.session.is_local", lambda master: False)
    shared = tmp_path / "shared"
    seen: list[str] = []
    read = Staging.read

    def looked(self: Staging, pieces: int) -> Iterator[tuple[str, int, int, bytes]]:
        seen.extend(path.name for path in shared.rglob("*.parquet"))
        yield from read(self, pieces)

    monkeypatch.setattr(Staging, "read", looked)
    engine = opened(pa.table({"id": [1], "email": ["a@b.de"]}), shared=f"file://{shared}")
    selected, kept = identified(engine, ("EMAIL", "email"))
    assert selected.members == 1
    assert kept.counts["EMAIL"] == {hashlib.sha256(b"a@b.de").digest(): 1}
    assert seen
    engine.close()
    assert not list(shared.rglob("*.parquet"))
    over_ssh = fault(lambda: opened(pa.table({"id": [1], "email": ["a@b.de"]}), shared="sftp://host/ledgers"))
    assert over_ssh.code is Code.SETTING_INVALID


def test_a_spark_that_runs_under_another_master_is_not_taken_for_the_one_that_was_named(
    spark: Any, tmp_path: Path
) -> None:
    source = ProfileSource(url="spark://127.0.0.1:1#t", key="id")
    told = fault(lambda: SparkEngine(EngineContext(source=source, scratch=tmp_path)))
    assert told.message == f"a Spark runs in this process already, under the master {MASTER!r}"


def test_a_spark_that_ran_before_is_left_running(spark: Any, opened: Opened) -> None:
    engine = opened(pa.table({"id": [1], "email": ["a@b.de"]}))
    assert identified(engine, ("EMAIL", "email"))[1].counts["EMAIL"][Reason.MISSING] == 0
    engine.close()
    assert spark.range(2).count() == 2
    assert not spark.catalog.tableExists("profiles")


def test_a_key_that_is_not_there_is_named(opened: Opened) -> None:
    told = fault(lambda: opened(pa.table({"id": [1], "email": ["a@b.de"]}), key="customer"))
    assert isinstance(told, InvalidFault)
    assert told.code is Code.KEY_MISSING
