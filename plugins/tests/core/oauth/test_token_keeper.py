"""The token's keeper: refreshed ahead, once for everybody, stored before it is used, never shown."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from cdp_core.contract.connection import SignInFault
from cdp_core.errors import Code, ReconnectFault, TemporaryFault
from cdp_core.model.secret import Secret

Fault = Callable[[], SignInFault]


def stored(world: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(world.vault.kept["token/c1"].reveal())
    return document


def test_a_token_lies_in_the_vault_as_one_document(world: Any) -> None:
    world.keeper().keep(world.token())
    assert stored(world) == {
        "access": "access-0",
        "refresh": "refresh-0",
        "expires_at": world.now + 1800,
        "scope": "ads",
        "obtained_at": world.now,
    }
    assert world.locked == ["token/c1"]


def test_without_a_token_one_is_told_to_sign_in(world: Any) -> None:
    with pytest.raises(ReconnectFault) as fault:
        world.keeper().current()
    assert fault.value.code is Code.NOT_CONNECTED
    assert fault.value.hint == 'cdp connection authenticate "Snapchat EU"'


@pytest.mark.parametrize("document", ["{", '{"access": 1}', "[]", '"x"', '{"access":"a","refresh":null}'])
def test_a_document_that_cannot_be_read_is_no_token(world: Any, document: str) -> None:
    world.vault.put("token/c1", Secret(document))
    with pytest.raises(ReconnectFault) as fault:
        world.keeper().current()
    assert fault.value.code is Code.NOT_CONNECTED


def test_between_calls_the_vault_is_not_asked(world: Any) -> None:
    keeper = world.keeper()
    keeper.keep(world.token())
    world.vault.kept.clear()
    assert keeper.current().reveal() == "access-0"
    assert world.locked == ["token/c1"]


@pytest.mark.parametrize(("life", "margin"), [(1800.0, 180.0), (3600.0, 300.0), (100.0, 10.0)])
def test_it_is_refreshed_ahead_of_its_expiry(world: Any, life: float, margin: float) -> None:
    keeper = world.keeper()
    keeper.keep(world.token(life=life))
    world.now += life - margin - 1
    assert keeper.current().reveal() == "access-0"
    world.now += 2
    assert keeper.current().reveal() == "access-1"
    assert world.service.refreshes == ["refresh-0"]
    assert stored(world)["refresh"] == "refresh-1"


def test_a_token_that_does_not_lapse_is_never_refreshed_by_the_clock(world: Any) -> None:
    keeper = world.keeper()
    keeper.keep(world.token(life=None))
    world.now += 10**9
    assert keeper.current().reveal() == "access-0"


def test_a_rejected_token_is_refreshed_at_once(world: Any) -> None:
    keeper = world.keeper()
    keeper.keep(world.token())
    assert keeper.rejected(Secret("access-0")).reveal() == "access-1"
    assert keeper.current().reveal() == "access-1"


def test_many_threads_with_one_rejected_token_make_one_refresh(world: Any) -> None:
    keeper = world.keeper()
    keeper.keep(world.token())
    start = threading.Barrier(8)
    got: list[str] = []

    def reject() -> None:
        start.wait()
        got.append(keeper.rejected(Secret("access-0")).reveal())

    threads = [threading.Thread(target=reject) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["access-1"] * 8
    assert world.service.refreshes == ["refresh-0"]


def test_what_another_process_got_is_taken_without_asking_the_service(world: Any) -> None:
    here, there = world.keeper(), world.keeper()
    here.keep(world.token())
    there.rejected(Secret("access-0"))
    assert here.rejected(Secret("access-0")).reveal() == "access-1"
    world.now += 1700
    there.current()
    assert here.current().reveal() == "access-2"
    assert len(world.service.refreshes) == 2


def test_the_new_token_is_on_disk_before_the_old_one_is_forgotten(world: Any) -> None:
    keeper = world.keeper()
    keeper.keep(world.token())
    world.vault.broken = True
    with pytest.raises(OSError, match="disk full"):
        keeper.rejected(Secret("access-0"))
    assert stored(world)["refresh"] == "refresh-0"
    # The service may have ended the old grant, so the new one is stored as soon as that is possible.
    world.vault.broken = False
    assert keeper.current().reveal() == "access-1"
    assert stored(world)["refresh"] == "refresh-1"
    assert world.service.refreshes == ["refresh-0"]


def test_a_busy_service_is_asked_again_with_growing_pauses(world: Any, busy: Fault) -> None:
    keeper = world.keeper()
    keeper.keep(world.token())
    world.service.faults = [busy(), busy()]
    assert keeper.rejected(Secret("access-0")).reveal() == "access-3"
    first, second = world.slept
    assert 1 <= first <= 2 <= second <= 3


def test_a_service_that_stays_busy_is_a_temporary_fault_and_the_grant_stays(world: Any, busy: Fault) -> None:
    keeper = world.keeper()
    keeper.keep(world.token())
    world.service.faults = [busy() for _ in range(4)]
    with pytest.raises(TemporaryFault, match="the service is busy") as fault:
        keeper.rejected(Secret("access-0"))
    assert fault.value.code is Code.SERVICE_UNREACHABLE
    assert len(world.service.refreshes) == 4
    assert world.reconnects == []
    assert keeper.rejected(Secret("access-0")).reveal() == "access-5"


def test_while_the_old_token_works_a_busy_service_stops_nobody(world: Any, busy: Fault) -> None:
    keeper = world.keeper()
    keeper.keep(world.token())
    world.now += 1700
    world.service.faults = [busy(), busy()]
    assert keeper.current().reveal() == "access-0"
    assert keeper.current().reveal() == "access-0"
    assert len(world.service.refreshes) == 1
    assert world.slept == []
    world.now += 31
    keeper.current()
    world.now += 31
    assert keeper.current().reveal() == "access-3"


def test_a_refused_grant_ends_it_and_is_told_once(world: Any, revoked: Fault) -> None:
    keeper = world.keeper()
    keeper.keep(world.token())
    world.service.faults = [revoked()]
    for _ in range(3):
        with pytest.raises(ReconnectFault, match="revoked") as fault:
            keeper.rejected(Secret("access-0"))
        assert fault.value.code is Code.RECONNECT
        assert fault.value.hint == 'cdp connection authenticate "Snapchat EU"'
        with pytest.raises(ReconnectFault):
            keeper.current()
    assert len(world.service.refreshes) == 1
    assert world.reconnects == ["invalid_grant: the token was revoked"]
    keeper.keep(world.token("access-9"))
    assert keeper.current().reveal() == "access-9"


def test_a_refused_client_is_asked_about_once_and_what_was_granted_stays(world: Any) -> None:
    keeper = world.keeper()
    keeper.keep(world.token())
    world.service.faults = [SignInFault.of_error("invalid_client", "invalid_client: who?", status=401)]
    for _ in range(3):
        with pytest.raises(ReconnectFault, match="the client: invalid_client: who") as fault:
            keeper.rejected(Secret("access-0"))
        assert (fault.value.code, fault.value.hint) == (Code.CLIENT_REFUSED, "look at env:SNAP_SECRET")
    assert len(world.service.refreshes) == 1
    assert world.reconnects == []
    # Another process, with the secret mended: what it gets with the token in the vault is there for all.
    assert world.keeper().rejected(Secret("access-0")).reveal() == "access-2"
    assert keeper.rejected(Secret("access-0")).reveal() == "access-2"
    assert len(world.service.refreshes) == 2


@pytest.mark.parametrize(
    ("error", "status", "terminal", "client"),
    [
        ("invalid_client", 401, True, True),
        ("unauthorized_client", 400, True, True),
        ("invalid_grant", 400, True, False),
        ("invalid_scope", 400, True, False),
        ("temporarily_unavailable", 400, False, False),
        ("slow_down", 400, False, False),
        ("invalid_client", 503, False, False),
        ("invalid_client", 429, False, False),
    ],
)
def test_what_an_error_of_the_token_endpoint_means(
    error: str, status: int, terminal: bool, client: bool
) -> None:
    fault = SignInFault.of_error(error, "said", status=status)
    assert (fault.message, fault.terminal, fault.client) == ("said", terminal, client)


def test_a_lapsed_token_without_a_refresh_token_asks_for_a_sign_in(world: Any) -> None:
    keeper = world.keeper()
    keeper.keep(world.token(refresh=None))
    world.now += 1799
    assert keeper.current().reveal() == "access-0"
    world.now += 2
    with pytest.raises(ReconnectFault) as fault:
        keeper.current()
    assert fault.value.code is Code.RECONNECT


def test_giving_up_ends_it_too(world: Any) -> None:
    keeper = world.keeper()
    keeper.keep(world.token())
    with pytest.raises(ReconnectFault, match="401 twice"):
        keeper.give_up("401 twice")
    assert world.reconnects == ["401 twice"]
    with pytest.raises(ReconnectFault):
        keeper.current()
    assert world.service.refreshes == []


def test_health_tells_times_and_never_the_token(world: Any) -> None:
    keeper = world.keeper()
    assert keeper.health() is None
    keeper.keep(world.token())
    world.now += 100
    health = world.keeper().health()
    assert (health.age, health.expires_in, health.next_refresh_in) == (100, 1700, 1520)
    assert health.refreshable
    assert health.scope == "ads"
    assert "access-0" not in repr(health)


def test_forgetting_empties_the_vault(world: Any) -> None:
    keeper = world.keeper()
    keeper.keep(world.token())
    keeper.forget()
    assert world.vault.kept == {}
    with pytest.raises(ReconnectFault):
        keeper.current()


def test_no_token_is_in_any_repr_log_or_fault(
    world: Any, busy: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keeper = world.keeper()
    keeper.keep(world.token())
    world.service.faults = [busy() for _ in range(4)]
    with pytest.raises(TemporaryFault) as fault:
        keeper.rejected(Secret("access-0"))
    seen = (
        caplog.text
        + repr(keeper)
        + repr(vars(keeper))
        + repr(fault.value)
        + str(fault.getrepr(showlocals=True))
    )
    assert "access-0" not in seen.replace('Secret("access-0")', "")
    assert "refresh-0" not in seen
