"""`cdp explain`: each way in which a person can have fared, against what the service and the files say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from by_hand import rows
from main_job import Job, add_export, customers, digest

NAME = "Loyal to Snapchat"
OTHER = "Early too"


def explained(job: Job, person: str, *words: str) -> Any:
    return json.loads(job.cdp("explain", *words, "--json", stdin=f"{person}\n").stdout)


def fared(found: Any) -> list[tuple[str, str | None]]:
    (audience,) = found["audiences"]
    return [(each["act"], each["status"]) for each in audience["moments"]]


def standing(found: Any, name: str = NAME) -> dict[str, Any]:
    (export,) = [each for each in found["exports"] if each["export"] == name]
    return {field: export[field] for field in ("held", "why", "segments", "keys", "consent")}


def batch_of(job: Job, report: Any, person: bytes) -> tuple[int, str]:
    """The oracle: the batch whose range in the plan's Parquet file holds a digest, and its request."""
    (file,) = Path(report["plan_folder"]).glob("operation=add/kind=EMAIL/*.parquet")
    place = pq.ParquetFile(file).read()["digest"].to_pylist().index(person)
    query = (
        "SELECT number, request_id FROM batches "
        "WHERE run_id = :run AND start <= :place AND :place < start + digests ORDER BY digests LIMIT 1"
    )
    ((number, request),) = rows(job.cdp, query, run=report["run"], place=place)
    return number, request


def test_a_member_and_one_never_there(job: Job) -> None:
    before = explained(job, "Person700@example.org")
    assert standing(before)["held"] == "no"
    assert standing(before)["why"] is None
    assert fared(before) == []

    report = job.cdp.json("export", "run", NAME)
    found = explained(job, " Person700@Example.org")
    assert (found["kind"], found["digest"]) == ("EMAIL", digest("person700@example.org").hex())
    assert found["normalised"] == "p***@e***.org"
    assert standing(found) == {
        "held": "yes",
        "why": None,
        "segments": ["Loyal customers"],
        "keys": ["c700"],
        "consent": None,
    }
    (moment,) = found["audiences"][0]["moments"]
    assert (moment["act"], moment["status"], moment["run_id"]) == ("add", "accepted", report["run"])
    assert (moment["batch"], moment["request_id"]) == batch_of(job, report, digest("person700@example.org"))
    assert moment["http_status"] == 200
    assert moment["request_id"]

    by_digest = explained(job, found["digest"], "--kind", "EMAIL", "--export", NAME)
    assert by_digest["normalised"] is None
    assert {**by_digest, "normalised": found["normalised"]} == found
    words = job.cdp("explain", stdin="person700@example.org").stdout
    assert moment["request_id"] in words
    assert "in the audience" in words

    # A member of no segment has a row, and nothing was sent of them; a stranger has not even that.
    poor = explained(job, "person1100@example.org")
    assert (standing(poor)["why"], standing(poor)["keys"], fared(poor)) == ("in_no_segment", ["c1100"], [])
    stranger = explained(job, "stranger@example.org")
    assert standing(stranger) == {
        "held": "no",
        "why": "in_no_segment",
        "segments": [],
        "keys": [],
        "consent": None,
    }
    assert fared(stranger) == []


def test_what_is_malformed_yields_no_digest_and_says_so(job: Job) -> None:
    job.write([*customers(range(10)), ("c99", "ann at example.org", 900)])
    job.cdp("export", "run", NAME)
    found = explained(job, "ann at example.org", "--kind", "EMAIL")
    assert (found["digest"], found["reasons"]) == (None, {"EMAIL": "malformed"})
    untold = explained(job, "ann at example.org")
    assert untold["reasons"] == dict.fromkeys(("EMAIL", "PHONE", "MOBILE_AD_ID"), "malformed")
    assert explained(job, "test@test.com")["reasons"]["EMAIL"] == "placeholder"
    assert "yields no digest" in job.cdp("explain", stdin="ann at example.org").stdout


def test_one_suppressed_leaves_at_the_next_run_and_is_told_before_and_after(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.cdp("suppress", "add", "--note", "ticket 4711", stdin="person7@example.org")
    before = explained(job, "person7@example.org")
    assert before["suppression"]["note"] == "ticket 4711"
    assert (standing(before)["held"], standing(before)["why"]) == ("yes", "suppressed")
    job.cdp("export", "run", NAME)
    after = explained(job, "person7@example.org")
    assert (standing(after)["held"], standing(after)["why"]) == ("no", "suppressed")
    assert fared(after) == [("add", "accepted"), ("remove", "accepted")]


def test_one_who_withdrew_is_told_by_the_consent(job: Job) -> None:
    def write(said: str) -> None:
        rows = {"customer_id": ["c1", "c2"], "email": ["person1@example.org", "person2@example.org"]}
        pq.write_table(pa.table({**rows, "lifetime_value": [900, 900], "ads": ["yes", said]}), job.profiles)

    write("yes")
    job.cdp("export", "edit", NAME, "--consent-field", "ads=yes")
    job.cdp("export", "run", NAME)
    assert standing(explained(job, "person2@example.org"))["consent"] is True
    write("no")
    job.cdp("export", "run", NAME)
    found = explained(job, "person2@example.org")
    assert standing(found) == {
        "held": "no",
        "why": "without_consent",
        "segments": ["Loyal customers"],
        "keys": ["c2"],
        "consent": False,
    }
    assert fared(found) == [("add", "accepted"), ("remove", "accepted")]


def test_one_refused_alone_has_the_services_words_and_the_neighbours_went_through(job: Job) -> None:
    job.simulator.refuse_digests(digest("person500@example.org"))
    report = job.cdp.json("export", "run", NAME, status=8)
    found = explained(job, "person500@example.org")
    assert (standing(found)["held"], standing(found)["why"]) == ("no", "dead_letter")
    assert fared(found) == [("add", "dead_letter")]
    (moment,) = found["audiences"][0]["moments"]
    (export,) = found["exports"]
    batches = job.cdp.json("export", "show-run", report["run"])["batches"]
    (alone,) = [batch for batch in batches if batch["status"] == "dead_letter"]
    assert (moment["batch"], moment["message"]) == (alone["number"], alone["message"])
    assert export["dead_letter"]["request_id"] == alone["request_id"] == moment["request_id"]
    # Its neighbour in the plan came through in a half of the batch that was refused.
    (file,) = Path(report["plan_folder"]).glob("operation=add/kind=EMAIL/*.parquet")
    planned = pq.ParquetFile(file).read()["digest"].to_pylist()
    place = planned.index(digest("person500@example.org"))
    neighbour = planned[place - 1 if place % 100 else place + 1]
    beside = explained(job, neighbour.hex(), "--kind", "EMAIL")
    assert fared(beside) == [("add", "accepted")]
    (told,) = beside["audiences"][0]["moments"]
    assert (told["batch"], told["request_id"]) == batch_of(job, report, neighbour)
    (half,) = [batch for batch in batches if batch["number"] == told["batch"]]
    assert half["half_of"] is not None


def test_another_exports_claim_and_a_purged_plan_are_said(job: Job) -> None:
    first = job.cdp.json("export", "run", NAME)
    add_export(job.cdp, OTHER)
    job.cdp("export", "run", OTHER)
    found = explained(job, "person7@example.org")
    assert [standing(found, name)["held"] for name in (NAME, OTHER)] == ["yes", "yes"]
    assert fared(found) == [("add", "accepted"), ("claim", None)]
    shutil.rmtree(first["plan_folder"])
    later = explained(job, "person7@example.org")
    assert fared(later) == [("claim", None)]
    assert later["audiences"][0]["unread"] == [{"run_id": first["run"], "purged": True}]
    assert first["run"] in job.cdp("explain", stdin="person7@example.org").stdout
    # The export is gone; what its run did is told all the same.
    job.cdp("export", "remove", OTHER, "--leave-members", "--yes")
    last = explained(job, "person7@example.org")
    assert [each["export"] for each in last["exports"]] == [NAME]
    assert ("claim", None) in fared(last)


def test_one_in_a_run_that_a_gate_stopped_was_not_sent(job: Job) -> None:
    job.write([("c1", "person1@example.org", 900), ("c1", "person2@example.org", 900)])
    job.cdp("export", "run", NAME, status=7)
    found = explained(job, "person1@example.org")
    assert fared(found) == [("add", "not_sent")]
    assert standing(found)["held"] == "no"


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_nothing_raw_is_shown_or_kept_and_others_may_not_ask(job: Job, words: tuple[str, ...]) -> None:
    job.write([*customers(range(20)), ("c77", "Secret.Person@example.org", 900)])
    job.cdp("export", "run", NAME)
    said = [job.cdp("--debug", "explain", *words, stdin="Secret.Person@example.org\n")]
    said.append(job.cdp("explain", "secret.person@example.org", status=2))
    job.cdp("role", "grant", "vic", "contributor")
    said.append(job.cdp("--as", "vic", "explain", stdin="secret.person@example.org", status=4))
    assert "history" in said[1].stderr
    kept = b"".join(path.read_bytes() for path in (job.cdp.folder / ".cdp").rglob("*") if path.is_file())
    for text in (kept, *(out.encode() for done in said for out in (done.stdout, done.stderr))):
        assert b"secret.person" not in text.lower()
    entries = job.cdp.json("audit", "list", "--limit", "20")
    (done,) = [e for e in entries if e["action"] == "explain" and e["outcome"] == "done"]
    prefix = digest("secret.person@example.org").hex()[:12]
    assert done["details"] == {"kind": "EMAIL", "digest": prefix, "export": None}
