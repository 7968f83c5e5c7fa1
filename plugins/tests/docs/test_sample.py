"""The demo's customers: the same bytes each time, and all the dirt that was promised."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

SAMPLE = Path(__file__).parents[3] / "examples/demo/sample.py"
PROFILES = 30_000


def write(path: Path, *options: str) -> Path:
    command = [sys.executable, str(SAMPLE), str(path), "--profiles", str(PROFILES), *options]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("sample")
    with duckdb.connect() as connection:
        for day in ("1", "2"):
            path = write(folder / f"it's day {day}.parquet", "--day", day)
            connection.execute(f"CREATE TABLE day{day} AS FROM '{str(path).replace(chr(39), chr(39) * 2)}'")
        yield connection


def number(days: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = days.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    first, again = write(tmp_path / "first.parquet"), write(tmp_path / "again.parquet")
    other = write(tmp_path / "other.parquet", "--seed", "8")
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()


def test_the_columns_are_those_of_a_customer_table(days: duckdb.DuckDBPyConnection) -> None:
    columns = {row[0]: row[1] for row in days.execute("DESCRIBE day1").fetchall()}
    assert columns == {
        "customer_id": "VARCHAR",
        "email": "VARCHAR",
        "phone": "VARCHAR",
        "mobile_ad_id": "VARCHAR",
        "country": "VARCHAR",
        "marketing_consent": "BOOLEAN",
        "lifetime_value": "DOUBLE",
        "last_order": "DATE",
    }
    assert number(days, "SELECT count(DISTINCT customer_id) FROM day1") == PROFILES


@pytest.mark.parametrize(
    "dirt",
    [
        "email IS NULL",
        "trim(email) = ''",
        "contains(email, chr(160))",
        "contains(email, chr(12288))",
        "email LIKE '%' || chr(9)",
        "email = upper(email) AND email LIKE '%@%'",
        "regexp_matches(email, '[^\\x00-\\x7F]')",
        "lower(trim(email)) = 'test@test.com'",
        "email = 'n/a'",
        "email LIKE '%@@%'",
        "email NOT LIKE '%@%' AND length(email) > 10",
        "regexp_full_match(email, '[0-9a-f]{64}')",
        "regexp_full_match(email, '[0-9A-F]{64}')",
        "regexp_full_match(email, '[0-9a-f]{32}')",
        "phone = '+0000000000'",
        "mobile_ad_id LIKE '00000000-%'",
        "marketing_consent IS NULL",
    ],
)
def test_the_dirt_of_real_data_is_there(days: duckdb.DuckDBPyConnection, dirt: str) -> None:
    assert number(days, f"SELECT count(*) FROM day1 WHERE {dirt}") > 0


def test_no_address_can_be_a_real_persons(days: duckdb.DuckDBPyConnection) -> None:
    elsewhere = "NOT contains(replace(lower(email), ' ', ''), '.example')"
    address = "email LIKE '%@%.%' AND lower(trim(email)) <> 'test@test.com'"
    assert number(days, f"SELECT count(*) FROM day1 WHERE {address} AND {elsewhere}") == 0


def test_the_next_day_some_have_left_some_have_come_and_some_have_moved(
    days: duckdb.DuckDBPyConnection,
) -> None:
    both = "FROM day1 AS old FULL JOIN day2 AS new USING (customer_id)"
    was, now = "coalesce(old.lifetime_value > 500, false)", "coalesce(new.lifetime_value > 500, false)"
    loyal = number(days, "SELECT count(*) FROM day1 WHERE lifetime_value > 500")
    left = number(days, f"SELECT count(*) {both} WHERE {was} AND NOT {now}")
    joined = number(days, f"SELECT count(*) {both} WHERE {now} AND NOT {was}")
    moved = number(days, f"SELECT count(*) {both} WHERE {was} AND {now} AND old.email <> new.email")
    assert 0.04 < left / loyal < 0.07
    assert 0.02 < joined / loyal < 0.07
    assert 0.01 < moved / loyal < 0.03
