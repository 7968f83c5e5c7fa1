"""`cdp profiles lint`: what would match and what would not, before anything is sent; never a raw value."""

from __future__ import annotations

import csv
import hashlib
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from .conftest import Keyboard


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


AD_ID = "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"
ROWS = [
    ("id", "email", "work_mail", "mail_sha", "mobile", "device", "city", "spend"),
    ("c1", "Ann.Smith@gmail.com", "", hashed("Ann.Smith@gmail.com"), "06-12345678", AD_ID, "Delft", "900"),
    ("c2", "ben@example.org", "", hashed("ben@example.org"), "+31 6 87654321", "", "Leiden", "10.5"),
    ("c3", "ben@example.org", "b.work@firm.nl", "", "0000000000", AD_ID.lower(), "Gouda", "900"),
    ("c4", "carl at gmail.com", "", hashed("carl@gmail.com").upper(), "12-", "", "Leiden", "900"),
    ("c5", "noemail", "", "", "", "00000000-0000-0000-0000-000000000000", "Delft", "900"),
]
RAW = {value for row in ROWS[1:] for value in row if len(value) > 5}


@pytest.fixture
def dirty(cdp: Keyboard, home: Path) -> Path:
    with (home / "dirty.csv").open("w", newline="") as file:
        csv.writer(file).writerows(ROWS)
    cdp("init", "--profiles", "dirty.csv", "--key", "id", "--vault", "file")
    cdp("segment", "add", "Big", "--where", "spend > 100")
    return home


def by_field(document: Any) -> dict[str, Any]:
    return {f"{each['kind']}={each['field']}": each for each in document["fields"]}


def told(found: dict[str, Any]) -> dict[str, int]:
    """The numbers that are not nought."""
    counts = {name: found[name] for name in ("read", "usable", "duplicate")}
    return {name: n for name, n in (counts | found["reasons"] | found["remarks"]).items() if n}


def test_every_column_is_guessed_and_counted_to_the_value(cdp: Keyboard, dirty: Path) -> None:
    document = cdp("profiles", "lint", "--default-region", "nl", "--json").document
    found = by_field(document)
    assert told(found["EMAIL=email"]) == {
        "read": 5,
        "usable": 3,
        "duplicate": 1,
        "placeholder": 1,
        "malformed": 1,
    }
    assert told(found["EMAIL=work_mail"]) == {"read": 5, "usable": 1, "missing": 4}
    assert told(found["EMAIL=mail_sha"]) == {
        "read": 5,
        "usable": 3,
        "missing": 2,
        "hashed": 3,
        "capitals": 1,
        "unnormalised": 1,
    }
    assert told(found["PHONE=mobile"]) == {
        "read": 5,
        "usable": 2,
        "missing": 1,
        "placeholder": 1,
        "malformed": 1,
    }
    assert told(found["MOBILE_AD_ID=device"]) == {
        "read": 5,
        "usable": 2,
        "duplicate": 1,
        "missing": 2,
        "placeholder": 1,
    }
    assert {each["field"]: each["kinds"] for each in document["matches"]} == {
        "email": ["EMAIL"],
        "work_mail": ["EMAIL"],
        "mail_sha": ["EMAIL", "PHONE", "MOBILE_AD_ID"],
        "mobile": ["PHONE"],
        "device": ["MOBILE_AD_ID"],
    }
    assert document["unfit"] == ["city"]


def test_order_numbers_and_columns_of_numbers_are_no_phones(cdp: Keyboard, home: Path) -> None:
    rows = "".join(f"{n},Order 6123456{n},316123456{n}\n" for n in range(10, 40))
    (home / "orders.csv").write_text("id,note,phone\n" + rows)
    cdp("init", "--profiles", "orders.csv", "--key", "id", "--vault", "file")
    document = cdp("profiles", "lint", "--default-region", "NL", "--json").document
    assert (document["fields"], document["unfit"]) == ([], ["note"])
    named = ("--field", "phone", "--kind", "PHONE", "--default-region", "NL")
    assert by_field(cdp("profiles", "lint", *named, "--json").document)["PHONE=phone"]["usable"] == 30


def test_more_rows_than_the_sample_are_counted_to_the_last(cdp: Keyboard, home: Path) -> None:
    rows = "".join(f"c{n},{f'p{n}@example.org' if n % 4 else 'bad at x'}\n" for n in range(5000))
    (home / "many.csv").write_text("id,email\n" + rows)
    cdp("init", "--profiles", "many.csv", "--key", "id", "--vault", "file")
    found = by_field(cdp("profiles", "lint", "--json").document)
    assert told(found["EMAIL=email"]) == {"read": 5000, "usable": 3750, "malformed": 1250}


def test_the_picture_says_what_to_type(cdp: Keyboard, dirty: Path) -> None:
    said = cdp("profiles", "lint", "--default-region", "NL").out
    assert "To match: --match EMAIL=email --match EMAIL=work_mail --match PHONE=mobile" in said
    assert "--match EMAIL=mail_sha or --match PHONE=mail_sha" in said
    assert "not normalised" in said
    bar = next(line for line in said.splitlines() if line.startswith("email") and "█" in line)
    assert bar.count("█") == round(24 * 3 / 5)
    assert "60.0 %" in bar


def test_nothing_raw_is_shown_or_kept(cdp: Keyboard, dirty: Path) -> None:
    before = {path: path.stat().st_size for path in (dirty / ".cdp").rglob("*") if path.is_file()}
    looks = [
        cdp("--debug", "profiles", "lint", *words)
        for words in ([], ["--json"], ["--field", "email", "--kind", "PHONE"], ["--segment", "Big"])
    ]
    for raw in RAW:
        for said in looks:
            assert raw.lower() not in (said.out + said.err).lower()
        for path in (dirty / ".cdp").rglob("*"):
            assert not path.is_file() or raw.encode() not in path.read_bytes()
    after = {path for path in (dirty / ".cdp").rglob("*") if path.is_file()}
    assert {path.name for path in after - set(before)} <= {"state.db-wal", "state.db-shm"}


def test_one_field_as_one_kind_of_a_segments_members(cdp: Keyboard, dirty: Path) -> None:
    words = (
        "--field",
        "email",
        "--field",
        "mobile",
        "--kind",
        "EMAIL",
        "--kind",
        "PHONE",
        "--segment",
        "Big",
    )
    found = by_field(cdp("profiles", "lint", *words, "--json").document)
    assert told(found["EMAIL=email"]) == {"read": 4, "usable": 2, "placeholder": 1, "malformed": 1}
    # Without a country a national number is nobody's.
    assert told(found["PHONE=mobile"])["malformed"] == 2
    both = by_field(
        cdp("profiles", "lint", "--field", "email", "--field", "city", "--kind", "EMAIL", "--json").document
    )
    assert told(both["EMAIL=city"]) == {"read": 5, "malformed": 5}


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("--kind", "EMAIL"), 2, "no field"),
        (("--field", "email", "--kind", "SHOE"), 3, "no kind of identifier 'SHOE'"),
        (("--field", "mail"), 3, "'mail'"),
        (("--field", "email", "--kind", "EMAIL", "--kind", "PHONE"), 3, "do not go together"),
        (("--segment", "Bog"), 3, "Bog"),
        (("--default-region", "ZZ"), 3, "no country 'ZZ'"),
        (("--region-field", "land"), 3, "'land'"),
    ],
)
def test_what_cannot_be_looked_at_is_named(
    cdp: Keyboard, dirty: Path, words: tuple[str, ...], status: int, says: str
) -> None:
    assert says in cdp("profiles", "lint", *words, status=status).err


def test_a_table_without_identifiers_says_so(cdp: Keyboard, home: Path) -> None:
    (home / "none.csv").write_text("id,city\nc1,Delft\n")
    cdp("init", "--profiles", "none.csv", "--key", "id", "--vault", "file")
    assert "No column looks like an identifier" in cdp("profiles", "lint").out


def test_phones_without_a_country_are_told_to_lack_one(cdp: Keyboard, home: Path) -> None:
    (home / "phones.csv").write_text("id,phone\n" + "".join(f"{n},06-12 34 56 {n:02}\n" for n in range(20)))
    cdp("init", "--profiles", "phones.csv", "--key", "id", "--vault", "file")
    words = ("profiles", "lint", "--field", "phone", "--kind", "PHONE")
    for lacking in (words, words[:2]):
        assert "--default-region NL" in cdp(*lacking).out
    found = cdp(*words, "--default-region", "NL").out
    assert "100.0 %" in found
    assert "--default-region" not in found


def test_a_terminal_shows_how_far_the_reading_is(dirty: Path, environ: dict[str, str]) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-m", "cdp_core.cli.main", "profiles", "lint", "--field", "email", "--kind", "EMAIL"],
        env=environ | {"TERM": "xterm", "COLUMNS": "120"},
        cwd=str(dirty),
        encoding="utf-8",
        timeout=30,
        dimensions=(40, 120),
    )
    said = child.read()
    child.close()
    assert child.exitstatus == 0, said
    assert "Reading" in said
    assert "█" in said
