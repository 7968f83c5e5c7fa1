"""Consent before anything is sent: compares today's prompts with what is on record."""

from __future__ import annotations

from cdp_core.errors import Code, ConsentFault
from cdp_core.model.configuration import Connection
from cdp_core.model.names import as_typed
from cdp_core.plugins.catalog import Catalog
from cdp_core.rules.consent import ConsentGap, consent_gap
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
        languages = dict.fromkeys((language or self._language, *LANGUAGES))
        per_language = [self._catalog.prompts(connection.type, language) for language in languages]
        translations = [
            [prompt, *(other for texts in per_language for other in texts if other.key == prompt.key)]
            for prompt in per_language[0]
        ]
        return consent_gap(translations, self._state.consents.of(connection.id))

    def digest(self, connection: Connection) -> str:
        """What a plan remembers of the consent that it was made under."""
        records = self._state.consents.of(connection.id)
        return ",".join(sorted(record.prompt.digest for record in records))

    def require(self, connection: Connection) -> None:
        """Raise `ConsentFault` unless every text, as it reads today, has been agreed to."""
        gap = self.gap(connection, language=ENGLISH)
        if not gap.open:
            return
        titles = ", ".join(f"“{prompt.title}”" for prompt in gap.open)
        hint = f"an Administrator reads and agrees with: cdp connection agree {as_typed(connection.name)}"
        where = f"connection {connection.name!r}"
        if gap.missing:
            raise ConsentFault(Code.CONSENT_MISSING, f"nobody has agreed to {titles}", where=where, hint=hint)
        raise ConsentFault(
            Code.CONSENT_CHANGED,
            f"the text of {titles} has changed since it was agreed to",
            where=where,
            hint=hint,
        )
