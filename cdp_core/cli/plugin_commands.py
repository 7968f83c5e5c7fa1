"""Commands that plugins bring, added when a noun is typed that the core does not know, or `simulate`.

The workspace decides which plugins are disabled; where there is none, all that are installed count.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path

import click

from cdp_core.cli.command import Command, Group
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import plain
from cdp_core.cli.simulate import simulate
from cdp_core.errors import CdpError
from cdp_core.plugins.manager import DISABLED_VARIABLE, PluginReport, PluginStatus, create_plugin_manager

_ADDED = "cdp_core.plugin_commands"


def add_plugin_commands(context: click.Context, nouns: Iterable[str]) -> None:
    """Let each plugin add its commands to the root, once; one that fails is named and left out.

    `nouns` are the core's own, which no plugin can take.
    """
    root = context.find_root()
    if _ADDED in root.meta or not isinstance(root.command, click.Group):
        return
    root.meta[_ADDED] = True
    # What a plugin brought in an earlier command of this process may be disabled by now.
    root.command.commands.clear()
    simulate.commands.clear()
    manager = create_plugin_manager(disabled=_disabled(root.params.get("workspace")))
    warn_of_skipped(manager.reports)
    for plugin in reversed(manager.hook.cdp_commands.get_hookimpls()):
        root.command.add_command(simulate)
        try:
            plugin.function(*(root.command for _ in plugin.argnames))
        except Exception as fault:  # noqa: BLE001 (one plugin must not cost the others' commands)
            remark(f"plugin {plugin.plugin_name} adds no commands: {type(fault).__name__}: {plain(fault)}")
        _keep_ours(root.command, nouns, plugin.plugin_name)
    for group in (root.command, simulate):
        group.commands.update({name: in_our_looks(each) for name, each in group.commands.items()})


def _keep_ours(root: click.Group, nouns: Iterable[str], plugin: str) -> None:
    """Gather what a plugin put into a group `simulate` of its own, and take out what it put over a noun."""
    brought = root.commands.pop(simulate.name or "")
    if brought is not simulate and isinstance(brought, click.Group):
        for command in brought.commands.values():
            simulate.add_command(command)
    for noun in set(nouns) & set(root.commands):
        del root.commands[noun]
        remark(f"plugin {plugin}: {noun!r} is a noun of the core; its command of that name is left out")


def in_our_looks(command: click.Command) -> click.Command:
    """A plain command or group with the help that ours have; what stands under `Example:` in its help
    becomes its example. A plugin's class of its own keeps its own looks."""
    if type(command) not in (click.Command, click.Group):
        return command
    said, _, example = (command.help or "").partition("Example:\n")
    kept = {
        name: getattr(command, name)
        for name in (
            "callback",
            "params",
            "epilog",
            "short_help",
            "add_help_option",
            "no_args_is_help",
            "hidden",
            "deprecated",
        )
    } | {"context_settings": dict(command.context_settings)}
    looks = {"help": said.strip("\b \n"), "example": inspect.cleandoc(example)}
    if not isinstance(command, click.Group):
        return Command(command.name, **kept, **looks)
    group = Group(
        command.name,
        **kept,
        **looks,
        invoke_without_command=command.invoke_without_command,
        subcommand_metavar=command.subcommand_metavar,
        chain=command.chain,
        result_callback=command._result_callback,
    )
    for name, inner in command.commands.items():
        group.add_command(in_our_looks(inner), name)
    return group


def warn_of_skipped(reports: Iterable[PluginReport]) -> None:
    """Name, on standard error, the plugins that should have been loaded and were not."""
    for report in reports:
        if report.status in (PluginStatus.BROKEN, PluginStatus.DUPLICATE):
            remark(
                f"plugin {plain(report.name)} ({plain(report.distribution)} {plain(report.version)}) "
                f"was skipped: {plain(report.reason)}",
                style="yellow",
            )


def warn_of_unknown(names: Iterable[str]) -> None:
    """Name, on standard error, what the environment disables and nothing brings."""
    for name in names:
        remark(f"{DISABLED_VARIABLE} names {plain(name)}; there is no such plugin", style="yellow")


def _disabled(workspace: Path | None) -> tuple[str, ...]:
    from cdp_core.workspace.workspace import Workspace

    try:
        return tuple(Workspace.open(Workspace.locate(workspace)).settings.disabled_plugins)
    except CdpError:
        # A workspace that is not there or broken is said by the command that needs it.
        return ()
