"""A workspace in a folder, with a connection and an export over made-up people, to be run and broken."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from cdp_core.app.connections import Dialogue
from cdp_core.app.facade import CDP
from cdp_core.app.places import vault_of
from cdp_core.contract.destination import Batch, Delivering, DestinationSpec
from cdp_core.contract.digests import DigestBlock
from cdp_core.model.configuration import Match
from cdp_core.model.delivery import Operation
from cdp_core.model.policy import ChosenField, Policy
from cdp_core.model.secret import Secret
from cdp_core.rules.records import RECORD, record_of
from cdp_core.runner.connect import Connector
from cdp_core.runner.open_destination import OpenDestination
from cdp_core.workspace import Workspace

if TYPE_CHECKING:
    from cdp_core.app.run_views import RunReport
    from cdp_core.testing.stand_in import StandIn

NAME = "Everybody"
IDENTIFIER = "identifier"
# Whose identifier a made-up person has who has changed: somebody's whom no test writes otherwise.
_CHANGED = 500_000
# Failures are tried again at once, and not for long.
_QUICK = "\n[delivery]\nattempts = 4\nfirst_wait = 0.01\nlongest_wait = 0.05\n"


class Stage:
    """The export `NAME` of everybody in the profiles, whose file has a key and an identifier."""

    def __init__(self, folder: Path, stand_in: StandIn) -> None:
        self.stand_in = stand_in
        self.folder = folder
        self.workspace = folder / ".cdp"
        self._profiles = folder / "profiles.parquet"
        self.write(range(10))
        with CDP.init(self.workspace, profiles=str(self._profiles), key="customer_id", vault="file"):
            pass
        settings = self.workspace / "cdp.toml"
        settings.write_text(settings.read_text() + _QUICK)
        with self.cdp() as cdp:
            self.spec: DestinationSpec = cdp.desk.catalog.destination(stand_in.destination)
            self._connect(cdp)
            self._export(cdp)
            self.kinds = cdp.desk.catalog.kinds

    @contextmanager
    def cdp(self) -> Iterator[CDP]:
        """The open workspace."""
        with CDP(Workspace.open(self.workspace)) as cdp:
            yield cdp

    @property
    def takes_rows(self) -> bool:
        return self.spec.capabilities.payload == "records"

    def write(self, numbers: Iterable[int], changed: Collection[int] = ()) -> None:
        """The made-up people of these numbers are all that the profiles hold; those who have `changed` have
        another identifier than before."""
        listed = list(numbers)
        now = [self.stand_in.identifier(_now(number, changed)) for number in listed]
        table = {
            "customer_id": pa.array([f"c{number}" for number in listed], pa.string()),
            IDENTIFIER: pa.array(now, pa.string()),
        }
        aside = self._profiles.with_suffix(".new")
        pq.write_table(pa.table(table), aside)
        aside.replace(self._profiles)

    def expected(self, numbers: Iterable[int], changed: Collection[int] = ()) -> set[object]:
        """What the audience holds when it holds these people, some of whom have `changed`."""
        if self.takes_rows:
            return {self._row(number, changed) for number in numbers}
        return {self.digest(_now(number, changed)) for number in numbers}

    def held(self) -> set[object]:
        return set(self.stand_in.held())

    def digest(self, number: int) -> bytes:
        """What stands for the n-th person in a batch: the identifier's digest, or the row's record."""
        if self.takes_rows:
            return record_of(f"c{number}", self.stand_in.fields, self._row(number))
        found = self.kinds[self.stand_in.kind].identify(self.stand_in.identifier(number))
        assert found.digest is not None, f"made-up person {number} has no digest: {found}"
        return found.digest

    def batch(self, operation: Operation, numbers: Sequence[int]) -> Batch:
        """These people, to be added or removed."""
        digests = DigestBlock(b"".join(map(self.digest, numbers)))
        if not self.takes_rows:
            return Batch(operation=operation, kind=self.stand_in.kind, digests=digests)
        rows = [self._row(number) for number in numbers]
        if operation is Operation.REMOVE:
            rows = [(None,) * len(self.stand_in.fields) for _ in numbers]
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        table = pa.table(dict(zip(self.stand_in.fields, columns, strict=True)))
        return Batch(operation=operation, kind=RECORD, digests=digests, rows=table)

    def _row(self, number: int, changed: Collection[int] = ()) -> tuple[str | None, ...]:
        identifier = self.stand_in.identifier(_now(number, changed))
        values = {"customer_id": f"c{number}", IDENTIFIER: identifier}
        return tuple(values[field] for field in self.stand_in.fields)

    @contextmanager
    def opened(self) -> Iterator[OpenDestination]:
        """The destination as a run has it: its session carries the connection's credentials. A block that
        ends well has delivered all that it planned."""
        with self.cdp() as cdp:
            vault = vault_of(cdp.workspace, cdp.desk.state)
            connector = Connector(cdp.desk.state, cdp.desk.catalog, vault)
            export = cdp.desk.state.exports.get(NAME)
            run = Delivering(run_id=os.urandom(6).hex(), export=NAME, started_at=datetime.now(UTC))
            with connector.destination(export, run) as found:
                yield found
                found.destination.finish(whole=True)

    def run(self) -> RunReport:
        with self.cdp() as cdp:
            return cdp.exports.run(NAME, agreed=True)

    def killed(self, step: str) -> bool:
        """Run in a process that is killed at a step (see `cdp_core.testing.killed`); False where it ended
        before."""
        words = ["-m", "cdp_core.testing.killed", step, "--workspace", str(self.workspace)]
        done = subprocess.run(
            [sys.executable, *words, "export", "run", NAME, "--yes"],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode < 128, f"a run failed before it was killed\n{done.stdout}\n{done.stderr}"
        return done.returncode < 0

    def deliver_step(self, moment: str, number: int) -> str:
        """The step before or after the destination's n-th batch."""
        with self.opened() as found:
            kind = type(found.destination)
        return f"{kind.__module__}:{kind.__qualname__}.deliver:{moment}:{number}"

    def _connect(self, cdp: CDP) -> None:
        stand_in = self.stand_in
        cdp.connections.add(
            NAME,
            type=self.spec.connection_type,
            settings=stand_in.settings,
            secrets={name: Secret(value) for name, value in stand_in.secrets.items()},
            agree=lambda _prompts: True,
        )
        cdp.connections.authenticate(
            NAME, dialogue=Dialogue(show_url=_browse, open_browser=False, timeout=30)
        )

    def _export(self, cdp: CDP) -> None:
        cdp.segments.add(NAME, where="customer_id IS NOT NULL")
        stand_in = self.stand_in
        fields = tuple(ChosenField(field=field, column=field) for field in stand_in.fields)
        small = self.spec.batch_size_setting
        cdp.exports.add(
            NAME,
            connection=NAME,
            settings={**stand_in.export, **({small: "5"} if small else {})},
            matching=(Match(kind=stand_in.kind, field=IDENTIFIER),),
            segments=(NAME,),
            policy=Policy(fields=fields if self.takes_rows else ()),
        )


def _now(number: int, changed: Collection[int]) -> int:
    return number + _CHANGED if number in changed else number


def _browse(url: str) -> None:
    """Whoever signs in follows the link, and agrees where the stand-in does not do so at once."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    threading.Thread(target=lambda: opener.open(url, timeout=20).close(), daemon=True).start()
