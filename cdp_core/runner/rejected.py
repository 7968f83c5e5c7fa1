"""The digests that the service refused in a run, and the keys of the rows that yield them today."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from cdp_core.contract.source import Selection
from cdp_core.model.configuration import Export
from cdp_core.model.delivery import OF_DIGESTS, BatchStatus
from cdp_core.model.journal import BatchRecord
from cdp_core.model.run import Run
from cdp_core.pipeline.plan import Plan
from cdp_core.rules.identifiers import BUILT_IN_KINDS, MOBILE_AD_ID
from cdp_core.runner.services import Services

_REFUSED = (BatchStatus.DEAD_LETTER, BatchStatus.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A refused digest (hexadecimal), and one of the rows that yield it; `key` is None where today's
    profiles have none, or where the key is an identifier itself. `alone` says that it was refused by
    itself, and not with others in a batch that was not halved any further."""

    key: str | None
    operation: str
    kind: str
    digest: str
    alone: bool
    reason: str
    request_id: str
    http_status: int


def rejected(services: Services, run: Run, export: Export | None) -> tuple[Rejected, ...]:
    """In the order of the batches that carry digests; `export` is the run's, where it is there still.

    Raises `GateFault` where the run's plan is not what was written.
    """
    refused = [
        batch
        for batch in services.state.journal.batches(run.id)
        if batch.status in _REFUSED and batch.range.operation in OF_DIGESTS
    ]
    if not refused:
        return ()
    record = services.state.plans.get(str(run.plan_id))
    plan = services.ledgers.open_plan(record)
    digests = {batch.id: tuple(_sent(plan, batch)) for batch in refused}
    sought: dict[str, set[bytes]] = {}
    for batch in refused:
        sought.setdefault(batch.range.kind, set()).update(digests[batch.id])
    keys = row_keys(services, export, sought) if export else {}
    return tuple(
        Rejected(
            key=key,
            operation=str(batch.range.operation),
            kind=batch.range.kind,
            digest=digest.hex(),
            alone=batch.status is BatchStatus.DEAD_LETTER,
            reason=batch.message,
            request_id=batch.request_id,
            http_status=batch.http_status,
        )
        for batch in refused
        for digest in digests[batch.id]
        for key in sorted(keys.get((batch.range.kind, digest), ())) or (None,)
    )


def _sent(plan: Plan, batch: BatchRecord) -> Iterator[bytes]:
    """What was in a batch, without what it left out."""
    left_out = {
        row for each in batch.left_out for row in range(each.range.start, each.range.start + each.range.count)
    }
    for row, digest in enumerate(plan.read(batch.range), batch.range.start):
        if row not in left_out:
            yield digest


def row_keys(
    services: Services, export: Export, sought: Mapping[str, Collection[bytes]]
) -> dict[tuple[str, bytes], set[str]]:
    """A second pass over the profiles. None where the key is itself a field that is matched, or reads as an
    identifier: it would be a raw one."""
    matching = tuple(match for match in export.matching if match.kind in sought)
    if services.workspace.settings.profiles.key in {match.field for match in export.matching} or not matching:
        return {}
    selection = Selection(
        segments=(),
        matching=matching,
        kinds={match.kind: services.catalog.kinds[match.kind] for match in matching},
        region=export.policy.region,
    )
    keys: dict[tuple[str, bytes], set[str]] = {}
    with services.profiles.open() as engine:
        for found in engine.keys_of(selection, sought):
            if is_raw_identifier(found.key, found.digest):
                continue
            keys.setdefault((found.kind, found.digest), set()).add(found.key)
    return keys


def is_raw_identifier(key: str, refused: bytes) -> bool:
    """Whether a key is an e-mail, a phone, or what was refused. Plugins' kinds are not asked: one of them
    may well be the customer's number."""
    found = {name: kind.identify(key).digest for name, kind in BUILT_IN_KINDS.items()}
    # Customers' keys are often UUIDs: such a key is an ad id only where it is the one that was refused.
    return refused in found.values() or any(found[name] for name in found if name != MOBILE_AD_ID.key)
