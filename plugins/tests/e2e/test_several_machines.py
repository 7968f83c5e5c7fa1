"""One state in PostgreSQL, and several processes and workspaces that share it: what is due runs once, who
stalled cannot go on, and the secrets are the state's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from by_hand import alter, place_of
from cdp_core.model.secret import Secret
from cdp_core.store.state import State
from cdp_core.vault.state_vault import StateVault
from cdp_snapchat.simulator import SnapchatSimulator
from main_job import KILLER, Cdp, Job, add_export, customers, job_in, wanted
from postgres_server import Postgres
from scheduled import NAME, last, make_due, until
from shared_state import PHRASE, sharing


@pytest.fixture
def shared(cdp: Cdp, simulator: SnapchatSimulator, postgres: Postgres) -> Job:
    """The main job, with its state in PostgreSQL."""
    return job_in(sharing(cdp, postgres), simulator)


def state_of(job: Job) -> State:
    return State.open(place_of(job.cdp))


def test_the_main_job_with_its_state_in_postgresql(shared: Job) -> None:
    report = shared.cdp.json("export", "run", NAME)
    assert (report["status"], report["delivered"]["accepted"]) == ("committed", 1000)
    assert shared.members() == wanted(range(1000))
    shared.write(customers(range(50, 1030)))
    counts = shared.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert (counts["added"], counts["unchanged"], counts["removed"]) == (30, 950, 50)
    assert shared.members() == wanted(range(50, 1030))
    assert shared.cdp.json("audit", "verify")["ok"]
    for looking in (
        ("status",),
        ("export", "list"),
        ("export", "show", NAME),
        ("export", "history", "--all", "--status", "successful"),
        ("export", "show-run", report["run"]),
        ("connection", "list"),
        ("segment", "list"),
        ("schedule", "show"),
        ("suppress", "list"),
        ("ledger", "show", NAME),
        ("audit", "list"),
    ):
        shared.cdp.json(*looking)
    shared.cdp("explain", "--kind", "EMAIL", stdin="person60@example.org\n")
    shared.cdp("suppress", "add", "--kind", "EMAIL", stdin="person60@example.org\n")
    shared.cdp("export", "run", NAME)
    assert shared.members() == wanted(range(50, 1030)) - wanted([60])
    assert not (shared.cdp.folder / ".cdp" / "state.db").exists()
    looked_at = shared.cdp.json("doctor")
    assert {check["state"] for check in looked_at} == {"ok"}
    assert {"state", "vault"} <= {check["name"] for check in looked_at}


def test_a_killed_run_is_settled_by_the_next(shared: Job) -> None:
    shared.killed("cdp_core.store.journal:Journal.attempt:after:3", "export", "run", NAME)
    report = shared.cdp.json("export", "run", NAME)
    assert report["resumed_from"]
    assert shared.members() == wanted(range(1000))


def test_of_several_schedulers_one_runs_what_is_due(shared: Job) -> None:
    make_due(shared, NAME)
    several = [shared.cdp.start("scheduler", "start", "--once") for _ in range(3)]
    for each in several:
        with each:
            said, errors = each.communicate(timeout=90)
        # Who came too late finds it done (0), or being done (10).
        assert each.returncode in (0, 10), said + errors
    runs = shared.cdp.json("export", "history", NAME)
    assert len(runs) <= 2, "a minute may have begun meanwhile"
    assert shared.members() == wanted(range(1000))
    assert len(shared.uploads()) == 10


@pytest.mark.parametrize(
    "step",
    ["cdp_core.store.journal:Journal.attempt:after:3", "cdp_core.store.ledgers:Ledgers.commit:after:1"],
)
def test_a_killed_schedulers_run_is_finished_by_another(shared: Job, step: str) -> None:
    make_due(shared, NAME)
    killing = {"CDP_TEST_KILL": step, "PYTHONPATH": str(KILLER)}
    shared.cdp("scheduler", "start", "--once", status=70, environ=killing)
    assert last(shared)["last"]["outcome"] == "running"
    shared.write(customers(range(100, 1100)))
    shared.cdp("scheduler", "start", "--once")
    assert shared.members() == wanted(range(100, 1100))
    assert last(shared)["last"]["outcome"] == "done"


def test_a_holder_that_stalled_past_its_lease_cannot_go_on(shared: Job) -> None:
    shared.simulator.fault("stall:route=add-users,seconds=1,count=1000")
    with shared.cdp.start("export", "run", NAME) as stalled:
        until(shared.members)
        stalled.send_signal(signal.SIGSTOP)
        shared.simulator.clear_faults()
        # Its time is up: nobody renews it while it stands still.
        alter(shared.cdp, "UPDATE leases SET expires_at = now() - interval '1 second' WHERE held")
        shared.write(customers(range(100, 1100)))
        report = shared.cdp.json("export", "run", NAME)
        assert report["resumed_from"]
        assert shared.members() == wanted(range(100, 1100))
        with state_of(shared) as state:
            (before,) = state.ledgers.all()
        stalled.send_signal(signal.SIGCONT)
        said, errors = stalled.communicate(timeout=90)
    assert stalled.returncode == 70, said + errors
    assert "CDP-7003" in errors
    with state_of(shared) as state:
        assert state.ledgers.all() == (before,)
    assert shared.cdp.json("export", "run", NAME)["delivered"]["planned"] == 0
    assert shared.members() == wanted(range(100, 1100))


def test_a_process_that_stands_still_while_it_writes_does_not_keep_the_others_out(shared: Job) -> None:
    program = """
import os, signal, sys
from cdp_core.errors import CdpError
from cdp_core.store.backend import Server
from cdp_core.store.state import State
state = State.open(Server(url=sys.argv[1]))
try:
    with state.transaction():
        state.grants.grant("eve", "viewer", by="eve")
        print("inside", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
        state.grants.grant("mallory", "viewer", by="eve")
except CdpError as fault:
    print(fault.code.name, flush=True)
"""
    child = subprocess.Popen(
        [sys.executable, "-c", program, shared.cdp.environ["CDP_STATE_URL"]],
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "inside\n"
        shared.cdp("role", "grant", "vic", "viewer")
        child.send_signal(signal.SIGCONT)
        assert child.stdout.readline() == "SERVICE_UNREACHABLE\n"
    assert "eve" not in json.dumps(shared.cdp.json("role", "list"))


def joining(job: Job, tmp_path: Path, **environ: str) -> Cdp:
    """Another machine's folder, which knows of the state by an option alone."""
    folder = tmp_path / "another machine"
    folder.mkdir()
    kept = {name: value for name, value in job.cdp.environ.items() if name != "CDP_STATE_URL"}
    return replace(job.cdp, folder=folder, environ=kept | environ)


def test_a_second_machine_joins_the_state_and_reads_the_secrets(shared: Job, tmp_path: Path) -> None:
    other = joining(shared, tmp_path)
    words = ("--profiles", str(shared.profiles), "--key", "customer_id")
    url = shared.cdp.environ["CDP_STATE_URL"]
    made = other.json("init", *words, "--state-url", url)
    assert (made["vault"], made["state"], made["exports"]) == ("state", url, 1)
    assert [each["name"] for each in other.json("export", "list")] == [NAME]
    # With the token that the first machine was given.
    other("connection", "verify", "Snapchat EU")
    add_export(other, "From the second")
    assert "From the second" in [each["name"] for each in shared.cdp.json("export", "list")]
    assert list((other.folder / ".cdp" / "vault").iterdir()) == []


def test_two_machines_with_a_ledger_at_a_url_take_over_from_each_other(
    cdp: Cdp, simulator: SnapchatSimulator, postgres: Postgres, tmp_path: Path
) -> None:
    """Nothing is the same on both but the state, the ledger's URL, the key, and the profiles."""
    sharing_both = sharing(cdp, postgres)
    sharing_both.environ["CDP_LEDGER_URL"] = f"file://{tmp_path / 'a share'}"
    one = job_in(sharing_both, simulator)
    other = joining(one, tmp_path, CDP_STATE_URL=one.cdp.environ["CDP_STATE_URL"])
    other("init", "--profiles", str(one.profiles), "--key", "customer_id")
    one.killed("cdp_core.store.journal:Journal.attempt:after:3", "export", "run", NAME)
    assert other.json("export", "run", NAME)["resumed_from"]
    assert one.members() == wanted(range(1000))
    one.write(customers(range(100, 1100)))
    one.cdp("export", "run", NAME)
    assert one.members() == wanted(range(100, 1100))
    assert other.json("export", "run", NAME)["delivered"]["planned"] == 0
    assert {check["state"] for check in other.json("doctor")} == {"ok"}


@pytest.mark.parametrize(("phrase", "told"), [("", "is not set"), ("another", "is not the one")])
def test_a_machine_without_the_right_key_is_told_so_and_changes_nothing(
    shared: Job, tmp_path: Path, phrase: str, told: str
) -> None:
    other = joining(shared, tmp_path, CDP_VAULT_KEY=phrase)
    words = ("--profiles", str(shared.profiles), "--key", "customer_id")
    url = shared.cdp.environ["CDP_STATE_URL"]
    done = other("init", *words, "--state-url", url, status=3)
    assert told in done.stderr
    assert "CDP-318" in done.stderr
    assert list(other.folder.iterdir()) == []
    done = shared.cdp("connection", "verify", "Snapchat EU", status=3, environ={"CDP_VAULT_KEY": phrase})
    assert "CDP-318" in done.stderr
    shared.cdp("connection", "verify", "Snapchat EU")


def test_no_secret_lies_in_the_clear_in_the_state(shared: Job, postgres: Postgres) -> None:
    schema = shared.cdp.environ["CDP_STATE_URL"].partition("#")[2]
    with postgres.administrator() as connection:
        found = connection.execute(
            sql.SQL("SELECT name, sealed FROM {}").format(sql.Identifier(schema, "secrets"))
        ).fetchall()
    assert found
    with state_of(shared) as state:
        vault = StateVault(state.secrets, where="here", environ={"CDP_VAULT_KEY": PHRASE})
        opened = [vault.get(str(name)) for name, _ in found]
    assert all(isinstance(each, Secret) for each in opened)
    for secret, (_, sealed) in zip(opened, found, strict=True):
        assert secret is not None
        assert isinstance(sealed, bytes)
        assert secret.reveal().encode() not in sealed


def test_the_password_is_given_by_reference_alone_and_shown_nowhere(
    cdp: Cdp, postgres: Postgres, shared: Job, tmp_path: Path
) -> None:
    with postgres.administrator() as connection:
        connection.execute(b"GRANT CREATE ON DATABASE crm TO reader")
    url = postgres.url(f"state_of_reader_{os.getpid()}")
    other = joining(shared, tmp_path, DB_PASSWORD=postgres.password)
    words = ("init", "--profiles", str(shared.profiles), "--key", "customer_id")
    literal = url.replace("@", f":{postgres.password}@")
    for refused, status, code in (
        ((*words, "--state-url", literal), 2, "CDP-202"),
        ((*words, "--state-url", url, "--state-password", postgres.password), 2, "CDP-202"),
        ((*words, "--state-url", url), 3, "CDP-336"),
        ((*words, "--state-url", url, "--state-password", "env:NOT_THERE"), 3, "CDP-312"),
        ((*words, "--state-url", "mysql://host/db"), 3, "CDP-308"),
        ((*words, "--state-password", "env:DB_PASSWORD"), 2, "CDP-203"),
        ((*words, "--state-url", url, "--vault", "file"), 2, "CDP-203"),
    ):
        done = other(*refused, status=status)
        assert code in done.stderr, done.stderr
        assert postgres.password not in done.stdout + done.stderr
        assert list(other.folder.iterdir()) == []
    other(*words, "--state-url", url, "--state-password", "env:DB_PASSWORD")
    settings = (other.folder / ".cdp" / "cdp.toml").read_text()
    assert 'password = "env:DB_PASSWORD"' in settings
    assert postgres.password not in settings
    other("whoami")
    wrong = other("whoami", status=3, environ={"DB_PASSWORD": "wrong"})
    assert "does not accept this user's password" in wrong.stderr


def test_a_server_that_is_not_there_is_a_temporary_failure(shared: Job) -> None:
    nowhere = {"CDP_STATE_URL": "postgresql://cdp@127.0.0.1:1/crm"}
    began = time.monotonic()
    done = shared.cdp("whoami", status=9, environ=nowhere)
    assert "CDP-901" in done.stderr
    assert time.monotonic() - began < 60


def test_a_folder_is_not_opened_over_another_state(shared: Job, postgres: Postgres, tmp_path: Path) -> None:
    other = joining(shared, tmp_path)
    words = ("init", "--profiles", str(shared.profiles), "--key", "customer_id")
    url = postgres.state_place().url
    other(*words, "--state-url", url)
    shared.cdp("export", "run", NAME)
    done = shared.cdp("export", "list", status=3, environ={"CDP_STATE_URL": url})
    assert "belong to another shared state" in done.stderr
    alone = joining(shared, tmp_path / "another machine", CDP_VAULT="file")
    alone(*words)
    done = alone("export", "list", status=3, environ={"CDP_STATE_URL": url})
    assert "has another state, in a file" in done.stderr
    alone("export", "list")
    assert shared.cdp.json("export", "run", NAME)["delivered"]["planned"] == 0


def test_a_vault_in_a_state_that_nothing_names_is_told(shared: Job) -> None:
    done = shared.cdp("whoami", status=3, environ={"CDP_STATE_URL": ""})
    assert "CDP_STATE_URL" in done.stderr
