"""Whole rows: of each its record, whether it may be sent, and, of those that are sought, the chosen values.

Records are hashed in the server, so that planning brings no value of the chosen fields out of it.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is read by `tokens` first
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import RowsFound, Selection
from cdp_core.engines.asking import Rule
from cdp_core.engines.postgres.identify import Preparation, agrees, step, text_in
from cdp_core.engines.postgres.kinds import steps
from cdp_core.engines.postgres.session import Session
from cdp_core.engines.postgres.text import in_utf8, literal
from cdp_core.engines.verdicts import ASK, VERDICTS
from cdp_core.model.accounting import Reason
from cdp_core.rules.records import HALF, NOT_THERE, beginning

_AT_ONCE = 100_000 * DIGEST_SIZE
_DIGEST = pa.binary(DIGEST_SIZE)
_REASONS = {code: reason for reason, code in VERDICTS.items()}

Row = Sequence[Any]


def rows(
    session: Session,
    preparation: Preparation,
    selection: Selection,
    *,
    key: str,
    condition: str,
    where: str,
    sought: bytes | None,
) -> Iterator[RowsFound]:
    """As `Engine.rows` says."""
    rules = [Rule(selection.kinds[match.kind]) for match in selection.matching]
    first = 4 + 3 * len(rules)
    last = first + len(selection.fields) if sought is not None else first
    query = _query(preparation, selection, key=key, condition=condition, sought=sought)
    for batch in session.stream(query, where=where):
        found = [_found(batch, 4 + 3 * n, rule) for n, rule in enumerate(rules)]
        yield RowsFound(
            records=pa.array([row[0] for row in batch], _DIGEST),
            members=pa.array([row[1] for row in batch], pa.bool_()),
            agreed=pa.array([_agreed(row, selection) for row in batch], pa.bool_()),
            digests=tuple(pa.array(digests, _DIGEST) for digests, _ in found),
            reasons=tuple(tuple(reasons) for _, reasons in found),
            values=tuple(
                pa.array([_value(row[at]) for row in batch], pa.string()) for at in range(first, last)
            ),
        )


def _found(batch: Sequence[Row], at: int, rule: Rule) -> tuple[list[bytes | None], list[Reason | None]]:
    """One match's digests and reasons, in the rows' order."""
    digests: list[bytes | None] = []
    reasons: list[Reason | None] = []
    for row in batch:
        found = row[at]
        if len(found) == DIGEST_SIZE:
            digests.append(bytes(found))
            reasons.append(None)
        elif found[0] == ASK:
            identified = rule.of(text_in(row[at + 1]), row[at + 2])
            digests.append(identified.digest)
            reasons.append(identified.reason)
        else:
            digests.append(None)
            reasons.append(_REASONS[found[0]])
    return digests, reasons


def _agreed(row: Row, selection: Selection) -> bool:
    return selection.consent is None or agrees(row[2:4], selection.consent)


def _value(value: bytes | None) -> str | None:
    # A database that knows no encoding hands out whatever bytes were put in.
    return None if value is None else value.decode(errors="replace")


def _query(
    preparation: Preparation, selection: Selection, *, key: str, condition: str, sought: bytes | None
) -> str:
    """Rows of record, member, agreed and said; what was found, the text to ask about and its region of each
    match; and the values, where records are sought."""
    table = preparation.table
    fields = [f"field{n}" for n in range(len(selection.fields))]
    columns = [f"({condition}) AS member", f"{table.text_of(key)} AS row_key", *preparation.values()]
    columns += [
        f"{table.text_of(chosen.field)} AS {name}"
        for name, chosen in zip(fields, selection.fields, strict=True)
    ]
    consent = selection.consent
    columns += [f"{table.text_of(consent.field)} AS said"] if consent else []
    query = step(f"SELECT {', '.join(columns)} FROM profiles", {"record": _record(selection, fields)})
    if sought is not None:
        query = f"SELECT * FROM ({query} OFFSET 0) AS row WHERE record IN ({_listed(sought)})"
    if consent is not None:
        query = step(query, {"agreed": preparation.agreed(consent)})
    for n, match in enumerate(selection.matching):
        for added in steps(match.kind, n, preparation.undecided):
            query = step(query, added)
    wanted = ["record", "member"]
    wanted += ["agreed", preparation.asked("said")] if consent else ["NULL::int", "NULL::bytea"]
    wanted += preparation.found()
    wanted += [in_utf8(name) for name in fields] if sought is not None else []
    return f"{table.profiles} SELECT {', '.join(wanted)} FROM ({query} OFFSET 0) AS row"


def _listed(sought: bytes) -> str:
    """The transaction cannot write, not even to a table of its own: the records stand in the query."""
    pieces = [sought[at : at + _AT_ONCE] for at in range(0, len(sought), _AT_ONCE)] or [b""]
    listed = ", ".join(f"(decode('{piece.hex()}', 'hex'))" for piece in pieces)
    return (
        f"SELECT substring(kept.piece FROM {DIGEST_SIZE} * n + 1 FOR {DIGEST_SIZE}) "
        f"FROM (VALUES {listed}) AS kept (piece), "
        f"LATERAL generate_series(0, octet_length(kept.piece) / {DIGEST_SIZE} - 1) AS n"
    )


def _record(selection: Selection, fields: Sequence[str]) -> str:
    """SQL for `record_of`; NULL where there is no key."""
    columns = literal(beginning([chosen.column for chosen in selection.fields]))
    row = " || ".join([columns, *map(_written, ("row_key", *fields))])
    halves = [f"substring(sha256({in_utf8(text)}) FROM 1 FOR {HALF})" for text in ("row_key", row)]
    return f"CASE WHEN row_key IS NOT NULL THEN {' || '.join(halves)} END"


def _written(column: str) -> str:
    there = f"octet_length({in_utf8(column)})::text || ':' || {column}"
    return f"CASE WHEN {column} IS NULL THEN {literal(NOT_THERE)} ELSE {there} END"
