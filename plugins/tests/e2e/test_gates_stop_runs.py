"""Gates against the simulator: what stops before anything is sent, and what says that it is meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from main_job import Job, add_export, customers, wanted

NAME = "Loyal to Snapchat"


def stopped(job: Job, code: str, *words: str) -> str:
    """A run that a gate stops: exit 7, nothing sent, the ledger as it was; what it said."""
    before, claims = job.members(), job.cdp.json("export", "show", NAME)["claims"]
    job.simulator.clear_requests()
    said = job.cdp("export", "run", NAME, *words, status=7).stderr
    assert code in said
    assert job.uploads() == []
    assert job.members() == before
    assert job.cdp.json("export", "show", NAME)["claims"] == claims
    assert job.cdp.json("export", "history", NAME)[0]["error"]["code"] == code
    return said


def gates(job: Job, *words: str) -> dict[str, dict[str, Any]]:
    """What the gates say of a dry run, which exits 0 and sends nothing."""
    job.simulator.clear_requests()
    report = job.cdp.json("export", "plan", NAME, *words)
    assert job.uploads() == []
    return {found["gate"]: found for found in report["gates"]}


def last_audited(job: Job, action: str = "export.run") -> dict[str, Any]:
    entries = job.cdp.json("audit", "list", "--limit", "50")
    return next(entry["details"] for entry in entries if entry["action"] == action)


def test_a_shrink_beyond_the_limit_stops_and_the_flag_lets_it_through(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write(customers(range(499)))
    said = stopped(job, "CDP-706")
    assert "501 of the 1,000 members" in said
    assert "50.1 %" in said
    assert "--allow-shrink" in said
    found = gates(job)
    assert (found["shrink"]["verdict"], found["shrink"]["flag"]) == ("stop", "--allow-shrink")
    shown = job.cdp("export", "plan", NAME).stdout
    assert "501 of the 1,000 members" in " ".join(shown.split())
    report = job.cdp.json("export", "run", NAME, "--allow-shrink")
    assert {each["gate"]: each["verdict"] for each in report["gates"]}["shrink"] == "allow"
    assert job.members() == wanted(range(499))
    assert last_audited(job)["meant"] == ["--allow-shrink"]


def test_a_shrink_up_to_the_limit_passes(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write(customers(range(500)))
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(500))


def test_an_export_has_its_own_limit(job: Job) -> None:
    job.cdp("export", "edit", NAME, "--max-shrink", "30%")
    assert job.cdp.json("export", "show", NAME)["policy"]["gates"]["max_shrink"] == 0.3
    job.cdp("export", "run", NAME)
    job.write(customers(range(699)))
    stopped(job, "CDP-706")
    job.cdp("export", "edit", NAME, "--max-shrink", "31%")
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(699))


def test_a_plan_that_was_looked_at_is_asked_the_same(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write(customers(range(10)))
    plan = job.cdp.json("export", "plan", NAME)["plan"]
    stopped(job, "CDP-706", "--plan", plan)
    job.cdp("export", "run", NAME, "--plan", plan, "--allow-shrink")
    assert job.members() == wanted(range(10))


def test_taking_members_out_on_request_asks_no_gate(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.cdp("export", "detach", NAME, "--take-members-out")
    assert job.members() == set()


def test_another_exports_members_do_not_count_towards_the_shrink(job: Job) -> None:
    add_export(job.cdp, "Second")
    job.cdp("export", "run", NAME)
    job.cdp("segment", "add", "Some", "--where", "lifetime_value > 500 AND email LIKE 'Person99%'")
    job.cdp("export", "edit", "Second", "--segment", "Some")
    job.cdp("export", "run", "Second")
    job.write(customers(range(100)))
    stopped(job, "CDP-706")


def test_an_empty_source_has_no_flag_and_a_dry_run_tells(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write([])
    said = stopped(
        job, "CDP-701", "--allow-shrink", "--accept-schema", "--allow-audience-size", "--allow-duplicate-keys"
    )
    assert "all 1,000 members" in said
    assert "take its members out" in said
    assert gates(job).keys() == {"empty source"}


def test_a_small_audience_warns_stops_or_skips_as_the_export_says(job: Job) -> None:
    job.write(customers(range(999)))
    found = gates(job)["audience size"]
    assert found["verdict"] == "warn"
    assert "999 people at most" in found["message"]
    job.cdp("export", "edit", NAME, "--on-audience-size", "fail")
    stopped(job, "CDP-707")
    job.cdp("export", "edit", NAME, "--on-audience-size", "skip")
    job.simulator.clear_requests()
    skipped = job.cdp.json("export", "run", NAME)
    assert (skipped["status"], skipped["error"]) == ("skipped", None)
    assert skipped["delivered"]["not_sent"] == 999
    assert job.uploads() == []
    assert "Skipped" in job.cdp("export", "history", NAME).stdout
    assert job.cdp.json("export", "run", NAME, "--allow-audience-size")["status"] == "committed"
    assert job.members() == wanted(range(999))
    assert last_audited(job)["meant"] == ["--allow-audience-size"]


def test_a_large_enough_audience_says_nothing(job: Job) -> None:
    job.cdp("export", "edit", NAME, "--on-audience-size", "fail")
    assert gates(job) == {}
    job.cdp("export", "run", NAME)
    job.cdp("export", "run", NAME)


def test_duplicate_keys_stop_and_are_counted(job: Job) -> None:
    rows = customers(range(1000))
    job.write([*rows, ("c1", "second@example.org", 900), ("c1", "third@example.org", 10), rows[2]])
    said = stopped(job, "CDP-708")
    assert "rows of the profile table that repeat the key of another: 3 of 1,003" in said
    assert gates(job)["duplicate keys"]["flag"] == "--allow-duplicate-keys"
    job.cdp("export", "run", NAME, "--allow-duplicate-keys")
    assert len(job.members()) == 1001
    assert last_audited(job)["meant"] == ["--allow-duplicate-keys"]


def retyped(profiles: Path, column: str, values: pa.Array | None) -> None:
    table = pq.read_table(profiles)
    at = table.column_names.index(column)
    table = table.remove_column(at) if values is None else table.set_column(at, column, values)
    pq.write_table(table, profiles)


def test_a_field_of_a_segment_that_changed_its_type_stops_until_it_is_accepted(job: Job) -> None:
    job.cdp("segment", "add", "By text", "--where", "lifetime_value::VARCHAR > '500'")
    job.cdp("export", "edit", NAME, "--segment", "By text")
    job.cdp("export", "run", NAME)
    values = pq.read_table(job.profiles)["lifetime_value"]
    retyped(job.profiles, "lifetime_value", values.cast(pa.string()))
    assert "lifetime_value was BIGINT and is VARCHAR" in stopped(job, "CDP-709")
    assert gates(job)["schema"]["verdict"] == "stop"
    job.cdp("export", "run", NAME, "--accept-schema")
    assert last_audited(job)["meant"] == ["--accept-schema"]
    # What was accepted is what the next run compares with.
    assert gates(job) == {}
    job.cdp("export", "run", NAME)


def test_a_field_that_is_gone_stops_though_the_query_still_has_a_meaning(job: Job) -> None:
    query = "SELECT customer_id, 1000 AS lifetime_value FROM profiles WHERE lifetime_value > 500"
    job.cdp("segment", "add", "Shadowed", "--sql", "-", stdin=query)
    job.cdp("export", "edit", NAME, "--segment", "Shadowed")
    job.cdp("export", "run", NAME)
    retyped(job.profiles, "lifetime_value", None)
    assert "lifetime_value was BIGINT and is gone" in stopped(job, "CDP-709")


def test_other_fields_and_other_kinds_of_numbers_change_freely(job: Job) -> None:
    job.cdp("export", "run", NAME)
    values = pq.read_table(job.profiles)["lifetime_value"]
    retyped(job.profiles, "lifetime_value", values.cast(pa.float64()))
    table = pq.read_table(job.profiles).append_column("shoe_size", pa.array(["42"] * 1200))
    pq.write_table(table, job.profiles)
    assert gates(job) == {}
    retyped(job.profiles, "customer_id", pa.array(range(1200)))
    assert gates(job) == {}
    job.cdp("export", "run", NAME)


def test_several_gates_are_named_together_with_all_their_flags(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write([*customers(range(10)), *customers(range(1))])
    said = stopped(job, "CDP-706")
    assert "10 of the 1,000" not in said
    assert "990 of the 1,000" in said
    assert "repeat the key of another: 1 of 11" in said
    assert f'cdp export run "{NAME}" --allow-shrink --allow-duplicate-keys' in said
    stopped(job, "CDP-708", "--allow-shrink")
    job.cdp("export", "run", NAME, "--allow-shrink", "--allow-duplicate-keys")
    assert job.members() == wanted(range(10))


def test_what_stops_is_a_document_too(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write(customers(range(1)))
    done = job.cdp("export", "run", NAME, "--json", status=7)
    assert json.loads(done.stdout)["error"]["code"] == "CDP-706"


def test_what_is_owed_counts_towards_no_shrink(job: Job) -> None:
    job.cdp("export", "edit", NAME, "--max-shrink", "0%")
    job.cdp("export", "run", NAME)
    job.cdp("suppress", "add", stdin="Person7@example.org\n")
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000)) - wanted([7])


def test_where_what_is_owed_cannot_be_sent_the_service_is_the_fault(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.cdp("suppress", "add", stdin="Person7@example.org\n")
    job.write(customers(range(100)))
    job.simulator.fault("unavailable:route=remove-users,count=1000")
    job.cdp("export", "run", NAME, status=9)
    job.simulator.clear_faults()
    assert "taken out all the same" in job.cdp("export", "run", NAME, status=7).stderr
    assert job.members() == wanted(range(1000)) - wanted([7])


def test_a_skipped_run_that_removes_what_is_owed_is_still_one(job: Job) -> None:
    job.write(customers(range(900)))
    job.cdp("export", "run", NAME)
    job.cdp("export", "edit", NAME, "--on-audience-size", "skip")
    job.cdp("suppress", "add", stdin="Person7@example.org\n")
    job.write(customers(range(800)))
    report = job.cdp.json("export", "run", NAME)
    assert (report["status"], report["delivered"]["accepted"]) == ("skipped", 1)
    assert job.members() == wanted(range(900)) - wanted([7])
