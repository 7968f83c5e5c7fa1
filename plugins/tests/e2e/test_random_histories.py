"""Random histories: profiles, consent and suppressions change, runs go through, fail, or are killed anywhere.

The model is one Python set for each export: what its last run that went through has put there. After every
such run the audience is what the sets say together, the ledger holds as many claims, the sums balance; and
no run, whatever became of it, has ever sent anybody that the rules of its moment forbid.

`CDP_HISTORIES=500` looks at so many histories; without it there are few.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from cdp_snapchat.simulator.audience import Audience
from crashing import Ended, Forks, balanced, forks
from main_job import AUDIENCE, Job, add_export, digest
from put_aside import PutAside

LOYAL, EARLY = "Loyal to Snapchat", "Early too"
pytestmark = pytest.mark.timeout(3600)

OTHERS = {LOYAL: EARLY, EARLY: LOYAL}
# An e-mail's spellings are one person; the last values are nobody.
SPELLINGS = [f"{form}" for n in range(8) for form in (f"p{n}@example.org", f" P{n}@Example.ORG ")]
EMAILS = st.sampled_from([*SPELLINGS, None, "", "n/a", "nobody", "p0@example"])
PEOPLE = st.integers(0, 7)
FAULTS = [
    f"{fault}:route={verb}-users,count={count}"
    for verb in ("add", "remove")
    for fault, count in (
        *(("throttled", 2), ("unavailable", 2), ("unavailable", 50), ("html", 1), ("forbidden", 9)),
        *(("cut-before", 1), ("cut-before", 9), ("cut-after", 9), ("cut-answer", 1), ("unauthorized", 1)),
    )
]


@dataclass
class Row:
    email: str | None
    loyal: bool
    ads: str | None


@dataclass
class World:
    """The job, typed at through forks, and every digest that was sent as an addition since it was asked."""

    job: Job
    typed: Forks
    added: set[bytes] = field(default_factory=set)
    begun: PutAside | None = None

    def restart(self) -> None:
        assert self.begun is not None
        self.begun.back()
        self.job.simulator.world.audiences[AUDIENCE].empty(0.0)
        self.job.simulator.clear_faults()
        self.job.simulator.refuse_digests()
        self.added.clear()


class Histories(RuleBasedStateMachine):
    world: World

    @initialize()
    def begin(self) -> None:
        self.world.restart()
        self.rows = {n: Row(f"p{n}@example.org", n < 4, "yes") for n in range(8)}
        self.asks = False
        self.suppressed: set[bytes] = set()
        self.sure: dict[str, set[bytes]] = {LOYAL: set(), EARLY: set()}
        # What runs that did not go through may have added or taken out.
        self.perhaps: dict[str, set[bytes]] = {LOYAL: set(), EARLY: set()}
        self.write()

    @rule(number=PEOPLE, email=EMAILS, loyal=st.booleans(), ads=st.sampled_from(["yes", "no", None]))
    def change_a_row(self, number: int, email: str | None, loyal: bool, ads: str | None) -> None:
        self.rows[number] = Row(email, loyal, ads)
        self.write()

    @rule(number=PEOPLE)
    def lose_a_row(self, number: int) -> None:
        self.rows.pop(number, None)
        self.write()

    @rule()
    def ask_for_consent_or_no_more(self) -> None:
        self.asks = not self.asks
        words = ("--consent-field", "ads=yes") if self.asks else ("--no-consent-field",)
        self.world.typed.ended("export", "edit", LOYAL, *words)

    @rule(number=PEOPLE)
    def suppress_or_let_be_sent_again(self, number: int) -> None:
        person = digest(f"p{number}@example.org")
        verb = ("remove", "--yes") if person in self.suppressed else ("add",)
        self.world.typed.ended("suppress", *verb, typing=f"p{number}@example.org\n")
        self.suppressed ^= {person}

    @rule(export=st.sampled_from([LOYAL, LOYAL, EARLY]))
    def a_run_goes_through(self, export: str) -> None:
        ended = self.run(export)
        assert ended.status == 0, ended.err
        self.went_through(export, balanced(ended.document))

    @rule()
    def a_plan_is_looked_at_and_run(self) -> None:
        plan = self.world.typed.ended("export", "plan", LOYAL, "--json").document["plan"]
        ended = self.run(LOYAL, "--plan", plan)
        assert ended.status == 0, ended.err
        self.went_through(LOYAL, balanced(ended.document))

    @rule(export=st.sampled_from([LOYAL, LOYAL, EARLY]), fault=st.sampled_from(FAULTS))
    def a_run_meets_a_fault(self, export: str, fault: str) -> None:
        self.world.job.simulator.fault(fault)
        ended = self.run(export)
        self.world.job.simulator.clear_faults()
        if ended.status == 0:
            self.went_through(export, balanced(ended.document))
        else:
            assert ended.status in (6, 9), ended.err
            self.doubt(export)

    @rule(number=PEOPLE)
    def a_run_meets_a_digest_that_is_refused(self, number: int) -> None:
        self.world.job.simulator.refuse_digests(digest(f"p{number}@example.org"))
        ended = self.run(LOYAL)
        self.world.job.simulator.refuse_digests()
        if ended.status == 0:
            self.went_through(LOYAL, balanced(ended.document))
        else:
            assert ended.status == 8, ended.err
            self.doubt(LOYAL)

    @rule(export=st.sampled_from([LOYAL, LOYAL, EARLY]), step=st.integers(1, 60))
    def a_run_is_killed(self, export: str, step: int) -> None:
        ended = self.run(export, kill_at=step)
        if ended.killed:
            self.doubt(export)
        else:
            assert ended.status == 0, ended.err
            self.went_through(export, balanced(ended.document))

    def run(self, export: str, *words: str, kill_at: int = 0) -> Ended:
        self.world.added.clear()
        ended = self.world.typed("export", "run", export, "--json", *words, kill_at=kill_at)
        assert self.world.added <= self.wanted(export), "somebody was sent whom the rules forbid"
        return ended

    def barred(self, export: str) -> set[bytes]:
        """Whom the rules of this moment forbid an export to send."""
        withheld = {
            digest(str(row.email))
            for row in self.rows.values()
            if _is_somebody(row.email) and export == LOYAL and self.asks and row.ads != "yes"
        }
        return self.suppressed | withheld

    def wanted(self, export: str) -> set[bytes]:
        members = {
            digest(str(row.email))
            for number, row in self.rows.items()
            if _is_somebody(row.email) and (row.loyal if export == LOYAL else number % 2 == 0)
        }
        return members - self.barred(export)

    def went_through(self, export: str, report: Any) -> None:
        """What it was sure of and may not have any more goes for the other export, too."""
        other, barred = OTHERS[export], self.barred(export)
        ended, may_have_ended = self.sure[export] & barred, self.perhaps[export] & barred
        self.perhaps[other] |= self.sure[other] & may_have_ended
        self.sure[other] -= ended | may_have_ended
        self.perhaps[other] -= ended
        self.sure[export], self.perhaps[export] = self.wanted(export), set()
        assert report["kinds"]["EMAIL"]["read"] >= len(self.sure[export])
        surely = self.sure[export] | self.sure[other]
        held = self.world.job.members()
        assert surely <= held <= surely | self.perhaps[other]
        shown = self.world.typed.ended("export", "show", export, "--json").document["claims"]
        assert shown == len(self.sure[export])

    def doubt(self, export: str) -> None:
        """It may have done all that it was to do, or nothing of it, or some."""
        other, wanted = OTHERS[export], self.wanted(export)
        may_have_ended = (self.sure[export] | self.perhaps[export]) & self.barred(export)
        self.perhaps[other] |= self.sure[other] & may_have_ended
        self.sure[other] -= may_have_ended
        self.perhaps[export] |= self.sure[export] ^ wanted
        self.sure[export] &= wanted

    def write(self) -> None:
        rows = [*self.rows.items(), (99, Row(None, False, None))]
        table = pa.table(
            {
                "customer_id": pa.array([f"c{number}" for number, _ in rows], pa.string()),
                "email": pa.array([row.email for _, row in rows], pa.string()),
                "lifetime_value": pa.array([900 if row.loyal else 10 for _, row in rows], pa.int64()),
                "even": pa.array([number % 2 == 0 for number, _ in rows], pa.bool_()),
                "ads": pa.array([row.ads for _, row in rows], pa.string()),
            }
        )
        pq.write_table(table, self.world.job.profiles)


def _is_somebody(email: str | None) -> bool:
    return email is not None and "@example.org" in email.lower()


@pytest.fixture
def world(job: Job, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    add_export(job.cdp, EARLY)
    with forks(job) as typed:
        made = World(job, typed)
        upload = Audience.upload

        def seen(self: Audience, schema: str, digests: bytes, now: float, *, adds: bool) -> None:
            if adds:
                made.added.update(digests[at : at + 32] for at in range(0, len(digests), 32))
            upload(self, schema, digests, now, adds=adds)

        monkeypatch.setattr(Audience, "upload", seen)
        Histories.world = made
        histories = Histories()
        histories.rows = {0: Row("p0@example.org", True, "yes")}
        histories.write()
        for name in (LOYAL, EARLY):
            typed.ended("export", "edit", name, "--set", "batch_size=3", "--max-shrink", "100%")
        typed.ended("segment", "add", "Even", "--where", "even")
        typed.ended("export", "edit", EARLY, "--segment", "Even")
        made.begun = PutAside(job.cdp, tmp_path / "fresh")
        yield made


def test_whatever_happens_the_next_run_that_goes_through_makes_all_right(world: World) -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=int(os.environ.get("CDP_HISTORIES", "12")),
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
