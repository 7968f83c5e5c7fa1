"""Every public method of the facade checks access and leaves a trace; no method goes around the desk."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp_core.app.administration import Audit, Plugins
from cdp_core.app.alerts import Alerts
from cdp_core.app.approvals import Approvals
from cdp_core.app.audiences import Audiences
from cdp_core.app.configuration.room import Configuration
from cdp_core.app.connections import Connections
from cdp_core.app.consents import Consents
from cdp_core.app.erasures import Erasures, Whom
from cdp_core.app.exports import Exports
from cdp_core.app.facade import CDP
from cdp_core.app.ledgers import Ledgers
from cdp_core.app.overview import Overviews
from cdp_core.app.people import People
from cdp_core.app.profiles import ProfileTable
from cdp_core.app.retention import Retention
from cdp_core.app.roles import Roles
from cdp_core.app.runs import Runs
from cdp_core.app.schedules import Schedules
from cdp_core.app.segments import Segments
from cdp_core.app.suppressions import Suppressions
from cdp_core.app.workspaces import Workspaces
from cdp_core.errors import CdpError, Code, NotAllowedFault, UsageFault
from cdp_core.model.access import Action
from cdp_core.rules.recurrence import cron
from postgres_server import Postgres

ROOMS: dict[str, type] = {
    "": CDP,
    "profiles": ProfileTable,
    "segments": Segments,
    "connections": Connections,
    "consents": Consents,
    "exports": Exports,
    "approvals": Approvals,
    "audiences": Audiences,
    "people": People,
    "suppressions": Suppressions,
    "erasures": Erasures,
    "retention": Retention,
    "runs": Runs,
    "ledgers": Ledgers,
    "schedules": Schedules,
    "overview": Overviews,
    "alerts": Alerts,
    "workspaces": Workspaces,
    "configuration": Configuration,
    "roles": Roles,
    "plugins": Plugins,
    "audit": Audit,
}
# Opening and closing are no acts; making a workspace is one, and audits itself (tested below).
NO_ACTS = {"open", "init", "look_at_backup", "restore", "close", "resource"}


def methods() -> list[tuple[str, str]]:
    return [
        (room, name)
        for room, owner in ROOMS.items()
        for name, _ in inspect.getmembers(owner, inspect.isroutine)
        if not name.startswith("_") and name not in NO_ACTS
    ]


def workspace_in(folder: Path) -> CDP:
    profiles = folder / "profiles.parquet"
    pq.write_table(pa.table({"customer_id": ["1"], "email": ["a@b.nl"], "value": [1]}), profiles)
    return CDP.init(folder / "w", profiles=str(profiles), key="customer_id")


@pytest.fixture
def cdp(tmp_path: Path) -> Iterator[CDP]:
    with workspace_in(tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an act writes to a file of a name that it is given lies in the test's own folder."""
    monkeypatch.chdir(tmp_path)


def call(cdp: CDP, room: str, name: str) -> Any:
    """Call a method with something for each argument that it asks for."""
    method = getattr(getattr(cdp, room) if room else cdp, name)
    parameters = list(inspect.signature(method).parameters.values())
    given = {
        p.name: _something(p.name) for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty
    }
    positional = [
        "nothing of that name"
        for p in parameters
        if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty
    ]
    return method(*positional, **given)


def _something(name: str) -> Any:
    given: dict[str, Any] = {
        "active": True,
        "settings": {},
        "secrets": {},
        "matching": (),
        "segments": (),
        "recurrence": cron("0 2 * * *", timezone="UTC"),
        "due_at": datetime.now(UTC),
        "stop": threading.Event(),
        "loop": lambda calendar: _NothingDue(),
        "whom": Whom(person="a@b.nl"),
    }
    return given.get(name, "nothing of that name")


class _NothingDue:
    def forever(self, stop: threading.Event) -> None:
        return


@pytest.mark.parametrize(("room", "name"), methods())
def test_a_public_method_is_an_act(room: str, name: str) -> None:
    assert isinstance(getattr(getattr(ROOMS[room], name), "action", None), Action)


def test_every_action_belongs_to_a_method() -> None:
    used = {getattr(ROOMS[room], name).action for room, name in methods()} | {
        Action.WORKSPACE_INIT,
        Action.WORKSPACE_RESTORE,
    }
    assert used == set(Action)


@pytest.mark.parametrize(("room", "name"), methods())
def test_who_has_no_role_is_refused_and_the_refusal_is_audited(cdp: CDP, room: str, name: str) -> None:
    with CDP.open(cdp.workspace.folder, act_as="nobody") as theirs:
        with pytest.raises(NotAllowedFault) as refused:
            call(theirs, room, name)
        entry = theirs.desk.state.audit.entries(limit=1)[0]
    assert refused.value.code is Code.NOT_ALLOWED
    assert (entry.actor, entry.outcome) == ("nobody", "denied")
    assert entry.real != "nobody"
    assert entry.action == str(getattr(ROOMS[room], name).action)


@pytest.mark.parametrize(("room", "name"), methods())
def test_what_an_administrator_does_is_audited_whether_it_works_or_not(
    cdp: CDP, room: str, name: str
) -> None:
    failed = False
    try:
        call(cdp, room, name)
    except CdpError:
        failed = True
    entry = cdp.desk.state.audit.entries(limit=1)[0]
    assert entry.action == str(getattr(ROOMS[room], name).action)
    assert entry.outcome == ("failed" if failed else "done")


def test_a_name_that_is_given_by_its_keyword_is_looked_at_too(cdp: CDP) -> None:
    cdp.segments.add(name="Loyal", where="true")
    with suppress(CdpError):
        cdp.segments.remove(name="Loyal")
    assert cdp.desk.state.audit.entries(limit=1)[0].object == "Loyal"


def test_every_act_is_audited_in_postgresql_too(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_STATE_URL", postgres.state_place().url)
    monkeypatch.setenv("CDP_VAULT_KEY", "correct horse")
    with workspace_in(tmp_path) as cdp:
        for room, name in methods():
            with suppress(CdpError):
                call(cdp, room, name)
            entry = cdp.desk.state.audit.entries(limit=1)[0]
            assert entry.action == str(getattr(ROOMS[room], name).action)
        assert cdp.desk.state.audit.verify().ok
    assert not (tmp_path / "w" / "state.db").exists()


def test_making_a_workspace_is_the_first_entry(cdp: CDP) -> None:
    entries = cdp.desk.state.audit.entries(limit=10)
    assert [(entry.action, entry.outcome) for entry in reversed(entries)][:2] == [
        ("workspace.init", "begun"),
        ("workspace.init", "done"),
    ]
    assert cdp.desk.state.audit.verify().ok


def test_only_an_administrator_acts_as_somebody_else(cdp: CDP, monkeypatch: pytest.MonkeyPatch) -> None:
    cdp.roles.grant("vic", role="viewer")
    folder = cdp.workspace.folder
    monkeypatch.setattr("cdp_core.app.desk.login", lambda: "vic")
    with pytest.raises(NotAllowedFault), CDP.open(folder, act_as="ann"):
        raise AssertionError("a viewer acted as somebody else")


def test_the_last_administrator_cannot_be_removed(cdp: CDP) -> None:
    me = cdp.desk.actor.name
    with pytest.raises(NotAllowedFault) as refused:
        cdp.roles.revoke(me, role="administrator")
    assert refused.value.code is Code.LAST_ADMINISTRATOR
    # Nobody can sign in as somebody whom the machine does not know.
    assert not cdp.roles.grant("nobody-of-that-name", role="administrator").can_act
    with pytest.raises(NotAllowedFault, match="nobody-of-that-name"):
        cdp.roles.revoke(me, role="administrator", agreed=True)
    assert cdp.roles.grant("daemon", role="administrator").can_act
    with pytest.raises(UsageFault, match="your own"):
        cdp.roles.revoke(me, role="administrator")
    cdp.roles.revoke(me, role="administrator", agreed=True)
    assert cdp.desk.state.grants.of("daemon") == {"administrator"}
