"""The audit log: it only grows, and whoever tampers with the file is found out."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cdp_core.model.audit import AuditOutcome, AuditVerdict
from cdp_core.store.state import State

from .conftest import Clock, Spawn


def fill(state: State, count: int) -> None:
    for number in range(1, count + 1):
        state.audit.append(
            actor="anna",
            real="bob" if number % 2 else "anna",
            action=f"segment.{'add' if number % 3 else 'remove'}",
            object=f"Segment {number}",
            outcome="done" if number % 2 else "denied",
            details={"number": number, "nested": {"ü": [1, 2.5, None, True]}},
        )


def tamper(path: Path, *statements: str) -> None:
    """Write to the file as somebody would who has got past the program, and past its triggers."""
    connection = sqlite3.connect(path, isolation_level=None)
    for name in ("update", "delete", "insert"):
        connection.execute(f"DROP TRIGGER audit_no_{name}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def verdict(path: Path) -> AuditVerdict:
    with State.open(path) as state:
        return state.audit.verify()


def test_entries_are_numbered_chained_and_verified(state: State, clock: Clock) -> None:
    assert state.audit.verify() == AuditVerdict(ok=True, entries=0, head="")
    fill(state, 5)
    entries = state.audit.entries()
    assert [entry.seq for entry in entries] == [5, 4, 3, 2, 1]
    assert [entry.previous for entry in entries] == [*(entry.digest for entry in entries[1:]), ""]
    assert entries[0].at == clock()
    assert entries[0].outcome is AuditOutcome.DONE
    assert entries[0].details == {"number": 5, "nested": {"ü": [1, 2.5, None, True]}}
    assert state.audit.verify() == AuditVerdict(ok=True, entries=5, head=entries[0].digest)


def test_an_entry_is_given_back_as_it_is_kept(state: State, clock: Clock) -> None:
    entry = state.audit.append(
        actor="a", real="a", action="x", object="o", outcome="begun", details={"at": clock(), "n": 1}
    )
    assert state.audit.entries() == (entry,)
    json.dumps(entry.details)
    with pytest.raises(ValueError, match="finished"):
        state.audit.append(actor="a", real="a", action="x", object="o", outcome="finished")


def test_entries_are_found_by_who_what_and_when(state: State, clock: Clock) -> None:
    fill(state, 6)
    clock.move(60)
    later = clock()
    fill(state, 1)
    found: dict[str, Any] = {
        "actor": "bob",
        "action": "segment.remove",
        "object": "Segment 2",
        "outcome": "denied",
        "since": later,
    }
    numbers = {
        name: [entry.seq for entry in state.audit.entries(**{name: wanted})] for name, wanted in found.items()
    }
    assert numbers == {
        "actor": [7, 5, 3, 1],
        "action": [6, 3],
        "object": [2],
        "outcome": [6, 4, 2],
        "since": [7],
    }
    assert [entry.seq for entry in state.audit.entries(limit=2, actor="bob")] == [7, 5]
    assert state.audit.entries(since=later + timedelta(seconds=1)) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'eve' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
        "INSERT INTO audit SELECT 1 - seq, at, actor, real, action, object, outcome, details, previous, "
        "digest FROM audit WHERE seq = 2",
    ],
)
def test_the_database_itself_refuses_to_change_the_log(state: State, statement: str) -> None:
    fill(state, 3)
    with pytest.raises(DBAPIError, match="append-only"):
        _execute(state, statement)
    assert state.audit.verify().ok


def test_a_row_cannot_be_replaced_in_the_file_either(state: State, path: Path) -> None:
    fill(state, 3)
    with pytest.raises(DBAPIError, match="append-only"):
        _execute(state, "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2")
    assert state.audit.verify().ok


def _execute(state: State, statement: str) -> None:
    with state._database.write() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statements", "first_bad", "problem"),
    [
        (["UPDATE audit SET real = 'eve' WHERE seq = 3"], 3, "was changed"),
        (["UPDATE audit SET details = '{}' WHERE seq = 5"], 5, "was changed"),
        (["DELETE FROM audit WHERE seq = 1"], 1, "is missing"),
        (["DELETE FROM audit WHERE seq = 3"], 3, "is missing"),
        (["DELETE FROM audit WHERE seq > 3"], 4, "had 5 entries, and now there are 3"),
        (["DELETE FROM audit"], 1, "had 5 entries, and now there are 0"),
        (
            ["DELETE FROM audit WHERE seq = 3", "UPDATE audit SET seq = seq - 1 WHERE seq > 3"],
            3,
            "was changed",
        ),
        (
            [
                "UPDATE audit SET seq = 99 WHERE seq = 2",
                "UPDATE audit SET seq = 2 WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 99",
            ],
            2,
            "was changed",
        ),
        (["UPDATE audit_head SET entries = 9"], 6, "had 9 entries"),
        (["UPDATE audit_head SET digest = 'x'"], 5, "is not the one that the log ended with"),
        (["DELETE FROM audit_head"], 1, "had 0 entries"),
    ],
)
def test_a_changed_missing_or_moved_entry_is_found_and_named(
    path: Path, statements: list[str], first_bad: int, problem: str
) -> None:
    with State.create(path) as state:
        fill(state, 5)
    tamper(path, *statements)
    found = verdict(path)
    assert not found.ok
    assert found.first_bad == first_bad
    assert problem in found.problem


def test_an_entry_rewritten_with_a_digest_of_its_own_breaks_the_chain_after_it(path: Path) -> None:
    with State.create(path) as state:
        fill(state, 3)
        entry = state.audit.entries()[1]
    with tempfile.TemporaryDirectory() as elsewhere, State.create(Path(elsewhere) / "s.db") as forge:
        forged = [
            forge.audit.append(
                actor="eve",
                real="eve",
                action=entry.action,
                object=entry.object,
                outcome="done",
            )
            for _ in range(2)
        ][1]
    fields = dataclasses.asdict(forged)
    tamper(
        path,
        *(
            f"UPDATE audit SET {name} = '{fields[name]}' WHERE seq = 2"
            for name in ("actor", "real", "action", "object", "outcome", "previous", "digest")
        ),
        "UPDATE audit SET details = '{}' WHERE seq = 2",
        f"UPDATE audit SET at = '{forged.at:%Y-%m-%d %H:%M:%S.%f}' WHERE seq = 2",
    )
    found = verdict(path)
    assert (found.ok, found.first_bad) == (False, 2)
    assert "does not follow" in found.problem


TEXT_COLUMNS = ("at", "actor", "real", "action", "object", "outcome", "previous", "digest")


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_single_change_to_the_file_goes_unnoticed(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        with State.create(path) as state:
            fill(state, 4)
        kind = data.draw(st.sampled_from(["change", "delete", "swap", "append"]))
        seq = data.draw(st.integers(1, 4))
        if kind == "change":
            column = data.draw(st.sampled_from(TEXT_COLUMNS))
            value = "2020-01-01 00:00:00.000000" if column == "at" else "tampered"
            tamper(path, f"UPDATE audit SET {column} = '{value}' WHERE seq = {seq}")
        elif kind == "delete":
            tamper(path, f"DELETE FROM audit WHERE seq = {seq}")
        elif kind == "swap":
            other = data.draw(st.integers(1, 4).filter(lambda number: number != seq))
            tamper(
                path,
                f"UPDATE audit SET seq = 99 WHERE seq = {seq}",
                f"UPDATE audit SET seq = {seq} WHERE seq = {other}",
                f"UPDATE audit SET seq = {other} WHERE seq = 99",
            )
        else:
            columns = "at, actor, real, action, object, outcome, details, previous, digest"
            tamper(path, f"INSERT INTO audit SELECT 5, {columns} FROM audit WHERE seq = {seq}")
        found = verdict(path)
        assert not found.ok
        assert found.problem
        assert found.first_bad is not None


def test_entries_of_racing_processes_stand_in_one_chain(state: State, spawn: Spawn) -> None:
    program = """
for number in range(25):
    state.audit.append(actor=sys.argv[2], real="r", action="a", object=str(number), outcome="done")
"""
    racers = [spawn(program, name) for name in ("x", "y", "z")]
    assert [racer.wait(120) for racer in racers] == [0, 0, 0]
    assert state.audit.verify().ok
    entries = state.audit.entries(limit=1_000)
    assert [entry.seq for entry in entries] == list(range(75, 0, -1))
    for name in ("x", "y", "z"):
        mine = [int(entry.object) for entry in reversed(entries) if entry.actor == name]
        assert mine == list(range(25))
