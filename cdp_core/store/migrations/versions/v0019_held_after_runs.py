"""A run keeps how many claims its audience's ledger held, of all exports, when it was committed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("runs", sa.Column("held", sa.BigInteger))
