"""Names of folders and files: what a setting may say, and where a run's files go. Nothing leads out of the
connection's own folder, whatever a setting or a name holds."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from cdp_core import Delivering
from cdp_files.complaints import complaint

MANIFEST = "_manifest.json"
LATEST = "_latest.json"
OPEN = "_open"
# Whole rows have their own, so that nothing of theirs is taken for digests' where both go to one folder.
LATEST_ROWS = "_latest_rows.json"
OPEN_ROWS = "_open_rows"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._=-]{0,99}\Z")
_DATED_PART = re.compile(r"(?:[A-Za-z0-9=-]|%[YmdH])(?:[A-Za-z0-9._=-]|%[YmdH]){0,99}\Z")
_NOTE = re.compile(r"\.?(\d{8}T\d{6}(?:\.\d{3})?Z)-[A-Za-z0-9_]+\.json(?:\.part)?\Z")
_NAME = re.compile(r"(add|remove)-([A-Za-z0-9_]+)-(\d+)-[0-9a-f]{16}\.[a-z.]+\Z")


def checked_folder(text: str) -> None:
    """Raise `ValueError` with a sentence where a text is no folder below the connection's."""
    if not all(_PART.match(part) for part in text.split("/")):
        raise ValueError(
            complaint(
                "A folder is one or more names with / between, each of letters, digits, space, . _ = - "
                "and beginning with a letter or digit.",
                nl="Een map is een of meer namen met / ertussen, elk van letters, cijfers, spatie, . _ = - "
                "en beginnend met een letter of cijfer.",
                da="En mappe er et eller flere navne med / imellem, hvert af bogstaver, cifre, mellemrum, "
                ". _ = - og begyndende med et bogstav eller ciffer.",
            )
        )


def checked_dated_path(text: str) -> None:
    """Raise `ValueError` with a sentence where a text is no dated path."""
    if text and not all(_DATED_PART.match(part) for part in text.split("/")):
        raise ValueError(
            complaint(
                "A dated path is made of letters, digits, . _ = - and / with %Y, %m, %d and %H (UTC), "
                "such as %Y/%m/%d.",
                nl="Een pad met datum bestaat uit letters, cijfers, . _ = - en / met %Y, %m, %d en %H (UTC), "
                "zoals %Y/%m/%d.",
                da="En sti med dato består af bogstaver, cifre, . _ = - og / med %Y, %m, %d og %H (UTC), "
                "såsom %Y/%m/%d.",
            )
        )


def run_folder(dated_path: str, run: Delivering) -> str:
    """A run's folder below the audience's. Its name sorts by time, and no two runs have one."""
    began = run.started_at.astimezone(UTC)
    moment = f"{began:%Y%m%dT%H%M%S}.{began.microsecond // 1000:03d}Z"
    name = f"{moment}-{_plain(run.run_id)}"
    return f"{_dated(dated_path, began)}/{name}" if dated_path else name


def note_name(run: str) -> str:
    """The note of a run, by its folder: it lies aside until the run has its manifest."""
    return f"{run.rpartition('/')[2]}.json"


def is_newer(note: str, than: str) -> bool:
    """Whether a note, or one that is being written, is of a run that began after another note's."""
    one, other = _NOTE.match(note), _NOTE.match(than)
    return one is not None and other is not None and one[1] > other[1]


def file_name(operation: str, kind: str, rows: int, digest: str, ending: str) -> str:
    """What is in a file, by its name: so a run that died is accounted for by what it has left."""
    return f"{operation}-{_plain(kind)}-{rows}-{digest[:16]}{ending}"


def read_name(name: str) -> tuple[str, str, int] | None:
    """Operation, kind and rows of a file of ours; None where it is none."""
    found = _NAME.match(name)
    return (found[1], found[2], int(found[3])) if found else None


def _dated(text: str, moment: datetime) -> str:
    # Each directive by itself: a locale or a platform's own directives have no say.
    values = {"%Y": f"{moment:%Y}", "%m": f"{moment:%m}", "%d": f"{moment:%d}", "%H": f"{moment:%H}"}
    return re.sub(r"%[YmdH]", lambda found: values[found[0]], text)


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", text)
