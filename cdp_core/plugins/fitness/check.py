"""Looks a distribution's plugins over: what they ask for, take from the core, hook into, and declare.

A plugin is imported, and its hooks that declare things are called, among what else is installed. Nothing of
it is opened, and no service is asked.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, version
from pathlib import Path

from cdp_core.contract.deprecation import DeprecatedUse
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.names import as_typed
from cdp_core.plugins.fitness import declarations, hooks, imports, requirement, settings
from cdp_core.plugins.fitness.findings import Finding, Fitness, Weight, verdict_on
from cdp_core.plugins.fitness.meant import Meant, meant, sources_of
from cdp_core.plugins.manager import (
    ACCESS_GROUP,
    GROUP,
    OWN_DISTRIBUTION,
    CdpPluginManager,
    PluginStatus,
    create_plugin_manager,
    load,
)

_NO_PLUGIN = f"{{}} brings no plugin: it has no entry point in the group {GROUP}"


def check(package: str) -> Fitness:
    """`package` is a distribution that is installed, or a plugin's name. Raises `InvalidFault` where there is
    no such thing."""
    what = meant(package)
    core = version(OWN_DISTRIBUTION)
    findings = list(_findings(what, core))
    return Fitness(
        distribution=what.found.name,
        version=what.found.version,
        core=core,
        plugins=tuple(dict.fromkeys(point.name for point, _guards in what.points)),
        verdict=verdict_on(findings),
        findings=tuple(findings),
    )


def record(name: str, into: Path | None = None) -> settings.Recorded:
    """Record the settings of a plugin as they are released; `into` is where the plugin ships them, unless it
    is given. Raises `InvalidFault` where it cannot be loaded, or would break who has set them."""
    what = meant(name)
    if len(what.points) != 1:
        brought = ", ".join(point.name for point, _guards in what.points)
        message = f"{what.found.name} brings several plugins: {brought}" if brought else _NO_PLUGIN
        raise InvalidFault(
            Code.PLUGIN_UNKNOWN, message.format(what.found.name), hint="name one plugin; cdp plugins list"
        )
    ((point, guards),) = what.points
    alone = CdpPluginManager()
    report = load(alone, point, guards=guards)
    if report.status is not PluginStatus.LOADED:
        hint = f"cdp plugins check {as_typed(name)}"
        raise InvalidFault(
            Code.PLUGIN_UNFIT, f"the plugin {name} cannot be loaded: {report.reason}", hint=hint
        )
    return settings.record(alone, point, into)


def _findings(what: Meant, core: str) -> Iterator[Finding]:
    if not what.points:
        yield Finding(
            plugin="",
            check="plugins",
            state="error",
            message=_NO_PLUGIN.format(what.found.name),
            hint=f'[project.entry-points.{GROUP}] in its pyproject.toml, with acme = "cdp_acme.plugin" below',
        )
        return
    if not what.is_own:
        yield from requirement.on_requirement(what.found, core)
    taken = list(imports.uses(sources_of(what)))
    yield from _on_imports(taken)
    # Names that the source was found to use are told of with their place.
    told = {use.message for use in taken}
    with _warned():
        around = create_plugin_manager()
    for point, guards in what.points:
        with _warned() as warned:
            found = list(_on_plugin(point, guards, around))
        yield from found
        uses = {str(each): each for each in warned if str(each) not in told}
        for message, use in uses.items():
            yield _finding(point, "deprecations", "warning", message, hint=use.deprecation.instead)


@contextmanager
def _warned() -> Iterator[list[DeprecatedUse]]:
    """What is warned of within, which is a finding and no remark; complete at its end."""
    uses: list[DeprecatedUse] = []
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", DeprecatedUse)
        yield uses
    uses += [each.message for each in found if isinstance(each.message, DeprecatedUse)]


def _on_imports(uses: Iterable[imports.Use]) -> Iterator[Finding]:
    private = False
    for use in uses:
        private = private or not use.deprecated
        yield Finding(
            plugin="",
            check="deprecations" if use.deprecated else "imports",
            state="warning" if use.deprecated else "error",
            message=use.message,
            where=use.where,
            hint=use.hint,
        )
    if not private:
        taken = ", ".join(imports.PUBLIC_MODULES)
        yield Finding(plugin="", check="imports", state="ok", message=f"only public names of {taken}")


def _on_plugin(point: EntryPoint, guards: bool, around: CdpPluginManager) -> Iterator[Finding]:
    alone = CdpPluginManager()
    report = load(alone, point, guards=guards)
    wrong = list(_on_hooks(point))
    if report.status is PluginStatus.LOADED:
        known = ", ".join(report.hooks)
        yield _finding(point, "loads", "ok", f"{point.value} is loaded; its hooks: {known}")
    elif not any(each.state == "error" for each in wrong):
        hint = f"see where: python -c 'import {point.module}'"
        yield _finding(point, "loads", "error", report.reason, hint=hint)
    yield from wrong
    yield from _on_name(point, around, guards=guards)
    if report.status is PluginStatus.LOADED:
        yield from declarations.on_declarations(alone, around, point.name)
        yield from settings.on_snapshot(alone, point)


def _on_hooks(point: EntryPoint) -> Iterator[Finding]:
    """Of a plugin that may not have been registered, or not even be importable."""
    try:
        plugin = point.load()
    except (Exception, SystemExit):  # noqa: BLE001 - its report says so
        return
    yield from hooks.mistakes(plugin, point.name)


def _on_name(point: EntryPoint, around: CdpPluginManager, *, guards: bool) -> Iterator[Finding]:
    mine = point.dist.name if point.dist else ""
    for report in around.reports:
        is_mine = (report.name, report.distribution, report.guards_access) == (point.name, mine, guards)
        if is_mine and report.status is PluginStatus.DUPLICATE:
            group = ACCESS_GROUP if guards else GROUP
            hint = f"give it another name in [project.entry-points.{group}]"
            yield _finding(point, "loads", "error", report.reason, hint=hint)


def _finding(point: EntryPoint, what: str, state: Weight, message: str, *, hint: str = "") -> Finding:
    return Finding(plugin=point.name, check=what, state=state, message=message, hint=hint)
