"""Audiences at the service: listed, checked, made once however often it is asked, waited for, watched."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from by_hand import alter
from cdp_snapchat.simulator import (
    AD_ACCOUNT_ID,
    LOOKALIKE_ID,
    SnapchatSimulator,
    snapchat_simulator,
)
from fork_server import CDP
from main_job import AUDIENCE, Job, cdp_in, customers, job_in, wanted, wipe

NAME = "Loyal to Snapchat"
NEW = ("--match", "EMAIL=email", "--segment", "Loyal customers", "--connection", "Snapchat EU")


def named(simulator: SnapchatSimulator, name: str) -> list[Any]:
    return [each for each in simulator.world.audiences.values() if each.name == name]


def test_audiences_are_listed_with_the_exports_that_fill_them(job: Job) -> None:
    listed = job.cdp.json("connection", "audiences", "Snapchat EU")
    by_id = {each["audience"]["id"]: each for each in listed}
    assert by_id[AUDIENCE]["exports"] == [NAME]
    assert by_id[AUDIENCE]["audience"]["upload_status"] == "NO_UPLOAD"
    assert by_id[AUDIENCE]["audience"]["retention_in_days"]
    assert LOOKALIKE_ID not in by_id
    assert AUDIENCE in job.cdp("connection", "audiences", "Snapchat EU").stdout


def test_who_the_connection_is_not_shared_with_does_not_see_its_audiences(job: Job) -> None:
    job.cdp("role", "grant", "carla", "contributor")
    refused = job.cdp("--as", "carla", "connection", "audiences", "Snapchat EU", status=4)
    assert "not shared with carla" in refused.stderr
    job.cdp("connection", "share", "Snapchat EU", "--with", "carla")
    assert AUDIENCE in job.cdp("--as", "carla", "connection", "audiences", "Snapchat EU").stdout


@pytest.mark.parametrize(
    ("audience", "words", "status"),
    [
        ("999", "does not know", 3),
        (LOOKALIKE_ID, "customer lists", 3),
        (AD_ACCOUNT_ID, "ad account's or organization's id", 3),
    ],
)
def test_an_unfit_audience_is_told_when_the_export_is_added(
    job: Job, audience: str, words: str, status: int
) -> None:
    said = job.cdp("export", "add", "Other", "--set", f"audience_id={audience}", *NEW, status=status)
    assert words in said.stderr
    assert [each["name"] for each in job.cdp.json("export", "list")] == [NAME]


def test_an_export_is_added_where_the_service_cannot_be_asked_and_that_is_said(job: Job) -> None:
    job.simulator.fault("unavailable:count=100")
    said = job.cdp("export", "add", "Other", "--set", f"audience_id={AUDIENCE}", *NEW)
    assert "could not be checked" in said.stderr


def test_an_audience_is_made_for_an_export(job: Job) -> None:
    view = job.cdp.json(
        *("export", "add", "Fresh", "--create-audience", "Fresh ones", "--retention-days", "90", *NEW)
    )
    (made,) = named(job.simulator, "Fresh ones")
    assert view["settings"]["audience_id"] == made.id
    assert made.retention_in_days == 90
    run = job.cdp.json("export", "run", "Fresh")
    assert run["delivered"]["accepted"] == 1000
    assert job.simulator.members(made.id, "EMAIL_SHA256") == wanted(range(1000))
    again = job.cdp("export", "add", "Fresh 2", "--create-audience", "Fresh ones", *NEW, status=3)
    assert made.id in again.stderr


def test_nothing_is_made_where_the_export_would_be_wrong(job: Job) -> None:
    job.cdp(
        *("export", "add", "Fresh", "--create-audience", "Fresh ones", "--connection", "Snapchat EU"),
        *("--match", "EMAIL=nothing", "--segment", "Loyal customers"),
        status=3,
    )
    job.cdp("export", "add", NAME, "--create-audience", "Fresh ones", *NEW, status=3)
    job.cdp("export", "add", "Fresh", "--create-audience", "x" * 376, *NEW, status=3)
    assert not named(job.simulator, "Fresh ones")


def test_an_audience_whose_answer_was_lost_is_found_and_not_made_twice(job: Job) -> None:
    job.simulator.fault("cut-after:route=create-segment,count=1")
    view = job.cdp.json("export", "add", "Fresh", "--create-audience", "Fresh ones", *NEW)
    (made,) = named(job.simulator, "Fresh ones")
    assert view["settings"]["audience_id"] == made.id


def test_an_audience_whose_every_answer_was_lost_is_found_when_it_is_asked_for_again(job: Job) -> None:
    job.simulator.fault("cut-after:route=create-segment,count=1")
    job.simulator.fault("unavailable:route=list-segments,skip=1,count=1000")
    said = job.cdp("export", "add", "Fresh", "--create-audience", "Fresh ones", *NEW, status=9)
    assert "not known" in said.stderr
    assert "type the same again" in said.stderr
    job.simulator.clear_faults()
    view = job.cdp.json("export", "add", "Fresh", "--create-audience", "Fresh ones", *NEW)
    (made,) = named(job.simulator, "Fresh ones")
    assert view["settings"]["audience_id"] == made.id


def test_killed_while_the_service_makes_it_the_same_command_finds_it(job: Job) -> None:
    job.simulator.fault("cut-after:route=create-segment,count=1")
    job.simulator.fault("stall:route=list-segments,skip=1,seconds=60,count=1")
    running = job.cdp.start("export", "add", "Fresh", "--create-audience", "Fresh ones", *NEW)
    while not named(job.simulator, "Fresh ones"):
        assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=60)
    assert [each["name"] for each in job.cdp.json("export", "list")] == [NAME]
    job.simulator.clear_faults()
    view = job.cdp.json("export", "add", "Fresh", "--create-audience", "Fresh ones", *NEW)
    (made,) = named(job.simulator, "Fresh ones")
    assert view["settings"]["audience_id"] == made.id


@pytest.fixture(params=[404, 400, 403, 200])
def slow_starter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Job]:
    """The main job at a service whose new audiences refuse users for ten seconds, in one of four words."""
    with snapchat_simulator(
        rate_limit=False,
        client_secret="s3cret-of-the-app",
        new_audience_seconds=10.0,
        new_audience_status=request.param,
    ) as running:
        yield job_in(cdp_in(tmp_path), running)


def test_a_fresh_audience_that_refuses_users_is_waited_for(slow_starter: Job) -> None:
    slow_starter.cdp("export", "add", "Fresh", "--create-audience", "Fresh ones", *NEW)
    run = slow_starter.cdp.json("export", "run", "Fresh")
    assert (run["delivered"]["accepted"], run["delivered"]["refused"]) == (1000, 0)
    assert run["delivered"]["retries"] >= 1
    (made,) = named(slow_starter.simulator, "Fresh ones")
    assert slow_starter.simulator.members(made.id, "EMAIL_SHA256") == wanted(range(1000))


def test_an_audience_for_each_segment_run_together(job: Job) -> None:
    job.cdp("segment", "add", "Small spenders", "--where", "lifetime_value < 500")
    added = job.cdp.json(
        *("export", "add", "All", "--audience-per-segment", *NEW, "--segment", "Small spenders")
    )
    assert [view["name"] for view in added] == ["All: Loyal customers", "All: Small spenders"]
    plans = job.cdp.json("export", "plan", "All")
    assert [plan["delivered"]["planned"] for plan in plans] == [1000, 200]
    runs = job.cdp.json("export", "run", "All")
    assert [run["status"] for run in runs] == ["committed", "committed"]
    (loyal,), (small,) = (
        named(job.simulator, "All: Loyal customers"),
        named(job.simulator, "All: Small spenders"),
    )
    assert job.simulator.members(loyal.id, "EMAIL_SHA256") == wanted(range(1000))
    assert job.simulator.members(small.id, "EMAIL_SHA256") == wanted(range(1000, 1200))
    assert [one["export"] for one in job.cdp.json("export", "status", "All")] == [
        "All: Loyal customers",
        "All: Small spenders",
    ]
    job.cdp("segment", "add", "Everybody", "--where", "lifetime_value > 0")
    more = job.cdp.json("export", "add", "All", "--audience-per-segment", *NEW, "--segment", "Everybody")
    assert [view["name"] for view in more] == ["All: Everybody"]
    assert (
        "name of a group" in job.cdp("export", "add", "All", "--create-audience", "x", *NEW, status=3).stderr
    )


def test_one_of_a_group_that_fails_keeps_no_other_from_its_turn(job: Job) -> None:
    job.cdp("segment", "add", "Small spenders", "--where", "lifetime_value < 500")
    job.cdp("export", "add", "All", "--audience-per-segment", *NEW, "--segment", "Small spenders")
    (loyal,) = named(job.simulator, "All: Loyal customers")
    del job.simulator.world.audiences[loyal.id]
    runs = job.cdp.json("export", "run", "All", status=3)
    assert runs[0]["error"]["code"] == "CDP-315"
    assert runs[1]["status"] == "committed"


def test_the_status_tells_size_and_trend_and_that_too_few_are_matched(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.simulator.clock.move(2 * 86_400)
    found = job.cdp.json("export", "status", NAME)
    assert found["claims"] == 1000
    assert found["audience"]["approximate_number_users"] == 1000
    assert found["audience"]["targetable_status"] == "READY"
    assert (found["drift"], found["audience"]["warning"]) == ([], "")
    job.write(customers(range(900)))
    job.cdp("export", "run", NAME)
    job.simulator.clock.move(2 * 86_400)
    found = job.cdp.json("export", "status", NAME)
    assert [point["claims"] for point in found["trend"]] == [1000, 900]
    assert "1,000" in found["audience"]["warning"]
    assert "no ad can be shown" in job.cdp("export", "status", NAME).stdout
    assert "no ad can be shown" in job.cdp("export", "run", NAME).stdout


def test_who_a_run_takes_out_for_all_exports_is_in_no_trend_of_theirs_any_more(job: Job) -> None:
    job.cdp("export", "duplicate", NAME, "A second")
    for name in (NAME, "A second"):
        job.cdp("export", "run", name)
    leavers = "".join(f"person{each}@example.org\n" for each in range(50))
    (job.cdp.folder / "leavers.txt").write_text(leavers)
    job.cdp("suppress", "import", "leavers.txt")
    job.cdp("export", "run", NAME)
    for name in (NAME, "A second"):
        found = job.cdp.json("export", "status", name)
        assert (found["claims"], found["claims_of_others"]) == (950, 950)
        assert [point["claims"] for point in found["trend"]] == [1000, 2000, 1900]


def test_after_an_upgrade_a_trend_begins_with_whole_audiences(job: Job) -> None:
    job.cdp("export", "duplicate", NAME, "A second")
    for name in (NAME, "A second"):
        job.cdp("export", "run", name)
    alter(job.cdp, "UPDATE runs SET claims = NULL, held = NULL")
    assert job.cdp.json("export", "status", NAME)["trend"] == []
    job.cdp("export", "run", NAME)
    assert [point["claims"] for point in job.cdp.json("export", "status", NAME)["trend"]] == [2000]
    job.cdp("export", "remove", "A second", "--leave-members", "--yes")
    assert job.cdp.json("export", "status", NAME)["claims_of_others"] == 0


def test_a_wiped_audience_is_named_and_a_resync_mends_it(job: Job) -> None:
    job.cdp("export", "run", NAME)
    assert job.cdp.json("export", "status", NAME)["drift"] == []
    wipe(job.simulator)
    (found,) = job.cdp.json("export", "status", NAME)["drift"]
    assert found["kind"] == "emptied"
    shown = job.cdp("export", "status", NAME).stdout
    assert "somebody else has emptied it" in shown
    assert 'cdp export resync "Loyal to Snapchat"' in shown.replace("'", '"')
    run = job.cdp.json("export", "run", NAME)
    assert any("emptied" in note for note in run["notes"])
    assert any("cdp export resync" in note for note in run["notes"])
    job.cdp("export", "resync", NAME, "--yes")
    assert job.members() == wanted(range(1000))
    assert job.cdp.json("export", "status", NAME)["drift"] == []
    assert job.cdp.json("export", "run", NAME)["notes"] == []


def test_a_deleted_and_a_recreated_audience_are_named(job: Job) -> None:
    job.cdp("export", "run", NAME)
    world = job.simulator.world
    kept = world.audiences.pop(AUDIENCE)
    (found,) = job.cdp.json("export", "status", NAME)["drift"]
    assert found["kind"] == "gone"
    assert "does not know" in job.cdp("export", "status", NAME).stdout
    job.cdp("export", "run", NAME, status=3)
    world.audiences[AUDIENCE] = dataclasses.replace(kept, created_at=world.clock.time() + 3600)
    kinds = {each["kind"] for each in job.cdp.json("export", "status", NAME)["drift"]}
    assert "re-created" in kinds


def test_an_audience_that_has_shrunk_is_named(job: Job) -> None:
    job.write(customers(range(5000)))
    job.cdp("export", "run", NAME)
    job.simulator.clock.move(2 * 86_400)
    job.cdp("export", "resync", NAME, "--yes")
    job.simulator.clock.move(2 * 86_400)
    job.write(customers(range(4990)))
    job.cdp("export", "run", NAME)
    world = job.simulator.world
    job.simulator.clock.move(2 * 86_400)
    assert job.cdp.json("export", "status", NAME)["drift"] == []
    world.audiences[AUDIENCE].matched = 2000
    (found,) = job.cdp.json("export", "status", NAME)["drift"]
    assert found["kind"] == "shrunk"
    assert "2,000" in found["message"]


def at_a_terminal(job: Job, *words: str) -> pexpect.spawn[str]:
    return pexpect.spawn(
        str(CDP),
        list(words),
        env=job.cdp.environ | {"TERM": "dumb"},
        cwd=job.cdp.folder,
        encoding="utf-8",
        timeout=60,
        dimensions=(40, 200),
    )


def test_a_terminal_offers_the_audiences_and_a_new_one(job: Job) -> None:
    process = at_a_terminal(job, "export", "add", "Other", *NEW)
    process.expect(rf"1  .*\({AUDIENCE}")
    process.expect("A new one")
    process.expect("Snapchat Audience ID .*: ")
    process.sendline("1")
    process.expect(pexpect.EOF)
    assert job.cdp.json("export", "show", "Other")["settings"]["audience_id"] == AUDIENCE
    process = at_a_terminal(job, "export", "add", "Fresh", *NEW, "--retention-days", "30")
    process.expect("Snapchat Audience ID .*: ")
    process.sendline("A new one")
    process.expect("Name of the new audience: ")
    process.sendline("Fresh ones")
    process.expect(pexpect.EOF)
    (made,) = named(job.simulator, "Fresh ones")
    assert made.retention_in_days == 30
    assert job.cdp.json("export", "show", "Fresh")["settings"]["audience_id"] == made.id
