"""The engines that read profile sources. Importing this loads none of them; opening a source does."""

from __future__ import annotations

from cdp_core.contract.source import Engine, EngineContext, SourceSpec
from cdp_core.engines.postgres.address import PASSWORD
from cdp_core.engines.spark.address import SCHEME, url_of
from cdp_core.rules.postgres_urls import SCHEMES


def _is_local(url: str) -> bool:
    """DuckDB reads files: whatever is no URL, and the two forms of URL that mean a file here."""
    return "://" not in url or url.startswith(("file://", "duckdb://"))


def _open_duckdb(context: EngineContext) -> Engine:
    from cdp_core.engines.duckdb.engine import DuckDBEngine

    return DuckDBEngine(context)


def _open_postgres(context: EngineContext) -> Engine:
    from cdp_core.engines.postgres.engine import PostgresEngine

    return PostgresEngine(context)


def _open_spark(context: EngineContext) -> Engine:
    from cdp_core.engines.spark.engine import SparkEngine

    return SparkEngine(context)


BUILT_IN_SOURCES: tuple[SourceSpec, ...] = (
    SourceSpec(
        key="duckdb",
        label="Parquet, CSV, newline-delimited JSON, or a DuckDB file's table",
        accepts=_is_local,
        open=_open_duckdb,
    ),
    SourceSpec(
        key="postgres",
        label="a table or view in PostgreSQL",
        accepts=lambda url: url.startswith(SCHEMES),
        open=_open_postgres,
        secrets=frozenset({PASSWORD}),
    ),
    SourceSpec(
        key="spark",
        label="a table of Spark's catalogs, or a folder of files that Spark reads",
        accepts=lambda url: url.startswith(SCHEME),
        open=_open_spark,
        url_of=url_of,
    ),
)
