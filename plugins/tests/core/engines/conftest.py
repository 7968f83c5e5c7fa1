"""Profile files of every form, and engines over them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp_core.contract.source import DigestSink, EngineContext, Selected, Selection
from cdp_core.engines import BUILT_IN_SOURCES
from cdp_core.engines.duckdb.engine import DuckDBEngine
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Match, ProfileSource, Segment
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from postgres_server import postgres  # noqa: F401 - a fixture
from spark_session import spark  # noqa: F401 - a fixture

EVERYBODY = Segment(id="1", name="Everybody", where="true")

OpenEngine = Callable[..., DuckDBEngine]


class Found(DigestSink):
    """Keeps what an engine hands over."""

    def __init__(self) -> None:
        self.counts: Counter[bytes | Reason] = Counter()
        self.kept_back: Counter[bytes] = Counter()

    def digests(self, kind: str, digests: bytes | memoryview) -> None:
        self.counts.update(bytes(digests[at : at + 32]) for at in range(0, len(digests), 32))

    def withheld(self, kind: str, digests: bytes | memoryview) -> None:
        self.kept_back.update(bytes(digests[at : at + 32]) for at in range(0, len(digests), 32))

    def reason(self, kind: str, reason: Reason, values: int) -> None:
        self.counts[reason] += values


@pytest.fixture
def open_engine(tmp_path: Path) -> Iterator[OpenEngine]:
    engines: list[DuckDBEngine] = []

    def open_it(url: Path | str, *, key: str = "id", **options: str) -> DuckDBEngine:
        source = ProfileSource(url=str(url), key=key, options=options)
        spec = next(spec for spec in BUILT_IN_SOURCES if spec.accepts(source.url))
        engine = spec.open(EngineContext(source=source, scratch=tmp_path / "scratch"))
        assert isinstance(engine, DuckDBEngine)
        engines.append(engine)
        return engine

    yield open_it
    for engine in engines:
        engine.close()


@pytest.fixture
def found() -> Found:
    return Found()


@pytest.fixture
def identified() -> Callable[..., tuple[Selected, Counter[bytes | Reason]]]:
    """Everything that an engine hands over for the segments' members."""

    def identify(
        engine: DuckDBEngine, *segments: Segment, fields: tuple[str, ...] = ("email",)
    ) -> tuple[Selected, Counter[bytes | Reason]]:
        sink = Found()
        selection = Selection(
            segments=segments or (EVERYBODY,),
            matching=tuple(Match(kind="EMAIL", field=field) for field in fields),
            kinds=BUILT_IN_KINDS,
        )
        return engine.identify(selection, sink, lambda members: None), sink.counts

    return identify


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[..., Path]:
    """Write columns to a Parquet file, without DuckDB touching their texts."""

    def write(**columns: object) -> Path:
        path = tmp_path / f"{uuid.uuid4().hex}.parquet"
        pq.write_table(pa.table(columns), path)
        return path

    return write
