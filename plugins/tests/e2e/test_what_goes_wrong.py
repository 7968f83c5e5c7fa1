"""Revoked grants, refused batches, dead services: what a run says, how it exits, and how it is mended."""

from __future__ import annotations

from main_job import Job, customers, wanted

NAME = "Loyal to Snapchat"


def test_a_revoked_grant_asks_to_sign_in_again_and_then_everything_goes_on(job: Job) -> None:
    job.simulator.revoke_tokens()
    stopped = job.cdp("export", "run", NAME, status=6)
    assert 'cdp connection authenticate "Snapchat EU"' in stopped.stderr
    assert job.members() == set()
    assert job.cdp.json("connection", "show", "Snapchat EU")["status"] == "reconnect"
    job.simulator.clear_requests()
    job.cdp("export", "run", NAME, status=6)
    assert job.simulator.requests() == []
    refused = job.cdp.json("export", "history", NAME)
    assert [(run["status"], run["error"]["code"]) for run in refused] == [("failed", "CDP-602")] * 2
    job.cdp.sign_in("Snapchat EU")
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))


def test_a_wrong_client_secret_is_named_and_once_it_is_mended_nobody_signs_in(job: Job) -> None:
    job.simulator.expire_tokens()
    wrong = {"SNAP_SECRET": "not-the-secret-of-the-app"}
    for _ in range(2):
        stopped = job.cdp("export", "run", NAME, status=6, environ=wrong)
        assert "CDP-608" in stopped.stderr
        assert "client_secret (env:SNAP_SECRET)" in " ".join(stopped.stderr.split())
        assert "not-the-secret" not in stopped.stdout + stopped.stderr
    assert job.cdp.json("connection", "show", "Snapchat EU")["status"] == "connected"
    assert job.members() == set()
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))


def test_a_token_that_lapses_is_refreshed_without_anybody(job: Job) -> None:
    job.simulator.expire_tokens()
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))


def test_a_service_that_is_down_exits_9_and_the_next_run_sends_what_was_left(job: Job) -> None:
    job.simulator.fault("unavailable:route=add-users,count=1000")
    job.cdp("export", "run", NAME, status=9)
    job.simulator.clear_faults()
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))


def test_a_lost_right_exits_6_and_is_not_tried_again(job: Job) -> None:
    job.simulator.fault("forbidden:route=add-users,count=1000")
    stopped = job.cdp("export", "run", NAME, status=6)
    assert "CDP-603" in stopped.stderr + stopped.stdout
    assert "The service refused the request as a whole" in stopped.stderr + stopped.stdout
    assert "refused by the service" not in stopped.stderr + stopped.stdout
    assert 1 <= len(job.uploads()) <= 5


def test_an_empty_source_stops_the_run_before_anybody_is_taken_out(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write([])
    stopped = job.cdp("export", "run", NAME, status=7)
    assert "CDP-701" in stopped.stderr
    assert job.members() == wanted(range(1000))


def test_a_ledger_file_that_was_changed_stops_the_run(job: Job) -> None:
    job.cdp("export", "run", NAME)
    file = next((job.cdp.folder / ".cdp" / "ledger").rglob("*.parquet"))
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1])
    job.write(customers(range(900)))
    stopped = job.cdp("export", "run", NAME, status=7)
    assert "CDP-702" in stopped.stderr
    assert job.members() == wanted(range(1000))
