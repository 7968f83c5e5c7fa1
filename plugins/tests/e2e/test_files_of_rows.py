"""Whole rows as files, by commands: what a consumer finds, who is kept out, and that no value stays here."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from main_job import KILLER, QUICK, Cdp
from reading_files import in_folder, manifests, rows_held
from storages import S3_SECRET, s3_server

NAME = "Loyal rows"
RUN = ("export", "run", NAME)
FIELDS = ("--field", "customer_id", "--field", "email", "--field", "first_name=given_name", "--field", "city")
Row = dict[str, Any]


def customer(number: int, **changed: Any) -> Row:
    return {
        "customer_id": f"c{number}",
        "email": f"person{number}@example.org",
        "first_name": f"Näme{number}",
        "city": None if number % 3 else f"Zwolle-{number}",
        "value": 900,
        "agrees": "yes",
    } | changed


@dataclass(frozen=True, slots=True)
class RowsJob:
    cdp: Cdp
    folder: Path

    def write(self, rows: list[Row]) -> None:
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), self.cdp.folder / "profiles.parquet")

    def held(self) -> dict[str, Mapping[str, Any]]:
        return rows_held(*in_folder(self.folder), "loyal")

    def people(self) -> set[str]:
        return {row["customer_id"] for row in self.held().values()}

    def manifests(self) -> list[Mapping[str, Any]]:
        return [manifest for _, manifest in manifests(*in_folder(self.folder), "loyal")]

    def killed(self, step: str, *words: str) -> bool:
        process = self.cdp.start(*words, environ={"CDP_TEST_KILL": step, "PYTHONPATH": str(KILLER)})
        said, errors = process.communicate(timeout=60)
        assert process.returncode in (0, -signal.SIGKILL), said + errors
        return process.returncode != 0

    def explained(self, person: str) -> Any:
        return json.loads(self.cdp("explain", "--json", stdin=f"{person}\n").stdout)

    def require_no_values(self, rows: list[Row]) -> None:
        """No value of the rows lies in the workspace, whatever has happened there."""
        kept = [path for path in (self.cdp.folder / ".cdp").rglob("*") if path.is_file()]
        assert kept
        for path in kept:
            content = path.read_bytes()
            for row in rows:
                for value in (row["email"], row["first_name"], f"Zwolle-{row['customer_id'][1:]}"):
                    assert value.encode() not in content, path


TEXTS = ("customer_id", "email", "first_name", "city", "agrees")
SCHEMA = pa.schema([*((each, pa.string()) for each in TEXTS), ("value", pa.int64())])


def add_rows(cdp: Cdp, url: str, *more: str, name: str = NAME, connection: str = "Rows") -> None:
    cdp("connection", "add", "files_records", "--name", connection, "--set", f"url={url}", "--agree")
    cdp(
        *("export", "add", name, "--connection", connection, "--set", "folder=loyal"),
        *("--set", "rows_per_file=100", "--set", "format=ndjson", "--match", "EMAIL=email", *FIELDS),
        *("--segment", "Loyal customers", *more),
    )


@pytest.fixture
def rows(cdp: Cdp) -> RowsJob:
    made = RowsJob(cdp=cdp, folder=cdp.folder / "exports")
    made.folder.mkdir()
    made.write([customer(each) for each in range(250)] + [customer(999, value=1)])
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    settings = cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(settings.read_text() + QUICK)
    cdp("segment", "add", "Loyal customers", "--where", "value > 500")
    add_rows(cdp, made.folder.as_uri())
    return made


def test_rows_come_changes_follow_and_no_value_stays_here(rows: RowsJob) -> None:
    before = [customer(each) for each in range(250)]
    planned = rows.cdp.json("export", "plan", NAME)
    assert planned["kinds"]["RECORD"]["added"] == 250
    assert not list(rows.folder.rglob("add-*"))
    report = rows.cdp.json(*RUN)
    assert (report["delivered"]["accepted"], report["delivered"]["requests"]) == (250, 3)
    found = {row["customer_id"]: row for row in rows.held().values()}
    for row in before:
        got = found.pop(row["customer_id"])
        assert (got["email"], got["given_name"], got["city"]) == (
            row["email"],
            row["first_name"],
            row["city"],
        )
        assert set(got) == {"operation", "record", "customer_id", "email", "given_name", "city"}
    assert not found
    # One left, one came, two changed; what is not chosen changes nothing.
    after = [customer(each) for each in range(1, 251)]
    after[0] |= {"first_name": "Anders"}
    after[1] |= {"city": ""}
    after[2] |= {"agrees": "perhaps"}
    rows.write(after)
    report = rows.cdp.json(*RUN)
    counts = report["kinds"]["RECORD"]
    assert (counts["added"], counts["removed"], counts["replaced"], counts["unchanged"]) == (3, 3, 2, 247)
    assert rows.people() == {row["customer_id"] for row in after}
    now = {row["customer_id"]: row for row in rows.held().values()}
    assert (now["c1"]["given_name"], now["c2"]["city"]) == ("Anders", "")
    rows.cdp(*RUN)
    assert len(rows.manifests()) == 2
    rows.cdp("export", "show-run", report["run"])
    rows.require_no_values(before + after)


def test_all_rows_may_change_and_no_gate_takes_it_for_a_loss(rows: RowsJob) -> None:
    rows.cdp(*RUN)
    rows.write([customer(each, first_name=f"Other{each}") for each in range(250)])
    report = rows.cdp.json(*RUN)
    assert report["kinds"]["RECORD"]["replaced"] == 250
    assert {row["given_name"] for row in rows.held().values()} == {f"Other{each}" for each in range(250)}
    rows.write([customer(each) for each in range(10)])
    rows.cdp(*RUN, status=7)


def test_who_is_suppressed_or_has_not_agreed_is_kept_out_and_taken_out(rows: RowsJob) -> None:
    rows.cdp("export", "edit", NAME, "--consent-field", "agrees=yes")
    table = [customer(each) for each in range(20)]
    table[1] |= {"agrees": "no"}
    # Somebody else's row says no for the same address, and is no member.
    table.append(customer(50, email="PERSON2@example.org ", agrees="no", value=1))
    # Nobody can tell whose these are.
    table[3] |= {"email": None}
    table[4] |= {"email": "no address"}
    table[5] |= {"email": "test@test.com"}
    rows.write(table)
    rows.cdp("suppress", "add", "--kind", "EMAIL", stdin="person6@example.org\n")
    counts = rows.cdp.json(*RUN)["kinds"]["RECORD"]
    assert rows.people() == {f"c{each}" for each in range(20)} - {f"c{each}" for each in range(1, 7)}
    told = ("without_consent", "missing", "malformed", "placeholder", "suppressed", "read", "added")
    assert [counts[each] for each in told] == [2, 1, 1, 1, 1, 20, 14]
    # Past every gate, though the rows have changed and left the segment meanwhile.
    rows.cdp("suppress", "add", "--kind", "EMAIL", stdin="person7@example.org\n")
    table = [customer(each) for each in (7, 8)]
    table[0] |= {"first_name": "Neu", "value": 1}
    table[1] |= {"agrees": "no", "city": "Neu"}
    rows.write(table)
    rows.cdp(*RUN, status=7)
    assert rows.people() == {f"c{each}" for each in (0, *range(9, 20))}
    rows.require_no_values([customer(each) for each in range(20)])


def test_replace_writes_the_whole_each_time(rows: RowsJob) -> None:
    rows.cdp("export", "edit", NAME, "--mode", "replace", "--set", "format=parquet")
    rows.cdp(*RUN, "--yes")
    rows.write([customer(each) for each in range(50, 300)])
    rows.cdp(*RUN, "--yes")
    assert [each["contents"] for each in rows.manifests()] == ["full", "full"]
    assert [each["complete"] for each in rows.manifests()] == [True, True]
    assert rows.people() == {f"c{each}" for each in range(50, 300)}
    assert json.loads((rows.folder / "loyal" / "_latest_rows.json").read_text())


def test_a_row_that_changed_after_the_plan_waits_for_the_next_run(rows: RowsJob) -> None:
    plan = rows.cdp.json("export", "plan", NAME)["plan"]
    table = [customer(each) for each in range(249)]
    table[3] |= {"first_name": "Later"}
    rows.write(table)
    report = rows.cdp.json(*RUN, "--plan", plan)
    delivered = report["delivered"]
    assert (delivered["planned"], delivered["accepted"], delivered["left_out"]) == (250, 248, 2)
    assert rows.people() == {f"c{each}" for each in range(249)} - {"c3"}
    rows.cdp(*RUN)
    assert rows.people() == {f"c{each}" for each in range(249)}


def test_who_is_suppressed_after_the_plan_is_left_out(rows: RowsJob) -> None:
    plan = rows.cdp.json("export", "plan", NAME)["plan"]
    rows.cdp("suppress", "add", "--kind", "EMAIL", stdin="person9@example.org\n")
    report = rows.cdp.json(*RUN, "--plan", plan)
    assert report["delivered"]["left_out"] == 1
    assert "c9" not in rows.people()


@pytest.mark.parametrize("mode", ["mirror", "replace"])
@pytest.mark.parametrize(
    "step",
    [
        "cdp_files.storage:Storage.write:after:1",
        "cdp_files.storage:Storage.write:after:4",
        "cdp_files.destination:FilesAudience._publish:after:1",
        "cdp_core.runner.rows:PlannedRows._read:after:1",
        "cdp_core.store.journal:Journal.close:after:2",
        "cdp_core.store.ledgers:Ledgers.commit:before:1",
    ],
)
def test_killed_anywhere_the_next_run_converges_and_nothing_stays_here(
    rows: RowsJob, step: str, mode: str
) -> None:
    rows.cdp(*RUN)
    rows.cdp("export", "edit", NAME, "--mode", mode)
    after = [customer(each, first_name=f"Other{each}") for each in range(100, 350)]
    rows.write(after)
    assert rows.killed(step, *RUN, "--yes")
    rows.require_no_values([*after, *(customer(each) for each in range(250))])
    rows.cdp(*RUN, "--yes")
    assert rows.people() == {f"c{each}" for each in range(100, 350)}
    assert len(rows.held()) == 250
    assert in_folder(rows.folder)[0]("loyal/_open_rows") == ()


def test_profiles_that_cannot_be_read_at_delivery_fail_the_run_and_say_no_value(rows: RowsJob) -> None:
    plan = rows.cdp.json("export", "plan", NAME)["plan"]
    (rows.cdp.folder / "profiles.parquet").write_bytes(b"PAR1 person1@example.org PAR1")
    said = rows.cdp(*RUN, "--plan", plan, status=3)
    assert "person1" not in said.stdout + said.stderr
    assert not list(rows.folder.rglob("add-*"))
    rows.write([customer(each) for each in range(250)])
    rows.cdp(*RUN)
    assert len(rows.people()) == 250


def test_what_is_taken_out_on_removal_names_every_record(rows: RowsJob) -> None:
    rows.cdp(*RUN)
    rows.cdp("export", "remove", NAME, "--take-members-out", "--yes")
    assert rows.held() == {}


def given_names(path: Path) -> dict[str, str]:
    with path.open(newline="", encoding="utf-8") as file:
        return {row["customer_id"]: row["given_name"] for row in csv.DictReader(file)}


def test_csv_holds_any_text_and_no_formula(rows: RowsJob) -> None:
    texts = [
        "=1+1",
        "+31612345678",
        "-12,5",
        "-x",
        "@x",
        "\tx",
        'say "hi", you',
        "two\nlines",
        "",
        "'=1",
        "ü",
        "Ann;=cmd|'/C calc'!A0",
        "x\n@SUM(1)",
        "1,+31612345678;-5",
        "\uff1d1+1",
    ]
    rows.write([customer(each, first_name=text) for each, text in enumerate(texts)])
    rows.cdp("export", "edit", NAME, "--set", "format=csv")
    rows.cdp(*RUN)
    (path,) = rows.folder.rglob("add-*.csv")
    found = given_names(path)
    escaped = {text: f"'{text}" for text in ("=1+1", "-x", "@x", "\tx", "\uff1d1+1")}
    # Where semicolons part the cells, or a line's end does.
    escaped |= {"Ann;=cmd|'/C calc'!A0": "Ann;'=cmd|'/C calc'!A0", "x\n@SUM(1)": "x\n'@SUM(1)"}
    assert [found[f"c{each}"] for each in range(len(texts))] == [escaped.get(text, text) for text in texts]
    rows.cdp("export", "edit", NAME, "--set", "escape_formulas=false", "--mode", "replace")
    rows.cdp(*RUN, "--yes")
    last = max(rows.folder.rglob("add-*.csv"), key=lambda each: each.stat().st_mtime_ns)
    found = given_names(last)
    assert [found[f"c{each}"] for each in range(len(texts))] == texts


def test_a_bucket_is_filled_with_rows(rows: RowsJob) -> None:
    with s3_server() as server:
        rows.cdp.environ["BUCKET_SECRET"] = S3_SECRET
        words = [
            f"--set={name}={value}" for name, value in server.settings.items() if name != "secret_access_key"
        ]
        rows.cdp(
            *("connection", "add", "files_records", "--name", "Bucket", "--agree", *words),
            *("--secret", "secret_access_key=env:BUCKET_SECRET"),
        )
        rows.cdp(
            *("export", "add", "To S3", "--connection", "Bucket", "--set", "folder=loyal", *FIELDS),
            *("--match", "EMAIL=email", "--segment", "Loyal customers"),
        )
        rows.cdp("export", "run", "To S3")
        from cdp_core.contract.schemas import load_settings
        from cdp_files.connections import ConnectionSettings
        from cdp_files.storage import Storage

        bucket = Storage(load_settings(ConnectionSettings, server.settings, what="the bucket"))
        assert len(rows_held(bucket.names, bucket.read, "loyal")) == 250


def test_what_does_not_fit_is_refused_in_words(rows: RowsJob) -> None:
    cdp = rows.cdp
    url = f"url={rows.folder.as_uri()}"
    cdp("connection", "add", "files", "--name", "Digests", "--set", url, "--agree")
    common = ("--set", "folder=x", "--segment", "Loyal customers")
    refused = {
        ("Digests", "--match", "EMAIL=email", "--field", "email"): "no fields of rows",
        ("Rows", "--field", "email"): "--match EMAIL=FIELD",
        ("Rows", "--match", "EMAIL=email"): "--field FIELD",
        ("Rows", "--match", "EMAIL=email", "--field", "frist_name"): "perhaps first_name",
        ("Rows", "--match", "EMAIL=email", "--field", "city=Record"): "is the destination's own",
        ("Rows", "--match", "EMAIL=email", "--field", "city", "--field", "email=City"): "is there twice",
        ("Rows", "--match", "EMAIL=email", "--field", "city==x"): "formula",
        ("Rows", "--match", "EMAIL=email", "--field", "city="): "FIELD=COLUMN",
        ("Rows", "--match", "EMAIL=email", "--field", "city", "--mode", "add-only"): "mirror, replace",
    }
    for (connection, *words), told in refused.items():
        status = 2 if "=FIELD" in told or told.startswith("--field") or "FIELD=COLUMN" in told else 3
        said = cdp("export", "add", "X", "--connection", connection, *common, *words, status=status).stderr
        assert told in " ".join(said.split())


def test_only_an_administrator_has_rows_leave(rows: RowsJob) -> None:
    cdp = rows.cdp
    cdp("role", "grant", "bob", "contributor")
    cdp("connection", "share", "Rows", "--with", "contributor")
    added = ("--connection", "Rows", "--set", "folder=x", "--match", "EMAIL=email", *FIELDS)
    for words in (
        ("export", "add", "Mine", *added, "--segment", "Loyal customers"),
        ("export", "edit", NAME, "--field", "email"),
        ("export", "duplicate", NAME, "Copy"),
        ("export", "plan", NAME),
        RUN,
        ("export", "resync", NAME, "--yes"),
    ):
        said = cdp("--as", "bob", *words, status=4).stderr
        assert "which takes an Administrator" in " ".join(said.split())
        # The connection is shared already: that would change nothing.
        assert 'cdp role grant "bob" administrator' in said
        assert "cdp connection share" not in said
    assert not list(rows.folder.iterdir())
    cdp("--as", "bob", "export", "show", NAME)


def test_consent_to_digests_is_none_to_rows(rows: RowsJob) -> None:
    cdp, url = rows.cdp, f"url={rows.folder.as_uri()}"
    agreed = cdp("connection", "add", "files", "--name", "Digests", "--set", url, "--agree").stdout
    assert "Whole rows" not in agreed
    cdp("connection", "add", "files_records", "--name", "Not agreed", "--set", url)
    cdp(
        *("export", "add", "X", "--connection", "Not agreed", "--set", "folder=x", *FIELDS),
        *("--match", "EMAIL=email", "--segment", "Loyal customers"),
    )
    said = cdp("export", "run", "X", status=5).stderr
    assert "Whole rows leave in the clear" in said
    assert "files of whole rows" in said
    assert not (rows.folder / "x").exists()
    shown = cdp("--language", "nl", "connection", "agree", "Not agreed", "--agree").stdout
    assert "Hele rijen vertrekken leesbaar" in shown
    assert "bestanden met hele rijen" in shown
    cdp("export", "run", "X")


def test_what_became_of_a_person_is_told_of_rows_too(rows: RowsJob) -> None:
    rows.cdp(*RUN)
    told = rows.explained("person7@example.org")
    assert told["exports"][0]["held"] == "yes"
    assert [each["act"] for each in told["audiences"][0]["moments"]] == ["add"]
    rows.write([customer(each, first_name="Other") for each in range(250)])
    rows.cdp(*RUN)
    told = rows.explained("person7@example.org")
    assert told["exports"][0]["held"] == "yes"
    assert [each["act"] for each in told["audiences"][0]["moments"]] == ["add", "add", "remove"]
    rows.cdp("suppress", "add", "--kind", "EMAIL", stdin="person7@example.org\n")
    rows.cdp(*RUN)
    told = rows.explained("person7@example.org")
    assert (told["exports"][0]["held"], told["exports"][0]["why"]) == ("no", "suppressed")
