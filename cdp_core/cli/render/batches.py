"""A run's batches: which were sent, which were halved, and what the service said to those that it refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.language import _, marked
from cdp_core.cli.render.documents import plain_value, report_document
from cdp_core.cli.render.run import report
from cdp_core.cli.render.tables import Listing
from cdp_core.cli.render.words import count, counted, duration, plain
from cdp_core.model.delivery import BatchStatus, Operation
from cdp_core.model.journal import BatchRecord

if TYPE_CHECKING:
    from cdp_core.app.run_views import RejectedView, RunDetails

WORDS = {
    BatchStatus.JOURNALED: (marked("no answer"), "yellow"),
    BatchStatus.ACCEPTED: (marked("accepted"), "green"),
    BatchStatus.REFUSED: (marked("refused"), "red"),
    BatchStatus.HALVED: (marked("halved"), "yellow"),
    BatchStatus.DEAD_LETTER: (marked("refused alone"), "red"),
    BatchStatus.UNKNOWN: (marked("unknown"), "yellow"),
    BatchStatus.NOT_SENT: (marked("not sent"), "yellow"),
    BatchStatus.LEFT_OUT: (marked("left out"), "blue"),
}
_REFUSALS = (BatchStatus.REFUSED, BatchStatus.DEAD_LETTER)


def details(found: RunDetails) -> Iterator[RenderableType]:
    """The run as it was told when it ended, then its batches and refusals."""
    yield from report(found.report)
    run = found.report.run
    if run.error_code:
        yield Text.assemble((f"{run.error_code}: ", "bold red"), plain(run.error or ""))
        if run.error_hint:
            yield Text.assemble((_("Next: "), "bold"), plain(run.error_hint))
    if found.batches:
        yield Text("")
        yield batches(found.batches)
    if refused := [batch for batch in found.batches if batch.status in _REFUSALS]:
        yield Text("")
        yield refusals(refused)


def batches(records: Iterable[BatchRecord]) -> Listing:
    return Listing(
        ("Batch", "Half of", "Sends", "Kind", "Digests", "Left out", "Status", "Attempts", "Took", "Request"),
        (
            (
                str(batch.number),
                count(batch.half_of),
                _sends(batch),
                batch.range.kind,
                count(batch.carries),
                count(batch.range.count - batch.carries or None),
                _status(batch),
                count(batch.attempts),
                "" if (took := _seconds(batch)) is None else duration(took),
                batch.request_id,
            )
            for batch in records
        ),
        numbers=("Batch", "Half of", "Digests", "Left out", "Attempts", "Took"),
        texts=("Half of", "Left out", "Request"),
    )


def _status(batch: BatchRecord) -> Text:
    word, style = WORDS[batch.status]
    return Text(_(word), style)


def refusals(refused: Iterable[BatchRecord]) -> Listing:
    """What the service said, in its own words: to how many digests, and in which request first."""
    said: dict[tuple[str, int], list[BatchRecord]] = {}
    for batch in refused:
        said.setdefault((batch.message, batch.http_status), []).append(batch)
    return Listing(
        ("Refused because", "HTTP", "Digests", "Batches", "First request"),
        (
            (
                message,
                str(status or ""),
                count(sum(batch.carries for batch in records)),
                count(len(records)),
                records[0].request_id,
            )
            for (message, status), records in said.items()
        ),
        numbers=("HTTP", "Digests", "Batches"),
        texts=("Refused because", "HTTP", "First request"),
    )


def details_document(found: RunDetails) -> dict[str, Any]:
    """What `export show-run --json` prints: the run as `export run --json` does, and its batches."""
    return report_document(found.report) | {
        "batches": [
            {
                "number": batch.number,
                "half_of": batch.half_of,
                "operation": batch.range.operation,
                "kind": batch.range.kind,
                "digests": batch.carries,
                "left_out": batch.range.count - batch.carries,
                "refused_before": batch.range.again,
                "status": batch.status,
                "attempts": batch.attempts,
                "seconds": _seconds(batch),
                "request_id": batch.request_id,
                "http_status": batch.http_status,
                "message": batch.message,
                "opened_at": plain_value(batch.opened_at),
                "answered_at": plain_value(batch.answered_at),
            }
            for batch in found.batches
        ]
    }


def rejected_sentence(found: RejectedView) -> str:
    """What was written, and of how many digests no row was found."""
    digests = counted(found.digests, "refused digest", "refused digests")
    said = _("Wrote {digests} to {file}.").format(digests=digests, file=plain(found.output))
    if found.without_key:
        digests = counted(found.without_key, "digest", "digests")
        said += _(" Of {digests} today's profiles name no row.").format(digests=digests)
    return said


_OPERATIONS = {Operation.ADD: marked("add"), Operation.REMOVE: marked("remove")}


def _sends(batch: BatchRecord) -> str:
    if batch.range.operation is Operation.REMOVE_ALL:
        return _("empties it")
    operation = _(_OPERATIONS.get(batch.range.operation, str(batch.range.operation)))
    return _("{operation} again").format(operation=operation) if batch.range.again else operation


def _seconds(batch: BatchRecord) -> float | None:
    """From opening it to its answer, with all attempts; None where there is no answer."""
    if batch.answered_at is None:
        return None
    return round((batch.answered_at - batch.opened_at).total_seconds(), 3)
