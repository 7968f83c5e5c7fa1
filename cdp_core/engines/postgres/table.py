"""The table of profiles: found by name, with its columns and their texts."""

# ruff: noqa: S608 - names are quoted by `text`
from __future__ import annotations

from dataclasses import dataclass

from cdp_core.engines.postgres.address import Address
from cdp_core.engines.postgres.session import Session
from cdp_core.engines.postgres.text import literal, name
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Column

# Tables, views, materialised views, foreign tables, partitioned tables.
_READABLE = "c.relkind IN ('r', 'v', 'm', 'f', 'p')"
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`source` is its name in SQL; `profiles` the beginning of a query that calls it that."""

    session: Session
    url: str
    source: str
    columns: tuple[Column, ...]

    @property
    def profiles(self) -> str:
        return f"WITH profiles AS NOT MATERIALIZED (SELECT * FROM {self.source})"

    def text_of(self, field: str) -> str:
        """A column's text, of collation C: compared and lower-cased byte by byte, whatever the database's."""
        column = f"profiles.{name(field)}"
        kind = next(each.type for each in self.columns if each.name == field)
        if kind == "bytea":
            # Its text is in hexadecimal digits; ASCII and no backslash comes out of `escape` as it is.
            escaped = f"encode({column}, 'escape')"
            as_text = f"CASE WHEN position('\\' IN {escaped}) = 0 THEN {escaped} ELSE {column}::text END"
            return f'({as_text}) COLLATE "C"'
        return f'({column}::text) COLLATE "C"'

    def rows(self) -> int:
        return self._number("count(*)", f"{self.source} AS profiles")

    def duplicates(self, key: str) -> int:
        """Rows whose key an earlier row has; where it is NULL, a row is like no other."""
        groups = (
            f"SELECT count(*) AS n FROM {self.source} AS profiles WHERE {self.text_of(key)} IS NOT NULL "
            f"GROUP BY {self.text_of(key)} HAVING count(*) > 1"
        )
        return self._number("coalesce(sum(n - 1), 0)::bigint", f"({groups}) AS groups")

    def _number(self, what: str, of: str) -> int:
        ((number,),) = self.session.rows(f"SELECT {what} FROM {of}", where=self.url)
        return int(number)


def find_table(session: Session, address: Address, url: str) -> Table:
    """Raises `InvalidFault` (PROFILES_UNREADABLE), with the tables there are, where it is not there."""
    wanted = f"c.relname = {literal(address.table)}"
    wanted += (
        f" AND n.nspname = {literal(address.schema)}" if address.schema else " AND pg_table_is_visible(c.oid)"
    )
    named = "pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    found = session.rows(
        f"SELECT c.oid::bigint, n.nspname, c.relname FROM {named} WHERE {_READABLE} AND {wanted}", where=url
    )
    if not found:
        others = session.rows(
            f"SELECT n.nspname || '.' || c.relname FROM {named} WHERE {_READABLE} "
            "AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast' "
            f"AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1 LIMIT {_SHOWN}",
            where=url,
        )
        told = ".".join(filter(None, (address.schema, address.table)))
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            f"the database has no table {told!r}",
            where=url,
            hint="tables: " + ", ".join(row[0] for row in others)
            if others
            else "this user may read no table: GRANT SELECT ON … TO …",
        )
    oid, schema, table = found[0]
    columns = session.rows(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        f"WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        where=url,
    )
    return Table(
        session=session,
        url=url,
        source=f"{name(schema)}.{name(table)}",
        columns=tuple(Column(name=row[0], type=row[1]) for row in columns),
    )
