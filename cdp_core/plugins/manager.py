"""Makes a plugin manager and says of every plugin what became of it.

A plugin is an entry point in the group `cdp`, or in `cdp.access` where it decides on access or consent:
such a one that cannot be loaded stops every command that sends, and only an Administrator, not the
environment, can disable it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points

import pluggy

from cdp_core.contract import hookspecs

GROUP = hookspecs.PROJECT
ACCESS_GROUP = "cdp.access"
OWN_DISTRIBUTION = "cdp-core"
DISABLED_VARIABLE = "CDP_DISABLED_PLUGINS"
_LONGEST_REASON = 500


class PluginStatus(StrEnum):
    LOADED = "loaded"
    DISABLED = "disabled"
    BROKEN = "broken"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReport:
    """One plugin, the distribution that brings it, and why it was skipped if it was."""

    name: str
    distribution: str
    version: str
    status: PluginStatus
    reason: str = ""
    hooks: tuple[str, ...] = ()
    guards_access: bool = False


class CdpPluginManager(pluggy.PluginManager):
    """pluggy's manager, with a report on every plugin that was looked at."""

    def __init__(self) -> None:
        super().__init__(GROUP)
        self.add_hookspecs(hookspecs)
        self.reports: list[PluginReport] = []
        self.unknown_disabled: tuple[str, ...] = ()

    def disabled_for(self, key: str) -> str | None:
        """The disabled plugin that would bring what has this key, as far as its name tells."""
        disabled = (each.name for each in self.reports if each.status is PluginStatus.DISABLED)
        return next((name for name in disabled if key == name or key.startswith(f"{name}-")), None)

    @property
    def broken_guards(self) -> tuple[PluginReport, ...]:
        """Plugins that decide on access or consent and could not be loaded."""
        return tuple(
            report
            for report in self.reports
            if report.guards_access and report.status in (PluginStatus.BROKEN, PluginStatus.DUPLICATE)
        )


def create_plugin_manager(entry_points: bool = True, disabled: Iterable[str] = ()) -> CdpPluginManager:
    """A fresh manager, no module global; with `entry_points`, every plugin installed is looked at."""
    manager = CdpPluginManager()
    if entry_points:
        by_environment = {name.strip() for name in os.environ.get(DISABLED_VARIABLE, "").split(",")}
        for point, guards in points_of_plugins():
            switched_off = set(disabled) if guards else set(disabled) | by_environment
            manager.reports.append(load(manager, point, guards=guards, disabled=switched_off))
        known = {report.name for report in manager.reports}
        manager.unknown_disabled = tuple(sorted(by_environment - known - {""}))
    return manager


def points_of_plugins() -> list[tuple[EntryPoint, bool]]:
    """The entry points of every plugin installed, each with whether it guards access, in the order in which
    they are loaded."""
    points = [(point, False) for point in entry_points(group=GROUP)]
    points += [(point, True) for point in entry_points(group=ACCESS_GROUP)]
    # Of one name, and of one key that two bring, our own wins, whatever the other is called; then the first
    # distribution in the alphabet, on every machine alike.
    return sorted(points, key=lambda found: _precedence(*found))


def _precedence(point: EntryPoint, guards: bool) -> tuple[bool, bool, str, str]:
    distribution, _ = _distribution(point)
    return distribution != OWN_DISTRIBUTION, not guards, point.name, distribution


def _distribution(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("?", "?")


def load(
    manager: CdpPluginManager, point: EntryPoint, *, guards: bool, disabled: Collection[str] = ()
) -> PluginReport:
    """Load one plugin, unless it is disabled, broken or another's by name; what became of it."""
    distribution, version = _distribution(point)

    def report(status: PluginStatus, reason: str = "", hooks: tuple[str, ...] = ()) -> PluginReport:
        return PluginReport(
            name=point.name,
            distribution=distribution,
            version=version,
            status=status,
            reason=reason,
            hooks=hooks,
            guards_access=guards,
        )

    if point.name in disabled:
        return report(PluginStatus.DISABLED, "disabled by configuration")
    if manager.has_plugin(point.name):
        return report(PluginStatus.DUPLICATE, f"another distribution brings a plugin named {point.name!r}")
    try:
        plugin = point.load()
        manager.register(plugin, name=point.name)
        manager.check_pending()
    except (Exception, SystemExit) as fault:  # noqa: BLE001 (a plugin's import may raise anything)
        if manager.has_plugin(point.name):
            manager.unregister(name=point.name)
        return report(PluginStatus.BROKEN, said_of(fault))
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        manager.unregister(name=point.name)
        return report(PluginStatus.BROKEN, "it implements no hook: is @cdp_core.hookimpl missing?")
    return report(PluginStatus.LOADED, hooks=tuple(sorted(caller.name for caller in callers)))


def said_of(fault: BaseException) -> str:
    """Its kind and its words, in no more than a few lines; what it is made of is the plugin's too."""
    try:
        words = str(fault)[:_LONGEST_REASON]
    except Exception as worse:  # noqa: BLE001
        words = f"{type(worse).__name__} while it was said why"
    return f"{type(fault).__name__}: {words}"
