"""The record of who agreed to which text, and who withdrew that; nothing is ever taken out of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update

from cdp_core.model.configuration import Consent, ConsentPrompt
from cdp_core.store.database import Repository
from cdp_core.store.tables import consents


class Consents(Repository):
    def record(self, consent: Consent) -> None:
        prompt = consent.prompt
        with self._database.write() as connection:
            connection.execute(
                insert(consents).values(
                    id=consent.id,
                    connection_id=consent.connection_id,
                    prompt_key=prompt.key,
                    prompt_version=prompt.version,
                    prompt_title=prompt.title,
                    prompt_text=prompt.text,
                    prompt_language=prompt.language,
                    prompt_digest=prompt.digest,
                    agreed_by=consent.agreed_by,
                    agreed_at=consent.agreed_at,
                )
            )

    def withdraw(self, connection_id: str, *, by: str, at: datetime) -> int:
        """End every consent that stands for a connection; how many there were."""
        with self._database.write() as connection:
            standing = update(consents).where(
                consents.c.connection_id == connection_id, consents.c.withdrawn_at.is_(None)
            )
            return connection.execute(standing.values(withdrawn_by=by, withdrawn_at=at)).rowcount

    def of(self, connection_id: str) -> tuple[Consent, ...]:
        """Everything that was agreed to for a connection, withdrawn or not, the newest first."""
        query = (
            select(consents)
            .where(consents.c.connection_id == connection_id)
            .order_by(consents.c.agreed_at.desc(), consents.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Consent(
                id=row.id,
                connection_id=row.connection_id,
                prompt=ConsentPrompt(
                    key=row.prompt_key,
                    version=row.prompt_version,
                    title=row.prompt_title,
                    text=row.prompt_text,
                    language=row.prompt_language,
                ),
                agreed_by=row.agreed_by,
                agreed_at=row.agreed_at,
                withdrawn_by=row.withdrawn_by,
                withdrawn_at=row.withdrawn_at,
            )
            for row in rows
        )
