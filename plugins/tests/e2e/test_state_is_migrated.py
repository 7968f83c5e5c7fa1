"""`cdp workspace migrate`: a state goes from its file into PostgreSQL, and nothing is lost on the way."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cdp_core.store import backend, copying
from cdp_core.store.backend import Server
from cdp_core.store.state import State
from cdp_core.store.tables import metadata
from main_job import Job, customers, wanted
from postgres_server import Postgres
from scheduled import NAME, until
from shared_state import PHRASE

# A state in a file is what is migrated.
pytestmark = pytest.mark.state_in_a_file

MIGRATE = ("workspace", "migrate", "--state-url")


@pytest.fixture
def ready(job: Job) -> Job:
    """It has sent once, and can seal secrets."""
    job.cdp.environ["CDP_VAULT_KEY"] = PHRASE
    job.cdp("suppress", "add", stdin="person7@example.org\n")
    job.cdp("export", "run", NAME)
    return job


@pytest.fixture
def server(postgres: Postgres) -> Server:
    return postgres.state_place()


def kept_files(job: Job) -> list[Path]:
    return list((job.cdp.folder / ".cdp").glob("state-before-*.db"))


def test_everything_goes_along_and_the_next_run_goes_on(ready: Job, server: Server) -> None:
    cdp = ready.cdp
    tried = cdp.json(*MIGRATE, server.url, "--dry-run")
    assert tried["dry_run"] is True
    assert tried["tables"]["suppressions"] == 1
    assert tried["secrets"] == 1
    assert not kept_files(ready)

    done = cdp.json(*MIGRATE, server.url)
    (aside,) = kept_files(ready)
    assert done["aside"] == str(aside.resolve())
    assert done["tables"].keys() == metadata.tables.keys()
    with State.open(server) as state, state.as_it_is() as there, sqlite3.connect(aside) as before:
        found = copying.counts(there)
        for table, count in done["tables"].items():
            assert before.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)
            # The act's own last entry, and the secrets, come on top.
            assert found[table] - count in ((0,) if table not in ("audit", "secrets", "vault_key") else (1,))
        assert state.audit.verify().ok
        assert state.audit.entries(limit=1)[0].action == "workspace.migrate"
        with pytest.raises(sqlite3.IntegrityError, match="moved elsewhere"):
            before.execute("DELETE FROM runs")

    ready.write(customers(range(100, 1100)))
    ready.simulator.clear_requests()
    run = cdp.json("export", "run", NAME)
    assert (run["kinds"]["EMAIL"]["added"], run["kinds"]["EMAIL"]["removed"]) == (100, 99)
    assert ready.members() == wanted(range(100, 1100))
    # A number that was given is not given again.
    cdp("suppress", "add", stdin="person101@example.org\n")
    with State.open(server) as state:
        assert state.suppressions.newest_first(limit=1)[0].kind == "EMAIL"
        with state.as_it_is() as connection:
            assert backend.last_number(connection, "suppressions", "number") == 2
    assert cdp.json("audit", "verify")["ok"] is True
    assert cdp("doctor").returncode == 0


def test_the_next_step_and_the_kept_file_are_said(ready: Job, server: Server) -> None:
    said = ready.cdp(*MIGRATE, server.url).stdout
    assert "cdp ledger move --to URL" in said
    assert "state-before-" in said
    again = ready.cdp(*MIGRATE, server.url, status=2)
    assert "in PostgreSQL already" in again.stderr


def test_where_the_file_cannot_be_closed_it_is_used_on(ready: Job, server: Server) -> None:
    state = ready.cdp.folder / ".cdp" / "state.db"
    in_the_way = "CREATE TRIGGER runs_moved_insert BEFORE INSERT ON runs BEGIN SELECT 1; END"
    with sqlite3.connect(state) as before:
        before.execute(in_the_way)
    ready.cdp(*MIGRATE, server.url, status=70)
    assert not kept_files(ready)
    ready.write(customers(range(990)))
    ready.cdp("export", "run", NAME)
    assert ready.members() == wanted(set(range(990)) - {7})
    with sqlite3.connect(state) as before:
        before.execute("DROP TRIGGER runs_moved_insert")
    ready.cdp(*MIGRATE, server.url)
    assert kept_files(ready)
    assert ready.cdp.json("audit", "verify")["ok"] is True


@pytest.mark.parametrize(
    "step",
    [
        "cdp_core.store.copying:copy:before:1",
        "cdp_core.store.copying:content:after:9",
        "cdp_core.workspace.workspace:Workspace.edit:before:1",
    ],
)
def test_killed_before_the_switch_the_file_is_used_and_a_second_try_does_it(
    ready: Job, server: Server, step: str
) -> None:
    ready.killed(step, *MIGRATE, server.url)
    assert not kept_files(ready)
    ready.write(customers(range(990)))
    ready.cdp("export", "run", NAME)
    assert ready.members() == wanted(set(range(990)) - {7})
    ready.cdp(*MIGRATE, server.url)
    ready.write(customers(range(980)))
    ready.cdp("export", "run", NAME)
    assert ready.members() == wanted(set(range(980)) - {7})
    assert ready.cdp.json("audit", "verify")["ok"] is True


@pytest.mark.parametrize(
    "step", ["workspace.workspace:Workspace.edit:after:1", "store.state:State.close:after:1"]
)
def test_killed_after_the_switch_the_server_is_used(ready: Job, server: Server, step: str) -> None:
    ready.killed(f"cdp_core.{step}", *MIGRATE, server.url)
    assert ready.cdp.json("audit", "verify")["ok"] is True
    assert len(kept_files(ready)) == 1
    ready.write(customers(range(980)))
    ready.cdp("export", "run", NAME)
    assert ready.members() == wanted(set(range(980)) - {7})


def test_a_copy_that_somebody_has_used_since_is_not_replaced(ready: Job, server: Server) -> None:
    ready.killed("cdp_core.workspace.workspace:Workspace.edit:before:1", *MIGRATE, server.url)
    with State.open(server) as state:
        state.audit.append(actor="a", real="a", action="export.run", object="x", outcome="done")
    refused = ready.cdp(*MIGRATE, server.url, status=3)
    assert "CDP-302" in refused.stderr
    assert not kept_files(ready)


def test_another_state_is_not_replaced(ready: Job, server: Server) -> None:
    State.create(server).close()
    assert "CDP-302" in ready.cdp(*MIGRATE, server.url, status=3).stderr
    assert "CDP-302" in ready.cdp(*MIGRATE, server.url, "--dry-run", status=3).stderr


def test_what_stands_in_the_way_is_told(ready: Job, server: Server, postgres: Postgres) -> None:
    cdp = ready.cdp
    nowhere = f"postgresql://postgres@127.0.0.1:1/crm#{server.url.partition('#')[2]}"
    assert "CDP-901" in cdp(*MIGRATE, nowhere, status=9).stderr
    assert "CDP-202" in cdp(*MIGRATE, "postgresql://me:s3cret@127.0.0.1/crm", status=2).stderr
    without = dict(cdp.environ)
    del cdp.environ["CDP_VAULT_KEY"]
    assert "CDP-318" in cdp(*MIGRATE, server.url, status=3).stderr
    cdp.environ.update(without)
    cdp("role", "grant", "daemon", "contributor")
    assert "CDP-401" in cdp("--as", "daemon", *MIGRATE, server.url, status=4).stderr


def test_while_a_run_is_under_way_it_is_refused(ready: Job, server: Server) -> None:
    ready.write(customers(range(1000, 2000)))
    ready.simulator.fault("stall:route=add-users,seconds=5,count=1000")
    running = ready.cdp.start("export", "run", NAME, "--allow-shrink")
    until(lambda: ready.cdp.json("export", "list")[0]["status"] == "delivering")
    for words in ((), ("--dry-run",)):
        refused = ready.cdp(*MIGRATE, server.url, *words, status=10).stderr
        assert "is at work in the workspace" in refused
    ready.simulator.clear_faults()
    said = running.communicate(timeout=120)
    assert running.returncode == 0, said
    ready.cdp(*MIGRATE, server.url)


def test_every_table_is_copied() -> None:
    assert {table.name for table in copying.tables()} == metadata.tables.keys()
