"""Consent on record is looked at and withdrawn: runs end at once, others refuse, and what was sent can go."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pexpect
import pytest

from by_hand import alter, put_back
from cdp_core.app.facade import CDP
from cdp_core.errors import Code, ConsentFault
from cdp_core.model.run import RunEvent, Station
from cdp_core.store.tables import due_runs
from fork_server import CDP as COMMAND
from main_job import Job, add_export, customers, wanted
from scheduled import NAME, last, make_due, until

SLOW = "stall:route=add-users,seconds=2,count=1000"
CONNECTION = "Snapchat EU"
WITHDRAW = ("consent", "withdraw", CONNECTION)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    with process:
        said, errors = process.communicate(timeout=60)
    return process.returncode, said + errors


def test_the_list_says_who_agreed_to_what_and_whether_it_holds(job: Job) -> None:
    me = job.cdp.json("whoami")["name"]
    listed = job.cdp.json("consent", "list")
    assert {each["prompt"] for each in listed} == {"core.data-leaves", "snapchat.data-sharing"}
    assert {(each["state"], each["agreed_by"], each["role_lost"]) for each in listed} == {
        ("holds", me, False)
    }
    assert all(each["agreed_at"] and each["version"] and len(each["digest"]) == 64 for each in listed)
    told = job.cdp("consent", "list").stdout
    assert "Data leaves your company" in told
    assert me in told


def test_the_text_is_shown_as_it_was_agreed_to(job: Job) -> None:
    dutch = job.cdp("--language", "nl", "consent", "show", CONNECTION).stdout
    assert "With this connection you let customer data" in dutch
    shown = job.cdp.json("consent", "show", CONNECTION)
    assert all(each["text"] and each["text_today"] is None for each in shown)
    alter(job.cdp, "UPDATE consents SET prompt_text = 'As it was', prompt_digest = 'x'")
    changed = job.cdp.json("consent", "show", CONNECTION)
    assert {each["standing"]["state"] for each in changed} == {"changed"}
    told = job.cdp("consent", "show", CONNECTION).stdout
    assert told.index("As it was") < told.index("As it reads today:")
    assert "the text has changed: agree again" in job.cdp("consent", "list").stdout


def test_that_who_agreed_has_lost_the_role_is_told_and_ends_nothing(job: Job) -> None:
    alter(job.cdp, "UPDATE consents SET agreed_by = 'anna'")
    assert "anna may not agree to it any more" in job.cdp("consent", "list").stdout
    assert {each["role_lost"] for each in job.cdp.json("consent", "list")} == {True}
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))


def test_withdrawal_ends_a_run_that_is_delivering_in_another_process(job: Job) -> None:
    job.simulator.fault(SLOW)
    running = job.cdp.start("export", "run", NAME)
    until(job.members)
    told = job.cdp(*WITHDRAW, "--keep", "--yes").stdout
    status, said = ended(running)
    assert status == 5, said
    assert "error CDP-503" in said
    sent = len(job.members())
    assert 0 < sent < 1000
    assert f"has ended; {sent} digests had been accepted." in told
    assert f": {sent} members, left in the audience." in told
    (run,) = job.cdp.json("export", "history", NAME)
    assert (run["status"], run["error"]["code"], run["delivered"]["accepted"]) == ("failed", "CDP-503", sent)
    assert "stopped before" in run["error"]["message"]
    job.simulator.clear_requests()
    job.cdp("export", "run", NAME, status=5)
    job.cdp("export", "resync", NAME, "--yes", status=5)
    assert job.uploads() == []


def test_withdrawn_while_it_is_being_planned_a_run_sends_nothing(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last look before the first batch is the run's own: no beat comes in between."""
    for name, value in job.cdp.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("cdp_core.runner.watch.LOOK", 600.0)

    def withdraw(event: RunEvent) -> None:
        if event.station is Station.COMPARE and event.state == "ended":
            job.cdp(*WITHDRAW, "--yes", "--wait", "0", status=9)

    with CDP.open(job.cdp.folder / ".cdp") as here, pytest.raises(ConsentFault) as stopped:
        here.exports.run(NAME, progress=withdraw)
    assert stopped.value.code is Code.CONSENT_WITHDRAWN
    (run,) = job.cdp.json("export", "history", NAME)
    assert (run["status"], run["error"]["code"]) == ("failed", "CDP-503")
    assert job.uploads() == []


def test_a_plan_made_before_is_not_delivered_after(job: Job) -> None:
    plan = job.cdp.json("export", "plan", NAME)["plan"]
    job.cdp(*WITHDRAW, "--yes")
    refused = job.cdp("export", "run", NAME, "--plan", plan, status=5)
    assert "has withdrawn the consent to “Data leaves your company”" in refused.stderr
    assert 'cdp connection agree "Snapchat EU"' in refused.stderr
    assert job.uploads() == []
    listed = job.cdp.json("consent", "list")
    assert {each["state"] for each in listed} == {"withdrawn"}
    assert all(each["withdrawn_at"] and each["withdrawn_by"] for each in listed)


def test_what_was_sent_is_taken_out_but_for_what_an_export_elsewhere_holds(job: Job) -> None:
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))
    done = job.cdp.json(*WITHDRAW, "--remove", "--yes")
    assert job.members() == set()
    (taken,) = done["taken_out"]
    assert (taken["export"], taken["members"], taken["left"], taken["error"]) == (NAME, 1000, 0, None)
    assert job.cdp.json("export", "show-run", taken["run"])["status"] == "committed"
    acts = [(entry["action"], entry["outcome"]) for entry in job.cdp.json("audit", "list", "--limit", "6")]
    assert ("consent.withdraw", "done") in acts
    assert ("consent.take-out", "done") in acts
    assert job.cdp.json("export", "show", NAME)["claims"] == 0
    # Agreed to again, the next run puts everybody back.
    job.cdp("connection", "agree", CONNECTION, "--agree")
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))


def test_two_exports_of_one_audience_are_both_taken_out(job: Job) -> None:
    job.cdp("segment", "add", "Everybody", "--where", "true")
    add_export(job.cdp, "All of them")
    job.cdp("export", "edit", "All of them", "--segment", "Everybody")
    job.cdp("export", "run", NAME)
    job.cdp("export", "run", "All of them")
    assert len(job.members()) == 1200
    job.cdp(*WITHDRAW, "--yes", "--remove")
    assert job.members() == set()


def test_removal_can_follow_later_and_a_failed_one_again(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.cdp(*WITHDRAW, "--yes")
    assert job.members() == wanted(range(1000))
    job.simulator.fault("status:route=remove-users,status=503,count=1000")
    failed = job.cdp(*WITHDRAW, "--yes", "--remove", status=7)
    assert "error CDP-705" in failed.stderr
    assert f'cdp consent withdraw "{CONNECTION}" --remove --yes' in failed.stdout
    job.simulator.clear_faults()
    again = job.cdp(*WITHDRAW, "--yes", "--remove").stdout
    assert "was withdrawn before" in again
    assert job.members() == set()
    nothing = job.cdp(*WITHDRAW, "--yes", status=3)
    assert nothing.stderr.startswith("error CDP-345")


def test_an_export_is_removed_with_its_members_although_consent_is_withdrawn(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.cdp(*WITHDRAW, "--yes")
    job.cdp("export", "remove", NAME, "--take-members-out", "--yes")
    assert job.members() == set()


def test_a_due_run_stops_with_it_and_is_told_of_once(job: Job) -> None:
    with (job.cdp.folder / ".cdp" / "cdp.toml").open("a") as settings:
        settings.write('\n[alerts]\nwebhook = "http://127.0.0.1:9/none"\n')
    job.cdp(*WITHDRAW, "--yes")
    make_due(job, NAME)
    job.cdp("scheduler", "start", "--once", status=5)
    assert job.uploads() == []
    done = last(job)
    assert done["last"]["outcome"] == "failed"
    assert done["paused"].startswith("CDP-503")
    put_back(job.cdp, due_runs.c.due_at, by=timedelta(minutes=2))
    job.cdp("scheduler", "start", "--once")
    (alert,) = job.cdp.json("alerts", "list")
    assert alert["message"].startswith("CDP-503")


def test_without_a_terminal_it_has_to_be_said(job: Job) -> None:
    refused = job.cdp(*WITHDRAW, status=2)
    assert "add --yes" in refused.stderr
    assert "exclude each other" in job.cdp(*WITHDRAW, "--keep", "--remove", "--yes", status=2).stderr
    assert {each["state"] for each in job.cdp.json("consent", "list")} == {"holds"}


@pytest.mark.parametrize("answer", ["y", "n"])
def test_at_a_terminal_removal_is_offered(job: Job, answer: str) -> None:
    job.write(customers(range(100)))
    job.cdp("export", "run", NAME)
    process = pexpect.spawn(
        str(COMMAND),
        list(WITHDRAW),
        env=job.cdp.environ | {"TERM": "dumb"},
        cwd=job.cdp.folder,
        encoding="utf-8",
        timeout=60,
        dimensions=(40, 200),
    )
    process.expect("withdraw its consent")
    process.sendline("y")
    process.expect("still in its audiences: 100 members")
    process.expect("Take them out now")
    process.sendline(answer)
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0
    assert len(job.members()) == (0 if answer == "y" else 100)


def test_it_is_an_administrators_own_act(job: Job) -> None:
    job.cdp("role", "grant", "vic", "contributor")
    job.cdp("--as", "vic", "consent", "list", status=4)
    job.cdp("--as", "vic", *WITHDRAW, "--yes", status=4)
    job.cdp("role", "grant", "ann", "administrator")
    refused = job.cdp("--as", "ann", *WITHDRAW, "--yes", status=4)
    assert "CDP-402" in refused.stderr


def test_after_it_the_connection_asks_again(job: Job) -> None:
    job.cdp(*WITHDRAW, "--yes")
    job.cdp("connection", "agree", CONNECTION, "--agree")
    assert {each["state"] for each in job.cdp.json("consent", "list")} == {"holds"}
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))
