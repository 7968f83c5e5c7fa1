"""`cdp simulate`: stand-ins of services, which plugins bring; they are loaded when this noun is used."""

from __future__ import annotations

import click

from cdp_core.cli.command import Group


class Simulate(Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load(ctx)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._load(ctx)
        return super().get_command(ctx, cmd_name)

    def _load(self, ctx: click.Context) -> None:
        from cdp_core.cli.plugin_commands import add_plugin_commands
        from cdp_core.cli.root import NOUNS

        add_plugin_commands(ctx, NOUNS)


simulate = Simulate(
    "simulate",
    help="Stand-ins of services, to try everything without an account.",
    example="cdp simulate snapchat --port 8080",
    no_args_is_help=True,
)
