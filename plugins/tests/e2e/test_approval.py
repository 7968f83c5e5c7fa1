"""Plans that need somebody else's approval: waited with, signed, delivered as they are or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from by_hand import alter_document
from cdp_core.app.facade import CDP
from cdp_core.errors import GateFault
from cdp_core.store.tables import plans
from cdp_snapchat.simulator import SnapchatSimulator
from main_job import Cdp, Job, customers, wanted
from scheduled import NAME, last, make_due
from second_person import CAN_BE, OTHER, as_other, shared_job


@pytest.fixture
def waiting(job: Job) -> Job:
    """An export whose plans need one other person's approval."""
    job.cdp("export", "edit", NAME, "--require-approval", "1")
    return job


def wait(job: Job) -> str:
    """Run, and be told to wait; the plan."""
    run = job.cdp.json("export", "run", NAME, status=7)
    assert (run["status"], run["error"]["code"]) == ("waiting for approval", "CDP-710")
    return str(run["plan"])


def made_by_somebody_else(job: Job, plan: str) -> None:
    """As if another login had made it: a test has but one."""
    alter_document(
        job.cdp, plans.c.summary, lambda summary: summary["approval"].update(made_by=["somebody"]), id=plan
    )


def approved(job: Job) -> str:
    plan = wait(job)
    made_by_somebody_else(job, plan)
    told = job.cdp("export", "approve", plan, "--yes")
    assert f'cdp export run "{NAME}" --plan {plan}' in told.stdout
    return plan


def test_a_run_waits_and_nothing_is_sent(waiting: Job) -> None:
    told = waiting.cdp("export", "run", NAME, status=7)
    assert "Waiting for approval" in told.stdout
    assert "cdp export approve" in told.stderr
    plan = wait(waiting)
    assert waiting.uploads() == []
    assert "Waiting for approval" in waiting.cdp("export", "history", NAME).stdout
    (view,) = waiting.cdp.json("export", "approvals")
    assert (view["plan"], view["export"], view["added"], view["removed"]) == (plan, NAME, 1000, 0)
    assert (view["lacking"], view["approved_by"]) == (1, [])
    assert waiting.cdp.json("export", "list")[0]["shown"] == "waiting-for-approval"
    refused = waiting.cdp("export", "run", NAME, "--plan", plan, status=7).stderr
    assert "error CDP-710: the plan waits for the approval of 1 other person" in refused
    assert f"cdp export approve {plan}" in refused
    assert waiting.uploads() == []
    planned = waiting.cdp("export", "plan", NAME).stdout
    assert "1 other person must approve of it: cdp export approve" in planned
    assert "Next: somebody else: cdp export approve" in planned


def test_who_made_it_cannot_approve_of_it_nor_in_another_name(waiting: Job) -> None:
    plan = wait(waiting)
    assert "CDP-407" in waiting.cdp("export", "approve", plan, "--yes", status=4).stderr
    waiting.cdp("role", "grant", "boss", "administrator")
    assert "CDP-402" in waiting.cdp("--as", "boss", "export", "approve", plan, "--yes", status=4).stderr
    # Nor does it help to have made it in another name.
    plan = str(waiting.cdp.json("--as", "boss", "export", "run", NAME, status=7)["plan"])
    assert "CDP-407" in waiting.cdp("export", "approve", plan, "--yes", status=4).stderr


def test_what_was_approved_is_delivered_less_who_withdrew_or_is_suppressed(waiting: Job) -> None:
    job = waiting
    job.cdp("export", "edit", NAME, "--consent-field", "customer_tier=yes", status=3)
    plan = approved(job)
    # Nobody of these is in the plan, or is taken out of it, but for c999.
    job.write(customers(range(500, 1100)))
    job.cdp("suppress", "add", stdin="person999@example.org\n")
    done = job.cdp("export", "run", NAME, "--plan", plan)
    assert "1 digest was suppressed" in done.stdout
    assert job.members() == wanted(range(999))
    assert job.cdp.json("export", "approvals") == []
    assert job.cdp.json("export", "history", NAME, "--status", "waiting-for-approval") == []
    # The audit log has who signed what.
    entries = job.cdp.json("audit", "list")
    assert any(each["action"] == "export.approve" and each["details"].get("plan") == plan for each in entries)
    assert job.cdp("export", "run", NAME, "--plan", plan, status=7).stderr.startswith("error CDP-704")


def test_who_withdrew_consent_since_is_not_sent(waiting: Job) -> None:
    job = waiting
    job.cdp("export", "edit", NAME, "--consent-field", "lifetime_value=900")
    plan = approved(job)
    job.write(customers(range(100), value=901) + customers(range(100, 1000)))
    job.cdp("export", "run", NAME, "--plan", plan)
    assert job.members() == wanted(range(100, 1000))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("segment", "deactivate", "Loyal customers"), "a segment's query"),
        (("export", "edit", NAME, "--max-shrink", "80%"), "the export's own rules"),
        (("export", "edit", NAME, "--require-approval", "2"), "the export's own rules"),
    ],
)
def test_what_changed_since_stops_it_and_is_told(waiting: Job, words: tuple[str, ...], told: str) -> None:
    plan = approved(waiting)
    waiting.cdp(*words)
    refused = waiting.cdp("export", "run", NAME, "--plan", plan, status=7).stderr
    assert refused.startswith("error CDP-704")
    assert told in refused
    assert waiting.uploads() == []


def test_a_signature_is_over_what_was_seen(waiting: Job) -> None:
    plan = approved(waiting)
    alter_document(waiting.cdp, plans.c.summary, lambda summary: summary.update(members=1), id=plan)
    refused = waiting.cdp("export", "run", NAME, "--plan", plan, status=7).stderr
    assert "has seen otherwise" in refused
    assert waiting.uploads() == []


def test_what_is_signed_is_what_was_shown(waiting: Job) -> None:
    plan = wait(waiting)
    made_by_somebody_else(waiting, plan)
    folder = waiting.cdp.folder / ".cdp"
    with CDP.open(folder) as opened:
        shown = opened.approvals.show(plan)
        # Between looking and saying yes.
        alter_document(waiting.cdp, plans.c.summary, lambda summary: summary.update(members=1), id=plan)
        with pytest.raises(GateFault, match="has seen otherwise"):
            opened.approvals.approve(plan, digest=shown.digest)
        assert opened.approvals.show(plan).approved_by == ()
        opened.approvals.approve(plan, digest=opened.approvals.show(plan).digest)


def test_only_large_changes_wait(job: Job) -> None:
    job.cdp("export", "edit", NAME, "--require-approval", "1", "--when-added-over", "1000",
            "--when-removed-over", "5%")  # fmt: skip
    assert (
        "more than 1,000 are added or more than 5 % are taken out" in job.cdp("export", "show", NAME).stdout
    )
    job.cdp("export", "run", NAME)
    job.write(customers(range(50, 1000)))
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(50, 1000))
    job.write(customers(range(100, 1000)))
    wait(job)
    assert job.members() == wanted(range(50, 1000))


def test_who_must_go_goes_while_the_rest_waits(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.cdp("export", "edit", NAME, "--require-approval", "1")
    job.cdp("suppress", "add", stdin="person999@example.org\n")
    job.write(customers(range(100, 1100)))
    plan = approved(job)
    assert job.members() == wanted(range(999))
    shown = [run["status"] for run in job.cdp.json("export", "history", NAME)]
    assert shown[:2] == ["waiting for approval", "skipped"]
    job.cdp("export", "run", NAME, "--plan", plan)
    assert job.members() == wanted([*range(100, 999), *range(1000, 1100)])


def test_a_rejected_plan_is_not_delivered_and_says_why(waiting: Job) -> None:
    plan = approved(waiting)
    waiting.cdp("export", "approve", plan, "--yes", status=4)
    other = wait(waiting)
    refused = waiting.cdp("export", "run", NAME, "--plan", plan, status=7).stderr
    assert "has taken its place" in refused
    said = waiting.cdp("export", "reject", other, "--reason", "not c7@example.org", "--yes", status=3).stderr
    assert "the reason holds an identifier" in said
    assert "c7@example.org" not in said
    waiting.cdp("export", "reject", other, "--reason", "the wrong segment", "--yes")
    refused = waiting.cdp("export", "run", NAME, "--plan", other, status=7).stderr
    assert refused.startswith("error CDP-711")
    made_by_somebody_else(waiting, other)
    assert "CDP-711" in waiting.cdp("export", "approve", other, "--yes", status=7).stderr
    assert "the wrong segment" in waiting.cdp("export", "history", NAME).stdout
    assert waiting.uploads() == []


def test_who_approved_may_still_reject_and_approves_once(waiting: Job) -> None:
    plan = approved(waiting)
    assert "CDP-407" in waiting.cdp("export", "approve", plan, "--yes", status=4).stderr
    waiting.cdp("export", "reject", plan, "--yes")
    assert "CDP-711" in waiting.cdp("export", "run", NAME, "--plan", plan, status=7).stderr
    assert waiting.uploads() == []


def test_what_is_delivered_already_cannot_be_rejected(waiting: Job) -> None:
    plan = approved(waiting)
    waiting.cdp("export", "run", NAME, "--plan", plan)
    refused = waiting.cdp("export", "reject", plan, "--yes", status=7).stderr
    assert f"has delivered plan {plan}" in refused


def test_an_approved_plan_waits_on_where_its_delivery_did_not_begin(waiting: Job) -> None:
    plan = approved(waiting)
    waiting.simulator.fault("status:route=get-segment,status=403,count=1000")
    waiting.cdp("export", "run", NAME, "--plan", plan, status=6)
    waiting.simulator.clear_faults()
    (view,) = waiting.cdp.json("export", "approvals")
    assert (view["plan"], view["lacking"]) == (plan, 0)
    waiting.cdp("export", "run", NAME, "--plan", plan)
    assert waiting.members() == wanted(range(1000))


def test_a_plan_that_was_looked_at_makes_room_for_one_that_waits(waiting: Job) -> None:
    plan = str(waiting.cdp.json("export", "plan", NAME)["plan"])
    made_by_somebody_else(waiting, plan)
    waiting.cdp("export", "approve", plan, "--yes")
    other = wait(waiting)
    refused = waiting.cdp("export", "run", NAME, "--plan", plan, status=7).stderr
    assert f"plan {other} has taken its place" in refused


def test_emptying_an_audience_of_what_others_put_there_waits(waiting: Job) -> None:
    waiting.write([])
    waiting.write(customers(range(10), value=1))
    waiting.cdp("export", "edit", NAME, "--mode", "replace")
    run = waiting.cdp.json("export", "run", NAME, "--yes", status=7)
    assert run["error"]["code"] == "CDP-710"


def test_a_plan_lapses(waiting: Job) -> None:
    plan = approved(waiting)
    past = {"lapses_at": "2026-01-01T00:00:00+00:00"}
    alter_document(waiting.cdp, plans.c.summary, lambda summary: summary["approval"].update(past))
    assert waiting.cdp("export", "run", NAME, "--plan", plan, status=7).stderr.startswith("error CDP-712")
    assert waiting.cdp.json("export", "approvals") == []
    run = waiting.cdp.json("export", "history", NAME)[-1]
    assert (run["status"], run["error"]["code"]) == ("canceled", "CDP-712")


def test_who_may_not_approve_cannot_lift_it(waiting: Job) -> None:
    waiting.cdp("role", "grant", "bob", "contributor")
    waiting.cdp("connection", "share", "Snapchat EU", "--with", "contributor")
    waiting.cdp("--as", "bob", "export", "edit", NAME, "--no-approval", status=4)
    waiting.cdp("export", "edit", NAME, "--no-approval")
    waiting.cdp("export", "run", NAME)
    assert waiting.members() == wanted(range(1000))


def test_sending_everything_again_waits_too(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.cdp("export", "edit", NAME, "--require-approval", "1")
    sent = len(job.uploads())
    run: dict[str, Any] = job.cdp.json("export", "resync", NAME, "--yes", status=7)
    assert run["status"] == "waiting for approval"
    assert len(job.uploads()) == sent


def test_a_scheduled_run_waits_and_is_not_paused(waiting: Job) -> None:
    make_due(waiting, NAME)
    waiting.cdp("scheduler", "start", "--once", status=7)
    assert last(waiting)["last"]["message"].startswith("CDP-710")
    assert last(waiting)["paused"] is None


class TestWithAnotherPerson:
    pytestmark = CAN_BE

    @pytest.fixture
    def shared(self, cdp: Cdp, simulator: SnapchatSimulator) -> Job:
        made = shared_job(cdp, simulator, role="administrator")
        made.cdp("export", "edit", NAME, "--require-approval", "1")
        return made

    def test_another_person_approves_and_it_is_delivered(self, shared: Job) -> None:
        plan = wait(shared)
        signed = as_other(shared, "export", "approve", plan, "--yes", "--json")
        assert signed.returncode == 0, signed.stderr
        assert json.loads(signed.stdout)["approved_by"] == [OTHER]
        shared.cdp("export", "run", NAME, "--plan", plan)
        assert shared.members() == wanted(range(300))

    def test_who_lost_the_right_since_has_not_approved(self, shared: Job) -> None:
        plan = wait(shared)
        assert as_other(shared, "export", "approve", plan, "--yes").returncode == 0
        shared.cdp("role", "revoke", OTHER, "administrator")
        refused = shared.cdp("export", "run", NAME, "--plan", plan, status=7).stderr
        assert f"{OTHER}, who approved of it, may not do so any more" in refused
        assert shared.uploads() == []
