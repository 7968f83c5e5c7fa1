"""The main job over profiles in PostgreSQL, and what is said where they cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdp_snapchat.simulator import SnapchatSimulator
from main_job import AUDIENCE, Cdp, add_connection, add_export, customers, digest, wanted
from postgres_server import Postgres

NAME = "Loyal to Snapchat"
COLUMNS = {"customer_id": "text", "email": "text", "lifetime_value": "bigint"}


@pytest.fixture
def table(postgres: Postgres) -> str:
    return postgres.table(COLUMNS, [*customers(range(300)), *customers(range(300, 400), value=10)])


@pytest.fixture
def password(cdp: Cdp, postgres: Postgres) -> Path:
    path = cdp.folder / "password of the reader"
    path.write_text(postgres.password + "\n")
    path.chmod(0o600)
    return path


def init(cdp: Cdp, url: str, *more: str, status: int = 0) -> str:
    done = cdp("init", "--profiles", url, "--key", "customer_id", *more, status=status)
    return done.stdout + done.stderr


def test_a_segment_of_a_table_in_postgres_comes_into_the_audience_and_follows_it(
    cdp: Cdp, simulator: SnapchatSimulator, postgres: Postgres, table: str, password: Path
) -> None:
    init(cdp, postgres.url(table), "--option", f"password=file:{password.name}")
    settings = cdp.folder / ".cdp" / "cdp.toml"
    assert str(password) in settings.read_text()
    cdp("segment", "add", "Loyal customers", "--where", "lifetime_value > 500")
    add_connection(cdp, simulator)
    cdp.sign_in("Snapchat EU")
    add_export(cdp)
    plan = cdp.json("export", "plan", NAME)
    assert (plan["kinds"]["EMAIL"]["read"], plan["kinds"]["EMAIL"]["added"]) == (300, 300)
    assert simulator.members(AUDIENCE, "EMAIL_SHA256") == set()
    cdp("export", "run", NAME)
    assert simulator.members(AUDIENCE, "EMAIL_SHA256") == wanted(range(300))

    postgres.execute(f"DELETE FROM {table} WHERE customer_id = 'c0'")
    postgres.execute(f"INSERT INTO {table} VALUES ('new', '\u00c5sa@Example.org', 900)")
    cdp("export", "run", NAME)
    assert simulator.members(AUDIENCE, "EMAIL_SHA256") == wanted(range(1, 300)) | {
        digest("\u00e5sa@example.org")
    }

    settings.write_text(settings.read_text() + "\n[engine]\nlocal_normalising = false\n")
    counts = cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert (counts["unsupported"], counts["removed"]) == (1, 1)
    assert simulator.members(AUDIENCE, "EMAIL_SHA256") == wanted(range(1, 300))
    kept = b"".join(
        path.read_bytes() for path in cdp.folder.rglob("*") if path.is_file() and path != password
    )
    assert postgres.password.encode() not in kept
    assert b"person1@example.org" not in kept.lower()


def test_its_fields_can_be_looked_through(cdp: Cdp, postgres: Postgres, table: str, password: Path) -> None:
    init(cdp, postgres.url(table), "--option", f"password=file:{password}")
    assert "email" in cdp("profiles", "lint").stdout


def test_a_wrong_password_is_told_and_nothing_is_left_behind(
    cdp: Cdp, postgres: Postgres, table: str, password: Path
) -> None:
    password.write_text("another")
    said = init(cdp, postgres.url(table), "--option", f"password=file:{password}", status=3)
    assert "CDP-304" in said
    assert "does not accept this user's password" in said
    assert not (cdp.folder / ".cdp").exists()


@pytest.mark.parametrize(
    ("option", "status", "code"),
    [
        ("password=s3cret", 2, "CDP-202"),
        ("password=env:NOWHERE", 3, "CDP-312"),
        ("password=vault:x", 3, "CDP-312"),
    ],
)
def test_a_password_is_given_by_reference(
    *, option: str, status: int, code: str, cdp: Cdp, postgres: Postgres, table: str
) -> None:
    said = init(cdp, postgres.url(table), "--option", option, status=status)
    assert code in said
    assert "s3cret" not in said


def test_a_url_with_a_password_is_refused(cdp: Cdp) -> None:
    said = init(cdp, "postgresql://reader:s3cret@127.0.0.1/crm#customers", status=2)
    assert "CDP-202" in said
    assert "s3cret" not in said


def test_no_server_no_table_and_no_column_are_told_apart(
    cdp: Cdp, postgres: Postgres, table: str, password: Path
) -> None:
    given = ("--option", f"password=file:{password}")
    assert "CDP-901" in init(cdp, postgres.url(table, port=1), *given, status=9)
    assert "no table 'public.nothing'" in init(cdp, postgres.url("public.nothing"), *given, status=3)
    init(cdp, postgres.url(table), *given)
    wrong = cdp("segment", "add", "Wrong", "--where", "lifetime_valu > 500", status=3)
    assert "line 1, column 1" in wrong.stdout + wrong.stderr


def test_a_server_that_is_gone_stops_a_run_until_later(
    cdp: Cdp, postgres: Postgres, table: str, password: Path
) -> None:
    init(cdp, postgres.url(table), "--option", f"password=file:{password}")
    settings = cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(settings.read_text().replace(f":{postgres.port}/", ":1/"))
    done = cdp("segment", "add", "Loyal", "--where", "true", status=9)
    assert "CDP-901" in done.stdout + done.stderr
    checked = cdp("doctor", status=3)
    assert "reached" in checked.stdout + checked.stderr


def test_whole_rows_of_a_table_in_postgres_are_written_to_files_and_follow_it(
    cdp: Cdp, postgres: Postgres, table: str, password: Path
) -> None:
    init(cdp, postgres.url(table), "--option", f"password=file:{password.name}")
    folder = cdp.folder / "exports"
    folder.mkdir()
    cdp("segment", "add", "Loyal customers", "--where", "lifetime_value > 500")
    cdp("connection", "add", "files_records", "--name", "R", "--set", f"url={folder.as_uri()}", "--agree")
    cdp(
        *("export", "add", "Rows", "--connection", "R", "--set", "folder=loyal", "--set", "format=ndjson"),
        *("--field", "customer_id", "--field", "email=mail", "--field", "lifetime_value"),
        *("--match", "EMAIL=email", "--segment", "Loyal customers"),
    )

    def rows(operation: str) -> list[dict[str, str]]:
        files = folder.rglob(f"{operation}-RECORD-*.ndjson")
        return [json.loads(line) for path in files for line in path.read_text().splitlines()]

    cdp("export", "run", "Rows")
    first = {row["customer_id"]: row for row in rows("add")}
    assert len(first) == 300
    assert (first["c7"]["mail"].lower(), first["c7"]["lifetime_value"]) == ("person7@example.org", "900")
    postgres.execute(f"UPDATE {table} SET lifetime_value = 1000 WHERE customer_id = 'c7'")
    counts = cdp.json("export", "run", "Rows")["kinds"]["RECORD"]
    assert (counts["added"], counts["removed"], counts["replaced"]) == (1, 1, 1)
    assert [row["record"] for row in rows("remove")] == [first["c7"]["record"]]
    kept = b"".join(path.read_bytes() for path in (cdp.folder / ".cdp").rglob("*") if path.is_file())
    assert b"person1@example.org" not in kept.lower()
