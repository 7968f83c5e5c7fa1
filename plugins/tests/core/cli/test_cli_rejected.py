"""`cdp export rejected`: keys, digests and reasons in a file, and no raw identifier."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard

COLUMNS = ["key", "operation", "kind", "digest", "alone", "reason", "request_id", "http_status"]


def hexadecimal(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()


# Rows 1 and 5 of the profiles have one address, and row 2 the other.
KEYS = {("1", hexadecimal("ann@example.org")), ("5", hexadecimal("ann@example.org"))} | {
    ("2", hexadecimal("ben@example.org"))
}


@pytest.fixture
def refused(cdp: Keyboard, export: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run in which the service refused everything."""
    monkeypatch.setenv("ACME_REFUSES", "1")
    run: str = cdp("export", "run", export, "--json", status=8).document["run"]
    return run


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("name", ["r.csv", "r.ndjson", "r.jsonl", "r.parquet", "R.CSV"])
def test_each_form_holds_the_keys_of_all_rows_and_no_identifier(
    cdp: Keyboard, refused: str, home: Path, name: str
) -> None:
    said = cdp("export", "rejected", refused, "--output", name)
    path = home / name
    assert said.out == f"Wrote 2 refused digests to {path}.\n"
    assert path.stat().st_mode & 0o777 == 0o600
    rows = read(path if name != "R.CSV" else path.rename(home / "r.csv"))
    assert [list(row) for row in rows] == [COLUMNS] * 3
    assert {(str(row["key"]), row["digest"]) for row in rows} == KEYS
    assert {(row["operation"], row["kind"], row["reason"]) for row in rows} == {
        ("add", "EMAIL", "not \x1b[2Jtoday")
    }
    assert {str(row["alone"]).lower() for row in rows} == {"true"}
    assert b"example.org" not in (home / "r.csv" if name == "R.CSV" else path).read_bytes()


def test_a_key_or_a_reason_is_no_formula_in_csv_and_as_it_is_elsewhere(
    cdp: Keyboard, refused: str, home: Path
) -> None:
    (home / "profiles.csv").write_text(
        "customer_id,email,lifetime_value\n=cmd|'/C calc'!A0,ann@example.org,900\n-5,ben@example.org,900\n"
    )
    for name, key in (("r.csv", "'=cmd|'/C calc'!A0"), ("r.ndjson", "=cmd|'/C calc'!A0")):
        cdp("export", "rejected", refused, "--output", name)
        assert {row["key"] for row in read(home / name)} == {key, "-5"}


def test_a_file_that_is_there_is_overwritten_with_yes_only(cdp: Keyboard, refused: str, home: Path) -> None:
    (home / "r.csv").write_text("mine")
    refusal = cdp("export", "rejected", refused, "--output", "r.csv", status=2).err
    assert "there already" in refusal
    assert "--yes" in refusal
    assert (home / "r.csv").read_text() == "mine"
    cdp("export", "rejected", refused, "--output", "r.csv", "--yes")
    assert len(read(home / "r.csv")) == 3
    assert (home / "r.csv").stat().st_mode & 0o777 == 0o600


def test_a_name_that_says_no_form_and_a_folder_that_is_not_there_are_refused(
    cdp: Keyboard, refused: str, home: Path
) -> None:
    assert ".parquet" in cdp("export", "rejected", refused, "--output", "r.xlsx", status=2).err
    assert "no folder 'gone'" in cdp("export", "rejected", refused, "--output", "gone/r.csv", status=2).err


def test_who_has_left_the_profiles_is_told_without_a_key(cdp: Keyboard, refused: str, home: Path) -> None:
    (home / "profiles.csv").write_text("customer_id,email,lifetime_value\n2,ben@example.org,800\n")
    document = cdp("export", "rejected", refused, "--output", "r.ndjson", "--json").document
    assert (document["rows"], document["digests"], document["without_key"]) == (2, 2, 1)
    assert {(row["key"], row["digest"]) for row in read(home / "r.ndjson")} == {
        (None, hexadecimal("ann@example.org")),
        ("2", hexadecimal("ben@example.org")),
    }


def test_a_run_in_which_nothing_was_refused_gives_an_empty_file(
    cdp: Keyboard, export: str, home: Path
) -> None:
    run = cdp("export", "run", export, "--json").document["run"]
    for name in ("r.csv", "r.parquet", "r.ndjson"):
        assert "Wrote 0 refused digests" in cdp("export", "rejected", run, "--output", name).out
        assert read(home / name) == []
    assert (home / "r.csv").read_text().count('"') == 2 * len(COLUMNS)


def test_an_export_that_is_gone_leaves_the_digests_without_keys(
    cdp: Keyboard, refused: str, export: str, home: Path
) -> None:
    cdp("export", "remove", export, "--yes")
    cdp("export", "rejected", refused, "--output", "r.csv")
    assert {(row["key"], row["digest"]) for row in read(home / "r.csv")} == {
        ("", digest) for _, digest in KEYS
    }


def test_a_key_that_is_an_identifier_itself_is_left_out(
    cdp: Keyboard, refused: str, export: str, home: Path
) -> None:
    cdp("export", "edit", export, "--match", "EMAIL=customer_id", "--match", "EMAIL=email")
    cdp("export", "rejected", refused, "--output", "r.csv")
    assert {row["key"] for row in read(home / "r.csv")} == {""}


def test_a_viewer_may_look_at_a_run_and_not_take_its_digests_along(
    cdp: Keyboard, refused: str, home: Path
) -> None:
    cdp("role", "grant", "vic", "viewer")
    assert "refused alone" in cdp("--as", "vic", "export", "show-run", refused).out
    cdp("--as", "vic", "export", "rejected", refused, "--output", "r.csv", status=4)
    assert not (home / "r.csv").exists()
