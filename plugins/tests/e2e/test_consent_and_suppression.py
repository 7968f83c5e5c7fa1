"""Members who say no, and people who are suppressed: never sent, and taken out past every gate."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from by_hand import rows
from main_job import Job, add_export, customers, wanted

NAME = "Loyal to Snapchat"
OTHER = "Early too"
CONSENT = ("--consent-field", "ads_consent=granted,true")


def write(job: Job, answers: Mapping[int, str | None], *, value: int = 900, more: int = 0) -> None:
    """Person n with each answer, and `more` rows of the first person under other keys, without consent."""
    rows = [(f"c{n}", f"person{n}@example.org", value, said) for n, said in answers.items()]
    first = next(iter(answers))
    rows += [(f"again{n}", f" PERSON{first}@example.org", 1, "no") for n in range(more)]
    columns = zip(*rows, strict=True)
    names = ("customer_id", "email", "lifetime_value", "ads_consent")
    pq.write_table(pa.table(dict(zip(names, map(list, columns), strict=True))), job.profiles)


def everybody(said: str | None, numbers: range = range(100)) -> dict[int, str | None]:
    return dict.fromkeys(numbers, said)


def suppress(job: Job, number: int, *words: str) -> None:
    job.cdp("suppress", "add", *words, stdin=f"Person{number}@example.org\n")


@pytest.fixture
def asking(job: Job) -> Job:
    """The main job with an export that asks its members for consent."""
    write(job, everybody("Granted"))
    job.cdp("export", "edit", NAME, *CONSENT)
    return job


def test_whoever_does_not_say_yes_is_not_sent_and_is_counted(asking: Job) -> None:
    said = {0: "GRANTED ", 1: "true", 2: None, 3: "", 4: "no", 5: "unknown", 6: "1", 7: "granted"}
    write(asking, said)
    counts = asking.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert {name: n for name, n in counts.items() if n} == {"read": 8, "added": 3, "without_consent": 5}
    assert asking.members() == wanted([0, 1, 7])


def test_one_row_that_says_no_speaks_for_the_person_in_all_rows(asking: Job) -> None:
    write(asking, everybody("granted", range(10)), more=1)
    counts = asking.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert (counts["read"], counts["added"], counts["without_consent"]) == (10, 9, 1)
    assert asking.members() == wanted(range(1, 10))


def test_who_withdraws_is_taken_out_at_the_next_run_past_the_gate_on_shrinking(asking: Job) -> None:
    asking.cdp("export", "run", NAME)
    assert asking.members() == wanted(range(100))
    write(asking, everybody("granted", range(10)) | everybody("withdrawn", range(10, 100)))
    counts = asking.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert (counts["removed"], counts["owed"], counts["without_consent"]) == (90, 90, 90)
    assert asking.members() == wanted(range(10))
    asking.simulator.clear_requests()
    assert asking.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["removed"] == 0
    assert asking.uploads() == []


def test_a_consent_field_that_vanished_sends_nothing(asking: Job) -> None:
    asking.cdp("export", "run", NAME)
    asking.simulator.clear_requests()
    asking.write(customers(range(50)))
    stopped = asking.cdp("export", "run", NAME, status=3)
    assert "ads_consent" in stopped.stderr
    assert asking.uploads() == []
    assert asking.members() == wanted(range(100))


def test_the_workspace_asks_every_export_and_an_export_may_only_ask_for_more(job: Job) -> None:
    write(job, {0: "granted", 1: "true", 2: "no"})
    settings = job.cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(
        settings.read_text() + '\n[consent]\nfield = "ads_consent"\ngranted = ["granted", "true"]\n'
    )
    assert job.cdp.json("export", "show", NAME)["member_consent"]["field"] == "ads_consent"
    job.cdp("export", "run", NAME)
    assert job.members() == wanted([0, 1])
    refused = job.cdp("export", "edit", NAME, "--consent-field", "email=granted", status=3)
    assert "another field" in refused.stderr
    refused = job.cdp("export", "edit", NAME, "--consent-field", "ads_consent=granted,no", status=3)
    assert "'no'" in refused.stderr
    job.cdp("export", "edit", NAME, "--consent-field", "ads_consent=granted")
    job.cdp("export", "run", NAME)
    assert job.members() == wanted([0])
    job.cdp("export", "edit", NAME, "--no-consent-field")
    job.cdp("export", "run", NAME)
    assert job.members() == wanted([0, 1])


def test_a_plan_made_before_the_workspace_asked_is_not_delivered(job: Job) -> None:
    write(job, everybody("no"))
    plan = job.cdp.json("export", "plan", NAME)["plan"]
    settings = job.cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(settings.read_text() + '\n[consent]\nfield = "ads_consent"\ngranted = ["yes"]\n')
    stopped = job.cdp("export", "run", NAME, "--plan", plan, status=7)
    assert "CDP-704" in stopped.stderr
    assert job.members() == set()


def test_a_suppressed_person_is_not_sent_and_is_counted(job: Job) -> None:
    job.write(customers(range(100)))
    suppress(job, 7)
    counts = job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert (counts["added"], counts["suppressed"], counts["owed"]) == (99, 1, 0)
    assert job.members() == wanted(set(range(100)) - {7})


def test_a_suppressed_person_leaves_an_audience_of_two_exports_once_and_for_both(job: Job) -> None:
    job.write(customers(range(100)))
    add_export(job.cdp, OTHER)
    job.cdp("export", "run", NAME)
    job.cdp("export", "run", OTHER)
    suppress(job, 7, "--note", "ticket 4711")
    job.simulator.clear_requests()
    first = job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert (first["removed"], first["owed"], first["released"]) == (1, 1, 0)
    assert job.members() == wanted(set(range(100)) - {7})
    second = job.cdp.json("export", "run", OTHER)["kinds"]["EMAIL"]
    assert (second["removed"], second["suppressed"], second["unchanged"]) == (0, 1, 99)
    assert [request.method for request in job.uploads()] == ["DELETE"]
    # Lifted, the person is wanted again by both, and sent once.
    job.cdp("suppress", "remove", "--yes", stdin="person7@example.org")
    assert job.cdp.json("export", "run", OTHER)["kinds"]["EMAIL"]["added"] == 1
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 100
    assert job.members() == wanted(range(100))


def test_who_is_suppressed_while_a_run_is_under_way_is_not_sent(job: Job) -> None:
    """Ten batches, four at a time; the first answers take ten seconds, and everybody is suppressed."""
    listed = job.cdp.folder / "everybody.txt"
    listed.write_text("".join(f"person{n}@example.org\n" for n in range(1000)))
    job.simulator.app.latency = 10.0
    running = job.cdp.start("export", "run", NAME, "--json")
    while not rows(job.cdp, "SELECT * FROM batches WHERE attempts > 0"):
        assert running.poll() is None
        time.sleep(0.02)
    job.cdp("suppress", "import", "everybody.txt")
    job.simulator.app.latency = 0.0
    said, errors = running.communicate(timeout=60)
    assert running.returncode == 0, errors
    delivered = json.loads(said)["delivered"]
    assert 0 < delivered["left_out"] == delivered["not_sent"]
    assert delivered["accepted"] + delivered["left_out"] == 1000
    assert len(job.members()) == delivered["accepted"]
    counts = job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert (counts["suppressed"], counts["owed"]) == (1000, delivered["accepted"])
    assert job.members() == set()


def test_a_plan_leaves_out_who_was_suppressed_since_and_accounts_for_them(job: Job) -> None:
    plan = job.cdp.json("export", "plan", NAME)["plan"]
    for number in (3, 4, 500):
        suppress(job, number)
    report = job.cdp.json("export", "run", NAME, "--plan", plan)
    delivered = report["delivered"]
    assert (delivered["planned"], delivered["accepted"], delivered["not_sent"]) == (1000, 997, 3)
    assert delivered["left_out"] == 3
    assert job.members() == wanted(set(range(1000)) - {3, 4, 500})
    job.simulator.clear_requests()
    again = job.cdp.json("export", "run", NAME)
    assert (again["kinds"]["EMAIL"]["suppressed"], again["delivered"]["planned"]) == (3, 0)
    assert job.uploads() == []


def test_nothing_that_suppressing_leaves_holds_the_person(job: Job) -> None:
    said = job.cdp("--debug", "suppress", "add", stdin="Secret.Person@example.org\n")
    listed = job.cdp("suppress", "list")
    refused = job.cdp("suppress", "add", "secret.person@example.org", status=2)
    kept = b"".join(path.read_bytes() for path in (job.cdp.folder / ".cdp").rglob("*") if path.is_file())
    for text in (
        kept,
        *(out.encode() for done in (said, listed, refused) for out in (done.stdout, done.stderr)),
    ):
        assert b"secret.person" not in text.lower()


def test_a_run_that_a_gate_stops_takes_out_what_is_owed_and_nothing_else(job: Job) -> None:
    job.write(customers(range(100)))
    job.cdp("export", "run", NAME)
    suppress(job, 3)
    suppress(job, 50)
    job.write(customers([*range(10), 777]))
    stopped = job.cdp("export", "run", NAME, status=7)
    assert "CDP-706" in stopped.stderr
    assert "the 2 who withdrew or are suppressed were taken out all the same" in stopped.stderr
    assert job.members() == wanted(set(range(100)) - {3, 50})
    last = job.cdp.json("export", "history", NAME)[0]
    assert (last["status"], last["error"]["code"]) == ("failed", "CDP-706")
    assert (last["delivered"]["planned"], last["delivered"]["accepted"]) == (2, 2)
    job.simulator.clear_requests()
    again = job.cdp("export", "run", NAME, status=7)
    assert "all the same" not in again.stderr
    assert job.uploads() == []
    job.cdp("export", "run", NAME, "--allow-shrink")
    assert job.members() == wanted({*range(10), 777} - {3})


def test_an_empty_table_holds_no_suppressed_person_back(job: Job) -> None:
    job.write(customers(range(100)))
    job.cdp("export", "run", NAME)
    suppress(job, 3)
    job.write([])
    assert "CDP-701" in job.cdp("export", "run", NAME, status=7).stderr
    assert job.members() == wanted(set(range(100)) - {3})


def test_a_skipped_run_takes_out_what_is_owed(job: Job) -> None:
    """Snapchat has no use for an audience of fewer than 1,000 people."""
    job.write(customers(range(100)))
    job.cdp("export", "run", NAME)
    job.cdp("export", "edit", NAME, "--on-audience-size", "skip")
    suppress(job, 3)
    job.write(customers(range(110)))
    report = job.cdp.json("export", "run", NAME)
    assert (report["delivered"]["planned"], report["delivered"]["accepted"]) == (1, 1)
    assert [each["verdict"] for each in report["gates"]] == ["skip"]
    assert job.members() == wanted(set(range(100)) - {3})


def test_who_withdraws_leaves_a_receipt_and_who_is_suppressed_is_not_in_it(asking: Job) -> None:
    asking.cdp("export", "run", NAME)
    suppress(asking, 50)
    write(asking, everybody("granted", range(10, 100)) | everybody("no", range(10)))
    asking.simulator.fault("cut-after:route=remove-users,count=all")
    asking.cdp("export", "run", NAME, status=9)
    asking.simulator.clear_faults()
    asking.cdp("export", "run", NAME)
    last, first = asking.cdp.json("consent", "withdrawals")["withdrawals"]
    assert (first["kinds"], first["confirmed"], first["unconfirmed"]) == ({"EMAIL": 10}, 0, 10)
    assert (last["kinds"], last["confirmed"], last["unconfirmed"]) == ({"EMAIL": 10}, 10, 0)
    (batch,) = last["removals"]
    assert (batch["digests"], batch["result"], batch["http_status"]) == (10, "confirmed", 200)
    assert batch["request_id"]
    assert batch["latency"] > 0
    said = asking.cdp("consent", "withdrawals").stdout
    assert batch["request_id"] in said
    assert "10 digests unconfirmed: the next run of the export tries again." in said
    asking.cdp("export", "run", NAME)
    assert len(asking.cdp.json("consent", "withdrawals")["withdrawals"]) == 2
