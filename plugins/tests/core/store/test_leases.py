"""Leases and locks: one holder at a time, whoever dies, stalls or races."""

from __future__ import annotations

import dataclasses
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from cdp_core.errors import Code, HeldFault, InternalFault, TemporaryFault
from cdp_core.store.processes import may_live, this_process
from cdp_core.store.state import State

from .conftest import Clock, Spawn

NAME = "snapchat audience 7 at https://ads.example:443"


def test_who_holds_it_since_when_and_what_to_do_are_said(state: State, spawn: Spawn) -> None:
    child = spawn(
        "state.leases.take(sys.argv[2], this_process('bob', 'run-1'), 3600); say('held'); sys.stdin.read()",
        NAME,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(HeldFault) as caught:
        state.leases.take(NAME, this_process("anna"), 60)
    fault = caught.value
    assert fault.code is Code.AUDIENCE_HELD
    assert f"the {NAME} is held by bob (process {child.pid} on " in fault.message
    assert " since 20" in fault.message
    assert fault.where == "run run-1"
    assert f"stop process {child.pid}" in fault.hint


def test_a_killed_holder_is_fenced_off_at_once(state: State, spawn: Spawn) -> None:
    child = spawn(
        "say(state.leases.take(sys.argv[2], this_process('bob'), 3600).fence); sys.stdin.read()", NAME
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "1\n"
    child.send_signal(signal.SIGKILL)
    until = time.monotonic() + 30
    while child.pid in psutil.pids() and psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.01)
    # Nobody has waited for it yet, so that its number is still taken by what is left of it.
    assert state.leases.take(NAME, this_process("anna"), 60).fence == 2


def test_a_stopped_holder_loses_its_lease_when_the_time_is_up_and_learns_it_when_it_wakes(
    state: State, spawn: Spawn, clock: Clock
) -> None:
    child = spawn(
        """
from cdp_core.errors import CdpError
lease = state.leases.take(sys.argv[2], this_process('bob'), 60)
say(lease.expires_at.timestamp())
sys.stdin.readline()
try:
    state.leases.renew(lease, 60)
except CdpError as fault:
    say(fault.code.name)
""",
        NAME,
    )
    assert child.stdout is not None
    assert child.stdin is not None
    expires = float(child.stdout.readline())
    child.send_signal(signal.SIGSTOP)
    clock.move(expires - clock().timestamp() - 1)
    with pytest.raises(HeldFault):
        state.leases.take(NAME, this_process("anna"), 60)
    clock.move(1)
    lease = state.leases.take(NAME, this_process("anna"), 60)
    child.send_signal(signal.SIGCONT)
    child.stdin.write("\n")
    child.stdin.flush()
    assert child.stdout.readline() == "LEASE_LOST\n"
    state.leases.check(lease)


def test_the_fence_rises_each_time_whoever_lets_go(state: State, clock: Clock) -> None:
    fences = []
    for _ in range(3):
        lease = state.leases.take(NAME, this_process("anna"), 60)
        fences.append(lease.fence)
        state.leases.release(lease)
        state.leases.release(lease)
    clock.move(1)
    assert fences == [1, 2, 3]


def test_a_renewed_lease_lasts_longer_and_a_lost_one_cannot_be_renewed_checked_or_released(
    state: State, clock: Clock
) -> None:
    lease = state.leases.take(NAME, this_process("anna"), 60)
    clock.move(50)
    lease = state.leases.renew(lease, 60)
    assert lease.expires_at == clock() + timedelta(seconds=60)
    clock.move(50)
    with pytest.raises(HeldFault, match="held by anna"):
        state.leases.take(NAME, this_process("bob"), 60)
    clock.move(10)
    newer = state.leases.take(NAME, this_process("bob"), 60)
    for use in (lambda: state.leases.renew(lease, 60), lambda: state.leases.check(lease)):
        with pytest.raises(InternalFault) as caught:
            use()
        assert caught.value.code is Code.LEASE_LOST
        assert "bob" in caught.value.message
    state.leases.release(lease)
    state.leases.check(newer)


def test_a_lease_that_was_late_but_that_nobody_took_is_renewed(state: State, clock: Clock) -> None:
    lease = state.leases.take(NAME, this_process("anna"), 60)
    clock.move(600)
    state.leases.renew(lease, 60)
    state.leases.check(lease)


def test_a_process_with_a_dead_ones_number_is_not_taken_for_it() -> None:
    me = this_process("anna")
    assert may_live(me)
    assert not may_live(dataclasses.replace(me, started_at=me.started_at - 60))
    assert not may_live(dataclasses.replace(me, pid=2**22 + 1))
    assert may_live(dataclasses.replace(me, host="elsewhere", pid=2**22 + 1))


def test_a_process_that_may_not_be_looked_at_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(pid: int) -> None:
        raise psutil.AccessDenied(pid)

    me = this_process("anna")
    monkeypatch.setattr(psutil, "Process", hidden)
    assert may_live(me)


def test_of_processes_that_race_for_a_lease_one_gets_it(state: State, spawn: Spawn) -> None:
    program = """
from cdp_core.errors import HeldFault
while time.time() < float(sys.argv[3]):
    pass
try:
    say(state.leases.take(sys.argv[2], this_process('racer'), 3600).fence)
except HeldFault:
    say("held")
sys.stdin.read()
"""
    start = time.time() + 3
    racers = [spawn(program, NAME, start) for _ in range(3)]
    said = sorted(racer.stdout.readline() for racer in racers if racer.stdout is not None)
    assert said == ["1\n", "held\n", "held\n"]


def test_no_two_threads_or_processes_are_in_a_lock_at_once(
    state: State, spawn: Spawn, tmp_path: Path
) -> None:
    program = """
counter = Path(sys.argv[2])
for _ in range(10):
    with state.lock("token/1"):
        before = int(counter.read_text())
        time.sleep(0.002)
        counter.write_text(str(before + 1))
"""
    counter = tmp_path / "counter"
    counter.write_text("0")
    racers = [spawn(program, counter) for _ in range(3)]
    assert [racer.wait(120) for racer in racers] == [0, 0, 0]
    assert counter.read_text() == "30"


def test_a_lock_that_is_not_got_in_time_is_a_temporary_fault(state: State) -> None:
    inside, done = threading.Event(), threading.Event()

    def stay() -> None:
        with state.lock("token/1"):
            inside.set()
            done.wait(30)

    thread = threading.Thread(target=stay)
    thread.start()
    inside.wait(30)
    with pytest.raises(TemporaryFault) as caught, state.lock("token/1", wait_seconds=0.1):
        pass
    assert caught.value.code is Code.STATE_BUSY
    assert "lock token/1" in caught.value.message
    with state.lock("token/2", wait_seconds=0):
        pass
    done.set()
    thread.join()
    with state.lock("token/1", wait_seconds=0):
        pass


def test_a_lock_is_let_go_when_its_block_fails(state: State) -> None:
    with pytest.raises(ZeroDivisionError), state.lock("token/1"):
        _ = 1 / 0
    with state.lock("token/1", wait_seconds=0):
        pass
