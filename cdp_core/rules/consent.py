"""Whether the consent on record covers the texts that are asked for today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cdp_core.model.configuration import Consent, ConsentPrompt


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGap:
    """Prompts nobody has agreed to, and prompts whose text has changed since somebody did."""

    missing: tuple[ConsentPrompt, ...]
    changed: tuple[ConsentPrompt, ...]

    @property
    def open(self) -> tuple[ConsentPrompt, ...]:
        return self.missing + self.changed


def consent_gap(translations: Iterable[Iterable[ConsentPrompt]], records: Iterable[Consent]) -> ConsentGap:
    """Compare prompts with records. Each prompt comes as its translations, the asker's language first;
    whoever agreed to any of them, as it reads today, has agreed."""
    agreed: dict[str, set[str]] = {}
    for record in records:
        agreed.setdefault(record.prompt.key, set()).add(record.prompt.digest)
    missing, changed = [], []
    for texts in translations:
        prompts = tuple(texts)
        asked = prompts[0]
        if asked.key not in agreed:
            missing.append(asked)
        elif not agreed[asked.key] & {prompt.digest for prompt in prompts}:
            changed.append(asked)
    return ConsentGap(missing=tuple(missing), changed=tuple(changed))
