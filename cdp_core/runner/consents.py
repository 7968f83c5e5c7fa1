"""Consent before anything is sent: compares today's prompts with what is on record."""

from __future__ import annotations

from collections.abc import Iterable

from cdp_core.errors import Code, ConsentFault
from cdp_core.model.configuration import Connection, ConsentPrompt
from cdp_core.model.names import as_typed
from cdp_core.plugins.catalog import Catalog
from cdp_core.rules.consent import ConsentGap, ConsentStanding, Hold, consent_gap, standings
from cdp_core.store.state import State

ENGLISH = "en"
LANGUAGES = (ENGLISH, "nl", "da")


class ConsentDesk:
    """Asks core and plugins for their prompts, in the language of whoever is asked."""

    def __init__(self, state: State, catalog: Catalog, language: str) -> None:
        self._state = state
        self._catalog = catalog
        self._language = language

    def gap(self, connection: Connection, *, language: str | None = None) -> ConsentGap:
        """What is still to be agreed to, in the asker's language, or the one named."""
        return consent_gap(self._translations(connection, language), self._state.consents.of(connection.id))

    def standings(
        self, connection: Connection, *, language: str | None = None
    ) -> tuple[ConsentStanding, ...]:
        """How the consent to each text stands."""
        return standings(self._translations(connection, language), self._state.consents.of(connection.id))

    def _translations(self, connection: Connection, language: str | None) -> list[list[ConsentPrompt]]:
        languages = dict.fromkeys((language or self._language, *LANGUAGES))
        per_language = [self._catalog.prompts(connection.type, language) for language in languages]
        return [
            [prompt, *(other for texts in per_language for other in texts if other.key == prompt.key)]
            for prompt in per_language[0]
        ]

    def digest(self, connection: Connection) -> str:
        """What a plan remembers of the consent that it was made under."""
        records = self._state.consents.of(connection.id)
        return ",".join(sorted(record.prompt.digest for record in records if not record.is_withdrawn))

    def require(self, connection: Connection) -> None:
        """Raise `ConsentFault` unless every text, as it reads today, has been agreed to."""
        gap = self.gap(connection, language=ENGLISH)
        if not gap.open:
            return
        titles = _titles(gap.open)
        hint = f"an Administrator reads and agrees with: cdp connection agree {as_typed(connection.name)}"
        where = f"connection {connection.name!r}"
        if gap.withdrawn:
            raise ConsentFault(
                Code.CONSENT_WITHDRAWN,
                f"{self._withdrawn_by(connection)} has withdrawn the consent to {_titles(gap.withdrawn)}",
                where=where,
                hint=hint,
            )
        if gap.missing:
            raise ConsentFault(Code.CONSENT_MISSING, f"nobody has agreed to {titles}", where=where, hint=hint)
        raise ConsentFault(
            Code.CONSENT_CHANGED,
            f"the text of {titles} has changed since it was agreed to",
            where=where,
            hint=hint,
        )

    def _withdrawn_by(self, connection: Connection) -> str:
        records = (each.record for each in self.standings(connection) if each.hold is Hold.WITHDRAWN)
        return ", ".join(dict.fromkeys(record.withdrawn_by or "" for record in records if record))


def _titles(prompts: Iterable[ConsentPrompt]) -> str:
    return ", ".join(f"“{prompt.title}”" for prompt in prompts)
