"""What receipts of withdrawn consent look like: numbers and answers, and nobody's digest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.render.documents import plain_value
from cdp_core.cli.render.tables import Details, Listing
from cdp_core.cli.render.words import count, counted, moment, names
from cdp_core.model.erasure import Withdrawal, WithdrawnBatch
from cdp_core.rules.records import RECORD


def listed(found: Sequence[Withdrawal]) -> Iterator[RenderableType]:
    if not found:
        yield Text("No receipts of withdrawn consent are kept.", style="dim")
    for each in found:
        yield Details(
            f"Run {each.run_id}",
            (
                ("Export", each.export),
                ("Audience", each.audience),
                ("When", moment(each.at)),
                ("Withdrawn", names(f"{count(number)} {_kind(kind)}" for kind, number in each.kinds.items())),
            ),
        )
        yield Listing(
            ("Batch", "Kind", "Digests", "Result", "Request", "Sent", "Latency", "Said"),
            (_row(batch) for batch in each.removals),
            numbers=("Batch", "Digests"),
            texts=("Said",),
            empty="Nothing was sent.",
        )
        if each.unconfirmed:
            yield Text(
                f"{counted(each.unconfirmed, 'digest')} unconfirmed: the next run of the export tries again.",
                style="yellow",
            )


def document(found: Sequence[Withdrawal]) -> dict[str, Any]:
    return {
        "withdrawals": [
            {
                "run": each.run_id,
                "export": each.export,
                "audience": each.audience,
                "at": plain_value(each.at),
                "kinds": dict(each.kinds),
                "confirmed": each.confirmed,
                "unconfirmed": each.unconfirmed,
                "removals": [
                    plain_value(batch) | {"result": _result(batch), "latency": batch.latency}
                    for batch in each.removals
                ],
            }
            for each in found
        ]
    }


def _row(batch: WithdrawnBatch) -> tuple[str, ...]:
    return (
        str(batch.batch),
        _kind(batch.kind),
        count(batch.digests),
        _result(batch),
        batch.request_id,
        moment(batch.sent_at),
        "" if batch.latency is None else f"{batch.latency:.3f} s",
        batch.message,
    )


def _result(batch: WithdrawnBatch) -> str:
    return "confirmed" if batch.confirmed else "unconfirmed"


def _kind(kind: str) -> str:
    return "whole row" if kind == RECORD else kind
