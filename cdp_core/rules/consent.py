"""Whether the consent on record covers the texts that are asked for today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cdp_core.model.configuration import Consent, ConsentPrompt


class Hold(StrEnum):
    """How one text stands: its consent holds, the text has changed since, somebody has withdrawn it, nobody
    has agreed yet, or it was agreed to and nobody asks for it any more."""

    HOLDS = "holds"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    MISSING = "missing"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStanding:
    """One text that is or was asked for. `prompt` is the text as it reads today, in the asker's language
    (None where nobody asks for it); `record` what was agreed to, the newest or the one that holds (None
    where nothing was)."""

    hold: Hold
    prompt: ConsentPrompt | None
    record: Consent | None

    @property
    def text(self) -> ConsentPrompt:
        """As it reads today, else as it was agreed to."""
        if self.prompt is not None:
            return self.prompt
        if self.record is None:
            raise ValueError("a text that nobody asks for and nobody agreed to")
        return self.record.prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGap:
    """Prompts nobody has agreed to, prompts whose text has changed since somebody did, and prompts whose
    consent was withdrawn."""

    missing: tuple[ConsentPrompt, ...]
    changed: tuple[ConsentPrompt, ...]
    withdrawn: tuple[ConsentPrompt, ...] = ()

    @property
    def open(self) -> tuple[ConsentPrompt, ...]:
        return self.missing + self.changed + self.withdrawn


def standings(
    translations: Iterable[Iterable[ConsentPrompt]], records: Iterable[Consent]
) -> tuple[ConsentStanding, ...]:
    """How each text stands. Each prompt comes as its translations, the asker's language first; whoever agreed
    to any of them, as it reads today, has agreed. `records` come newest first."""
    kept: dict[str, list[Consent]] = {}
    for record in records:
        kept.setdefault(record.prompt.key, []).append(record)
    asked = tuple(_standing(tuple(texts), kept) for texts in translations)
    keys = {each.prompt.key for each in asked if each.prompt is not None}
    left = (found[0] for key, found in kept.items() if key not in keys)
    return asked + tuple(
        ConsentStanding(
            hold=Hold.WITHDRAWN if record.is_withdrawn else Hold.NOT_ASKED, prompt=None, record=record
        )
        for record in left
    )


def _standing(texts: Sequence[ConsentPrompt], kept: dict[str, list[Consent]]) -> ConsentStanding:
    asked = texts[0]
    records = kept.get(asked.key, [])
    if not records:
        return ConsentStanding(hold=Hold.MISSING, prompt=asked, record=None)
    standing = [record for record in records if not record.is_withdrawn]
    if not standing:
        return ConsentStanding(hold=Hold.WITHDRAWN, prompt=asked, record=records[0])
    today = {prompt.digest for prompt in texts}
    for record in standing:
        if record.prompt.digest in today:
            return ConsentStanding(hold=Hold.HOLDS, prompt=asked, record=record)
    return ConsentStanding(hold=Hold.CHANGED, prompt=asked, record=standing[0])


def consent_gap(translations: Iterable[Iterable[ConsentPrompt]], records: Iterable[Consent]) -> ConsentGap:
    """What of today's texts the records do not cover; see `standings`."""
    found = standings(translations, records)

    def those(hold: Hold) -> tuple[ConsentPrompt, ...]:
        return tuple(each.prompt for each in found if each.hold is hold and each.prompt is not None)

    return ConsentGap(
        missing=those(Hold.MISSING), changed=those(Hold.CHANGED), withdrawn=those(Hold.WITHDRAWN)
    )
