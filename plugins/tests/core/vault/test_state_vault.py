"""Secrets in the state that machines share: what lies there, which key opens it, and that none is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.secret import Secret
from cdp_core.store.state import State
from cdp_core.vault.state_vault import StateVault

TOKEN = Secret("tok-Ünïcode-1234567890")
RIGHT = {"CDP_VAULT_KEY": "correct horse"}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """In a file: what becomes of secrets in it is the same in every database."""
    with State.create(tmp_path / "state.db") as made:
        yield made


def vault(state: State, environ: dict[str, str] = RIGHT) -> StateVault:
    return StateVault(state.secrets, where="the shared state", environ=environ)


def test_what_one_machine_puts_another_gets_and_it_never_lies_in_the_clear(state: State) -> None:
    vault(state).put("token/1", TOKEN)
    assert vault(state).get("token/1") == TOKEN
    assert vault(state).get("token/2") is None
    sealed = state.secrets.get("token/1")
    assert sealed is not None
    assert b"tok-" not in sealed


def test_the_newest_value_counts_and_a_deleted_one_is_gone(state: State) -> None:
    here, there = vault(state), vault(state)
    here.put("token/1", Secret("old"))
    there.put("token/1", TOKEN)
    assert here.get("token/1") == TOKEN
    there.delete("token/1")
    there.delete("token/1")
    assert here.get("token/1") is None


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "is not set"),
        ({"CDP_VAULT_KEY": ""}, "is not set"),
        ({"CDP_VAULT_KEY": "other"}, "is not the one"),
    ],
)
def test_without_the_right_key_nothing_is_read_or_written(
    state: State, environ: dict[str, str], told: str
) -> None:
    vault(state).put("token/1", TOKEN)
    wrong = vault(state, environ)
    uses: tuple[Callable[[], object], ...] = (
        lambda: wrong.get("token/1"),
        lambda: wrong.put("token/1", Secret("with another key")),
        lambda: wrong.put("token/2", Secret("with another key")),
        wrong.prove,
    )
    for use in uses:
        with pytest.raises(InvalidFault, match=told) as caught:
            use()
        assert caught.value.code is Code.VAULT_LOCKED
        assert "CDP_VAULT_KEY" in f"{caught.value.message} {caught.value.hint}"
    assert vault(state).get("token/1") == TOKEN
    assert state.secrets.get("token/2") is None


def test_a_secret_in_anothers_place_does_not_open(state: State) -> None:
    vault(state).put("token/1", TOKEN)
    sealed = state.secrets.get("token/1")
    assert sealed is not None
    state.secrets.put("token/2", sealed)
    with pytest.raises(InvalidFault, match="damaged") as caught:
        vault(state).get("token/2")
    assert caught.value.code is Code.VAULT_LOCKED


def test_of_many_that_begin_at_once_one_settles_the_key_and_all_read_each_other(state: State) -> None:
    begin = threading.Barrier(4)

    def put(number: int) -> None:
        begin.wait(30)
        vault(state).put(f"token/{number}", Secret(f"secret {number}"))

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader = vault(state)
    assert [reader.get(f"token/{number}") for number in range(4)] == [
        Secret(f"secret {number}") for number in range(4)
    ]
