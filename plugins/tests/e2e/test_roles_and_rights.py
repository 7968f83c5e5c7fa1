"""Who may do what: roles of `cdp.toml`, of groups, for one connection or segment; rights lost on the way."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from by_hand import alter
from cdp_core.app.facade import CDP
from cdp_core.errors import Code, NotAllowedFault
from cdp_core.model.run import RunEvent, Station
from cdp_snapchat.simulator import SnapchatSimulator
from main_job import AUDIENCE, Cdp, Job, wanted
from scheduled import NAME, last, make_due, until
from second_person import CAN_BE, OTHER, as_other, shared_job

CONNECTION = "Snapchat EU"
SLOW = "stall:route=add-users,seconds=2,count=1000"
ANALYST = """
[roles.analyst]
label = "Analyst"
based_on = "viewer"
allows = ["export.plan", "segment.add"]
"""


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    with process:
        said, errors = process.communicate(timeout=60)
    return process.returncode, said + errors


def settings(job: Job) -> Path:
    return job.cdp.folder / ".cdp" / "cdp.toml"


def declare(job: Job, text: str) -> None:
    settings(job).write_text(settings(job).read_text() + text)


def opinion(job: Job, *words: str) -> str:
    """The first opinion on whether somebody may do something."""
    view = job.cdp.json("role", "explain", *words)
    found = view["opinions"][0]
    assert (found["verdict"] == "allow") == view["allowed"]
    return f"{found['verdict']}: {found['reason']}"


# Roles of cdp.toml.


def test_a_role_of_the_settings_allows_what_it_says_and_no_more(job: Job) -> None:
    declare(job, ANALYST)
    job.cdp("role", "grant", "anna", "analyst")
    job.cdp("connection", "share", CONNECTION, "--with", "anna")
    job.cdp("--as", "anna", "export", "plan", NAME)
    job.cdp("--as", "anna", "export", "list")
    refused = job.cdp("--as", "anna", "export", "run", NAME, status=4)
    assert "that is not part of the role Analyst" in refused.stderr
    assert (
        opinion(job, "anna", "export.plan", NAME)
        == "allow: the connection is shared (Analyst, declared by cdp.toml)"
    )
    known = {role["key"]: role for role in job.cdp.json("role", "list", "--known")}
    assert known["analyst"]["declared_by"] == "cdp.toml"
    assert "cdp.toml" in job.cdp("role", "list", "--known").stdout


def test_a_role_that_nothing_declares_any_more_gives_nothing(job: Job) -> None:
    before = settings(job).read_text()
    declare(job, ANALYST)
    job.cdp("role", "grant", "anna", "analyst")
    settings(job).write_text(before)
    refused = job.cdp("--as", "anna", "export", "list", status=4)
    assert "nothing declares the role of anna: analyst" in refused.stderr
    assert "analyst (nothing declares it)" in job.cdp("role", "list").stdout
    job.cdp("role", "revoke", "anna", "analyst")


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (
            '[roles.analyst]\nallows = ["export.rum"]',
            "roles.analyst.allows.0: There is no action 'export.rum'; did you mean export.run?",
            "actions: alert.list, alert.test, audit.export",
        ),
        ('[roles.analyst]\nalows = ["export.run"]', "roles.analyst.alows: Unknown field", "mean allows?"),
        (
            '[roles.contributor]\nallows = ["role.grant"]',
            "roles.contributor: The role contributor is the core's and stays as it is",
            "",
        ),
        ('[roles.administrator]\nallows = ["whoami"]', "roles.administrator: The role administrator is", ""),
        (
            '[roles.boss]\nbased_on = "administrator"',
            "roles.boss.based_on: An Administrator may do everything",
            "",
        ),
        ('[roles."My role"]\nallows = ["whoami"]', "roles.My role: A role's name has lower-case", ""),
        (
            '[roles.analyst]\nbased_on = "viewr"',
            "roles.analyst.based_on: there is no role 'viewr'",
            "did you mean viewer?",
        ),
    ],
)
def test_a_slip_in_a_role_names_file_key_and_what_is_near(job: Job, text: str, said: str, hint: str) -> None:
    declare(job, f"\n{text}\n")
    refused = job.cdp("role", "list", "--known", status=3)
    assert refused.stderr.startswith("error CDP-308"), refused.stderr
    assert said in refused.stderr
    assert str(settings(job)) in refused.stderr
    assert hint in refused.stderr
    assert job.cdp("export", "run", NAME, status=3).stderr.startswith("error CDP-308")
    assert job.uploads() == []


def test_a_slip_is_found_at_its_line(job: Job) -> None:
    declare(job, '\n[roles.analyst]\nbased_on = "viewer"\nallows = ["export.rum"]\n')
    line = 1 + settings(job).read_text().splitlines().index('allows = ["export.rum"]')
    assert f"cdp.toml:{line}" in job.cdp("whoami", status=3).stderr


def test_who_may_grant_roles_hands_on_no_more_than_they_have(job: Job) -> None:
    declare(job, '\n[roles.lead]\nbased_on = "contributor"\nallows = ["role.grant", "role.list"]\n')
    job.cdp("role", "grant", "anna", "lead")
    job.cdp("--as", "anna", "role", "grant", "bob", "contributor")
    refused = job.cdp("--as", "anna", "role", "grant", "anna", "administrator", status=4)
    assert "may do what anna may not" in refused.stderr


def test_who_may_grant_roles_hands_on_no_connection_that_is_not_shared_with_them(job: Job) -> None:
    declare(job, '\n[roles.lead]\nbased_on = "contributor"\nallows = ["role.grant"]\n')
    job.cdp("role", "grant", "anna", "lead")
    grant = ("--as", "anna", "role", "grant", "anna", "contributor", "--connection", CONNECTION)
    assert "may do what anna may not" in job.cdp(*grant, status=4).stderr
    job.cdp("--as", "anna", "export", "run", NAME, status=4)
    job.cdp("connection", "share", CONNECTION, "--with", "anna")
    job.cdp("--as", "anna", "role", "grant", "bob", "contributor", "--connection", CONNECTION)
    assert opinion(job, "bob", "export.run", NAME).startswith("allow")


# For one connection or segment alone.


def test_a_role_for_a_connection_holds_there_and_shares_it(job: Job) -> None:
    said = job.cdp("role", "grant", "anna", "contributor", "--connection", CONNECTION)
    assert 'anna is now: contributor for the connection "Snapchat EU".' in said.stdout
    assert 'cdp role grant "anna" viewer' in said.stderr
    job.cdp("--as", "anna", "export", "run", NAME)
    assert job.members() == wanted(range(1000))
    assert (
        opinion(job, "anna", "export.run", NAME)
        == "allow: the connection is shared (Contributor, granted for this connection)"
    )
    assert [each["name"] for each in job.cdp.json("--as", "anna", "connection", "list")] == [CONNECTION]
    assert [each["name"] for each in job.cdp.json("--as", "anna", "export", "list")] == [NAME]
    assert job.cdp.json("--as", "anna", "segment", "list") == []
    refused = job.cdp("--as", "anna", "segment", "remove", "Loyal customers", "--yes", status=4)
    assert "for a connection or a segment alone, and this is about something else" in refused.stderr
    job.cdp("role", "revoke", "anna", "contributor", status=3)
    job.cdp("role", "revoke", "anna", "contributor", "--connection", CONNECTION)
    job.cdp("--as", "anna", "export", "run", NAME, status=4)


def test_a_role_for_a_segment_holds_for_exports_of_no_other(job: Job) -> None:
    job.cdp("segment", "add", "Others", "--where", "lifetime_value < 500")
    job.cdp("role", "grant", "anna", "contributor", "--segment", "Loyal customers")
    assert [each["name"] for each in job.cdp.json("--as", "anna", "segment", "list")] == ["Loyal customers"]
    refused = job.cdp("--as", "anna", "export", "run", NAME, status=4)
    assert "is not shared with anna" in refused.stderr
    job.cdp("connection", "share", CONNECTION, "--with", "anna")
    job.cdp("--as", "anna", "export", "run", NAME)
    job.cdp("--as", "anna", "export", "edit", NAME, "--segment", "Others", status=4)
    add = ("--connection", CONNECTION, "--set", f"audience_id={AUDIENCE}", "--match", "EMAIL=email")
    job.cdp("--as", "anna", "export", "add", "Hers", *add, "--segment", "Loyal customers")
    job.cdp("--as", "anna", "export", "add", "Not hers", *add, "--segment", "Others", status=4)
    job.cdp("export", "edit", NAME, "--segment", "Loyal customers", "--segment", "Others")
    job.cdp("--as", "anna", "export", "run", NAME, status=4)
    job.cdp("role", "grant", "anna", "contributor", "--segment", "Others")
    job.cdp("--as", "anna", "export", "run", NAME)


def test_what_was_granted_for_a_segment_goes_with_it(job: Job) -> None:
    job.cdp("segment", "add", "Others", "--where", "lifetime_value < 500")
    job.cdp("role", "grant", "anna", "contributor", "--segment", "Others")
    job.cdp("segment", "remove", "Others", "--yes")
    job.cdp("segment", "add", "Others", "--where", "true")
    assert [view["person"] for view in job.cdp.json("role", "list")] != ["anna"]
    assert "has no role" in job.cdp("--as", "anna", "segment", "remove", "Others", status=4).stderr


def test_an_administrators_role_holds_for_everything_or_not_at_all(job: Job) -> None:
    refused = job.cdp("role", "grant", "anna", "administrator", "--connection", CONNECTION, status=3)
    assert "holds for the whole workspace" in refused.stderr
    both = ("--connection", CONNECTION, "--segment", "Loyal customers")
    job.cdp("role", "grant", "anna", "contributor", *both, status=2)


# Groups, with a second login of this machine.


@pytest.fixture
def shared(cdp: Cdp, simulator: SnapchatSimulator) -> Job:
    """The other person is in the group of their name, and has no role of their own."""
    made = shared_job(cdp, simulator, role="contributor")
    made.cdp("role", "revoke", OTHER, "contributor")
    return made


class TestAGroup:
    pytestmark = CAN_BE

    def test_gives_its_people_its_role(self, shared: Job) -> None:
        assert as_other(shared, "export", "list").returncode == 4
        said = shared.cdp("role", "grant", "--group", OTHER, "contributor").stdout
        assert f"The group {OTHER} is now: contributor." in said
        assert as_other(shared, "export", "run", NAME).returncode == 0
        assert shared.members() == wanted(range(300))
        who = json.loads(as_other(shared, "whoami", "--json").stdout)
        assert [(each["role"], each["group"]) for each in who["granted"]] == [("contributor", OTHER)]
        assert opinion(shared, OTHER, "export.run", NAME) == (
            f"allow: the connection is shared (Contributor, granted to the group {OTHER})"
        )
        assert f"{OTHER} (group)" in shared.cdp("role", "list").stdout
        shared.cdp("role", "revoke", "--group", OTHER, "contributor")
        assert as_other(shared, "export", "run", NAME).returncode == 4

    def test_has_it_for_one_connection(self, shared: Job) -> None:
        shared.cdp("role", "grant", "--group", OTHER, "contributor", "--connection", CONNECTION)
        shared.cdp("connection", "share", CONNECTION, "--stop-with", "contributor")
        assert as_other(shared, "export", "run", NAME).returncode == 0

    def test_is_no_last_administrator(self, shared: Job) -> None:
        me = shared.cdp.json("whoami")["name"]
        shared.cdp("role", "grant", "--group", OTHER, "administrator")
        assert as_other(shared, "role", "list").returncode == 0
        refused = as_other(shared, "role", "revoke", me, "administrator", "--yes")
        assert refused.returncode == 4
        assert "CDP-403" in refused.stderr
        assert "not through a group" in refused.stderr
        own = as_other(shared, "role", "revoke", "--group", OTHER, "administrator")
        assert own.returncode == 2
        assert "your own Administrator's role" in own.stderr

    def test_a_connection_is_shared_with_one_of_its_people(self, shared: Job) -> None:
        shared.cdp("role", "grant", "--group", OTHER, "contributor")
        shared.cdp("connection", "share", CONNECTION, "--stop-with", "contributor")
        assert as_other(shared, "export", "run", NAME).returncode == 4
        shared.cdp("connection", "share", CONNECTION, "--with", OTHER)
        assert as_other(shared, "export", "run", NAME).returncode == 0


def test_a_group_that_is_not_there_is_told(job: Job) -> None:
    said = job.cdp("role", "grant", "--group", "no-such-group", "viewer").stderr
    assert "This machine knows no group no-such-group" in said


# Rights that are lost on the way.


def lose(job: Job) -> None:
    """Whoever types these commands keeps their role; the export's person is `anna`."""
    job.cdp("role", "revoke", "anna", "contributor")


@pytest.fixture
def annas(job: Job) -> Job:
    job.cdp("role", "grant", "anna", "contributor")
    job.cdp("connection", "share", CONNECTION, "--with", "anna")
    return job


def test_a_run_ends_when_its_person_loses_the_right(annas: Job) -> None:
    annas.simulator.fault(SLOW)
    running = annas.cdp.start("--as", "anna", "export", "run", NAME)
    until(annas.members)
    lose(annas)
    status, said = ended(running)
    assert status == 4, said
    assert "error CDP-401: anna may not run an export any more: anna has no role" in said
    sent = len(annas.members())
    assert 0 < sent < 1000
    (run,) = annas.cdp.json("export", "history", NAME)
    assert (run["status"], run["delivered"]["accepted"]) == ("failed", sent)


@pytest.mark.parametrize("how", ["role", "share"])
def test_a_run_that_is_being_planned_sends_nothing(
    annas: Job, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    for name, value in annas.cdp.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("cdp_core.runner.watch.LOOK", 600.0)

    def take(event: RunEvent) -> None:
        if event.station is Station.COMPARE and event.state == "ended":
            if how == "role":
                lose(annas)
            else:
                annas.cdp("connection", "share", CONNECTION, "--stop-with", "anna")

    with (
        CDP.open(annas.cdp.folder / ".cdp", act_as="anna") as theirs,
        pytest.raises(NotAllowedFault) as stopped,
    ):
        theirs.exports.run(NAME, progress=take)
    assert stopped.value.code is Code.NOT_ALLOWED
    assert annas.uploads() == []


def test_an_export_user_who_lost_the_right_is_told_of_once_and_the_export_pauses(annas: Job) -> None:
    declare(annas, '\n[alerts]\nwebhook = "http://127.0.0.1:9/none"\n')
    alter(annas.cdp, "UPDATE connections SET export_user = 'anna'")
    annas.simulator.fault(SLOW)
    make_due(annas, NAME)
    scheduler = annas.cdp.start("scheduler", "start", "--once")
    until(annas.members)
    lose(annas)
    status, said = ended(scheduler)
    assert status == 4, said
    assert 0 < len(annas.members()) < 1000
    done = last(annas)
    assert (done["last"]["outcome"], done["paused"].partition(":")[0]) == ("failed", "CDP-401")
    annas.simulator.clear_faults()
    # Resumed without the right: the scheduler stops it before anything is sent, and nobody is told again.
    make_due(annas, NAME)
    annas.simulator.clear_requests()
    annas.cdp("scheduler", "start", "--once", status=4)
    assert annas.uploads() == []
    # On a busy machine a moment can have been missed before the first run.
    told = annas.cdp.json("alerts", "list")
    (alert,) = (each for each in told if each["kind"] != "missed")
    assert alert["message"].startswith("CDP-401: anna may not run an export any more")
