"""What is told before Spark is there, or without it: addresses, options, Java, and what was staged."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from cdp_core.contract.source import EngineContext
from cdp_core.engines.spark.address import Address, address_of, hosts_of, url_of
from cdp_core.engines.spark.engine import SparkEngine
from cdp_core.engines.spark.faults import parse_fault, run_fault
from cdp_core.engines.spark.java import require_java
from cdp_core.engines.spark.staging import Staging
from cdp_core.engines.spark.tasks import MEMBERS
from cdp_core.errors import Code, InvalidFault, TemporaryFault, UsageFault
from cdp_core.model.configuration import ProfileSource
from spark_session import require_spark


def source(url: str, **options: str) -> ProfileSource:
    return ProfileSource(url=url, key="id", options=options)


@pytest.mark.parametrize(
    ("url", "master", "table"),
    [
        ("spark://db.example.org:7077#main.crm.people", "spark://db.example.org:7077", "main.crm.people"),
        ("spark://a:7077,b:7077#t", "spark://a:7077,b:7077", "t"),
        ("spark://local#t", "local", "t"),
        ("spark://local[2]#parquet.`/data/a folder#1`", "local[2]", "parquet.`/data/a folder#1`"),
        ("spark://local[*,3]#t", "local[*,3]", "t"),
        ("spark://yarn#t", "yarn", "t"),
        ("spark://k8s://https://host:6443#t", "k8s://https://host:6443", "t"),
        ("spark://#t", None, "t"),
    ],
)  # fmt: skip
def test_an_address_names_a_master_and_a_table(url: str, master: str | None, table: str) -> None:
    assert address_of(source(url)) == Address(master=master, table=table)
    assert url_of(url) == url


def test_a_table_alone_leaves_the_master_to_sparks_own_configuration() -> None:
    assert address_of(source(url_of("main.crm.customers"))).master is None


def test_options_are_staging_and_sparks_own_settings() -> None:
    found = address_of(source("spark://#t", staging="/mnt/x", **{"spark.executor.memory": "4g"}))
    assert (found.staging, found.settings) == ("/mnt/x", {"spark.executor.memory": "4g"})
    with pytest.raises(InvalidFault, match="no option 'delimiter'") as caught:
        address_of(source("spark://#t", delimiter=";"))
    assert caught.value.code is Code.SETTING_INVALID


@pytest.mark.parametrize(
    "name",
    [
        "spark.hadoop.fs.s3a.secret.key",
        "spark.hadoop.fs.s3a.access.key",
        "spark.hadoop.fs.azure.account.key.x.dfs.core.windows.net",
        "spark.ssl.keyPassword",
    ],
)
def test_a_secret_in_an_option_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(UsageFault) as caught:
        address_of(source("spark://#t", **{name: "s3cr3t"}))
    assert caught.value.code is Code.SECRET_ON_COMMAND_LINE
    assert "s3cr3t" not in repr((caught.value, caught.value.where, caught.value.hint))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("spark://local[2]", "which table"),
        ("spark://local[2]# ", "which table"),
        ("spark://host#t", "needs its port"),
        ("spark://local[two]#t", "needs its port"),
    ],
)
def test_an_address_that_is_none_is_told(url: str, told: str) -> None:
    with pytest.raises(InvalidFault, match=told):
        address_of(source(url))


def test_only_a_clusters_own_masters_are_asked_whether_they_answer() -> None:
    assert hosts_of("spark://a:7077,[::1]:7078") == [("a", 7077), ("::1", 7078)]
    assert hosts_of("yarn") == hosts_of("local[2]") == []


def java(folder: Path, does: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    return folder


def test_a_java_that_is_missing_too_old_or_broken_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = {
        "does not start": tmp_path / "nowhere",
        "this is Java 8": java(tmp_path / "8", "echo 'openjdk version \"1.8.0_402\"' >&2"),
        "this is Java 11": java(tmp_path / "11", "echo 'openjdk version \"11.0.22\" 2024-01-16' >&2"),
        "one that is set does not": java(tmp_path / "broken", "exit 1"),
    }
    for told, home in homes.items():
        monkeypatch.setenv("JAVA_HOME", str(home))
        with pytest.raises(InvalidFault, match=told) as caught:
            require_java()
        assert str(home) in caught.value.where
        assert "JAVA_HOME" in caught.value.hint
    monkeypatch.setenv(
        "JAVA_HOME", str(java(tmp_path / "21", "echo 'openjdk version \"21\" 2023-09-19' >&2"))
    )
    require_java()
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidFault, match="none on the PATH"):
        require_java()


def test_without_pyspark_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(InvalidFault) as caught:
        SparkEngine(EngineContext(source=source("spark://#t"), scratch=tmp_path))
    assert 'pip install "cdp-core[spark]"' in caught.value.hint
    assert caught.value.__context__ is None
    assert list(tmp_path.iterdir()) == []


def test_spark_connect_is_not_read_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_spark()
    monkeypatch.setenv("SPARK_REMOTE", "sc://host:15002/;token=s3cr3t")
    with pytest.raises(InvalidFault, match="Spark Connect") as caught:
        SparkEngine(EngineContext(source=source("spark://#t"), scratch=tmp_path))
    assert "s3cr3t" not in repr((caught.value, caught.value.where, caught.value.hint))


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("…\nModuleNotFoundError: No module named 'cdp_acme'\n…", "No module named 'cdp_acme'"),
        (
            "x: [PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.9 than that in driver: "
            "3.11, PySpark cannot run",
            "different version: 3.9 than that in driver: 3.11",
        ),
    ],
)
def test_executors_that_differ_are_told(message: str, told: str) -> None:
    fault = run_fault(RuntimeError(message), where="", url="spark://#t")
    assert fault.message.endswith(told)
    assert "pip install" in fault.hint


def test_a_spark_that_has_ended_may_be_there_again_later() -> None:
    fault = run_fault(ConnectionRefusedError(), where="", url="spark://#t")
    assert isinstance(fault, TemporaryFault)


def test_the_place_that_the_parser_tells_is_shown_in_any_letters() -> None:
    failure = RuntimeError(
        "[PARSE_SYNTAX_ERROR] Syntax error at or near ')'. SQLSTATE: 42601 (line 2, pos 9)"
    )
    fault = parse_fault(failure, "tier = '\u00e9'\nOR x = '\u00e9')", where="segment 'Some'")
    assert fault.message == (
        "Syntax error at or near ')': line 2, column 10\n  OR x = '\u00e9')\n           ^"
    )


def stage(folder: str, rows: int) -> None:
    path = Path(folder.removeprefix("file:"))
    path.mkdir(parents=True)
    (path / "_SUCCESS").touch()
    columns = {"kind": [""] * rows, "what": [MEMBERS] * rows, "values": [2] * rows, "digests": [b""] * rows}
    pq.write_table(pa.table(columns), path / "part-0.parquet")


def test_a_bucket_that_spark_writes_to_is_read_by_arrow_under_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def from_uri(url: str) -> tuple[fs.FileSystem, str]:
        asked.append(url)
        return fs.LocalFileSystem(), str(tmp_path / url.removeprefix("s3://"))

    buckets = SimpleNamespace(from_uri=from_uri)
    monkeypatch.setattr(
        "cdp_core.engines.spark.staging.fs",
        SimpleNamespace(FileSystem=buckets, FileSelector=fs.FileSelector),
    )
    staging = Staging("s3a://bucket/cdp/")
    url = staging.fresh()
    assert url.startswith("s3a://bucket/cdp/cdp-")
    stage(url.replace("s3a:/", str(tmp_path)), rows=1)
    assert len(list(staging.read(1))) == 1
    staging.remove()
    assert list((tmp_path / "bucket" / "cdp").iterdir()) == []
    assert all(each.startswith("s3://bucket/cdp/cdp-") for each in asked)


def test_what_is_staged_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    staging = Staging(f"file://{tmp_path}")
    stage(staging.fresh(), rows=100)
    assert sum(values for _, _, values, _ in staging.read(100)) == 200
    with pytest.raises(InvalidFault, match="of 101 pieces that Spark staged, 100 can be read") as caught:
        list(staging.read(101))
    assert "share" in caught.value.hint
    staging.fresh()
    with pytest.raises(InvalidFault, match="cannot be read from here"):
        list(staging.read(1))
    staging.remove()
    assert list(tmp_path.iterdir()) == []
