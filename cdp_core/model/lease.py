"""Who holds an audience while a run works on it, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process, and the person in it, that holds something.

    `started_at` is when the process began, in seconds since the epoch: it tells a process apart from
    a later one with the same `pid`. `machine` tells machines of one name apart where they share a state.
    """

    person: str
    pid: int
    host: str
    started_at: float
    run_id: str = ""
    machine: str = ""

    def __str__(self) -> str:
        return f"{self.person} (process {self.pid} on {self.host})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A held name. `fence` rises by one each time that the name is taken: what a holder writes under
    an older fence than the newest is refused."""

    name: str
    fence: int
    holder: Holder
    taken_at: datetime
    expires_at: datetime
