"""Segments, connections, exports, consents, grants and plans: what is put in comes out."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.access import Grant
from cdp_core.model.configuration import (
    Connection,
    ConnectionStatus,
    Consent,
    ConsentPrompt,
    Export,
    Match,
    Segment,
)
from cdp_core.model.journal import PlanRecord
from cdp_core.store.naming import taken
from cdp_core.store.state import State

WHEN = datetime(2026, 11, 23, 4, 5, 6, 789_012, tzinfo=timezone(timedelta(hours=2)))

SEGMENT = Segment(id="s1", name="Loyal customers", where="x > 1", created_by="anna", created_at=WHEN)
CONNECTION = Connection(
    id="c1",
    name="Snapchat EU",
    type="snapchat",
    settings={"client_id": "i", "client_secret": "env:S", "n": 3},
    shared_with=frozenset({"contributor", "bob"}),
    status=ConnectionStatus.CONNECTED,
    identity={"name": "Ünï"},
    export_user="anna",
    created_by="anna",
    created_at=WHEN,
    authenticated_at=WHEN,
)
EXPORT = Export(
    id="e1",
    name="Loyal to Snapchat",
    destination="snapchat",
    connection_id="c1",
    settings={"audience_id": "5677923948298240"},
    matching=(Match(kind="EMAIL", field="email"), Match(kind="EMAIL", field="email 2")),
    segment_ids=("s2", "s1"),
    created_by="bob",
    created_at=WHEN,
)


@pytest.fixture
def full(state: State) -> State:
    state.segments.add(SEGMENT)
    state.segments.add(dataclasses.replace(SEGMENT, id="s2", name="Asleep", where=None, sql="SELECT 1"))
    state.connections.add(CONNECTION)
    state.exports.add(EXPORT)
    return state


def updates(state: State) -> list[tuple[Any, Any]]:
    return [(state.connections.update, CONNECTION), (state.exports.update, EXPORT)]


def code_of(caught: pytest.ExceptionInfo[InvalidFault]) -> Code:
    return caught.value.code


def test_what_is_kept_comes_back_equal_by_name_and_by_id(full: State) -> None:
    kinds: list[tuple[Any, Any]] = [
        (full.segments, SEGMENT),
        (full.connections, CONNECTION),
        (full.exports, EXPORT),
    ]
    for repository, kept in kinds:
        assert repository.get(kept.name) == kept
        assert repository.by_id(kept.id) == kept
        assert kept in repository.all()
    assert [segment.name for segment in full.segments.all()] == ["Asleep", "Loyal customers"]


def test_moments_come_back_in_utc(full: State) -> None:
    moment = full.segments.get("Loyal customers").created_at
    assert moment == WHEN
    assert moment is not None
    assert moment.tzinfo is UTC
    with pytest.raises(Exception, match="time zone"):
        full.grants.grant("x", "viewer", by="x", at=datetime(2026, 1, 1))


def test_a_name_is_used_once_for_each_kind_of_thing(full: State) -> None:
    kinds: list[tuple[Any, Any]] = [
        (full.segments.add, SEGMENT),
        (full.connections.add, CONNECTION),
        (full.exports.add, EXPORT),
    ]
    for add, kept in kinds:
        with pytest.raises(InvalidFault) as caught:
            add(dataclasses.replace(kept, id="new"))
        assert code_of(caught) is Code.NAME_TAKEN
    full.segments.add(dataclasses.replace(SEGMENT, id="s9", name=CONNECTION.name))


def test_a_command_to_type_is_safe_whatever_the_name() -> None:
    name = 'Loyal "$(id)"'
    assert f"cdp segment show '{name}'" in taken("segment", name).hint


def test_an_update_may_not_take_anothers_name(full: State) -> None:
    full.connections.add(dataclasses.replace(CONNECTION, id="c2", name="Other"))
    full.exports.add(dataclasses.replace(EXPORT, id="e2", name="Other"))
    for update, kept in updates(full):
        with pytest.raises(InvalidFault) as caught:
            update(dataclasses.replace(kept, name="Other"))
        assert code_of(caught) is Code.NAME_TAKEN


def test_a_name_that_leads_nowhere_brings_those_that_are_near(full: State) -> None:
    with pytest.raises(InvalidFault) as caught:
        full.segments.get("loyal customer")
    assert code_of(caught) is Code.NOT_FOUND
    assert '"Loyal customers"' in caught.value.hint
    with pytest.raises(InvalidFault) as caught:
        full.exports.get("zzz")
    assert "cdp export list" in caught.value.hint
    with pytest.raises(InvalidFault) as caught:
        full.connections.by_id("gone")
    assert code_of(caught) is Code.NOT_FOUND


def test_an_update_replaces_everything_but_the_creation(full: State) -> None:
    changed = dataclasses.replace(EXPORT, name="New", connection_id=None, segment_ids=("s1",), matching=())
    full.exports.update(changed)
    assert full.exports.by_id("e1") == changed
    for update, kept in updates(full):
        with pytest.raises(InvalidFault) as caught:
            update(dataclasses.replace(kept, id="gone", name="Gone"))
        assert code_of(caught) is Code.NOT_FOUND


def test_what_something_depends_on_is_not_removed_and_the_dependents_are_named(full: State) -> None:
    assert full.segments.dependents("s2") == ("Loyal to Snapchat",)
    assert full.connections.exports_of("c1") == (EXPORT,)
    with pytest.raises(InvalidFault, match="Loyal to Snapchat") as caught:
        full.segments.remove("s2")
    assert code_of(caught) is Code.IN_USE
    with pytest.raises(InvalidFault, match="Loyal to Snapchat") as caught:
        full.connections.remove("c1")
    assert code_of(caught) is Code.IN_USE
    full.exports.remove("e1")
    full.segments.remove("s2")
    full.connections.remove("c1")
    assert (full.segments.all(), full.connections.all()) == ((SEGMENT,), ())


@pytest.mark.parametrize("missing", [{"segment_ids": ("s1", "gone")}, {"connection_id": "gone"}])
def test_an_export_of_something_that_is_not_there_is_refused_whole(
    full: State, missing: dict[str, object]
) -> None:
    with pytest.raises(InvalidFault) as caught:
        full.exports.add(dataclasses.replace(EXPORT, id="e2", name="New", **missing))  # type: ignore[arg-type]
    assert code_of(caught) is Code.NOT_FOUND
    assert full.exports.all() == (EXPORT,)


def test_consents_stay_on_record_the_newest_first(full: State) -> None:
    def agreed(number: int, version: str) -> Consent:
        prompt = ConsentPrompt(key="core.privacy", version=version, title="T", text="Ünï\n", language="nl")
        return Consent(
            id=str(number),
            connection_id="c1",
            prompt=prompt,
            agreed_by="anna",
            agreed_at=WHEN + timedelta(days=number),
        )

    first, second = agreed(1, "1"), agreed(2, "2")
    full.consents.record(first)
    full.consents.record(second)
    assert full.consents.of("c1") == (second, first)
    assert full.consents.of("c1")[0].prompt.digest == second.prompt.digest
    full.exports.remove("e1")
    full.connections.remove("c1")
    assert full.consents.of("c1") == (second, first)


def test_a_role_is_granted_once_and_revoked_once(state: State) -> None:
    state.grants.grant("anna", "administrator", by="anna", at=WHEN)
    state.grants.grant("anna", "administrator", by="bob")
    state.grants.grant("anna", "viewer", by="anna")
    assert state.grants.of("anna") == {"administrator", "viewer"}
    state.grants.revoke("anna", "viewer")
    with pytest.raises(InvalidFault) as caught:
        state.grants.revoke("anna", "viewer")
    assert code_of(caught) is Code.NOT_FOUND
    assert state.grants.all() == {"anna": {"administrator"}}
    assert state.grants.of("nobody") == frozenset()


def test_plans_are_found_by_id_and_by_export_the_newest_first(state: State) -> None:
    old = PlanRecord(
        id="p1",
        export_id="e1",
        run_id="r1",
        folder="p1",
        sha256="ab" * 32,
        basis={"ledger": "3"},
        summary={"members": 5},
        created_at=WHEN,
    )
    new = dataclasses.replace(old, id="p2", created_at=WHEN + timedelta(seconds=1))
    state.plans.record(old)
    state.plans.record(new)
    assert state.plans.get("p1") == old
    assert state.plans.of_export("e1") == (new, old)
    assert state.plans.latest("e1") == new
    assert state.plans.latest("e2") is None
    with pytest.raises(InvalidFault) as caught:
        state.plans.get("p")
    assert code_of(caught) is Code.PLAN_UNKNOWN


def test_a_withdrawal_ends_what_stands_and_leaves_it_on_record(full: State) -> None:
    def agree(number: int) -> None:
        prompt = ConsentPrompt(key="core.privacy", version="1", title="T", text="Text")
        consent = Consent(
            id=str(number),
            connection_id="c1",
            prompt=prompt,
            agreed_by="anna",
            agreed_at=WHEN + timedelta(days=number),
        )
        full.consents.record(consent)

    agree(1)
    assert full.consents.withdraw("another", by="bob", at=WHEN) == 0
    assert full.consents.withdraw("c1", by="bob", at=WHEN) == 1
    agree(2)
    assert full.consents.withdraw("c1", by="eve", at=WHEN) == 1
    newest, first = full.consents.of("c1")
    assert (first.withdrawn_by, newest.withdrawn_by) == ("bob", "eve")
    assert first.is_withdrawn
    assert newest.is_withdrawn


def test_a_groups_roles_are_those_of_its_people(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def groups_of(person: str) -> frozenset[str]:
        asked.append(person)
        return frozenset({"ads"}) if person == "anna" else frozenset()

    monkeypatch.setattr("cdp_core.store.logins.groups_of", groups_of)
    state.grants.grant("anna", "viewer", by="x")
    assert state.grants.of("anna") == {"viewer"}
    assert asked == []
    state.grants.give(Grant(holder="ads", role="contributor", holder_kind="group"), by="x")
    state.grants.give(Grant(holder="ads", role="x", holder_kind="group", scope="segment", about="s"), by="x")
    assert state.grants.of("anna") == {"viewer", "contributor"}
    assert {grant.role for grant in state.grants.actor("anna").grants} == {"viewer", "contributor", "x"}
    # A person of a group's name is none of its people.
    assert state.grants.of("ads") == frozenset()
    assert state.grants.all() == {"anna": {"viewer"}}
    state.grants.forget("segment", "s")
    assert {grant.role for grant in state.grants.actor("anna").grants} == {"viewer", "contributor"}
