"""Opens the workspace's profile source with the engine that reads it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from cdp_core.contract.source import Engine, EngineContext, SourceSpec
from cdp_core.engines import BUILT_IN_SOURCES
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import ProfileSource
from cdp_core.plugins.catalog import Catalog
from cdp_core.workspace.settings import WorkspaceSettings
from cdp_core.workspace.workspace import Workspace


class Profiles:
    """The profile source of a workspace."""

    def __init__(self, workspace: Workspace, catalog: Catalog) -> None:
        self._workspace = workspace
        self._catalog = catalog

    @property
    def settings(self) -> WorkspaceSettings:
        return self._workspace.settings

    def open(self) -> Engine:
        """A fresh engine; close it. Raises `InvalidFault` where the source cannot be read."""
        settings = self._workspace.settings
        context = EngineContext(
            source=settings.profiles,
            scratch=self._workspace.scratch_folder,
            memory_limit=settings.memory_limit,
        )
        return _spec(settings.profiles, self._catalog).open(context)

    @staticmethod
    def check(source: ProfileSource, catalog: Catalog) -> None:
        """Open a source that is not in a workspace yet, and look for its key column."""
        with tempfile.TemporaryDirectory() as scratch:
            context = EngineContext(source=source, scratch=Path(scratch))
            with _spec(source, catalog).open(context) as engine:
                columns = [column.name for column in engine.columns()]
        if source.key not in columns:
            raise InvalidFault(
                Code.KEY_MISSING,
                f"the profiles have no column {source.key!r}",
                where=source.url,
                hint="columns: " + ", ".join(columns),
            )


def _spec(source: ProfileSource, catalog: Catalog) -> SourceSpec:
    for spec in (*catalog.sources, *BUILT_IN_SOURCES):
        if spec.accepts(source.url):
            return spec
    raise InvalidFault(
        Code.PROFILES_UNREADABLE,
        "nothing here reads that kind of profile source",
        where=source.url,
        hint="Parquet, CSV, newline-delimited JSON (each also in a folder or glob), or FILE.duckdb#TABLE",
    )
