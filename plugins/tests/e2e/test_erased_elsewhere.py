"""Erasures at a webhook, at files of digests and at files of whole rows, and what is left of raw values."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from acme_service import AUDIENCE, SETTINGS, Acme, acme_service
from by_hand import everything
from erasures import NAME, SEVEN, everybody, kept
from file_jobs import FilesJob, add_files
from main_job import Job, digest, wanted
from shared_state import elsewhere

ROWS = "Loyal rows"


@pytest.fixture
def acme() -> Iterator[Acme]:
    with acme_service() as running:
        yield running


@pytest.fixture
def four(job: Job, acme: Acme) -> FilesJob:
    """Exports to Snapchat, a webhook, files of digests, and files of whole rows; each has run."""
    everybody(job)
    words = ["connection", "add", "webhook", "--name", "Acme", "--set", f"api_url={acme.url}", "--agree"]
    for name, value in SETTINGS.items():
        words += ["--set", f"{name}={value}"]
    job.cdp(*words)
    job.cdp(
        *("export", "add", "Loyal to Acme", "--connection", "Acme", "--set", f"audience_id={AUDIENCE}"),
        *("--set", "batch_size=100", "--match", "EMAIL=email", "--segment", "Loyal customers"),
    )
    folder, rows = job.cdp.folder / "exports", job.cdp.folder / "rows"
    for each in (folder, rows):
        each.mkdir()
    add_files(job.cdp, folder.as_uri())
    job.cdp(
        *("connection", "add", "files_records", "--name", "Rows", "--set", f"url={rows.as_uri()}", "--agree")
    )
    job.cdp(
        *("export", "add", ROWS, "--connection", "Rows", "--set", "folder=loyal", "--field", "email"),
        *("--field", "customer_id", "--match", "EMAIL=email", "--segment", "Loyal customers"),
    )
    for name in (NAME, "Loyal to Acme", "Loyal to files", ROWS):
        job.cdp("export", "run", name)
    return FilesJob(cdp=job.cdp, folder=folder)


def test_every_destination_loses_them_and_each_has_its_place_in_the_receipt(
    job: Job, acme: Acme, four: FilesJob
) -> None:
    said = job.cdp("erase", "--yes", "--json", stdin=SEVEN)
    (receipt,) = json.loads(said.stdout)["receipts"]
    rest = wanted(set(range(100)) - {7})
    assert (job.members(), acme.held(), four.held()) == (rest, rest, rest)
    told = {each["export"]: each for each in receipt["removals"]}
    assert set(told) == {NAME, "Loyal to Acme", "Loyal to files", ROWS}
    assert {each["result"] for each in told.values()} == {"confirmed"}
    assert told[ROWS]["kind"] == "RECORD"
    assert receipt["done_at"]
    assert kept(job.cdp.folder / ".cdp", digest(SEVEN)) == []
    picture = job.cdp("erase", "show", receipt["receipt"]).stdout
    assert picture.count("confirmed") >= 4
    assert "whole row" in picture
    # The consumer of the files is told, and no later run brings them back.
    for name in (NAME, "Loyal to Acme", "Loyal to files", ROWS):
        job.cdp("export", "run", name)
    assert (job.members(), acme.held(), four.held()) == (rest, rest, rest)


def test_a_destination_that_is_down_keeps_no_other_from_it(job: Job, acme: Acme, four: FilesJob) -> None:
    acme.fault("status:route=remove,status=503,count=all")
    said = job.cdp("erase", "--yes", "--json", stdin=SEVEN, status=9)
    (receipt,) = json.loads(said.stdout)["receipts"]
    rest = wanted(set(range(100)) - {7})
    assert (job.members(), four.held()) == (rest, rest)
    results = {each["export"]: each["result"] for each in receipt["removals"]}
    assert results.pop("Loyal to Acme") == "unconfirmed"
    assert set(results.values()) == {"confirmed"}
    assert len(receipt["pending"]) == 1


def test_no_raw_value_stays_anywhere_after_every_kind_of_run(job: Job, four: FilesJob) -> None:
    """Neither in the workspace, its database and logs nor in a backup, whatever was done."""
    cdp = job.cdp
    cdp("segment", "add", "As it was", "--where", "true", "--static")
    cdp("export", "edit", NAME, "--require-approval", "1")
    everybody(job, range(5, 120))
    waiting = cdp.json("export", "run", NAME, status=7)["plan"]
    cdp("export", "reject", waiting, "--reason", "not today", "--yes")
    cdp("export", "edit", NAME, "--no-approval")
    cdp("export", "run", NAME)
    cdp("export", "resync", NAME, "--yes")
    cdp("explain", stdin=SEVEN)
    cdp("suppress", "add", stdin="person9@example.org")
    cdp("erase", "--dry-run", stdin=SEVEN)
    cdp("erase", "--yes", stdin=SEVEN)
    (cdp.folder / "more.txt").write_text("person11@example.org\nperson12@example.org\n")
    cdp("erase", "--file", "more.txt", "--yes")
    cdp("export", "run", ROWS)
    cdp("ledger", "rebuild", NAME, "--yes")
    cdp("workspace", "purge", "--yes")
    cdp("workspace", "backup", "a.backup")
    elsewhere(cdp)("workspace", "restore", "a.backup", str(cdp.folder / ".cdp" / "restored"))
    said = b"".join(path.read_bytes() for path in (cdp.folder / ".cdp").rglob("*") if path.is_file()).lower()
    said += repr([kept for _, kept in everything(cdp)]).lower().encode()
    for number in (7, 9, 11, 12, 50):
        for raw in (f"person{number}@example.org", f"3161234{number:04}"):
            assert raw.encode() not in said, raw
            assert raw.encode("utf-16-le") not in said, raw
