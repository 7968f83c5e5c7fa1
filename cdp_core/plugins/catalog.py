"""What the loaded plugins provide, by key: asked once, so that no run calls a hook to look something up."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Literal, TypeVar

from cdp_core.contract.connection import ConnectionType
from cdp_core.contract.destination import DestinationSpec
from cdp_core.contract.identifiers import IdentifierKind
from cdp_core.contract.source import SourceSpec
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.access import Action, Actor, Decision, Opinion, Resource, Role
from cdp_core.model.configuration import ConsentPrompt
from cdp_core.model.run import RunEvent
from cdp_core.plugins.manager import DISABLED_VARIABLE, CdpPluginManager
from cdp_core.plugins.prompts import core_prompts, whole_rows_prompts
from cdp_core.rules.access import BUILT_IN_ROLES, core_opinion, decide
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.records import RECORD

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Catalog:
    """The union of what the core and its plugins provide. The core's own entries cannot be replaced."""

    def __init__(self, manager: CdpPluginManager, *, own_roles: Sequence[Role] = (), where: str = "") -> None:
        """`own_roles` are those that the workspace's settings, at `where`, declare."""
        self.manager = manager
        self._own_roles = own_roles
        self._where = where

    @cached_property
    def connection_types(self) -> Mapping[str, ConnectionType]:
        return _by_key(self.manager.hook.cdp_connection_types(), lambda found: found.key)

    @cached_property
    def destinations(self) -> Mapping[str, DestinationSpec]:
        return _by_key(self.manager.hook.cdp_export_destinations(), lambda found: found.key)

    @cached_property
    def roles(self) -> Mapping[str, Role]:
        """Those of the core, of plugins and of `cdp.toml`. Raises `InvalidFault` where one of `cdp.toml` has
        a plugin's name, or is based on one that there is not."""
        declared: Mapping[str, Role] = _by_key(self.manager.hook.cdp_roles(), lambda found: found.key)
        plugins = {key: replace(role, declared_by="a plugin") for key, role in declared.items()}
        found = {**plugins, **{role.key: role for role in self._own_roles}, **BUILT_IN_ROLES}
        for role in self._own_roles:
            if role.key in plugins:
                raise InvalidFault(
                    Code.SETTING_INVALID,
                    f"roles.{role.key}: a plugin declares a role of that name",
                    where=self._where,
                    hint=f"give yours another name, such as [roles.our-{role.key}]",
                )
            for missing in sorted(role.includes - set(found)):
                near = difflib.get_close_matches(missing, found, n=1)
                raise InvalidFault(
                    Code.SETTING_INVALID,
                    f"roles.{role.key}.based_on: there is no role {missing!r}",
                    where=self._where,
                    hint=f"did you mean {near[0]}?" if near else f"roles: {', '.join(sorted(found))}",
                )
        return found

    @cached_property
    def kinds(self) -> Mapping[str, IdentifierKind]:
        plugins: Mapping[str, IdentifierKind] = _by_key(
            self.manager.hook.cdp_identifier_kinds(), lambda found: found.key
        )
        # Whole rows are counted under that name.
        return {kind: plugins[kind] for kind in plugins if kind != RECORD} | dict(BUILT_IN_KINDS)

    @cached_property
    def sources(self) -> tuple[SourceSpec, ...]:
        """Plugins' sources only; the built-in engine comes after them."""
        return tuple(spec for specs in self.manager.hook.cdp_profile_sources() for spec in specs)

    def connection_type(self, key: str) -> ConnectionType:
        return _named(self.connection_types, key, "connection type", self.manager)

    def destination(self, key: str) -> DestinationSpec:
        return _named(self.destinations, key, "export destination", self.manager)

    def destination_for(self, connection_type: str) -> DestinationSpec:
        """The destination that goes over connections of a type."""
        for spec in self.destinations.values():
            if spec.connection_type == connection_type:
                return spec
        _refuse_disabled(connection_type, self.manager)
        raise InvalidFault(
            Code.PLUGIN_UNKNOWN,
            f"no plugin has an export destination for connections of type {connection_type!r}",
            hint=_NOT_INSTALLED,
        )

    def payload_of(self, connection_type: str) -> Literal["digests", "records"]:
        """What leaves over connections of a type: whole rows where any destination there takes them."""
        found = {
            spec.capabilities.payload
            for spec in self.destinations.values()
            if spec.connection_type == connection_type
        }
        return "records" if "records" in found else "digests"

    def prompts(self, connection_type: str, locale: str) -> tuple[ConsentPrompt, ...]:
        """The core's prompts, then the plugins', in the language of `locale` where they have it."""
        answers = self.manager.hook.cdp_consent_prompts(connection_type=connection_type, locale=locale)
        # pluggy asks the plugin that registered last first; people should meet them in the other order.
        rows = whole_rows_prompts(locale) if self.payload_of(connection_type) == "records" else ()
        plugins = tuple(prompt for answer in reversed(answers) for prompt in answer)
        return core_prompts(locale) + rows + plugins

    def authorize(self, actor: Actor, action: Action, resource: Resource) -> Decision:
        """All opinions on an act, the core's first."""
        opinions: list[Opinion | None] = [core_opinion(actor, action, resource, self.roles)]
        try:
            opinions += self.manager.hook.cdp_authorize(actor=actor, action=action, resource=resource)
        except Exception as fault:  # noqa: BLE001 (whose voice cannot be heard may have been a no)
            opinions.append(Opinion(verdict="deny", reason=f"a plugin's opinion failed: {fault}", by="core"))
        return decide(opinion for opinion in opinions if opinion is not None)

    def tell(self, event: RunEvent) -> None:
        """Tell every observer; one that fails is named in the log and left out from then on."""
        for caller in list(self.manager.hook.cdp_run_event.get_hookimpls()):
            try:
                caller.function(*(event for _ in caller.argnames))
            except Exception as fault:  # noqa: BLE001 (an observer must not end a run)
                logger.warning("observer %s failed and is left out: %s", caller.plugin_name, fault)
                self.manager.unregister(name=caller.plugin_name)


_NOT_INSTALLED = "install the plugin that has it, here; cdp plugins list shows what is installed and loaded"


def _by_key(answers: Iterable[Iterable[T]], key: Callable[[T], str]) -> dict[str, T]:
    found: dict[str, T] = {}
    for answer in reversed(list(answers)):
        for entry in answer:
            if key(entry) in found:
                logger.warning("two plugins provide %r; the first is kept", key(entry))
                continue
            found[key(entry)] = entry
    return found


def _refuse_disabled(key: str, manager: CdpPluginManager) -> None:
    if plugin := manager.disabled_for(key):
        raise InvalidFault(
            Code.PLUGIN_UNKNOWN,
            f"plugin {plugin} is disabled",
            where=f"{key!r}",
            hint=f"cdp plugins enable {plugin}, and take it out of {DISABLED_VARIABLE} where it stands there",
        )


def _named(entries: Mapping[str, T], key: str, what: str, manager: CdpPluginManager) -> T:
    if key not in entries:
        _refuse_disabled(key, manager)
        known = ", ".join(sorted(entries)) or "none"
        raise InvalidFault(
            Code.PLUGIN_UNKNOWN,
            f"there is no {what} {key!r}; known: {known}",
            hint=_NOT_INSTALLED,
        )
    return entries[key]
