"""Segments' texts: DuckDB's check, and PostgreSQL's cutting into words."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cdp_core.contract.source import EngineContext
from cdp_core.engines.duckdb.engine import DuckDBEngine
from cdp_core.engines.postgres.tokens import called, tokens
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import ProfileSource, Segment
from fuzzing import fuzzed, texts

CONDITIONS = (
    "value > 500 AND email <> 'a;b' -- enough; really",
    "value > (SELECT avg(value) FROM profiles)",
    "id IN (SELECT id FROM profiles QUALIFY row_number() OVER (ORDER BY value) = 1)",
    "CASE WHEN regexp_matches(email, '^[a-z]+$') THEN true END /* as ( */",
    "list_contains(list_transform([value], lambda x: x + 1), 2) OR email ILIKE $$%x%$$",
    'profiles."value" BETWEEN 1 AND 2e3 AND NOT (email IS NULL)',
)
QUERIES = (
    "WITH rich AS (SELECT * FROM profiles WHERE value > 500) SELECT id FROM rich -- yes",
    "FROM profiles SELECT id;",
    "SELECT id FROM profiles, unnest([1, 2]) AS two(n) ORDER BY value DESC NULLS LAST LIMIT 1",
    "SELECT id FROM profiles UNION SELECT '9' EXCEPT VALUES ('1')",
)


@functools.cache
def engine() -> DuckDBEngine:
    folder = Path(tempfile.mkdtemp(prefix="cdp-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    profiles = folder / "profiles.csv"
    profiles.write_text("id,email,value\n1,secret1@x.de,100\n2,secret2@x.de,600\n")
    source = ProfileSource(url=str(profiles), key="id", options={})
    return DuckDBEngine(EngineContext(source=source, scratch=folder / "scratch", memory_limit=256 << 20))


def refusal(ask: Callable[[], object]) -> InvalidFault | None:
    try:
        ask()
    except InvalidFault as fault:
        return fault
    return None


@fuzzed(texts(*CONDITIONS), texts(*QUERIES), slow=True)
def test_a_segments_text(condition: str, query: str) -> None:
    for segment in (Segment(id="1", name="S", where=condition), Segment(id="1", name="S", sql=query)):
        for read in (engine().check_segment, engine().names_in):
            said = refusal(functools.partial(read, segment))
            assert said is None or said.code is Code.SEGMENT_INVALID
            assert said is None or "secret" not in said.message
    assert engine().check_segment(Segment(id="1", name="All", where="true")) == 2


@fuzzed(texts(*CONDITIONS, *QUERIES, "email = $tag$a ' ; ( $b$ $tag$ /* /* */ */"))
def test_a_text_cut_into_words(text: str) -> None:
    with suppress(InvalidFault):
        found = tokens(text, "it")
        assert all(text[token.at :] for token in found)
        assert set(called(found)) <= {token.text for token in found}
