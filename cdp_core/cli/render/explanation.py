"""What became of a person, in words: never the person, whose normalised form is masked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.render.batches import WORDS
from cdp_core.cli.render.documents import plain_value
from cdp_core.cli.render.tables import Details, Listing
from cdp_core.cli.render.words import count, counted, moment
from cdp_core.model.explanation import AudienceHistory, Explanation, ExportStanding, Held, Moment, Why
from cdp_core.model.policy import Mode

_ACTS = {
    "add": "added",
    "remove": "removed",
    "claim": "claimed: another export had put it there",
    "release": "released: another export keeps it there",
    "emptied": "removed with everybody: the audience was emptied",
}
_WHY = {
    Why.NOT_MATCHED: "the export does not match this kind",
    Why.IN_NO_SEGMENT: "in none of the export's segments today",
    Why.WITHOUT_CONSENT: "without consent",
    Why.SUPPRESSED: "suppressed",
    Why.DEAD_LETTER: "the service refuses it",
}
_OWED = (Why.WITHOUT_CONSENT, Why.SUPPRESSED)


def picture(found: Explanation) -> Iterator[RenderableType]:
    if found.digest is None:
        yield Text("It yields no digest, so that it was never sent to any audience and never will be:")
        yield Listing(("As", "It is"), ((kind, str(reason)) for kind, reason in found.reasons.items()))
        return
    yield Details(
        f"{found.kind} {found.digest.hex()[:12]}…",
        (
            ("Normalised", found.normalised or "it was given as a digest"),
            ("Digest", found.digest.hex()),
            ("Suppressed", _suppressed(found)),
        ),
    )
    for standing in found.exports:
        yield _standing(standing)
    for history in found.audiences:
        yield from _history(history)


def document(found: Explanation) -> dict[str, Any]:
    """What `explain --json` prints."""
    kept = found.suppression
    return {
        "kind": found.kind,
        "digest": found.digest.hex() if found.digest else None,
        "normalised": found.normalised,
        "reasons": dict(found.reasons),
        "suppression": None
        if kept is None
        else {"note": kept.note, "added_by": kept.added_by, "added_at": plain_value(kept.added_at)},
        "exports": [_standing_document(each) for each in found.exports],
        "audiences": [plain_value(each) for each in found.audiences],
    }


def _standing_document(standing: ExportStanding) -> dict[str, Any]:
    letter = standing.dead_letter
    told = {
        field.name: plain_value(getattr(standing, field.name))
        for field in dataclasses.fields(standing)
        if field.name != "dead_letter"
    }
    return told | {
        "dead_letter": None
        if letter is None
        else {
            "operation": letter.operation,
            "reason": letter.reason,
            "request_id": letter.request_id,
            "http_status": letter.http_status,
            "run_id": letter.run_id,
            "at": plain_value(letter.at),
        }
    }


def _suppressed(found: Explanation) -> str:
    kept = found.suppression
    if kept is None:
        return "no"
    return f"since {moment(kept.added_at)} by {kept.added_by}" + (f": {kept.note}" if kept.note else "")


def _standing(standing: ExportStanding) -> Details:
    letter = standing.dead_letter
    return Details(
        f"Export {standing.export}",
        (
            ("Today", _today(standing)),
            ("Audience", standing.audience or "none: it has no connection"),
            ("Segments", ", ".join(standing.segments)),
            ("Rows", ", ".join(standing.keys)),
            ("Consent", {True: "yes", False: "no", None: ""}[standing.consent]),
            ("Refused", f"{letter.reason} (request {letter.request_id})" if letter else ""),
        ),
    )


def _today(standing: ExportStanding) -> Text:
    why = "" if standing.why is None else _WHY[standing.why]
    if standing.mode is Mode.REMOVE:
        here = "" if standing.held is Held.NO else ", and in the audience"
        return Text(f"left alone{here}: {why}" if why else "taken out by each run, whoever put it there")
    there = {Held.YES: "in the audience", Held.PERHAPS: "perhaps in the audience: an answer never came"}
    if standing.held is not Held.NO:
        said = there[standing.held]
        if standing.mode is Mode.ADD_ONLY and standing.why not in (None, *_OWED):
            return Text(f"{said}, and stays: the export only adds", style="green")
        return Text(f"{said}; the next run takes it out: {why}" if why else said, style="green")
    return Text(
        f"not in the audience: {why}" if why else "not there yet: the next run adds it", style="yellow"
    )


def _history(history: AudienceHistory) -> Iterator[RenderableType]:
    yield Text(f"\n{history.audience}", style="bold")
    yield Listing(
        ("When", "What", "Answer", "Run", "Batch", "Request", "HTTP", "The service's words", "Export"),
        (
            (
                moment(each.at),
                _ACTS[each.act] if _is_done(each) else f"to be {_ACTS[each.act]}",
                Text(*WORDS[each.status]) if each.status else "",
                each.run_id,
                count(each.batch),
                each.request_id,
                str(each.http_status or ""),
                each.message,
                each.export,
            )
            for each in history.moments
        ),
        numbers=("Batch", "HTTP"),
        texts=("What", "Request", "HTTP", "The service's words", "Export"),
        empty="No run has sent it there.",
    )
    for purged, said in ((True, "gone from the disk"), (False, "not what was written")):
        runs = [each.run_id for each in history.unread if each.purged is purged]
        if runs:
            yield Text(
                f"Not searched, since {counted(len(runs), 'plan')} {said}: {', '.join(runs)}", style="yellow"
            )


def _is_done(each: Moment) -> bool:
    return each.status is None or each.status == "accepted"
