"""A consent can be withdrawn; roles are granted to groups too, and for one connection or segment alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_BEFORE = sa.table(
    "grants",
    sa.column("person", sa.Text),
    sa.column("role", sa.Text),
    sa.column("granted_by", sa.Text),
    sa.column("granted_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    op.add_column("consents", sa.Column("withdrawn_by", sa.Text))
    op.add_column("consents", sa.Column("withdrawn_at", sa.DateTime(timezone=True)))
    kept = op.get_bind().execute(sa.select(_BEFORE)).all()
    # Another primary key: SQLite would make the table anew for that in any case.
    op.drop_table("grants")
    grants = op.create_table(
        "grants",
        sa.Column("holder_kind", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("holder_kind", "holder", "role", "scope", "about", name="pk_grants"),
    )
    op.bulk_insert(
        grants,
        [
            {
                "holder_kind": "person",
                "holder": row.person,
                "role": row.role,
                "scope": "workspace",
                "about": "",
                "granted_by": row.granted_by,
                "granted_at": row.granted_at,
            }
            for row in kept
        ],
    )
