"""Opening the state: what is migrated, what is refused, and what a sick disk looks like from outside."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, select

from cdp_core.errors import CdpError, Code, InvalidFault, TemporaryFault
from cdp_core.model.delivery import AudienceKey
from cdp_core.store import schema, sqlite, tables
from cdp_core.store.state import State

MIGRATIONS = Path(schema.__file__).parent / "migrations"


def refused(path: Path) -> CdpError:
    with pytest.raises(InvalidFault) as caught:
        State.open(path)
    assert str(path) in caught.value.where
    assert caught.value.hint
    return caught.value


def test_the_migrations_lead_to_exactly_the_tables_that_the_code_knows(state: State) -> None:
    with state._database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
        found = set(inspect(connection).get_table_names())
    assert found == {*tables.metadata.tables, "alembic_version"}


def test_the_known_revisions_are_those_of_the_migrations_in_their_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(revisions)) == schema.REVISIONS


def test_the_file_is_its_owners_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        with State.create(path) as state:
            state.grants.grant("a", "viewer", by="a")
            modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("state.db*")}
    finally:
        os.umask(before)
    assert modes == {0o600}


def test_a_second_creation_is_refused_and_changes_nothing(state: State, path: Path) -> None:
    state.grants.grant("anna", "administrator", by="anna")
    with pytest.raises(InvalidFault) as caught:
        State.create(path)
    assert caught.value.code is Code.WORKSPACE_EXISTS
    assert state.grants.all() == {"anna": {"administrator"}}


def test_a_creation_that_fails_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: object) -> None:
        raise RuntimeError("no tables")

    monkeypatch.setattr(schema, "upgrade", fail)
    with pytest.raises(RuntimeError):
        State.create(path)
    assert list(path.parent.iterdir()) == []


def test_opening_todays_state_imports_neither_alembic_nor_psycopg(state: State, path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from cdp_core.store.state import State\n"
        "State.open(Path(sys.argv[1])).close()\n"
        "sys.exit(any(name.startswith(('alembic', 'psycopg')) for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)


def make_older(path: Path) -> None:
    """A state from before the first migration: marked as ours, and empty."""
    path.touch(mode=0o600)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA application_id={sqlite.APPLICATION_ID}")
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.close()


def test_an_older_state_is_brought_up_to_date_once_however_many_open_it(path: Path) -> None:
    make_older(path)
    program = "from cdp_core.store.state import State; from pathlib import Path; import sys\n" + (
        "with State.open(Path(sys.argv[1])) as s: s.grants.grant(sys.argv[2], 'viewer', by='x')"
    )
    openers = [subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in "abc"]
    assert [opener.wait(60) for opener in openers] == [0, 0, 0]
    with State.open(path) as state:
        assert sorted(state.grants.all()) == ["a", "b", "c"]


def test_who_had_a_role_before_grants_had_scopes_has_it_after(path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0015")
        connection.exec_driver_sql(
            "INSERT INTO grants (person, role, granted_by, granted_at) "
            "VALUES ('anna', 'administrator', 'eve', '2026-11-23 04:05:06.789012')"
        )
    engine.dispose()
    path.chmod(0o600)
    with State.open(path) as state:
        assert state.grants.all() == {"anna": {"administrator"}}
        with state._database.read() as connection:
            (row,) = connection.execute(select(tables.grants)).all()
    assert (row.holder_kind, row.scope, row.about, row.granted_by) == ("person", "workspace", "", "eve")
    assert row.granted_at == datetime(2026, 11, 23, 4, 5, 6, 789_012, tzinfo=UTC)


def test_a_run_of_before_totals_were_kept_has_none_after_the_upgrade(path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0018")
        connection.exec_driver_sql(
            "INSERT INTO runs (id, export_id, export_name, status, actor, dry_run, started_at, kinds, "
            "members, profiles, delivered, seconds, destination, origin, audience_id, ledger_version, "
            "claims) VALUES "
            "('1', 'e1', 'Loyal', 'committed', 'anna', 0, '2026-11-23 04:05:06.789012', '{}', 0, 0, '{}', 0, "
            "'snapchat', 'https://ads.example:443', '5', 1, 7)"
        )
    engine.dispose()
    path.chmod(0o600)
    with State.open(path) as state:
        (run,) = state.runs.committed(AudienceKey("snapchat", "https://ads.example:443", "5"))
    assert (run.id, run.claims, run.held) == ("1", 7, None)


def test_a_state_of_a_newer_version_is_refused(state: State, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert refused(path).code is Code.STATE_NEWER


def test_a_lost_state_is_a_fault_and_not_an_empty_one(path: Path) -> None:
    assert refused(path).code is Code.WORKSPACE_BROKEN
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to have a header " * 40])
def test_what_is_no_database_of_ours_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert refused(path).code is Code.WORKSPACE_BROKEN


def test_another_programs_database_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('abc')")
    connection.close()
    assert refused(path).code is Code.WORKSPACE_BROKEN


def test_a_state_cut_in_half_is_called_damaged(path: Path) -> None:
    with State.create(path) as state:
        for number in range(300):
            state.grants.grant(f"person {number}", "viewer", by="anna")
    content = path.read_bytes()
    path.write_bytes(content[:8192] + os.urandom(len(content) - 8192))
    with pytest.raises(InvalidFault) as caught:
        _use(path)
    assert caught.value.code is Code.WORKSPACE_BROKEN


def _use(path: Path) -> None:
    with State.open(path) as state:
        state.grants.all()
        state.grants.grant("b", "viewer", by="b")


def test_a_symbolic_link_in_the_states_place_is_refused(state: State, path: Path, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(path)
    assert refused(tmp_path / "link.db").code is Code.WORKSPACE_BROKEN


def test_a_writer_that_another_process_blocks_for_too_long_is_told_to_run_again(path: Path) -> None:
    State.create(path).close()
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        with State.open(path, busy_seconds=0.1) as state, pytest.raises(TemporaryFault) as caught:
            state.grants.grant("a", "viewer", by="a")
        assert caught.value.code is Code.STATE_BUSY
    finally:
        blocker.close()
    with State.open(path) as state:
        assert state.grants.all() == {}


def test_a_thread_that_waits_too_long_for_another_is_told_so_too(path: Path) -> None:
    with State.create(path, busy_seconds=0.1) as state:
        inside, done = threading.Event(), threading.Event()

        def stay() -> None:
            with state.transaction():
                inside.set()
                done.wait(30)

        thread = threading.Thread(target=stay)
        thread.start()
        inside.wait(30)
        with pytest.raises(TemporaryFault) as caught:
            state.grants.grant("a", "viewer", by="a")
        assert caught.value.code is Code.STATE_BUSY
        done.set()
        thread.join()
        state.grants.grant("a", "viewer", by="a")


def _fill(state: State) -> None:
    for number in range(1_000):
        state.audit.append(actor=f"{number}", real="x" * 500, action="a", object="o", outcome="done")


@pytest.mark.parametrize(
    ("limit", "says"),
    [("max_page_count=1", "no space left"), ("query_only=ON", "cannot be written")],
    ids=["full", "read-only"],
)
def test_a_disk_that_takes_nothing_more_is_a_fault_and_what_was_there_stays(
    state: State, path: Path, limit: str, says: str
) -> None:
    state.grants.grant("anna", "viewer", by="anna")
    with state._database.read() as connection:
        connection.exec_driver_sql(f"PRAGMA {limit}")
    with pytest.raises(InvalidFault) as caught:
        _fill(state)
    assert caught.value.code is Code.DISK_FULL
    assert says in caught.value.message
    assert state.grants.all() == {"anna": {"viewer"}}
    assert state.audit.verify().ok


@pytest.mark.parametrize(
    ("free", "told"),
    [
        (0, ("no space left", "make room, then run again")),
        (10**12, ("the disk fails", "look after the disk")),
    ],
    ids=["full", "sick"],
)
def test_a_write_that_fails_is_called_a_full_disk_where_nothing_is_free(
    state: State, path: Path, monkeypatch: pytest.MonkeyPatch, free: int, told: tuple[str, str]
) -> None:
    state.grants.grant("anna", "viewer", by="anna")
    usage = shutil.disk_usage(path.parent)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    # SQLite calls a file that may not grow an I/O error; Python ignores the signal that comes with it.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(InvalidFault) as caught:
            _fill(state)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (caught.value.code, caught.value.where) == (Code.DISK_FULL, str(path))
    assert told[0] in caught.value.message
    assert told[1] in caught.value.hint
    assert state.grants.all() == {"anna": {"viewer"}}


def test_a_workspace_that_cannot_be_written_is_said_in_plain_words(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    State.create(path).close()
    # What stands in the way of SQLite's own file beside it, whoever runs the tests.
    (tmp_path / "state.db-wal").mkdir()
    with pytest.raises(InvalidFault) as caught:
        State.open(path)
    fault = caught.value
    assert (fault.code, fault.where) == (Code.DISK_FULL, str(tmp_path))
    assert "the workspace cannot be written" in fault.message
    assert "not even looking" in fault.message
    assert "SQLITE" not in fault.message + fault.hint
    assert f"chmod -R u+rwX {tmp_path}" in fault.hint


def _grant_and_revoke_too_much(state: State) -> None:
    with state.transaction():
        state.grants.grant("anna", "viewer", by="anna")
        state.audit.append(actor="anna", real="anna", action="role.grant", object="anna", outcome="done")
        assert state.grants.of("anna") == {"viewer"}
        state.grants.revoke("anna", "administrator")


def test_repositories_write_together_or_not_at_all(state: State) -> None:
    with pytest.raises(InvalidFault):
        _grant_and_revoke_too_much(state)
    assert state.grants.all() == {}
    assert state.audit.entries() == ()
    with state.transaction():
        state.grants.grant("anna", "viewer", by="anna")
    assert state.grants.all() == {"anna": {"viewer"}}
