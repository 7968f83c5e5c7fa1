"""What erasures and their receipts look like: never a person, only the beginnings of digests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.render.documents import plain_value
from cdp_core.cli.render.tables import Details, Listing
from cdp_core.cli.render.words import count, counted, moment, names, plain
from cdp_core.model.erasure import Erasure, Identifier, Removal
from cdp_core.rules.records import RECORD

if TYPE_CHECKING:
    from cdp_core.runner.whereabouts import Whereabouts

_PREFIX = 12
_KEPT = {
    "ledger_files": "ledger file",
    "plans": "plan",
    "dead_letters": "dead letter",
    "results": "static segment",
    "aside": "file aside",
}


def receipts(found: Sequence[Erasure]) -> Iterator[RenderableType]:
    if len(found) == 1:
        yield from receipt(found[0])
        return
    yield from listed(found)
    if open_ones := [each for each in found if each.ended_at is None]:
        yield Text(f"{counted(len(open_ones), 'receipt')} unconfirmed; {_AGAIN}", style="yellow")


_AGAIN = "every run on these audiences tries again, and so does the same command."


def receipt(erasure: Erasure) -> Iterator[RenderableType]:
    yield Details(
        f"Receipt {erasure.id}",
        (
            ("Person", _short(erasure.given)),
            ("Asked", f"{moment(erasure.asked_at)} by {erasure.asked_by}"),
            ("Note", erasure.note),
            ("Suppressed", names(_short(each) for each in erasure.identifiers)),
            ("Not found of them", names(erasure.not_found)),
            ("No longer kept", _forgotten(erasure)),
            ("Done", moment(erasure.ended_at) if erasure.ended_at else "not yet"),
        ),
    )
    yield Listing(
        ("Audience", "Export", "Kind", "Digest", "Result", "Request", "Sent", "Latency", "Said"),
        (_row(each) for each in erasure.removals),
        texts=("Said",),
        empty="No audience's ledger held them.",
    )
    if erasure.ended_at is None:
        waiting = names(str(each) for each in erasure.pending) or "what the workspace keeps"
        yield Text(f"Not confirmed: {plain(waiting)}. {_AGAIN[0].upper()}{_AGAIN[1:]}", style="yellow")


def listed(found: Sequence[Erasure]) -> Iterator[RenderableType]:
    yield Listing(
        ("Receipt", "Person", "Asked", "By", "Audiences", "Result", "Note"),
        (
            (
                each.id,
                _short(each.given),
                moment(each.asked_at),
                each.asked_by,
                count(len({removal.audience for removal in each.removals})),
                _result(confirmed=each.ended_at is not None),
                each.note,
            )
            for each in found
        ),
        numbers=("Audiences",),
        texts=("Note",),
        empty="No receipts of erasures are kept.",
    )


def whereabouts(found: Sequence[Whereabouts]) -> Iterator[RenderableType]:
    """What a dry run says."""
    for line in in_short(found):
        yield Text(line)
    yield Listing(
        ("Person", "Audience", "Export", "Kinds", "Held"),
        (
            (_short(each.erasure.given), at.audience, at.export, names(at.kinds), str(at.held))
            for each in found
            for at in each.claims
        ),
        empty="No audience's ledger holds them.",
    )
    for each in found:
        for place, why in each.unread.items():
            yield Text(f"{plain(place)} could not be looked at: {plain(why)}", style="yellow")


def in_short(found: Sequence[Whereabouts]) -> Iterator[str]:
    for each in found:
        kept = {
            "ledger file": each.ledger_files,
            "plan": each.plans,
            "dead letter": each.dead_letters,
            "static segment": each.results,
        }
        held = counted(len({claim.audience for claim in each.claims}), "audience")
        besides = names(counted(number, what) for what, number in kept.items() if number)
        known = names(sorted({one.kind for one in each.erasure.identifiers}))
        said = f"{_short(each.erasure.given)}: {held} hold them; known of them: {known}"
        if each.erasure.not_found:
            said += f"; not found: {names(each.erasure.not_found)}"
        yield f"{said}. Kept besides: {besides or 'nothing'}."


def documents(found: Sequence[Erasure]) -> dict[str, Any]:
    return {
        "receipts": [document(each) for each in found],
        "unconfirmed": sum(each.ended_at is None for each in found),
    }


def document(erasure: Erasure) -> dict[str, Any]:
    """What `erase show --json` prints, to keep as proof."""
    return {
        "receipt": erasure.id,
        "person": _identifier(erasure.given),
        "asked_by": erasure.asked_by,
        "asked_at": plain_value(erasure.asked_at),
        "note": erasure.note,
        "suppressed": [_identifier(each) for each in erasure.identifiers],
        "not_found": list(erasure.not_found),
        "forgotten": erasure.forgotten.as_dict(),
        "done_at": plain_value(erasure.ended_at),
        "pending": [str(each) for each in erasure.pending],
        "removals": [_removal(each) for each in erasure.removals],
    }


def whereabouts_document(found: Sequence[Whereabouts]) -> dict[str, Any]:
    return {
        "persons": [
            {
                "person": _identifier(each.erasure.given),
                "identifiers": [_identifier(one) for one in each.erasure.identifiers],
                "not_found": list(each.erasure.not_found),
                "held": plain_value(each.claims),
                "kept": {
                    "ledger_files": each.ledger_files,
                    "plans": each.plans,
                    "dead_letters": each.dead_letters,
                    "results": each.results,
                },
                "unread": each.unread,
            }
            for each in found
        ]
    }


def _removal(removal: Removal) -> dict[str, Any]:
    return {
        "audience": str(removal.audience),
        "export": removal.export,
        "kind": removal.kind,
        "digest": removal.digest.hex(),
        "result": _result(confirmed=removal.confirmed),
        "run": removal.run_id,
        "batch": removal.batch,
        "request_id": removal.request_id,
        "http_status": removal.http_status,
        "sent_at": plain_value(removal.sent_at),
        "answered_at": plain_value(removal.answered_at),
        "latency": removal.latency,
        "tries": removal.tries,
        "message": removal.message,
    }


def _row(removal: Removal) -> tuple[str, ...]:
    latency = removal.latency
    return (
        str(removal.audience),
        removal.export,
        "whole row" if removal.kind == RECORD else removal.kind,
        f"{removal.digest.hex()[:_PREFIX]}…",
        _result(confirmed=removal.confirmed),
        removal.request_id,
        moment(removal.sent_at),
        "" if latency is None else f"{latency:.3f} s",
        removal.message,
    )


def _identifier(each: Identifier) -> dict[str, str]:
    return {"kind": each.kind, "digest": each.digest.hex()}


def _forgotten(erasure: Erasure) -> str:
    told = Counter(erasure.forgotten.as_dict())
    return names(counted(told[name], word) for name, word in _KEPT.items() if told[name])


def _result(*, confirmed: bool) -> str:
    return "confirmed" if confirmed else "unconfirmed"


def _short(each: Identifier) -> str:
    return f"{each.kind} {each.digest.hex()[:_PREFIX]}…"
