"""A ledger that was lost or spoilt: rebuilt with the same claims, or given up; nothing is deleted."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from by_hand import place_of
from cdp_core.model.delivery import BatchStatus
from cdp_core.model.ledger import LedgerPart
from cdp_core.model.names import as_typed
from cdp_core.pipeline.claims import LedgerReader
from cdp_core.store.state import State
from main_job import AUDIENCE, Job, add_export, customers, wanted

NAME = "Loyal to Snapchat"
Claims = dict[tuple[str, str, bool], set[bytes]]


def workspace(job: Job) -> Path:
    return job.cdp.folder / ".cdp"


def files_of(job: Job) -> list[Path]:
    with State.open(place_of(job.cdp)) as state:
        (version,) = state.ledgers.all()
    return [workspace(job) / "ledger" / file.path for file in version.files]


def claims_of(job: Job) -> Claims:
    """Every claim of the audience: by export, kind, and whether it is confirmed."""
    folder = workspace(job) / "ledger"
    with State.open(place_of(job.cdp)) as state:
        (version,) = state.ledgers.all()
    found: Claims = {}
    for export, kind in {(file.export_id, file.kind) for file in version.files}:
        own = [file for file in version.files if (file.export_id, file.kind) == (export, kind)]
        reader = LedgerReader(folder, own)
        for fold in reader.read(reader.ranges):
            claims = fold()
            found.setdefault((export, kind, True), set()).update(claims.confirmed.to_pylist())
            found.setdefault((export, kind, False), set()).update(claims.unconfirmed.to_pylist())
    return {key: digests for key, digests in found.items() if digests}


def lose_and_rebuild(job: Job) -> None:
    """Delete every ledger file: a run stops and says how to mend it, and then all claims are as before."""
    before, members = claims_of(job), job.members()
    assert before
    for path in files_of(job):
        path.unlink()
    stopped = job.cdp("export", "run", NAME, status=7).stderr
    assert "CDP-702" in stopped
    assert "cdp ledger rebuild" in stopped
    assert "cdp ledger reset" in stopped
    assert job.members() == members
    view = job.cdp.json("ledger", "rebuild", NAME)
    assert view["before"] == view["after"] == sum(map(len, before.values()))
    assert view["lost"] == []
    assert claims_of(job) == before


def unanswered(job: Job) -> None:
    """A run of which some batches are applied, but never answered."""
    job.simulator.fault("cut-after:route=add-users,count=1000")
    job.cdp("export", "run", NAME, status=9)
    job.simulator.clear_faults()


def delivering(job: Job) -> bool:
    return any(run["status"] == "delivering" for run in job.cdp.json("export", "history", NAME))


def test_a_rebuilt_ledger_has_the_same_claims_whatever_happened(job: Job) -> None:
    job.cdp("export", "run", NAME)
    lose_and_rebuild(job)
    job.write(customers(range(100, 1050)))
    job.cdp("export", "run", NAME)
    lose_and_rebuild(job)
    job.cdp("segment", "add", "Nines", "--where", "email LIKE '%9@%' OR lifetime_value < 500")
    add_export(job.cdp, "Second", "--segment", "Nines")
    job.write([*customers(range(100, 1050)), *customers(range(2000, 2100), value=10)])
    job.cdp("export", "run", "Second")
    lose_and_rebuild(job)
    job.write([*customers(range(300, 1300)), *customers(range(2000, 2050), value=10)])
    unanswered(job)
    assert any(not confirmed for _, _, confirmed in claims_of(job))
    lose_and_rebuild(job)
    # A run that died and was settled, and one that nobody has settled yet.
    job.write(customers(range(400, 1400)))
    job.killed("cdp_core.store.journal:Journal.attempt:after:2", "export", "run", NAME)
    lose_and_rebuild(job)
    job.cdp("export", "run", NAME)
    lose_and_rebuild(job)
    job.write(customers(range(500, 1500)))
    job.killed("cdp_core.store.journal:Journal.close:before:1", "export", "run", NAME)
    lose_and_rebuild(job)
    job.cdp("export", "detach", "Second", "--leave-members")
    lose_and_rebuild(job)
    job.cdp("export", "run", NAME)
    lose_and_rebuild(job)
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 1000


def test_a_spoilt_file_and_strangers_are_named_and_moved_aside(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write(customers(range(10, 1010)))
    job.cdp("export", "run", NAME)
    before = claims_of(job)
    spoilt = next(path for path in files_of(job) if f".{LedgerPart.ENDED}." in path.name)
    # In a file of its own: a plan shares its bytes with the ledger.
    spoilt.unlink()
    spoilt.write_bytes(b"not what it was")
    stranger = workspace(job) / "ledger" / "customers of last year.parquet"
    stranger.write_bytes(b"somebody else's")
    shown = job.cdp("ledger", "show", NAME).stdout
    assert spoilt.name in shown
    assert f"Next: cdp ledger rebuild {as_typed(NAME)}" in shown
    assert stranger.name in shown
    assert [check["state"] for check in job.cdp.json("doctor", status=3) if check["name"] == "ledger"] == [
        "warning",
        "error",
    ]
    view = job.cdp.json("ledger", "rebuild", AUDIENCE)
    aside = Path(view["aside"])
    assert (aside / stranger.name).read_bytes() == b"somebody else's"
    assert next(aside.rglob(spoilt.name)).read_bytes() == b"not what it was"
    assert not stranger.exists()
    assert not spoilt.exists()
    assert claims_of(job) == before
    job.cdp("doctor")
    job.cdp("export", "run", NAME)


def test_what_receipts_cannot_tell_is_said_and_needs_a_yes(job: Job) -> None:
    first = job.cdp.json("export", "run", NAME)["run"]
    job.write(customers(range(10, 1010)))
    second = job.cdp.json("export", "run", NAME)["run"]
    shutil.rmtree(workspace(job) / "plans" / second)
    before = claims_of(job)
    refused = job.cdp("ledger", "rebuild", NAME, status=2).stderr
    assert f"the plan of run {second} is gone, which added 10 and removed 10" in refused
    assert first not in refused
    assert claims_of(job) == before
    view = job.cdp.json("ledger", "rebuild", NAME, "--yes")
    assert len(view["lost"]) == 1
    (claims,) = claims_of(job).values()
    assert claims == wanted(range(1000))
    entry = next(e for e in job.cdp.json("audit", "list") if e["action"] == "ledger.rebuild")
    assert entry["details"]["lost"] == [second]
    # What was lost is sent and removed once more, which changes nothing at the service.
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(10, 1010))


@pytest.mark.parametrize(
    ("sizes", "lost"),
    [((1000, 1001, 1000, 1001), 2), ((1000, 1001, 1000, 1001), 1), ((1001, 1000, 1001), 1)],
    ids=["removal lost, added twice", "addition lost, removed and added", "removal lost, there at first"],
)
def test_a_lost_plan_between_others_leaves_nobody_for_good(
    job: Job, sizes: tuple[int, ...], lost: int
) -> None:
    runs = []
    for size in sizes:
        job.write(customers(range(size)))
        runs.append(job.cdp.json("export", "run", NAME)["run"])
    before = claims_of(job)
    shutil.rmtree(workspace(job) / "plans" / runs[lost])
    view = job.cdp.json("ledger", "rebuild", NAME, "--yes")
    assert len(view["lost"]) == 1
    assert view["after"] == 1001
    assert claims_of(job) == before
    job.write(customers(range(1000)))
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["removed"] == 1
    assert job.members() == wanted(range(1000))


def test_an_answer_that_came_late_leaves_nobody_for_good(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write(customers(range(1001)))
    job.killed("cdp_core.store.journal:Journal.close:before:1", "export", "run", NAME)
    cut_off = job.cdp.json("export", "history", NAME)[0]["run"]
    # The next run takes it for unknown and sends the one more again; then the answer arrives.
    job.cdp("export", "run", NAME)
    before = claims_of(job)
    with State.open(place_of(job.cdp)) as state:
        (batch,) = state.journal.batches(cut_off)
        state.journal.close(batch.id, BatchStatus.ACCEPTED)
    view = job.cdp.json("ledger", "rebuild", NAME)
    assert view["lost"] == []
    assert view["after"] == 1001
    assert claims_of(job) == before
    job.write(customers(range(1000)))
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["removed"] == 1
    assert job.members() == wanted(range(1000))


def test_a_dead_run_whose_plan_is_gone_stops_runs_until_the_ledger_is_rebuilt(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.write(customers(range(10, 1010)))
    job.killed("cdp_core.store.journal:Journal.attempt:after:1", "export", "run", NAME)
    dead = job.cdp.json("export", "history", NAME)[0]["run"]
    shutil.rmtree(workspace(job) / "plans" / dead)
    stopped = job.cdp("export", "run", NAME, status=7).stderr
    assert dead in stopped
    assert "cdp ledger rebuild" in stopped
    job.cdp("ledger", "rebuild", NAME, status=2)
    job.cdp("ledger", "rebuild", NAME, "--yes")
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(10, 1010))


def test_after_a_reset_the_next_run_sends_everybody_again(job: Job) -> None:
    job.cdp("export", "run", NAME)
    old = files_of(job)
    refused = job.cdp("ledger", "reset", NAME, status=2).stderr
    assert "holds 1,000 claims of 1 export" in refused
    assert "stay in the audience" in refused
    assert job.cdp.json("export", "show", NAME)["claims"] == 1000
    done = job.cdp("ledger", "reset", NAME, "--yes", "--json")
    assert "holds 1,000 claims" in done.stderr
    view = job.cdp.json("ledger", "show", AUDIENCE)
    assert view["claims"] == {}
    assert not any(path.exists() for path in old)
    assert len(list((workspace(job) / "ledger-aside").rglob("*.parquet"))) == len(old)
    # A rebuilding does not bring back what was given up.
    assert job.cdp.json("ledger", "rebuild", NAME)["after"] == 0
    job.simulator.clear_requests()
    report = job.cdp.json("export", "run", NAME)
    assert report["kinds"]["EMAIL"]["added"] == 1000
    assert len(job.uploads()) == 10
    assert job.members() == wanted(range(1000))
    lose_and_rebuild(job)


def test_a_reset_gives_up_what_dead_runs_left(job: Job) -> None:
    job.killed("cdp_core.store.journal:Journal.attempt:after:3", "export", "run", NAME)
    dead = job.cdp.json("export", "history", NAME)[0]["run"]
    shutil.rmtree(workspace(job) / "plans" / dead)
    job.cdp("export", "run", NAME, status=7)
    job.cdp("ledger", "reset", NAME, "--yes")
    report = job.cdp.json("export", "run", NAME)
    assert report["resumed_from"] is None
    assert job.members() == wanted(range(1000))


@pytest.mark.parametrize("verb", ["show", "rebuild", "reset"])
def test_the_ledger_is_the_administrators_and_names_are_looked_up(job: Job, verb: str) -> None:
    job.cdp("role", "grant", "carla", "contributor")
    yes: list[Any] = ["--yes"] if verb != "show" else []
    job.cdp("--as", "carla", "ledger", verb, NAME, *yes, status=4)
    missing = job.cdp("ledger", verb, "nothing of that name", *yes, status=3).stderr
    assert "nothing of that name" in missing


def test_while_a_run_holds_the_audience_nothing_is_mended(job: Job) -> None:
    job.simulator.fault("stall:route=add-users,seconds=20,count=1")
    with job.cdp.start("export", "run", NAME) as run:
        while run.poll() is None and not delivering(job):
            time.sleep(0.1)
        held = job.cdp("ledger", "reset", NAME, "--yes", status=10).stderr
        assert "CDP-1001" in held
        run.kill()
