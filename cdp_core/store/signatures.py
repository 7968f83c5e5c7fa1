"""What people said of plans that need their approval; of each the last word counts."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from cdp_core.model.approval import Signature
from cdp_core.store.database import Repository
from cdp_core.store.tables import plan_signatures


class Signatures(Repository):
    def add(self, signature: Signature) -> None:
        values = {name: getattr(signature, name) for name in Signature.__dataclass_fields__}
        table = plan_signatures.c
        before = (table.plan_id == signature.plan_id) & (table.person == signature.person)
        with self._database.write() as connection:
            connection.execute(delete(plan_signatures).where(before))
            connection.execute(insert(plan_signatures).values(**values))

    def of(self, plan_id: str) -> tuple[Signature, ...]:
        """In the order in which they were given."""
        query = select(plan_signatures).where(plan_signatures.c.plan_id == plan_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(plan_signatures.c.at, plan_signatures.c.person)).all()
        return tuple(Signature(**row._mapping) for row in rows)
