"""A person who is erased: out of every audience, out of what the workspace keeps, with one receipt."""

from __future__ import annotations

import hashlib
import json
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from erasures import NAME, OTHER, SEVEN, erase, everybody, kept, phone
from main_job import AUDIENCE, Job, add_export, digest, wanted


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
    assert kept(workspace, digest(SEVEN), phone(7)) == []
    two.simulator.clear_requests()
    counts = two.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert (counts["suppressed"], counts["added"], counts["removed"]) == (1, 0, 0)
    counts = two.cdp.json("export", "run", OTHER)["kinds"]
    assert (counts["EMAIL"]["suppressed"], counts["PHONE"]["suppressed"]) == (1, 1)
    assert two.uploads() == []
    assert kept(workspace, digest(SEVEN), phone(7)) == []


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
    assert "No receipts of erasures are kept." in two.cdp("erase", "list").stdout
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


def test_a_person_in_the_place_of_a_receipt_is_kept_nowhere(two: Job) -> None:
    refused = two.cdp("erase", "show", SEVEN, status=3)
    assert SEVEN not in refused.stderr + refused.stdout
    assert SEVEN not in two.cdp("audit", "list").stdout
    assert "cdp erase list" in two.cdp("erase", "show", "20200101", status=3).stderr


def test_it_is_asked_for_and_no_terminal_is_no_yes(two: Job) -> None:
    refused = two.cdp("erase", stdin=SEVEN, status=2)
    assert "--yes" in refused.stderr
    assert two.members() == wanted(range(100))


def test_a_connection_without_consent_gives_them_up_all_the_same(two: Job) -> None:
    two.cdp("consent", "withdraw", "Snapchat EU", "--keep", "--yes")
    (receipt,) = erase(two, SEVEN)["receipts"]
    assert {each["result"] for each in receipt["removals"]} == {"confirmed"}
    assert two.members() == wanted(set(range(100)) - {7})


def test_what_consent_that_was_withdrawn_takes_out_ends_an_erasure_too(two: Job) -> None:
    two.cdp("consent", "withdraw", "Snapchat EU", "--keep", "--yes")
    two.simulator.fault("unavailable:route=remove-users,count=all")
    (receipt,) = erase(two, SEVEN, status=9)["receipts"]
    assert receipt["done_at"] is None
    two.simulator.clear_faults()
    two.cdp("consent", "withdraw", "Snapchat EU", "--remove", "--yes")
    assert two.cdp.json("erase", "show", receipt["receipt"])["done_at"]
    assert two.members() == set()


def test_nobody_erases_in_somebody_elses_name(two: Job) -> None:
    two.cdp("role", "grant", "anna", "administrator")
    refused = two.cdp("--as", "anna", "erase", "--yes", stdin=SEVEN, status=4)
    assert "CDP-402" in refused.stderr
    assert two.cdp.json("erase", "list")["receipts"] == []


def test_what_the_service_does_not_confirm_is_tried_by_every_run_until_it_is(two: Job) -> None:
    two.simulator.fault("unavailable:route=remove-users,count=all")
    (receipt,) = erase(two, SEVEN, status=9)["receipts"]
    assert receipt["done_at"] is None
    assert {each["result"] for each in receipt["removals"]} == {"unconfirmed"}
    assert all(each["message"] for each in receipt["removals"])
    assert two.cdp.json("suppress", "list")["kinds"] == {"EMAIL": 1, "PHONE": 1}
    said = two.cdp("erase", "show", receipt["receipt"]).stdout
    assert "unconfirmed" in said
    assert AUDIENCE in said
    assert "every run on these audiences tries again" in said.lower()
    assert two.cdp.json("erase", "list", "--unconfirmed")["unconfirmed"] == 1
    # Another export's run goes on with it, whatever becomes of the run.
    two.simulator.clear_faults()
    two.cdp("export", "run", OTHER)
    after = two.cdp.json("erase", "show", receipt["receipt"])
    assert after["done_at"]
    assert {each["result"] for each in after["removals"]} == {"confirmed"}
    assert all(each["tries"] >= 2 and each["request_id"] for each in after["removals"])
    assert two.members() == wanted(set(range(100)) - {7})
    assert len(two.cdp.json("erase", "list")["receipts"]) == 1
    assert kept(two.cdp.folder / ".cdp", digest(SEVEN), phone(7)) == []


def test_the_same_command_again_ends_what_was_not_confirmed_with_the_same_receipt(two: Job) -> None:
    two.simulator.fault("cut-after:route=remove-users,count=all")
    (before,) = erase(two, SEVEN, status=9)["receipts"]
    two.simulator.clear_faults()
    (after,) = erase(two, SEVEN)["receipts"]
    assert after["receipt"] == before["receipt"]
    assert after["done_at"]
    # Asked once more, there is nothing left to do, and nothing is sent.
    two.simulator.clear_requests()
    (again,) = erase(two, SEVEN)["receipts"]
    assert again == after
    assert two.uploads() == []


def test_a_run_that_waits_with_a_person_waits_no_more(two: Job) -> None:
    two.cdp("export", "edit", NAME, "--require-approval", "1")
    everybody(two, range(110))
    plan = two.cdp.json("export", "run", NAME, status=7)["plan"]
    (receipt,) = erase(two, "Person105@example.org")["receipts"]
    assert receipt["removals"] == []
    assert receipt["forgotten"]["plans"] == 1
    assert two.cdp.json("export", "approvals") == []
    refused = two.cdp("export", "run", NAME, "--plan", plan, status=7).stderr
    assert "a person who was erased" in refused
    assert kept(two.cdp.folder / ".cdp", digest("person105@example.org")) == []


def test_dead_letters_and_results_of_static_segments_lose_them(job: Job) -> None:
    everybody(job)
    job.cdp("segment", "add", "As it was", "--where", "true", "--static")
    add_export(job.cdp, OTHER, "--match", "PHONE=phone", "--segment", "As it was")
    job.simulator.refuse_digests(digest(SEVEN))
    job.cdp("export", "run", OTHER, status=8)
    key = hashlib.sha256(b"c7").digest()
    assert kept(job.cdp.folder / ".cdp" / "segments", key)
    (receipt,) = erase(job, SEVEN)["receipts"]
    assert receipt["forgotten"]["dead_letters"] == 1
    assert receipt["forgotten"]["results"] == 1
    assert kept(job.cdp.folder / ".cdp", digest(SEVEN), phone(7), key) == []
    results = {each["name"]: each["kept"] for each in job.cdp.json("segment", "list")}
    assert results["As it was"]["members"] == 99


def test_a_list_is_erased_at_once_and_one_that_cannot_be_read_not_at_all(two: Job) -> None:
    listed = two.cdp.folder / "requests.csv"
    listed.write_text("ticket,email\n1,Person7@example.org\n2,nobody\n3,PERSON9@example.org\n")
    refused = two.cdp("erase", "--file", "requests.csv", "--field", "email", "--yes", status=3)
    assert "these lines tell nobody: 3" in refused.stderr
    assert "nobody was erased" in refused.stderr
    assert two.members() == wanted(range(100))
    listed.write_text("ticket,email\n1,Person7@example.org\n3,PERSON9@example.org\n4,stranger@example.org\n")
    two.simulator.clear_requests()
    said = two.cdp("erase", "--file", "requests.csv", "--field", "email", "--yes")
    assert two.members() == wanted(set(range(100)) - {7, 9})
    assert len(two.uploads()) == 2
    receipts = two.cdp.json("erase", "list")["receipts"]
    assert len(receipts) == 3
    assert said.stdout.count("confirmed") == 3
    by_person = {each["person"]["digest"]: each for each in receipts}
    nine = by_person[digest("person9@example.org").hex()]
    assert {each["digest"] for each in nine["suppressed"]} == {
        digest("person9@example.org").hex(),
        phone(9).hex(),
    }
    assert by_person[digest("stranger@example.org").hex()]["not_found"] == ["PHONE"]


def test_an_export_of_phones_with_a_country_of_its_own_loses_them_too(job: Job) -> None:
    everybody(job)
    job.cdp("export", "run", NAME)
    add_export(job.cdp, OTHER, "--match", "PHONE=phone", "--default-region", "NL")
    job.cdp("export", "edit", OTHER, "--match", "PHONE=phone")
    job.cdp("export", "run", OTHER)
    (receipt,) = erase(job, SEVEN)["receipts"]
    assert {(each["export"], each["kind"]) for each in receipt["removals"]} == {
        (NAME, "EMAIL"),
        (OTHER, "PHONE"),
    }
    assert phone(7) not in job.simulator.members(AUDIENCE, "PHONE_SHA256")
    (other,) = erase(job, "+31612340008")["receipts"]
    assert other["not_found"] == []
    assert job.members() == wanted(set(range(100)) - {7, 8})


def test_another_row_with_the_same_phone_loses_the_phone_alone(job: Job) -> None:
    everybody(job, range(3))
    table = pq.read_table(job.profiles)
    shared = table["phone"].to_pylist()
    shared[2] = shared[1]
    pq.write_table(table.set_column(2, "phone", pa.array(shared)), job.profiles)
    job.cdp("export", "edit", NAME, "--match", "EMAIL=email", "--match", "PHONE=phone")
    job.cdp("export", "run", NAME)
    erase(job, "person1@example.org")
    assert job.members() == wanted({0, 2})
    assert job.simulator.members(AUDIENCE, "PHONE_SHA256") == {phone(0)}


def test_as_given_erases_nothing_but_what_is_given(two: Job) -> None:
    (receipt,) = erase(two, SEVEN, "--as-given")["receipts"]
    assert [each["kind"] for each in receipt["suppressed"]] == ["EMAIL"]
    assert phone(7) in two.simulator.members(AUDIENCE, "PHONE_SHA256")
    # Asked for again with all that is theirs, the rest follows.
    (after,) = erase(two, SEVEN)["receipts"]
    assert [each["kind"] for each in after["suppressed"]] == ["EMAIL", "PHONE"]
    assert phone(7) not in two.simulator.members(AUDIENCE, "PHONE_SHA256")


def test_a_run_under_way_takes_them_out_at_its_end(two: Job) -> None:
    everybody(two, range(300))
    two.simulator.fault("stall:route=add-users,seconds=4,count=1")
    running = two.cdp.start("export", "run", NAME)
    until = time.monotonic() + 20
    while two.cdp.json("export", "history", NAME)[0]["status"] != "delivering":
        assert time.monotonic() < until
    receipt = erase(two, SEVEN, status=9)["receipts"][0]
    assert "CDP-1001" in {each["message"].partition(":")[0] for each in receipt["removals"]}
    said, errors = running.communicate(timeout=60)
    assert running.returncode == 0, said + errors
    after = two.cdp.json("erase", "show", receipt["receipt"])
    assert after["done_at"]
    assert two.members() == wanted(set(range(300)) - {7})


def test_an_encrypted_ledger_loses_them_too(two: Job) -> None:
    two.cdp("ledger", "encrypt")
    (receipt,) = erase(two, SEVEN)["receipts"]
    assert receipt["done_at"]
    assert two.members() == wanted(set(range(100)) - {7})
    two.cdp("ledger", "decrypt", "--yes")
    assert kept(two.cdp.folder / ".cdp", digest(SEVEN), phone(7)) == []


def test_an_export_that_cannot_send_leaves_it_unconfirmed_and_says_why(two: Job) -> None:
    two.cdp("export", "edit", NAME, "--match", "EMAIL=email")
    two.simulator.fault("unauthorized:route=remove-users,count=all")
    (receipt,) = erase(two, SEVEN, status=9)["receipts"]
    assert receipt["done_at"] is None
    assert "CDP-602" in "".join(each["message"] for each in receipt["removals"])


def test_a_claim_that_somebody_gave_up_meanwhile_is_never_said_to_be_confirmed(two: Job) -> None:
    two.simulator.fault("unavailable:route=remove-users,count=all")
    (receipt,) = erase(two, SEVEN, status=9)["receipts"]
    refused = two.cdp("suppress", "remove", "--yes", stdin=SEVEN, status=3).stderr
    assert receipt["receipt"] in refused
    two.cdp("ledger", "reset", NAME, "--yes")
    two.simulator.clear_faults()
    two.cdp("export", "run", NAME)
    after = two.cdp.json("erase", "show", receipt["receipt"])
    assert after["done_at"] is None
    assert {each["result"] for each in after["removals"]} == {"unconfirmed"}
    assert "given up" in after["removals"][0]["message"]


def test_a_ledger_that_lies_elsewhere_loses_them_there_and_here(two: Job) -> None:
    elsewhere = two.cdp.folder / "elsewhere"
    elsewhere.mkdir()
    two.cdp("ledger", "move", "--to", f"file://{elsewhere}")
    (receipt,) = erase(two, SEVEN)["receipts"]
    assert receipt["done_at"]
    assert kept(elsewhere, digest(SEVEN), phone(7)) == []
    assert kept(elsewhere, digest("person8@example.org"))
    two.cdp("export", "run", NAME)
    assert two.members() == wanted(set(range(100)) - {7})
    assert two.cdp.json("ledger", "rebuild", NAME)["lost"] == []


def test_who_was_erased_is_sent_again_only_where_that_is_said(two: Job) -> None:
    erase(two, SEVEN)
    refused = two.cdp("suppress", "remove", "--yes", stdin=SEVEN, status=2).stderr
    assert "was erased, and would be sent again" in refused
    assert "--although-erased" in refused
    assert two.cdp.json("suppress", "list")["kinds"]["EMAIL"] == 1
    two.cdp("suppress", "remove", "--yes", "--although-erased", stdin=SEVEN)
    assert two.cdp.json("suppress", "list")["kinds"].get("EMAIL", 0) == 0
