"""Opens the workspace's profile source with the engine that reads it."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cdp_core.contract.source import Engine, EngineContext, SourceSpec
from cdp_core.engines import BUILT_IN_SOURCES
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import ProfileSource, Segment
from cdp_core.model.secret import Secret
from cdp_core.pipeline.seal import Seal
from cdp_core.plugins.catalog import Catalog
from cdp_core.runner.kept import KeptResults
from cdp_core.runner.ledger_store import STAGING, LedgerStore
from cdp_core.vault.references import Reference, parse, resolve
from cdp_core.vault.vault import Vault
from cdp_core.workspace.settings import WorkspaceSettings
from cdp_core.workspace.workspace import Workspace


class Profiles:
    """The profile source of a workspace."""

    def __init__(
        self, workspace: Workspace, catalog: Catalog, vault: Vault, *, store: LedgerStore, seal: Seal
    ) -> None:
        self._workspace = workspace
        self._catalog = catalog
        self._vault = vault
        self.results = KeptResults(workspace.segments_folder, store, seal)

    @property
    def settings(self) -> WorkspaceSettings:
        return self._workspace.settings

    def open(self, scratch: Path | None = None, *, segments: Iterable[Segment] = ()) -> Engine:
        """A fresh engine; close it. What it must put aside lies in `scratch`, a run's own folder, which is
        swept with the run. It keeps to the results of those of the `segments` that are static. Raises
        `InvalidFault` where the source, or a kept result, cannot be read."""
        kept = self.results.of(segments)
        engine = self._opened(scratch)
        try:
            engine.keep(kept)
        except BaseException:
            engine.close()
            raise
        return engine

    def _opened(self, scratch: Path | None) -> Engine:
        settings = self._workspace.settings
        spec = _spec(settings.profiles, self._catalog)
        context = EngineContext(
            source=settings.profiles,
            scratch=scratch or self._workspace.scratch_folder,
            memory_limit=settings.memory_limit,
            secrets={
                name: resolve(reference, self._vault)
                for name, reference in _references(settings.profiles, spec).items()
            },
            local_normalising=settings.local_normalising,
            shared=f"{settings.ledger_url}/{STAGING}" if settings.ledger_url else None,
        )
        return spec.open(context)

    @staticmethod
    def check(source: ProfileSource, catalog: Catalog) -> ProfileSource:
        """Open a source that is not in a workspace yet, and look for its key column.

        What comes back has the paths in its references to secrets made absolute.
        """
        spec = _spec(source, catalog)
        references = _references(source, spec)
        source = dataclasses.replace(
            source, options={**source.options, **{name: str(each) for name, each in references.items()}}
        )
        with tempfile.TemporaryDirectory() as scratch:
            context = EngineContext(
                source=source,
                scratch=Path(scratch),
                secrets={name: resolve(reference, _NoVault()) for name, reference in references.items()},
            )
            with spec.open(context) as engine:
                columns = [column.name for column in engine.columns()]
        if source.key not in columns:
            raise InvalidFault(
                Code.KEY_MISSING,
                f"the profiles have no column {source.key!r}",
                where=source.url,
                hint="columns: " + ", ".join(columns),
            )
        return source


def url_for(text: str, engine: str, catalog: Catalog) -> str:
    """The URL of what a user named together with an engine's key; raises `InvalidFault` where there is no
    such engine, or where it does not read that."""
    specs = (*catalog.sources, *BUILT_IN_SOURCES)
    spec = next((each for each in specs if each.key == engine), None)
    if spec is None:
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            f"there is no engine {engine!r}",
            where="--engine",
            hint="engines: " + ", ".join(each.key for each in specs),
        )
    url = spec.url_of(text)
    if not spec.accepts(url):
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            f"the engine {engine} does not read that",
            where=text,
            hint=f"it reads {spec.label}; without --engine the address tells which engine it is for",
        )
    return url


class _NoVault:
    """Where there is no workspace yet, nothing has been typed that a vault could keep."""

    def get(self, name: str, /) -> Secret | None:
        return None


def _references(source: ProfileSource, spec: SourceSpec) -> dict[str, Reference]:
    """The source's references to secrets, by option; raises `UsageFault` where one is no reference."""
    return {
        name: parse(text, setting=f"the option {name}")
        for name, text in source.options.items()
        if name in spec.secrets
    }


def _spec(source: ProfileSource, catalog: Catalog) -> SourceSpec:
    for spec in (*catalog.sources, *BUILT_IN_SOURCES):
        if spec.accepts(source.url):
            return spec
    raise InvalidFault(
        Code.PROFILES_UNREADABLE,
        "nothing here reads that kind of profile source",
        where=source.url,
        hint="Parquet, CSV, newline-delimited JSON (each also in a folder or glob), FILE.duckdb#TABLE, "
        "postgresql://user@host/database#schema.table, or spark://host:7077#catalog.schema.table",
    )
