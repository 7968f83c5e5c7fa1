"""The plan: what a run will send, on disk before anything is sent, and read by delivery, settling and people.

A plan is a folder: `plan.json` with its sums and each file's SHA-256, and the digests themselves in
`operation=add/kind=EMAIL/digests.parquet` and the like, so that any Parquet reader shows it as
(operation, kind, digest): `SELECT operation, kind, count(*) FROM 'plans/ID/**/*.parquet' GROUP BY ALL`.
What the service has refused before, and is tried once more, has parts of its own, `add-again` and
`remove-again`. Beside these there may be `claim` and `release`: claims that change hands between exports
and send nothing; `owed`, those of the removals that nothing may hold back; `end`, those of the removals that
other exports claim too; and `emptied`, the claims that go when the audience is emptied. The SHA-256 of
`plan.json` stands for the whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

import marshmallow
import pyarrow as pa
from marshmallow import fields

from cdp_core.contract.digests import DigestBlock
from cdp_core.errors import Code, GateFault
from cdp_core.model.accounting import KindCounts
from cdp_core.model.delivery import BatchRange, Operation
from cdp_core.model.policy import Mode
from cdp_core.pipeline.digest_file import DigestFile, DigestFileWriter, Written
from cdp_core.pipeline.disk import link, private_folder, sha256, sync, writing
from cdp_core.pipeline.seal import PLAIN, Seal
from cdp_core.workspace.files import touch_private

MANIFEST = "plan.json"


class PlanPart(StrEnum):
    """What becomes of a digest: four that are sent, two that only the ledger learns of, what is special
    about some of the removals, and what goes without being named to the service."""

    ADD = Operation.ADD.value
    ADD_AGAIN = "add-again"
    REMOVE = Operation.REMOVE.value
    REMOVE_AGAIN = "remove-again"
    CLAIM = "claim"
    RELEASE = "release"
    OWED = "owed"
    END = "end"
    EMPTIED = "emptied"

    @classmethod
    def sent(cls, operation: Operation, *, again: bool) -> PlanPart:
        """The part that an operation sends: what is new, or what was refused before."""
        return _SENT[operation, again]


_SENT = {
    (Operation.ADD, False): PlanPart.ADD,
    (Operation.ADD, True): PlanPart.ADD_AGAIN,
    (Operation.REMOVE, False): PlanPart.REMOVE,
    (Operation.REMOVE, True): PlanPart.REMOVE_AGAIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """The digests of one part and kind; `path` is relative to the plan's folder."""

    part: PlanPart
    kind: str
    path: str
    sha256: str
    rows: int


class _PlanFileSchema(marshmallow.Schema):
    part = fields.Enum(PlanPart, by_value=True, required=True)
    kind = fields.String(required=True)
    path = fields.String(required=True)
    sha256 = fields.String(required=True)
    rows = fields.Integer(required=True, strict=True)

    @marshmallow.post_load
    def make(self, data: dict[str, Any], **_: Any) -> PlanFile:
        return PlanFile(**data)


class _ManifestSchema(marshmallow.Schema):
    kinds = fields.Dict(
        keys=fields.String(), values=fields.Dict(fields.String(), fields.Integer()), required=True
    )
    files = fields.List(fields.Nested(_PlanFileSchema), required=True)
    owed_alone = fields.Boolean(required=True)
    # Plans of before there were modes.
    mode = fields.Enum(Mode, by_value=True, load_default=Mode.MIRROR)
    resends = fields.Boolean(load_default=False)


class Plan:
    """A finished plan. Its rows never change, and neither does their order. `owed_alone`: it was narrowed
    to the owed removals, and says nothing of the rest. `resends`: its additions may be claimed already."""

    def __init__(
        self,
        folder: Path,
        digest: str,
        kinds: Mapping[str, KindCounts],
        files: tuple[PlanFile, ...],
        *,
        owed_alone: bool,
        mode: Mode,
        resends: bool,
        seal: Seal = PLAIN,
    ) -> None:
        self.folder = folder
        self.seal = seal
        self.sha256 = digest
        self.counts = kinds
        self.owed_alone = owed_alone
        self.mode = mode
        self.resends = resends
        self._files = {(file.part, file.kind): file for file in files}

    @classmethod
    def open(cls, folder: Path, sha256: str, seal: Seal = PLAIN) -> Plan:
        """Raises `GateFault` (PLAN_DIFFERS) unless every byte is what was written. Only what reads digests
        needs the seal's key."""
        manifest = folder / MANIFEST
        try:
            written = manifest.read_bytes()
        except OSError as failure:
            raise _differs(manifest) from failure
        if hashlib.sha256(written).hexdigest() != sha256:
            raise _differs(manifest)
        try:
            kept = _ManifestSchema().loads(written.decode())
            kinds = {kind: KindCounts(**counts) for kind, counts in kept["kinds"].items()}
        except (ValueError, TypeError, RecursionError, marshmallow.ValidationError) as failure:
            raise _differs(manifest) from failure
        files = tuple(kept["files"])
        with ThreadPoolExecutor() as threads:
            for file, same in zip(
                files, threads.map(lambda each: _is_whole(folder, each), files), strict=True
            ):
                if not same:
                    raise _differs(folder / file.path)
        manner = {name: kept[name] for name in ("owed_alone", "mode", "resends")}
        return cls(folder, sha256, kinds, files, seal=seal, **manner)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self.counts)

    @property
    def totals(self) -> Mapping[tuple[Operation, str], int]:
        """How many digests will be sent, or go when the audience is emptied, for each operation and kind
        that has any."""
        rows: Counter[tuple[Operation, str]] = Counter()
        parts = [(operation, part) for (operation, _), part in _SENT.items()]
        for operation, part in (*parts, (Operation.REMOVE_ALL, PlanPart.EMPTIED)):
            for kind in self.kinds:
                if file := self.file(part, kind):
                    rows[operation, kind] += file.rows
        return rows

    @property
    def emptied(self) -> int | None:
        """How many claims go when the audience is emptied; None where it is not."""
        if self.mode is not Mode.REPLACE:
            return None
        return sum(rows for (operation, _), rows in self.totals.items() if operation is Operation.REMOVE_ALL)

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to send beside what the service has refused before."""
        parts = (PlanPart.ADD, PlanPart.REMOVE)
        return self.emptied is not None or any(self.file(part, kind) for part in parts for kind in self.kinds)

    def blocks(
        self, operation: Operation, kind: str, size: int, *, again: bool = False
    ) -> Iterator[tuple[BatchRange, DigestBlock]]:
        """An operation's digests, at most `size` at a time, in the plan's order: those that are new, or
        those that were refused before."""
        digests = self.digests(PlanPart.sent(operation, again=again), kind)
        start = 0
        for block in map(DigestBlock, digests.blocks(size) if digests else ()):
            count = len(block)
            yield BatchRange(operation=operation, kind=kind, start=start, count=count, again=again), block
            start += count

    def read(self, batch: BatchRange) -> DigestBlock:
        """The digests of one batch; any thread may ask."""
        digests = self.digests(PlanPart.sent(batch.operation, again=batch.again), batch.kind)
        return DigestBlock(digests.slice(batch.start, batch.count) if digests else b"")

    def only_owed(self, folder: Path) -> Plan | None:
        """A plan, in a folder of its own, of the owed removals alone; None where nothing is owed."""
        owed = {kind: counts.owed for kind, counts in self.counts.items() if counts.owed}
        if not owed:
            return None
        taken = {PlanPart.REMOVE: PlanPart.OWED, PlanPart.OWED: PlanPart.OWED, PlanPart.END: PlanPart.END}
        with PlanWriter(folder, self.seal) as plan:
            for kind in owed:
                for part, of in taken.items():
                    if file := self.file(of, kind):
                        plan.take_over(part, kind, Written(self.folder / file.path, file.sha256, file.rows))
            return plan.finish(
                {kind: KindCounts(removed=number, owed=number) for kind, number in owed.items()},
                owed_alone=True,
            )

    def written_anew(
        self, folder: Path, seal: Seal, change: Callable[[str, pa.Array], pa.Array] = lambda kind, rows: rows
    ) -> Plan:
        """The same plan in a folder of its own, its digests encrypted or not as `seal` says. `change` may put
        other digests of the same first byte in the places of some, of a kind."""
        with PlanWriter(folder, seal) as plan:
            for part, kind in self._files:
                if digests := self.digests(part, kind):
                    for rows in digests.read(digests.ranges):
                        plan.file(part, kind).write(change(kind, rows))
            return plan.finish(self.counts, owed_alone=self.owed_alone, mode=self.mode, resends=self.resends)

    def file(self, part: PlanPart, kind: str) -> PlanFile | None:
        return self._files.get((part, kind))

    def digests(self, part: PlanPart, kind: str) -> DigestFile | None:
        file = self.file(part, kind)
        return DigestFile(self.folder / file.path, self.seal) if file else None


class PlanWriter:
    """Writes a plan beside its place and moves it there whole; left without `finish`, nothing stays."""

    def __init__(self, folder: Path, seal: Seal = PLAIN) -> None:
        self._folder = folder
        self._seal = seal
        self._aside = folder.with_name(f".{folder.name}.partial")
        self._open: dict[tuple[PlanPart, str], DigestFileWriter] = {}
        self._files: list[PlanFile] = []

    def __enter__(self) -> PlanWriter:
        shutil.rmtree(self._aside, ignore_errors=True)
        with writing(self._aside):
            private_folder(self._aside)
        return self

    def __exit__(self, *exc: object) -> None:
        for file in self._open.values():
            file.discard()
        shutil.rmtree(self._aside, ignore_errors=True)

    def file(self, part: PlanPart, kind: str) -> DigestFileWriter:
        """The file of a part and kind, to be written range by range."""
        if (part, kind) not in self._open:
            self._open[part, kind] = DigestFileWriter(self._place(part, kind), self._seal)
        return self._open[part, kind]

    def take_over(self, part: PlanPart, kind: str, written: Written) -> None:
        """A file that is already as the plan wants it: it is linked, not written again."""
        path = self._place(part, kind)
        with writing(path):
            link(written.path, path)
        self._files.append(self._entry(part, kind, written))

    def finish(
        self,
        kinds: Mapping[str, KindCounts],
        *,
        owed_alone: bool = False,
        mode: Mode = Mode.MIRROR,
        resends: bool = False,
    ) -> Plan:
        for (part, kind), file in self._open.items():
            if file.rows:
                self._files.append(self._entry(part, kind, file.close(durable=True)))
            else:
                file.discard()
        self._open.clear()
        files = sorted(self._files, key=lambda each: (list(PlanPart).index(each.part), each.kind))
        manner = {"owed_alone": owed_alone, "mode": mode, "resends": resends}
        manifest = json.dumps(
            {
                "kinds": {kind: counts.as_dict() for kind, counts in kinds.items()},
                "files": [asdict(file) for file in files],
                **manner,
            },
            indent=1,
        ).encode()
        with writing(self._folder):
            path = self._aside / MANIFEST
            touch_private(path)
            path.write_bytes(manifest)
            sync(path)
            os.rename(self._aside, self._folder)  # noqa: PTH104
            sync(self._folder)
            sync(self._folder.parent)
        sha256 = hashlib.sha256(manifest).hexdigest()
        return Plan(
            self._folder,
            sha256,
            dict(kinds),
            tuple(files),
            owed_alone=owed_alone,
            mode=mode,
            resends=resends,
            seal=self._seal,
        )

    def _place(self, part: PlanPart, kind: str) -> Path:
        folder = self._aside / f"operation={part}" / f"kind={quote(kind, safe='')}"
        with writing(folder):
            private_folder(folder)
        return folder / "digests.parquet"

    def _entry(self, part: PlanPart, kind: str, written: Written) -> PlanFile:
        path = f"operation={part}/kind={quote(kind, safe='')}/digests.parquet"
        return PlanFile(part=part, kind=kind, path=path, sha256=written.sha256, rows=written.rows)


def _is_whole(folder: Path, file: PlanFile) -> bool:
    try:
        return sha256(folder / file.path) == file.sha256
    except OSError:
        return False


def _differs(path: Path) -> GateFault:
    return GateFault(
        Code.PLAN_DIFFERS,
        "the plan's file is missing or is not what was written",
        where=str(path),
        hint="make a new plan: `cdp export plan`",
    )
