"""The state of a workspace, read and changed behind everybody's back, be it a file or in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, Connection, Table, select, text

from cdp_core.store.backend import Place, Server
from cdp_core.store.state import State
from cdp_core.store.tables import metadata
from main_job import Cdp


def place_of(cdp: Cdp) -> Place:
    url = cdp.environ.get("CDP_STATE_URL")
    return cdp.folder / ".cdp" / "state.db" if url is None else Server(url=url)


@contextmanager
def by_hand(cdp: Cdp) -> Iterator[Connection]:
    """All its tables; what is done is done together, and nobody else writes meanwhile."""
    with State.open(place_of(cdp)) as state, state.standing_still() as connection:
        yield connection


def everything(cdp: Cdp) -> list[tuple[Table, list[dict[str, Any]]]]:
    """Every table with its rows, those first that others refer to."""
    with by_hand(cdp) as state:
        return [
            (table, [dict(row) for row in state.execute(select(table)).mappings()])
            for table in metadata.sorted_tables
        ]


def rows(cdp: Cdp, query: str, **values: object) -> Sequence[Any]:
    with by_hand(cdp) as state:
        return state.execute(text(query), values).all()


def alter(cdp: Cdp, *statements: str, **values: object) -> int:
    """How many rows the last statement changed."""
    changed = 0
    with by_hand(cdp) as state:
        for statement in statements:
            changed = state.execute(text(statement), values).rowcount
    return changed


def put_back(
    cdp: Cdp, *moments: Column[Any], by: timedelta, among: Mapping[str, Collection[str]] | None = None
) -> None:
    """Let moments have been so much earlier, in the rows whose columns hold one of the values `among`."""
    with by_hand(cdp) as state:
        for moment in moments:
            table = moment.table
            assert isinstance(table, Table)
            wanted = [table.c[name].in_(values) for name, values in (among or {}).items()]
            for row in state.execute(table.select().where(moment.is_not(None), *wanted)).mappings().all():
                this = [key == row[key] for key in table.primary_key]
                state.execute(table.update().where(*this).values({moment: row[moment] - by}))


def alter_document(cdp: Cdp, column: Column[Any], change: Callable[[Any], None], **where: object) -> None:
    """Change the JSON of a column, where there is any, in every row whose columns have those values."""
    table = column.table
    assert isinstance(table, Table)
    with by_hand(cdp) as state:
        key = next(iter(table.primary_key))
        found = state.execute(table.select().filter_by(**where)).mappings().all()
        assert found
        for row in found:
            if (document := row[column]) is not None:
                change(document)
                state.execute(table.update().where(key == row[key]).values({column: document}))
