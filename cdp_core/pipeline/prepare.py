"""Prepare: has the engine select and identify the members, and groups and screens their digests.

What comes out is, for each identifier kind, a file of distinct digests that may be sent, and the
count of every value that may not, by reason. Nothing here ever holds a raw value.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cdp_core.contract.source import Engine, Selection
from cdp_core.errors import Code, InternalFault
from cdp_core.model.accounting import Reason
from cdp_core.pipeline.digest_file import Written
from cdp_core.pipeline.grouping import Grouping
from cdp_core.pipeline.seal import PLAIN, Seal
from cdp_core.pipeline.suppressed import Suppressed


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedKind:
    """One kind's share: values read, those not sent by reason, and how many distinct digests remain.

    `wanted` are the files that hold these digests, none in two of them; `withheld` is the file of those
    that some row without consent yields, None where there is no such row.
    """

    read: int
    reasons: Mapping[Reason, int]
    distinct: int
    wanted: tuple[Written, ...] = ()
    withheld: Written | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Rows of the profile table, members of the segments, and each kind's share; `duplicate_keys` are
    rows whose key an earlier row has."""

    profiles: int
    members: int
    duplicate_keys: int = 0
    kinds: Mapping[str, PreparedKind] = field(default_factory=dict)


def prepare(
    engine: Engine,
    selection: Selection,
    into: Path,
    progress: Callable[[int], None],
    suppressed: Suppressed | None = None,
    *,
    validity_alone: bool = False,
    seal: Seal = PLAIN,
) -> Prepared:
    """Write the distinct digests of each kind into the folder `into`, which must exist. With
    `validity_alone` neither consent nor suppression keeps one out.

    Raises `InvalidFault` as the engine does, and where the disk is full.
    """
    fields = Counter(match.kind for match in selection.matching)
    kinds = {key: selection.kinds[key] for key in fields}
    prepared = {}
    with Grouping(kinds, into, suppressed, validity_alone=validity_alone, seal=seal) as grouping:
        selected = engine.identify(selection, grouping, progress)
        for key in kinds:
            prepared[key] = prepared_kind(grouping, key, selected.members * fields[key], into)
    return Prepared(
        profiles=selected.profiles,
        members=selected.members,
        duplicate_keys=selected.duplicate_keys,
        kinds=prepared,
    )


def prepared_kind(grouping: Grouping, kind: str, values: int, into: Path) -> PreparedKind:
    """One kind's share, written into a folder. Raises `InternalFault` where other than so many `values` were
    handed over."""
    path, withheld = (into / f"{uuid.uuid4().hex}.parquet" for _ in range(2))
    grouped = grouping.finish(kind, path, withheld)
    if grouped.read != values:
        raise InternalFault(
            Code.UNBALANCED,
            f"{grouped.read:,} {kind} values were counted where there are {values:,}",
            hint="the engine loses or repeats values; please report it",
        )
    return PreparedKind(
        read=grouped.read,
        reasons=grouped.reasons,
        distinct=grouped.written.rows,
        wanted=(grouped.written,),
        withheld=grouped.withheld,
    )
