"""A workspace put aside as it is, folder and state, to be begun from again and again."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import delete, insert, text

from by_hand import by_hand, everything, place_of
from cdp_core.store.backend import Server
from main_job import Cdp


class PutAside:
    """`aside` is a folder that is not there yet. A state in PostgreSQL is put aside by its rows; what gives
    them numbers counts on."""

    def __init__(self, cdp: Cdp, aside: Path) -> None:
        self._cdp = cdp
        self._aside = aside
        self._workspace = cdp.folder / ".cdp"
        shutil.copytree(self._workspace, aside)
        self._rows = everything(cdp) if isinstance(place_of(cdp), Server) else []

    def back(self) -> None:
        """Let all be as it was."""
        shutil.rmtree(self._workspace)
        shutil.copytree(self._aside, self._workspace)
        if self._rows:
            with by_hand(self._cdp) as state:
                # Its audit log is never to be changed, and nobody else looks on.
                state.execute(text("SET LOCAL session_replication_role = replica"))
                for table, _ in reversed(self._rows):
                    state.execute(delete(table))
                for table, rows in self._rows:
                    if rows:
                        state.execute(insert(table), rows)
