"""The vault's secrets where several machines share the state. They come sealed, and are never opened here."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from cdp_core.store.database import Repository
from cdp_core.store.tables import secrets, vault_key


class SealedSecrets(Repository):
    def get(self, name: str) -> bytes | None:
        with self._database.read() as connection:
            found: bytes | None = connection.scalar(select(secrets.c.sealed).where(secrets.c.name == name))
        return found

    def put(self, name: str, sealed: bytes) -> None:
        """In place of what was there."""
        values = {"sealed": sealed, "changed_at": self._database.now()}
        with self._database.write() as connection:
            its = update(secrets).where(secrets.c.name == name)
            if not connection.execute(its.values(**values)).rowcount:
                connection.execute(insert(secrets).values(name=name, **values))

    def delete(self, name: str) -> None:
        """A name that is not there is deleted already."""
        with self._database.write() as connection:
            connection.execute(delete(secrets).where(secrets.c.name == name))

    def key(self) -> tuple[bytes, bytes] | None:
        """(salt, proof) of the one key that everything here is sealed with; None before the first."""
        with self._database.read() as connection:
            found = connection.execute(select(vault_key.c.salt, vault_key.c.proof)).one_or_none()
        return None if found is None else (found.salt, found.proof)

    def settle_key(self, salt: bytes, proof: bytes) -> tuple[bytes, bytes]:
        """Make this the key, unless there is one already; which one there is."""
        with self._database.write() as connection:
            found = self.key()
            if found is None:
                connection.execute(insert(vault_key).values(id=1, salt=salt, proof=proof))
                found = salt, proof
        return found

    def forget(self) -> None:
        """Everything, and the key with it."""
        with self._database.write() as connection:
            connection.execute(delete(secrets))
            connection.execute(delete(vault_key))
