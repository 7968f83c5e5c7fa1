"""Replace: the audience is emptied, then filled; whatever comes between, the next run brings it about."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import Any

import pexpect
import pytest

from fork_server import CDP
from main_job import AUDIENCE, Job, add_export, customers, put_there_by_others, wanted

NAME = "Loyal to Snapchat"
RUN = ("export", "run", NAME, "--yes")
JOURNAL = "cdp_core.store.journal:Journal"


@pytest.fixture
def replacing(job: Job) -> Job:
    """The main job after a first run, its export in the mode replace, with members of others there."""
    job.cdp("export", "run", NAME)
    job.cdp("export", "edit", NAME, "--mode", "replace")
    put_there_by_others(job.simulator, wanted(range(5000, 5010)))
    job.write(customers(range(100, 1100)))
    job.simulator.clear_requests()
    return job


def agree(job: Job) -> None:
    """Audience, ledger and today's segment are the same."""
    assert job.members() == wanted(range(100, 1100))
    assert job.cdp.json("export", "show", NAME)["claims"] == 1000


def sent(job: Job) -> list[tuple[str, str]]:
    return [
        (request.method, request.path.rpartition("/")[2])
        for request in job.simulator.requests()
        if request.path.endswith("users")
    ]


def test_the_audience_is_emptied_then_filled_and_the_sums_hold(replacing: Job) -> None:
    report = replacing.cdp.json(*RUN)
    agree(replacing)
    assert sent(replacing) == [("DELETE", "all_users"), *[("POST", "users")] * 10]
    counts = {name: number for name, number in report["kinds"]["EMAIL"].items() if number}
    assert counts == {"read": 1000, "added": 1000, "removed": 100}
    assert (report["delivered"]["planned"], report["delivered"]["accepted"]) == (1100, 1100)
    first = replacing.cdp.json("export", "show-run", report["run"])["batches"][0]
    assert (first["operation"], first["status"], first["digests"]) == ("remove-all", "accepted", 100)
    assert first["request_id"]
    shown = replacing.cdp("export", "show-run", report["run"]).stdout
    assert "mode replace" in shown
    assert "empties it" in shown


def test_without_a_yes_nothing_is_done_and_what_would_be_lost_is_told(replacing: Job) -> None:
    said = replacing.cdp("export", "run", NAME, status=2).stderr
    assert "CDP-204" in said
    assert AUDIENCE in said
    assert "24 to 48 hours" in " ".join(said.split())
    assert "--yes" in said
    assert sent(replacing) == []
    # A dry run empties nothing, and needs no yes.
    assert replacing.cdp.json("export", "plan", NAME)["delivered"]["planned"] == 1100
    assert sent(replacing) == []


def test_on_a_terminal_it_asks_first(replacing: Job) -> None:
    def answered(answer: str) -> tuple[int | None, str]:
        process = pexpect.spawn(
            str(CDP),
            ["export", "run", NAME],
            cwd=replacing.cdp.folder,
            env=replacing.cdp.environ,
            encoding="utf-8",
            timeout=60,
        )
        process.expect(r"Go on\?")
        said = process.before or ""
        process.sendline(answer)
        process.expect(pexpect.EOF)
        process.close()
        return process.exitstatus, said

    status, said = answered("n")
    assert (status, sent(replacing)) == (2, [])
    assert "whoever put members there" in " ".join(said.split())
    assert answered("y")[0] == 0
    agree(replacing)


def test_it_is_refused_while_another_export_has_members_there(replacing: Job) -> None:
    add_export(replacing.cdp, "Second")
    replacing.cdp("export", "run", "Second")
    replacing.simulator.clear_requests()
    said = replacing.cdp(*RUN, status=7).stderr
    assert "CDP-713" in said
    assert "'Second'" in said
    assert sent(replacing) == []
    refused = replacing.cdp(
        *("export", "add", "Third", "--connection", "Snapchat EU", "--mode", "replace"),
        *("--set", f"audience_id={AUDIENCE}", "--match", "EMAIL=email", "--segment", "Loyal customers"),
        status=7,
    )
    assert "CDP-713" in refused.stderr
    replacing.cdp("export", "remove", "Second", "--leave-members", "--yes")
    replacing.cdp(*RUN)
    agree(replacing)


def test_gates_stop_before_anything_is_emptied_but_for_what_is_owed(replacing: Job) -> None:
    replacing.cdp("suppress", "add", stdin="Person7@example.org\n")
    replacing.write(customers(range(900, 1000)))
    said = replacing.cdp(*RUN, status=7).stderr
    assert "899 of the 1,000 members" in said
    assert sent(replacing) == [("DELETE", "users")]
    assert replacing.members() == wanted(range(1000)) - wanted([7]) | wanted(range(5000, 5010))
    replacing.cdp(*RUN, "--allow-shrink")
    assert replacing.members() == wanted(range(900, 1000))


def test_what_is_owed_goes_even_where_the_service_refuses_to_be_emptied(replacing: Job) -> None:
    replacing.cdp("suppress", "add", stdin="Person7@example.org\n")
    replacing.simulator.fault("data-error-in-200:route=remove-all-users,count=1")
    done = replacing.cdp(*RUN, "--json", status=8)
    report = json.loads(done.stdout)
    assert report["error"]["code"] == "CDP-801"
    assert "Invalid user data" in report["error"]["message"]
    assert sent(replacing) == [("DELETE", "users"), ("DELETE", "all_users")]
    delivered = report["delivered"]
    assert (delivered["accepted"], delivered["refused"], delivered["not_sent"]) == (1, 99, 1000)
    assert replacing.members() == wanted(range(1000)) - wanted([7]) | wanted(range(5000, 5010))
    assert replacing.cdp.json("export", "show", NAME)["claims"] == 999
    replacing.cdp(*RUN)
    agree(replacing)


@pytest.mark.parametrize(
    ("fault", "status"),
    [("forbidden", 6), ("not-found", 3), ("unauthorized", 6), ("unavailable", 9), ("cut-before", 9)],
)
def test_where_the_emptying_fails_nothing_is_added_and_the_next_run_does_it(
    replacing: Job, fault: str, status: int
) -> None:
    replacing.simulator.fault(f"{fault}:route=remove-all-users,count=1000")
    replacing.cdp(*RUN, status=status)
    assert ("POST", "users") not in sent(replacing)
    replacing.simulator.clear_faults()
    if status == 6 and fault == "unauthorized":
        replacing.cdp.sign_in("Snapchat EU")
    replacing.cdp(*RUN)
    agree(replacing)


def test_an_emptying_without_an_answer_leaves_claims_that_are_perhaps_there(replacing: Job) -> None:
    replacing.simulator.fault("cut-after:route=remove-all-users,count=1000")
    report = replacing.cdp.json(*RUN, status=9)
    assert (report["delivered"]["unknown"], report["delivered"]["not_sent"]) == (100, 1000)
    assert replacing.members() == set()
    assert replacing.cdp.json("export", "show", NAME)["claims"] == 1000
    replacing.simulator.clear_faults()
    # In any mode the next run sends them again, since nobody knows.
    replacing.cdp("export", "edit", NAME, "--mode", "mirror")
    replacing.cdp("export", "run", NAME)
    agree(replacing)


@pytest.mark.parametrize(
    ("step", "mode"),
    [
        *((f"{JOURNAL}.{act}:after:1", "replace") for act in ("open", "attempt", "close")),
        (f"{JOURNAL}.close:before:1", "mirror"),
        (f"{JOURNAL}.close:after:1", "mirror"),
        (f"{JOURNAL}.close:before:4", "replace"),
        (f"{JOURNAL}.close:after:4", "mirror"),
        ("cdp_core.pipeline.ledger:apply:after:1", "replace"),
        ("cdp_core.store.ledgers:Ledgers.commit:before:1", "mirror"),
        ("cdp_core.store.ledgers:Ledgers.commit:after:1", "replace"),
    ],
)
def test_killed_between_emptying_and_adding_the_next_run_converges(
    replacing: Job, step: str, mode: str
) -> None:
    replacing.killed(step, *RUN)
    replacing.cdp("export", "edit", NAME, "--mode", mode)
    replacing.cdp(*RUN)
    assert replacing.members() - wanted(range(5000, 5010)) == wanted(range(100, 1100))
    assert replacing.cdp.json("export", "show", NAME)["claims"] == 1000
    # Nobody is missed, and nothing counted twice: a mirror has nothing left to do.
    replacing.cdp("export", "edit", NAME, "--mode", "mirror")
    assert replacing.cdp.json("export", "run", NAME)["delivered"]["planned"] == 0


def begun(job: Job) -> subprocess.Popen[str]:
    """A run that is filling the emptied audience, so slowly that it cannot end before it is stopped."""
    job.simulator.fault("stall:route=add-users,seconds=5,count=1000")
    running = job.cdp.start(*RUN)
    until = time.monotonic() + 30
    while ("POST", "users") not in sent(job) and time.monotonic() < until:
        time.sleep(0.05)
    return running


def test_control_c_while_filling_says_what_is_left_and_the_next_run_converges(replacing: Job) -> None:
    running = begun(replacing)
    os.kill(running.pid, signal.SIGINT)
    said, errors = running.communicate(timeout=60)
    assert running.returncode == 9, said + errors
    assert "not sent" in said + errors
    replacing.simulator.clear_faults()
    held = replacing.members()
    assert held < wanted(range(100, 1100))
    assert replacing.cdp.json("export", "show", NAME)["claims"] == len(held)
    replacing.cdp(*RUN)
    agree(replacing)


def test_a_ledger_is_rebuilt_through_an_emptying(replacing: Job) -> None:
    report: dict[str, Any] = replacing.cdp.json(*RUN)
    assert report["status"] == "committed"
    rebuilt = replacing.cdp.json("ledger", "rebuild", NAME, "--yes")
    assert (rebuilt["before"], rebuilt["after"]) == (1000, 1000)
    replacing.cdp("export", "edit", NAME, "--mode", "mirror")
    assert replacing.cdp.json("export", "run", NAME)["delivered"]["planned"] == 0
