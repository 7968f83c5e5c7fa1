"""Each engine that comes with the core, in each of its forms, against the one conformance suite."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp_core.contract.source import Engine, EngineContext
from cdp_core.engines import BUILT_IN_SOURCES
from cdp_core.model.configuration import ProfileSource
from cdp_core.model.secret import Secret
from cdp_core.testing.engines import EngineSuite, OpenOver, Texts
from postgres_server import Postgres
from spark_session import MASTER


def opened(url: str, scratch: Path, **secrets: Secret) -> Engine:
    spec = next(spec for spec in BUILT_IN_SOURCES if spec.accepts(url))
    source = ProfileSource(url=url, key="id")
    return spec.open(EngineContext(source=source, scratch=scratch, secrets=secrets))


def arrow(columns: Mapping[str, Texts]) -> pa.Table:
    return pa.table({name: pa.array(texts, pa.string()) for name, texts in columns.items()})


class TestParquet(EngineSuite):
    @pytest.fixture
    def open_over(self, tmp_path: Path) -> OpenOver:
        def over(columns: Mapping[str, Texts]) -> Engine:
            path = tmp_path / f"{uuid.uuid4().hex}.parquet"
            pq.write_table(arrow(columns), path)
            return opened(str(path), tmp_path / "scratch")

        return over


class TestCsv(EngineSuite):
    tells_empty = False

    @pytest.fixture
    def open_over(self, tmp_path: Path) -> OpenOver:
        def over(columns: Mapping[str, Texts]) -> Engine:
            path = tmp_path / f"{uuid.uuid4().hex}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
                writer.writerow(columns)
                writer.writerows(zip(*columns.values(), strict=True))
            return opened(str(path), tmp_path / "scratch")

        return over


class TestNdjson(EngineSuite):
    @pytest.fixture
    def open_over(self, tmp_path: Path) -> OpenOver:
        def over(columns: Mapping[str, Texts]) -> Engine:
            path = tmp_path / f"{uuid.uuid4().hex}.ndjson"
            rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            return opened(str(path), tmp_path / "scratch")

        return over


class TestDuckDBFile(EngineSuite):
    @pytest.fixture
    def open_over(self, tmp_path: Path) -> OpenOver:
        def over(columns: Mapping[str, Texts]) -> Engine:
            path = tmp_path / f"{uuid.uuid4().hex}.duckdb"
            with duckdb.connect(str(path)) as connection:
                connection.register("given", arrow(columns))
                connection.execute("CREATE TABLE customers AS SELECT * FROM given")
            return opened(f"{path}#customers", tmp_path / "scratch")

        return over


class TestPostgres(EngineSuite):
    @pytest.fixture
    def open_over(self, tmp_path: Path, postgres: Postgres) -> OpenOver:
        def over(columns: Mapping[str, Texts]) -> Engine:
            rows = zip(*columns.values(), strict=True)
            table = postgres.table(dict.fromkeys(columns, "text"), rows)
            return opened(postgres.url(table), tmp_path, password=Secret(postgres.password))

        return over


class TestSpark(EngineSuite):
    gives_rows = False

    @pytest.fixture
    def open_over(self, tmp_path: Path, spark: object) -> OpenOver:
        def over(columns: Mapping[str, Texts]) -> Engine:
            path = tmp_path / f"{uuid.uuid4().hex}.parquet"
            pq.write_table(arrow(columns), path)
            return opened(f"spark://{MASTER}#parquet.`{path}`", tmp_path / "scratch")

        return over
