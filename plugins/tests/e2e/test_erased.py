"""A person who is erased: out of every audience, out of what the workspace keeps, with one receipt."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp_core.pipeline.digest_file import DigestFile
from main_job import AUDIENCE, Job, add_export, customers, digest, wanted

NAME, OTHER = "Loyal to Snapchat", "Early too"
SEVEN = "Person7@example.org"


def everybody(job: Job, numbers: range = range(100)) -> None:
    """Person n with an e-mail and a phone number each."""
    table = pa.table(
        {
            "customer_id": [f"c{n}" for n in numbers],
            "email": [f"Person{n}@example.org" for n in numbers],
            "phone": [f"+3161234{n:04}" for n in numbers],
            "lifetime_value": [900 for _ in numbers],
        }
    )
    pq.write_table(table, job.profiles)


def phone(number: int) -> bytes:
    return hashlib.sha256(f"3161234{number:04}".encode()).digest()


def erase(job: Job, person: str, *words: str, status: int = 0) -> Any:
    said = job.cdp("erase", "--yes", "--json", *words, stdin=f"{person}\n", status=status)
    return json.loads(said.stdout)


def kept_digests(folder: Path) -> set[bytes]:
    """Everything that any file of digests in the workspace holds."""
    found: set[bytes] = set()
    for path in folder.rglob("*.parquet"):
        joined = b"".join(DigestFile(path).blocks(1_000))
        found.update(joined[at : at + 32] for at in range(0, len(joined), 32))
    return found


@pytest.fixture
def two(job: Job) -> Job:
    """Two exports on one audience, of which one sends phones, too."""
    everybody(job)
    add_export(job.cdp, OTHER, "--match", "PHONE=phone")
    job.cdp("export", "run", NAME)
    job.cdp("export", "run", OTHER)
    return job


def test_a_person_leaves_an_audience_of_two_exports_with_every_identifier_of_theirs(two: Job) -> None:
    two.simulator.clear_requests()
    (receipt,) = erase(two, SEVEN, "--note", "ticket 4711")["receipts"]
    assert two.members() == wanted(set(range(100)) - {7})
    assert phone(7) not in two.simulator.members(AUDIENCE, "PHONE_SHA256")
    assert {request.method for request in two.uploads()} == {"DELETE"}
    removals = {(each["export"], each["kind"]): each for each in receipt["removals"]}
    assert set(removals) == {(NAME, "EMAIL"), (OTHER, "EMAIL"), (OTHER, "PHONE")}
    for each in removals.values():
        assert (each["result"], each["http_status"]) == ("confirmed", 200)
        assert each["request_id"]
        assert each["sent_at"] < each["answered_at"]
        assert 0 < each["latency"] < 30
    assert receipt["done_at"]
    assert receipt["note"] == "ticket 4711"
    assert {each["digest"] for each in receipt["suppressed"]} == {
        digest(SEVEN).hex(),
        phone(7).hex(),
    }


def test_no_later_run_sends_them_and_nothing_of_them_is_kept(two: Job) -> None:
    erase(two, SEVEN)
    workspace = two.cdp.folder / ".cdp"
    assert not kept_digests(workspace) & {digest(SEVEN), phone(7)}
    two.simulator.clear_requests()
    counts = two.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert (counts["suppressed"], counts["added"], counts["removed"]) == (1, 0, 0)
    counts = two.cdp.json("export", "run", OTHER)["kinds"]
    assert (counts["EMAIL"]["suppressed"], counts["PHONE"]["suppressed"]) == (1, 1)
    assert two.uploads() == []
    assert not kept_digests(workspace) & {digest(SEVEN), phone(7)}


def test_a_ledger_is_rebuilt_from_what_is_kept_without_them(two: Job) -> None:
    before = two.cdp.json("ledger", "show", NAME)["claims"]
    erase(two, SEVEN)
    rebuilt = two.cdp.json("ledger", "rebuild", NAME)
    assert rebuilt["lost"] == []
    after = two.cdp.json("ledger", "show", NAME)["claims"]
    assert after[NAME]["EMAIL"] == before[NAME]["EMAIL"] - 1
    assert after[OTHER]["PHONE"] == before[OTHER]["PHONE"] - 1
    two.simulator.clear_requests()
    two.cdp("export", "run", NAME)
    two.cdp("export", "run", OTHER)
    assert two.uploads() == []


def test_a_dry_run_says_where_they_are_and_changes_nothing(two: Job) -> None:
    two.simulator.clear_requests()
    said = two.cdp("erase", "--dry-run", stdin=SEVEN).stdout
    assert NAME in said
    assert "known of them: EMAIL, PHONE" in said
    assert SEVEN.lower() not in said.lower()
    (found,) = two.cdp.json("erase", "list")["receipts"] or [None]
    assert found is None
    document = json.loads(two.cdp("erase", "--dry-run", "--json", stdin=SEVEN).stdout)
    (person,) = document["persons"]
    assert {(each["export"], tuple(each["kinds"])) for each in person["held"]} == {
        (NAME, ("EMAIL",)),
        (OTHER, ("EMAIL", "PHONE")),
    }
    assert person["kept"]["plans"] == 2
    assert two.uploads() == []
    assert two.members() == wanted(range(100))
    assert two.cdp.json("suppress", "list")["kinds"] == {}


def test_a_person_on_the_command_line_is_refused_and_not_repeated(two: Job) -> None:
    refused = two.cdp("erase", SEVEN, "--yes", status=2)
    assert "history" in refused.stderr
    assert SEVEN not in refused.stderr + refused.stdout
    assert two.members() == wanted(range(100))


def test_it_is_asked_for_and_no_terminal_is_no_yes(two: Job) -> None:
    refused = two.cdp("erase", stdin=SEVEN, status=2)
    assert "--yes" in refused.stderr
    assert two.members() == wanted(range(100))


def test_nobody_erases_in_somebody_elses_name(two: Job) -> None:
    two.cdp("role", "grant", "anna", "administrator")
    refused = two.cdp("--as", "anna", "erase", "--yes", stdin=SEVEN, status=4)
    assert "CDP-402" in refused.stderr
    assert two.cdp.json("erase", "list")["receipts"] == []


def test_what_the_service_does_not_confirm_is_tried_by_every_run_until_it_is(two: Job) -> None:
    two.simulator.control.fault("down", times=-1) if hasattr(two.simulator, "control") else None
