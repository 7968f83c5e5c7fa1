"""Which version the database's tables have, and the way from there to today's.

Asking costs one query. Alembic takes longer to import than most commands take to run, so it is
imported only where there is something to migrate. A new version is a module in
`migrations/versions/`, and its number here.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, Table, Text, select

from cdp_core.errors import Code, InvalidFault

# Oldest first; a database with any other is from a newer program.
REVISIONS = (
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009"),
    *("0011", "0012", "0013", "0014", "0015", "0016", "0017", "0018", "0019"),
)

# Alembic's own table.
_version = Table("alembic_version", MetaData(), Column("version_num", Text, primary_key=True))


def is_current(connection: Connection, where: str) -> bool:
    """Whether the tables are today's; raises `InvalidFault` where they are from a later version than this."""
    found = connection.execute(select(_version.c.version_num)).scalar_one_or_none()
    if found is not None and found not in REVISIONS:
        raise InvalidFault(
            Code.STATE_NEWER,
            f"a newer version of cdp has written the state (at {found}; this one knows {REVISIONS[-1]})",
            where=where,
            hint="upgrade: pip install --upgrade cdp-core",
        )
    return found == REVISIONS[-1]


def upgrade(connection: Connection) -> None:
    """Bring the tables to today's version within the transaction that is under way."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic reads its options as ConfigParser does, where a percent sign stands for something.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
