"""Configuration as code: written to a file, compared with one, and made as one says.

What reads and writes YAML is imported when it is used: no other command needs it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdp_core.alerts.alerting import Alerting
from cdp_core.app.configuration import grants
from cdp_core.app.configuration.comparing import KINDS, compare, place_of
from cdp_core.app.configuration.deeds import Rooms, carry_out
from cdp_core.app.configuration.forms import Form
from cdp_core.app.configuration.meaning import meaning
from cdp_core.app.configuration.present import SEEN_WITH, present, seen, unseen
from cdp_core.app.configuration.rehearsal import rehearsal
from cdp_core.app.configuration.schemas import SECTIONS
from cdp_core.app.configuration.views import (
    ConfigApplied,
    ConfigChange,
    ConfigDiff,
    ConfigExported,
    NotInFile,
)
from cdp_core.app.desk import Desk, act
from cdp_core.errors import CdpError, Code, GateFault, UsageFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.configuration import ConnectionStatus
from cdp_core.model.names import as_typed
from cdp_core.runner.consents import ENGLISH, ConsentDesk
from cdp_core.runner.services import Services
from cdp_core.vault.vault import Vault

if TYPE_CHECKING:
    from cdp_core.app.configuration.reading import Marked

# Of each fault the part of an entry that it is about.
_PART_OF = {
    Code.SEGMENT_INVALID: ("where", "sql", "segments"),
    Code.FIELD_MISSING: ("matching", "fields"),
    Code.MATCHING_INVALID: ("matching", "fields"),
    Code.SECRET_UNREADABLE: ("secrets",),
    Code.SETTING_INVALID: ("settings",),
    Code.SCHEDULE_INVALID: ("schedule",),
    Code.MODE_INVALID: ("mode",),
    Code.NOT_FOUND: ("share_with",),
    Code.AUDIENCE_GONE: ("settings",),
    Code.AUDIENCE_UNFIT: ("settings",),
}


class Configuration:
    def __init__(
        self, desk: Desk, rooms: Rooms, *, services: Services, vault: Vault, alerting: Alerting
    ) -> None:
        self.desk = desk
        self._rooms = rooms
        self._services = services
        self._vault = vault
        self._alerting = alerting

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="workspace", name=str(self._services.workspace.folder))

    @act(Action.CONFIG_SCHEMA)
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema (draft 2020-12) of a configuration file, for editors."""
        from cdp_core.app.configuration.json_schema import json_schema

        return json_schema(self.desk.catalog)

    @act(Action.CONFIG_EXPORT)
    def export(self) -> ConfigExported:
        """The workspace as a file, as far as the actor may see it. Of secrets only references are in it."""
        from cdp_core.app.configuration.writing import document, text

        sections = seen(self.desk)
        form = present(self.desk, sections)
        left_out = tuple(
            f"{section.capitalize()} are left out: {self.desk.actor.name} may not see them."
            for section in SECTIONS
            if section not in sections
        )
        if hidden := unseen(self.desk):
            left_out += (
                f"Exports are left out, {hidden} of them: their connection is not shared with "
                f"{self.desk.actor.name}.",
            )
        return ConfigExported(text=text(form, left_out), left_out=left_out, document=document(form))

    @act(Action.CONFIG_DIFF)
    def diff(self, *, file: str | Path, content: bytes | None = None) -> ConfigDiff:
        """How the workspace differs from a file; `content` is the file's, where it has been read already."""
        return self._compared(_read(file, content))[0]

    @act(Action.CONFIG_APPLY)
    def apply(
        self,
        *,
        file: str | Path,
        content: bytes | None = None,
        prune: bool = False,
        dry_run: bool = False,
        agree: Callable[[ConfigDiff], bool] = lambda diff: True,
        progress: Callable[[ConfigChange], None] = lambda done: None,
    ) -> ConfigApplied:
        """Make the workspace as a file says; with `prune` also remove what the file's sections do not name,
        as far as that can be.

        Everything is rehearsed first: a file of which one thing would be refused changes nothing. `agree`
        is asked with what is about to be done, and `progress` is told of each change that was made. Raises
        `UsageFault` where that is not agreed to, and `GateFault` where the workspace has changed meanwhile.
        """
        marked = _read(file, content)
        self.desk.note(file=marked.file, sha256=hashlib.sha256(marked.content).hexdigest(), dry_run=dry_run)
        compared, wanted = self._compared(marked)
        found = compared
        remarks: list[str] = []
        removed: tuple[ConfigChange, ...] = ()
        stays, steps = found.not_in_file, self._steps(self._rooms, wanted)
        if found.changes or (prune and stays):
            with rehearsal(self.desk, self._services, self._vault, self._alerting) as rooms:
                for change in found.changes:
                    remarks.extend(_rehearsed(rooms, change, marked))
                if prune:
                    removed, stays = _pruned(rooms, stays, wanted)
                steps = self._steps(rooms, wanted)
        found = ConfigDiff(
            file=found.file,
            sections=found.sections,
            changes=(*found.changes, *removed),
            not_in_file=stays,
            same=found.same,
        )
        if not dry_run and found.changes:
            if not agree(found):
                raise UsageFault(
                    Code.NOT_AGREED_TO_ACT, "not agreed to: nothing was done", hint="answer yes, or add --yes"
                )
            if self._compared(marked)[0] != compared:
                raise GateFault(
                    Code.PLAN_STALE,
                    "somebody has changed the workspace while this was looked at; nothing was done",
                    where=marked.file,
                    hint="look again: cdp config diff, and apply it then",
                )
            remarks = self._carried_out(found, progress)
            steps = self._steps(self._rooms, wanted)
        return ConfigApplied(
            file=found.file,
            dry_run=dry_run,
            changes=found.changes,
            not_in_file=found.not_in_file,
            same=found.same,
            steps=steps,
            remarks=tuple(remarks),
        )

    def _compared(self, marked: Marked) -> tuple[ConfigDiff, Form]:
        for section in (each for each in SECTIONS if each in marked.value):
            self.desk.require(SEEN_WITH[section], Resource(kind="workspace", name=section))
        wanted = meaning(marked, self.desk.catalog, self._referable())
        found = compare(marked, wanted, present(self.desk, wanted), roles=self.desk.catalog.roles)
        return found, wanted

    def _referable(self) -> Form:
        """What a file may refer to without saying it itself: of connections those that the actor may see."""
        state = self.desk.state
        known: Form = {"segments": {each.name: {} for each in state.segments.all()}}
        known["connections"] = {
            each.name: {"type": each.type} for each in state.connections.all() if self.desk.sees(each)
        }
        shown = {"connections", *grants.KINDS} & set(seen(self.desk))
        return known | present(self.desk, shown)

    def _carried_out(self, found: ConfigDiff, progress: Callable[[ConfigChange], None]) -> list[str]:
        remarks: list[str] = []
        done: list[str] = []
        self.desk.note(changes=done)
        for change in found.changes:
            try:
                remarks.extend(carry_out(self._rooms, change))
            except CdpError as fault:
                made = "; ".join(done) if done else "nothing"
                fault.message = (
                    f"{change.act} {change.kind} {change.name!r}: {fault.message} (done before: {made})"
                )
                place = f"{found.file}:{change.line}" if change.line else found.file
                fault.where = f"{place} ({fault.where})" if fault.where else place
                again = f"then apply {as_typed(found.file)} again: it goes on with the rest"
                fault.hint = f"{fault.hint}; {again}" if fault.hint else again
                raise
            done.append(f"{change.act} {change.kind} {change.name!r}")
            progress(change)
        return remarks

    def _steps(self, rooms: Rooms, wanted: Form) -> tuple[str, ...]:
        """What people have to do for the file's connections, as commands: nobody agrees or signs in by a
        file."""
        steps = []
        state, catalog = rooms.connections.desk.state, self.desk.catalog
        consents = ConsentDesk(state, catalog, ENGLISH)
        for connection in state.connections.all():
            if connection.name not in wanted.get("connections", {}):
                continue
            name = as_typed(connection.name)
            if consents.gap(connection).open:
                steps.append(f"cdp connection agree {name}")
            signs_in = catalog.connection_type(connection.type).oauth is not None
            if signs_in and connection.status is not ConnectionStatus.CONNECTED:
                steps.append(f"cdp connection authenticate {name}")
            elif connection.export_user is None:
                steps.append(f"cdp connection export-user {name}")
        return tuple(steps)


def _read(file: str | Path, content: bytes | None) -> Marked:
    from cdp_core.app.configuration.reading import contents, read

    return read(contents(file) if content is None else content, str(file))


def _rehearsed(rooms: Rooms, change: ConfigChange, marked: Marked) -> tuple[str, ...]:
    try:
        return carry_out(rooms, change)
    except CdpError as fault:
        path = place_of(marked, change.kind, change.name)
        for part in _PART_OF.get(fault.code, ()):
            if (*path, part) in marked.lines:
                path = (*path, part)
                break
        about = f" ({fault.where})" if fault.where else ""
        fault.where = f"{marked.where(path)}{about}"
        fault.hint = f"{fault.hint}; nothing was changed" if fault.hint else "nothing was changed"
        raise


def _pruned(
    rooms: Rooms, extra: tuple[NotInFile, ...], wanted: Form
) -> tuple[tuple[ConfigChange, ...], tuple[NotInFile, ...]]:
    """What is removed, in this order, and what stays and why."""
    removed: list[ConfigChange] = []
    stays: list[NotInFile] = []
    for each in extra:
        change = ConfigChange(kind=each.kind, name=each.name, act="remove")
        if each.kind == KINDS["schedule"]:
            continue
        if each.kind in grants.SCOPES and each.name in grants.named(wanted, each.kind):
            stays.append(
                NotInFile(
                    kind=each.kind,
                    name=each.name,
                    stays=f"the file grants a role for the {each.kind} {each.name!r}",
                    hint=f"take that out of the file, or write the {each.kind} into it",
                )
            )
            continue
        try:
            carry_out(rooms, change)
        except CdpError as fault:
            if fault.code is Code.NOT_ALLOWED:
                raise
            hint = _by_hand(each) if fault.code is Code.NOT_AGREED_TO_ACT else fault.hint
            stays.append(NotInFile(kind=each.kind, name=each.name, stays=fault.message, hint=hint))
        else:
            removed.append(change)
    return tuple(removed), tuple(stays)


def _by_hand(each: NotInFile) -> str:
    """The command that asks for the yes which a file cannot say."""
    if each.kind in grants.KINDS.values():
        return grants.by_hand(each.kind, each.name)
    return f"cdp export remove {as_typed(each.name)} --take-members-out, or --leave-members"
