"""Each fault of the service met by a whole run over real HTTP: how it ends, goes on, and tells no token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cdp_core.simulate.certificate import make_certificate
from cdp_snapchat.simulator import AUDIENCE_ID, SnapchatSimulator, snapchat_simulator
from main_job import Cdp, Job, cdp_in, job_in, wanted
from put_aside import PutAside
from shared_state import found_within, in_postgresql, sharing

NAME = "Loyal to Snapchat"
SECRET = "s3cret-of-the-app"


@pytest.fixture(scope="module")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[Job, PutAside]]:
    """Set up once; refresh tokens stay the same, so that each test can use the one that was put aside."""
    cdp = cdp_in(tmp_path_factory.mktemp("prepared"))
    if in_postgresql():
        cdp = sharing(cdp, request.getfixturevalue("postgres"))
    with snapchat_simulator(rate_limit=False, client_secret=SECRET, refresh_tokens="same") as simulator:
        job = job_in(cdp, simulator)
        yield job, PutAside(cdp, tmp_path_factory.mktemp("aside") / "fresh")


@pytest.fixture
def job(prepared: tuple[Job, PutAside], monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    job, begun = prepared
    found_within(monkeypatch, job.cdp)
    begun.back()
    yield job
    simulator = job.simulator
    simulator.clear_faults()
    simulator.clear_requests()
    simulator.world.audiences[AUDIENCE_ID].empty(simulator.clock.time())


def debugged(cdp: Cdp, simulator: SnapchatSimulator, *, status: int) -> str:
    """What a run says at DEBUG, after looking for tokens in all that it says and leaves on disk."""
    given_out = simulator.tokens_in_use()
    done = cdp("--debug", "export", "run", NAME, status=status)
    said = done.stdout + done.stderr
    assert "DEBUG urllib3.connectionpool" in said
    files = [path.read_bytes() for path in cdp.folder.rglob("*") if path.is_file()]
    for secret in given_out | simulator.tokens_in_use() | {SECRET}:
        assert secret not in said
        assert not any(secret.encode() in file for file in files)
    return said


PASSING = [
    "unauthorized:route=add-users,skip=3",
    "throttled:route=add-users,skip=1,count=5",
    "throttled:route=add-users,count=1,retry_after=1",
    "status:route=add-users,status=500,count=2",
    "unavailable:route=add-users,count=2,applies=yes",
    "unavailable:route=add-users,retry_after=1",
    "html:route=add-users,count=2",
    "html:route=add-users,count=2,status=200,applies=yes",
    "cut-request:route=add-users,count=2",
    "cut-before:route=add-users,count=2",
    "cut-after:route=add-users,count=2",
    "cut-answer:route=add-users,count=2",
    "numeric-ids:count=all",
    "unknown-values:count=all",
    "other-case:count=all",
]


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_by_itself_costs_nobody_their_place(job: Job, fault: str) -> None:
    job.simulator.fault(fault)
    debugged(job.cdp, job.simulator, status=0)
    assert job.members() == wanted(range(1000))
    assert job.simulator.app.faults.queued() == [] or "count=all" in fault
    assert job.cdp.json("export", "show", NAME)["claims"] == 1000


ENDING = [
    ("forbidden", 6, "CDP-603"),
    ("error-in-200", 6, "CDP-603"),
    ("sub-error-in-200", 6, "CDP-603"),
    ("not-found", 3, "CDP-315"),
    ("gone", 3, "CDP-315"),
    ("throttled", 9, "CDP-901"),
    ("unavailable", 9, "CDP-901"),
    ("html", 9, "CDP-901"),
    ("cut-before", 9, "CDP-901"),
    ("cut-after", 9, "CDP-901"),
]


@pytest.mark.parametrize(("fault", "status", "code"), ENDING)
def test_what_does_not_pass_ends_the_run_and_the_next_one_goes_on(
    job: Job, fault: str, status: int, code: str
) -> None:
    job.simulator.fault(f"{fault}:route=add-users,skip=2,count=all")
    assert code in debugged(job.cdp, job.simulator, status=status)
    (run,) = job.cdp.json("export", "history", NAME)
    assert (run["status"], run["error"]["code"]) == ("failed", code)
    sent = run["delivered"]
    assert (
        sent["planned"] == 1000 == sum(sent[name] for name in ("accepted", "refused", "unknown", "not_sent"))
    )
    job.simulator.clear_faults()
    debugged(job.cdp, job.simulator, status=0)
    assert job.members() == wanted(range(1000))


def test_a_second_401_ends_it_and_nothing_is_asked_until_somebody_signs_in(job: Job) -> None:
    job.simulator.fault("unauthorized:route=add-users,skip=2,count=all")
    said = debugged(job.cdp, job.simulator, status=6)
    assert "CDP-602" in said
    assert 'cdp connection authenticate "Snapchat EU"' in said
    assert job.cdp.json("connection", "show", "Snapchat EU")["status"] == "reconnect"
    job.simulator.clear_faults()
    job.simulator.clear_requests()
    job.cdp("export", "run", NAME, status=6)
    job.cdp("connection", "verify", "Snapchat EU", status=6)
    assert job.simulator.requests() == []
    job.cdp.sign_in("Snapchat EU")
    debugged(job.cdp, job.simulator, status=0)
    assert job.members() == wanted(range(1000))


def test_a_stall_counts_as_lost_after_the_time_out_of_the_connection(job: Job) -> None:
    job.cdp("connection", "edit", "Snapchat EU", "--set", "timeout=1")
    job.simulator.fault("stall:route=add-users,seconds=1.3")
    debugged(job.cdp, job.simulator, status=0)
    assert job.members() == wanted(range(1000))


@pytest.mark.parametrize("cut", ["cut-request", "cut-before", "cut-after", "cut-answer"])
def test_a_cut_within_tls_is_like_any_other(tmp_path: Path, cut: str) -> None:
    certificate = tmp_path / "ca.pem"
    with snapchat_simulator(
        tls=make_certificate(certificate), rate_limit=False, client_secret=SECRET
    ) as simulator:
        cdp = cdp_in(tmp_path)
        cdp.environ["REQUESTS_CA_BUNDLE"] = str(certificate)
        job = job_in(cdp, simulator)
        simulator.fault(f"{cut}:route=add-users,count=2")
        debugged(cdp, simulator, status=0)
        assert job.members() == wanted(range(1000))
