"""Plugins and the audit log: the Administrator's own rooms of the facade."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.rows import write_whole
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.audit import AuditEntry, AuditHead, AuditVerdict
from cdp_core.plugins.manager import PluginReport
from cdp_core.workspace import Workspace


class Plugins:
    def __init__(self, desk: Desk, workspace: Workspace) -> None:
        self.desk = desk
        self._workspace = workspace

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="plugin", name=name)

    @act(Action.PLUGIN_LIST)
    def list(self) -> tuple[PluginReport, ...]:
        """Every plugin that is installed, and why it was skipped if it was."""
        return tuple(self.desk.catalog.manager.reports)

    @act(Action.PLUGIN_DISABLE)
    def disable(self, name: str) -> None:
        """From the next command on, the plugin is not loaded in this workspace."""
        if name not in {report.name for report in self.desk.catalog.manager.reports}:
            raise InvalidFault(
                Code.PLUGIN_UNKNOWN, f"there is no plugin {name!r}", hint="see `cdp plugins list`"
            )
        self._workspace.disable_plugin(name)

    @act(Action.PLUGIN_ENABLE)
    def enable(self, name: str) -> None:
        if name not in self._workspace.settings.disabled_plugins:
            raise InvalidFault(
                Code.PLUGIN_UNKNOWN,
                f"plugin {name!r} is not disabled in this workspace",
                hint="see `cdp plugins list`; CDP_DISABLED_PLUGINS disables plugins too",
            )
        self._workspace.enable_plugin(name)


class Audit:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="audit")

    @act(Action.AUDIT_LIST)
    def list(
        self,
        *,
        limit: int = 50,
        actor: str | None = None,
        action: str | None = None,
        about: str | None = None,
        outcome: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[AuditEntry, ...]:
        """The newest entries first; `about` is the name of what was acted on."""
        return tuple(
            self.desk.state.audit.entries(
                limit=limit,
                actor=actor,
                action=action,
                object=about,
                outcome=outcome,
                since=since,
                until=until,
            )
        )

    @act(Action.AUDIT_EXPORT)
    def export(
        self,
        *,
        output: str | Path | None = None,
        overwrite: bool = False,
        write: Callable[[str], object] = lambda line: None,
    ) -> int:
        """Every entry as a line of JSON, the oldest first, to a file of its owner alone, else to `write`;
        how many there are. That they were exported is the next entry."""
        lines = (_line(entry) for entry in self.desk.state.audit.all())
        if output is None:
            count = len([write(line) for line in lines])
        else:
            content = "".join(f"{line}\n" for line in lines).encode()
            write_whole(Path(output).absolute(), content, overwrite=overwrite)
            count = content.count(b"\n")
        self.desk.note(entries=count, output=None if output is None else str(Path(output).absolute()))
        return count

    @act(Action.AUDIT_HEAD)
    def head(self) -> AuditHead:
        """What, kept elsewhere, proves later that nothing was cut off or written anew."""
        found = self.desk.state.audit.head()
        if found is None:
            raise InvalidFault(
                Code.AUDIT_BROKEN,
                "the audit log is empty, though making the workspace has left an entry",
                hint="compare it with a backup",
            )
        return found

    @act(Action.AUDIT_VERIFY)
    def verify(self, *, known: AuditHead | None = None) -> AuditVerdict:
        """Whether the log holds together, no entry changed, missing or out of order; and whether it is the
        one that had the head `known`."""
        return self.desk.state.audit.verify(known)


def _line(entry: AuditEntry) -> str:
    kept = dataclasses.asdict(entry) | {"at": entry.at.astimezone(UTC).isoformat(timespec="microseconds")}
    return json.dumps(kept, ensure_ascii=False)
