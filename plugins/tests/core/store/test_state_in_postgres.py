"""What is PostgreSQL's own about a state: its schema, one writer at a time, its clock, and its refusals."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cdp_core.errors import CdpError, Code, HeldFault, InvalidFault, TemporaryFault, UsageFault
from cdp_core.model.secret import Secret
from cdp_core.store.backend import Server
from cdp_core.store.postgresql import schema_of
from cdp_core.store.processes import may_live, this_process
from cdp_core.store.state import State
from postgres_server import Postgres


@pytest.fixture
def server(postgres: Postgres) -> Server:
    return postgres.state_place()


@pytest.fixture
def state(server: Server) -> Iterator[State]:
    with State.create(server) as made:
        yield made


def schema(server: Server) -> str:
    return server.url.partition("#")[2]


def fault_of(server: Server, *, make: bool = False) -> CdpError:
    with pytest.raises(CdpError) as caught:
        (State.create if make else State.open)(server, busy_seconds=0.5).close()
    fault = caught.value
    assert fault.hint
    assert fault.where == server.url
    return fault


def test_a_state_has_a_schema_of_its_own_and_leaves_the_others_alone(
    state: State, server: Server, postgres: Postgres
) -> None:
    with postgres.administrator() as connection:
        rows = connection.execute(
            "SELECT table_schema FROM information_schema.tables WHERE table_name = 'audit_head'"
        ).fetchall()
    assert (schema(server),) in rows
    assert ("public",) not in rows


def test_a_second_creation_is_refused_and_changes_nothing(state: State, server: Server) -> None:
    state.grants.grant("anna", "administrator", by="anna")
    assert fault_of(server, make=True).code is Code.WORKSPACE_EXISTS
    assert state.grants.all() == {"anna": {"administrator"}}


def test_of_several_that_make_it_at_once_one_does(server: Server) -> None:
    program = (
        "import sys\nfrom cdp_core.errors import CdpError\nfrom cdp_core.store.backend import Server\n"
        "from cdp_core.store.state import State\n"
        "try:\n    State.create(Server(url=sys.argv[1])).close()\n"
        "except CdpError as fault:\n    sys.exit(fault.code.name)\n"
    )
    makers = [
        subprocess.Popen([sys.executable, "-c", program, server.url], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = sorted(maker.communicate(timeout=60)[1].strip() for maker in makers)
    assert said == ["", "WORKSPACE_EXISTS", "WORKSPACE_EXISTS"]
    State.open(server).close()


def test_an_older_state_is_brought_up_to_date_once_however_many_open_it(
    server: Server, postgres: Postgres
) -> None:
    """A state from before the first migration: marked as ours, and empty."""
    name = schema(server)
    postgres.execute(f"CREATE SCHEMA {name}")
    postgres.execute(f"CREATE TABLE {name}.alembic_version (version_num VARCHAR(32) NOT NULL)")
    postgres.execute(f"COMMENT ON TABLE {name}.alembic_version IS 'the state of cdp'")
    program = (
        "import sys\nfrom cdp_core.store.backend import Server\nfrom cdp_core.store.state import State\n"
        "with State.open(Server(url=sys.argv[1])) as s: s.grants.grant(sys.argv[2], 'viewer', by='x')"
    )
    openers = [subprocess.Popen([sys.executable, "-c", program, server.url, name]) for name in "abc"]
    assert [opener.wait(60) for opener in openers] == [0, 0, 0]
    with State.open(server) as state:
        assert sorted(state.grants.all()) == ["a", "b", "c"]


def test_a_state_of_a_newer_version_is_refused(state: State, server: Server, postgres: Postgres) -> None:
    postgres.execute(f"UPDATE {schema(server)}.alembic_version SET version_num = '9999'")
    assert fault_of(server).code is Code.STATE_NEWER


def test_what_is_no_state_of_ours_is_refused_and_left_alone(server: Server, postgres: Postgres) -> None:
    assert "there is no state" in fault_of(server).message
    name = schema(server)
    postgres.execute(f"CREATE SCHEMA {name}")
    assert "there is no state" in fault_of(server).message
    postgres.execute(f"CREATE TABLE {name}.segments (id text)")
    for make in (False, True):
        fault = fault_of(server, make=make)
        assert fault.code is Code.WORKSPACE_BROKEN
        assert "something else" in fault.message


def test_the_server_refuses_to_empty_the_audit_log(state: State, server: Server, postgres: Postgres) -> None:
    state.audit.append(actor="a", real="a", action="x", object="o", outcome="done")
    with pytest.raises(DBAPIError, match="append-only"):
        _execute(state, "TRUNCATE audit")
    assert state.audit.verify().ok
    # Past the triggers it is found out, as it is in a file.
    postgres.execute(f"ALTER TABLE {schema(server)}.audit DISABLE TRIGGER USER")
    postgres.execute(f"UPDATE {schema(server)}.audit SET actor = 'eve'")
    assert state.audit.verify().first_bad == 1


def _execute(state: State, statement: str) -> None:
    with state._database.write() as connection:
        connection.execute(text(statement))


def test_a_read_has_one_view_while_another_writes(state: State) -> None:
    state.grants.grant("anna", "viewer", by="anna")
    with state._database.read() as connection:
        before = connection.execute(text("SELECT count(*) FROM grants")).scalar()
        thread = threading.Thread(target=lambda: state.grants.grant("bob", "viewer", by="anna"))
        thread.start()
        thread.join()
        assert connection.execute(text("SELECT count(*) FROM grants")).scalar() == before == 1
    assert len(state.grants.all()) == 2


def test_a_writer_that_another_blocks_for_too_long_is_told_to_run_again(state: State, server: Server) -> None:
    with State.open(server, busy_seconds=0.2) as other:
        inside, done = threading.Event(), threading.Event()

        def stay() -> None:
            with state.transaction():
                inside.set()
                done.wait(30)

        thread = threading.Thread(target=stay)
        thread.start()
        inside.wait(30)
        with pytest.raises(TemporaryFault) as caught:
            other.grants.grant("a", "viewer", by="a")
        assert caught.value.code is Code.STATE_BUSY
        done.set()
        thread.join()
        other.grants.grant("a", "viewer", by="a")


def test_a_restarted_connection_is_made_anew(state: State, postgres: Postgres) -> None:
    state.grants.grant("anna", "viewer", by="anna")
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cdp'")
    time.sleep(0.2)
    assert state.grants.all() == {"anna": {"viewer"}}


def test_a_connection_that_ends_in_a_transaction_is_a_temporary_fault(
    state: State, postgres: Postgres
) -> None:
    def cut_off() -> None:
        with state.transaction():
            state.grants.grant("anna", "viewer", by="anna")
            postgres.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cdp'"
            )
            state.grants.grant("bob", "viewer", by="anna")

    with pytest.raises(TemporaryFault) as caught:
        cut_off()
    assert caught.value.code is Code.SERVICE_UNREACHABLE
    assert state.grants.all() == {}


def test_who_may_not_write_there_is_told_so(server: Server, postgres: Postgres) -> None:
    url = server.url.replace("postgres@", "reader@")
    postgres.execute("REVOKE CREATE ON DATABASE crm FROM reader")
    fault = fault_of(Server(url=url), make=True)
    assert fault.code is Code.STATE_REFUSED
    assert "GRANT" in fault.hint


@pytest.mark.parametrize("password", [None, Secret("not-it-1234")], ids=["none", "wrong"])
def test_a_refused_sign_in_says_what_to_do_and_never_the_password(
    postgres: Postgres, password: Secret | None
) -> None:
    url = f"postgresql://reader@127.0.0.1:{postgres.port}/crm?sslmode=disable"
    fault = fault_of(Server(url=url, password=password))
    assert fault.code is Code.STATE_REFUSED
    assert "not-it-1234" not in f"{fault} {fault.hint} {fault.__context__!r}"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://cdp@127.0.0.1:1/crm", Code.SERVICE_UNREACHABLE),
        ("postgresql://cdp@127.0.0.1:1/crm?nonsense=1", Code.STATE_REFUSED),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_apart_from_a_wrong_url(url: str, code: Code) -> None:
    assert fault_of(Server(url=url)).code is code


def test_a_server_that_takes_no_writes_is_said_in_plain_words(state: State) -> None:
    def write_nothing() -> None:
        with state.transaction():
            # As a standby does of its own accord.
            _execute(state, "SET TRANSACTION READ ONLY")
            state.grants.grant("anna", "viewer", by="anna")

    with pytest.raises(InvalidFault) as caught:
        write_nothing()
    assert caught.value.code is Code.DISK_FULL
    assert "takes no writes" in caught.value.message
    assert state.grants.all() == {}


def test_a_url_names_its_schema_and_holds_no_password() -> None:
    assert schema_of("postgresql://cdp@db/crm") == "cdp"
    assert schema_of("postgres://cdp@db/crm?sslmode=require#exports%20eu") == "exports eu"
    for url in ("postgresql://cdp:hunter2@db/crm", "postgresql://db/crm?password=hunter2"):
        with pytest.raises(UsageFault) as caught:
            schema_of(url)
        assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    with pytest.raises(InvalidFault):
        schema_of("sqlite:///state.db")


def test_a_nul_in_what_a_service_says_stops_nobody(state: State) -> None:
    state.grants.grant("an\0na", "viewer", by="anna")
    assert state.grants.all() == {"an\ufffdna": {"viewer"}}


def test_leases_go_by_the_databases_clock(state: State) -> None:
    before = datetime.now(UTC)
    lease = state.leases.take("audience", this_process("anna"), 60)
    with state._database.read() as connection:
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert before - timedelta(seconds=5) < lease.taken_at <= theirs
    _execute(state, "UPDATE leases SET expires_at = clock_timestamp() - interval '1 microsecond'")
    assert not state.leases.is_held("audience")
    assert state.leases.take("audience", this_process("bob"), 60).fence == 2


def test_a_machine_of_the_same_name_is_not_taken_for_this_one(state: State) -> None:
    me = this_process("anna")
    elsewhere = dataclasses.replace(me, machine="another boot", pid=2**22 + 1)
    gone = dataclasses.replace(me, pid=2**22 + 1)
    assert may_live(elsewhere)
    assert not may_live(gone)
    state.leases.take("audience", elsewhere, 3600)
    with pytest.raises(HeldFault):
        state.leases.take("audience", me, 60)
    state.leases.take("another", gone, 3600)
    state.leases.take("another", me, 60)


def test_digests_by_the_hundred_thousand_keep_their_numbers(state: State) -> None:
    digests = [("EMAIL", number.to_bytes(32)) for number in range(100_000)]
    at = datetime.now(UTC)
    assert state.suppressions.add(digests[:60_000], note="n", by="anna", at=at) == 60_000
    newest = state.suppressions.digests().newest
    assert state.suppressions.add([*digests, digests[-1]], note="n", by="anna", at=at) == 40_000
    assert len(state.suppressions.digests(after=newest).kinds["EMAIL"]) == 40_000 * 32
