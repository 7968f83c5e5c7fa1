"""From a folder of profiles to members in a Snapchat audience, and again the next day."""

from __future__ import annotations

import hashlib
import json
import stat

import pyarrow.parquet as pq

from cdp_snapchat.simulator import SnapchatSimulator
from main_job import AUDIENCE, Cdp, Job, add_connection, add_export, customers, digest, wanted

NAME = "Loyal to Snapchat"


def test_the_first_run_brings_the_segment_into_the_audience(job: Job) -> None:
    report = job.cdp.json("export", "run", NAME)
    assert job.members() == wanted(range(1000))
    assert report["status"] == "committed"
    assert report["export"] == NAME
    assert report["dry_run"] is False
    assert report["kinds"]["EMAIL"] == {
        "read": 1000, "added": 1000, "unchanged": 0, "named": 0, "duplicate": 0, "missing": 0, "malformed": 0,
        "placeholder": 0, "unsupported": 0, "without_consent": 0, "suppressed": 0, "removed": 0,
        "owed": 0, "released": 0, "kept": 0, "unclaimed": 0, "resent": 0, "held_back": 0,
        "replaced": 0,
    }  # fmt: skip
    assert report["delivered"] == {
        "planned": 1000, "accepted": 1000, "refused": 0, "unknown": 0, "not_sent": 0, "left_out": 0,
        "dead_letters": 0, "requests": 10, "retries": 0, "halves": 0,
    }  # fmt: skip
    assert report["audience"]["id"] == AUDIENCE
    assert report["audience"]["upload_status"]
    assert report["resumed_from"] is None


def test_the_second_run_sends_only_what_changed(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.simulator.clear_requests()
    job.write(customers(range(50, 1030)))
    report = job.cdp.json("export", "run", NAME)
    assert job.members() == wanted(range(50, 1030))
    counts = report["kinds"]["EMAIL"]
    assert (counts["added"], counts["unchanged"], counts["removed"]) == (30, 950, 50)
    assert [request.method for request in job.uploads()] == ["POST", "DELETE"]


def test_a_run_with_nothing_changed_sends_no_request_to_the_users_endpoint(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.simulator.clear_requests()
    report = job.cdp.json("export", "run", NAME)
    assert job.uploads() == []
    assert report["delivered"]["planned"] == 0
    assert report["kinds"]["EMAIL"]["unchanged"] == 1000


def test_a_changed_email_removes_the_old_digest_and_adds_the_new(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write([("c0", "moved@example.org", 900), *customers(range(1, 1000))])
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1, 1000)) | {digest("moved@example.org")}


def test_a_plan_sends_nothing_and_says_what_a_run_would_do(job: Job) -> None:
    report = job.cdp.json("export", "plan", NAME)
    assert (report["status"], report["dry_run"]) == ("planned", True)
    assert report["kinds"]["EMAIL"]["added"] == 1000
    assert report["delivered"]["accepted"] == 0
    assert job.simulator.requests() == []
    plan = next((job.cdp.folder / ".cdp" / "plans").iterdir())
    assert json.loads((plan / "plan.json").read_text())
    table = pq.read_table(plan, partitioning="hive", ignore_prefixes=["plan.json"])
    assert set(table.column("digest").to_pylist()) == wanted(range(1000))
    assert set(table.column("operation").to_pylist()) == {"add"}


def test_a_plan_that_was_looked_at_is_delivered_exactly_though_the_profiles_changed(job: Job) -> None:
    plan = job.cdp.json("export", "plan", NAME)["plan"]
    job.write(customers(range(500)))
    job.cdp("export", "run", NAME, "--plan", plan)
    assert job.members() == wanted(range(1000))


def test_a_plan_whose_ledger_has_moved_on_is_not_delivered(job: Job) -> None:
    plan = job.cdp.json("export", "plan", NAME)["plan"]
    job.cdp("export", "run", NAME)
    stopped = job.cdp("export", "run", NAME, "--plan", plan, status=7)
    assert "ledger" in stopped.stderr
    assert "CDP-704" in stopped.stderr


def test_every_dirty_value_is_counted_once_with_its_reason(job: Job) -> None:
    hashed = hashlib.sha256(b"hashed@example.org").hexdigest()
    job.write(
        [
            ("1", " Ann@Example.org\u00a0", 900),
            ("2", "ann@example.org", 900),
            ("3", None, 900),
            ("4", "  ", 900),
            ("5", "no-at-sign", 900),
            ("6", "two@@example.org", 900),
            ("7", "n/a", 900),
            ("8", "test@test.com", 900),
            ("9", hashed.upper(), 900),
            ("10", hashlib.md5(b"x", usedforsecurity=False).hexdigest(), 900),
            ("11", "JOSÉ@EXAMPLE.ORG", 900),
            ("12", "poor@example.org", 1),
        ]
    )
    counts = job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert {name: n for name, n in counts.items() if n} == {
        "read": 11, "added": 3, "duplicate": 1, "missing": 2, "malformed": 2, "placeholder": 2,
        "unsupported": 1,
    }  # fmt: skip
    assert job.members() == {digest("ann@example.org"), bytes.fromhex(hashed), digest("josé@example.org")}


def test_history_shows_each_run_and_its_numbers(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write(customers(range(900)))
    job.cdp("export", "run", NAME)
    runs = job.cdp.json("export", "history", NAME)
    assert [run["status"] for run in runs] == ["committed", "committed"]
    assert [run["kinds"]["EMAIL"]["removed"] for run in runs] == [100, 0]
    shown = job.cdp("export", "history", NAME).stdout
    assert shown.count("Successful") == 2


def test_two_exports_share_an_audience_and_a_digest_stays_while_one_claims_it(job: Job) -> None:
    job.cdp("segment", "add", "Early", "--where", "customer_id IN ('c0', 'c1', 'c1100')")
    job.cdp(
        *("export", "add", "Early too", "--connection", "Snapchat EU", "--match", "EMAIL=email"),
        *("--set", f"audience_id={AUDIENCE}", "--segment", "Early"),
    )
    job.cdp("export", "run", NAME)
    second = job.cdp.json("export", "run", "Early too")["kinds"]["EMAIL"]
    assert (second["added"], second["unchanged"]) == (1, 2)
    job.write(customers(range(1, 1000)) + customers([1100], value=10) + customers([0], value=10))
    first = job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert (first["removed"], first["released"]) == (0, 1)
    assert job.members() == wanted([*range(1000), 1100])
    job.cdp("export", "remove", "Early too", "--take-members-out", "--yes")
    assert job.members() == wanted(range(1, 1000))


def test_nothing_kept_or_printed_holds_a_raw_identifier_or_a_secret(job: Job) -> None:
    tokens = job.simulator.tokens_in_use()
    assert tokens
    run = job.cdp("--debug", "export", "run", NAME)
    job.cdp("export", "plan", NAME)
    kept = b"".join(path.read_bytes() for path in (job.cdp.folder / ".cdp").rglob("*") if path.is_file())
    for text in (kept, run.stdout.encode(), run.stderr.encode()):
        lowered = text.lower()
        assert b"person1@example.org" not in lowered
        assert b"s3cret-of-the-app" not in lowered
        for token in tokens:
            assert token.encode() not in text


def test_the_workspace_is_private_to_its_owner(job: Job) -> None:
    job.cdp("export", "run", NAME)
    for path in [job.cdp.folder / ".cdp", *(job.cdp.folder / ".cdp").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_without_consent_nothing_is_sent_and_the_command_to_agree_is_named(
    cdp: Cdp, simulator: SnapchatSimulator
) -> None:
    job = Job(cdp=cdp, simulator=simulator, profiles=cdp.folder / "profiles.parquet")
    job.write(customers(range(10)))
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    cdp("segment", "add", "Loyal customers", "--where", "lifetime_value > 500")
    add_connection(cdp, simulator, agree=False)
    add_export(cdp)
    stopped = cdp("export", "run", NAME, status=5)
    assert 'cdp connection agree "Snapchat EU"' in stopped.stderr
    assert simulator.requests() == []
    cdp("connection", "agree", "Snapchat EU", "--yes")
    refused = cdp("export", "run", NAME, status=6)
    assert 'cdp connection authenticate "Snapchat EU"' in refused.stderr
    assert cdp.json("export", "plan", NAME)["kinds"]["EMAIL"]["added"] == 10
