"""`cdp` itself: the options that stand before the noun, and the nouns, each imported when it is used.

A noun that is not in the table may be a plugin's: only then are the plugins loaded, so that they cost
the core's own commands nothing, and cannot take the place of one.
"""

from __future__ import annotations

import difflib
import importlib
from contextlib import suppress
from pathlib import Path

import click
import rich_click
from rich_click import RichContext, RichHelpFormatter

from cdp_core.cli import language as languages
from cdp_core.cli.command import Group
from cdp_core.cli.session import Session

NOUNS = {
    "init": ("cdp_core.cli.init:init", "Make a workspace over a file of customer profiles."),
    "profiles": (
        "cdp_core.cli.profiles:profiles",
        "The customer table, looked through before anything is sent.",
    ),
    "segment": ("cdp_core.cli.segment:segment", "Groups of customers: named queries over the profiles."),
    "connection": (
        "cdp_core.cli.connection:connection",
        "Services that data may go to: consent, sign-in and sharing.",
    ),
    "consent": (
        "cdp_core.cli.consent:consent",
        "Consent on record: who agreed to what, and its end.",
    ),
    "export": ("cdp_core.cli.export:export", "Segments to audiences: set up, plan, run, look back."),
    "schedule": ("cdp_core.cli.schedule:schedule", "When exports run by themselves."),
    "scheduler": ("cdp_core.cli.scheduler:scheduler", "The process that runs exports when they are due."),
    "status": ("cdp_core.cli.status:status", "How everything stands, on one page."),
    "alerts": ("cdp_core.cli.alerts:alerts", "Who is told when something changes while nobody looks."),
    "explain": ("cdp_core.cli.explain:explain", "Explain what became of a person."),
    "suppress": (
        "cdp_core.cli.suppress:suppress",
        "People who are never sent, whatever the segments say; kept as digests.",
    ),
    "erase": ("cdp_core.cli.erase:erase", "Erase a person: out of every audience for good, with a receipt."),
    "ledger": (
        "cdp_core.cli.ledger:ledger",
        "What audiences hold: look, rebuild, give up, encrypt.",
    ),
    "workspace": (
        "cdp_core.cli.workspace:workspace",
        "The workspace itself: backed up and brought back, moved to PostgreSQL, purged.",
    ),
    "config": (
        "cdp_core.cli.config:config",
        "Configuration as code: the workspace as a file, compared and applied.",
    ),
    "role": ("cdp_core.cli.role:role", "Who may do what in this workspace."),
    "plugins": ("cdp_core.cli.plugins:plugins", "Plugins: what is installed, loaded, disabled or broken."),
    "new-destination": (
        "cdp_core.cli.new_destination:new_destination",
        "Write a new destination's plugin: a project that installs, and passes its checks, at once.",
    ),
    "audit": ("cdp_core.cli.audit:audit", "The audit log: who did what, when, with what outcome."),
    "whoami": ("cdp_core.cli.workspace:whoami", "Show who acts, in which roles, and what they may do."),
    "doctor": ("cdp_core.cli.workspace:doctor", "Look over the whole workspace; nothing is changed or sent."),
    "simulate": (
        "cdp_core.cli.simulate:simulate",
        "Stand-ins of services, to try everything without an account.",
    ),
}


class Root(Group):
    """The nouns of the core, in the order in which one needs them, then the plugins'."""

    _listing = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Help that is asked for in front of the language is in that language, too.
        with suppress(click.UsageError):
            typed, _left, _order = self.make_parser(ctx).parse_args(args=list(args))
            if typed.get("language") in languages.LANGUAGES:
                languages.use(typed["language"])
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*NOUNS, *(name for name in self.commands if name not in NOUNS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in NOUNS:
            place, summary = NOUNS[cmd_name]
            if self._listing:
                return click.Command(cmd_name, help=languages.help_in_language(summary))
            module, _, attribute = place.partition(":")
            found: click.Command = getattr(importlib.import_module(module), attribute)
            return found
        if not self._listing:
            from cdp_core.cli.plugin_commands import add_plugin_commands

            add_plugin_commands(ctx, NOUNS)
        return self.commands.get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            close = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            meant = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"There is no command {args[0]!r}.{meant}")
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: RichContext, formatter: RichHelpFormatter) -> None:  # type: ignore[override]
        # The list of nouns needs a line of each: importing them all would make `cdp --help` slow.
        self._listing = True
        try:
            super().format_options(ctx, formatter)
        finally:
            self._listing = False


EXAMPLE = """
cdp init --profiles profiles.parquet --key customer_id
cdp segment add "Loyal customers" --where "lifetime_value > 500"
cdp connection add snapchat --name "Snapchat EU"
cdp connection authenticate "Snapchat EU"
cdp export add "Loyal to Snapchat" --connection "Snapchat EU" --segment "Loyal customers" --match EMAIL=email
cdp export plan "Loyal to Snapchat"
cdp export run "Loyal to Snapchat"
"""


def _speak(_context: click.Context, _option: click.Parameter, chosen: str | None) -> str:
    """At once, before the help that may be asked for is made."""
    if chosen is not None:
        languages.use(chosen)
    return languages.spoken()


@rich_click.group(cls=Root, example=EXAMPLE, no_args_is_help=True)
@rich_click.option(
    "--workspace",
    # One that may not be read is said by the workspace itself, with whose it is.
    type=click.Path(path_type=Path, file_okay=False, readable=False),
    envvar="CDP_WORKSPACE",
    show_envvar=True,
    help="The workspace's folder. Default: a .cdp here or above, else the one in your data folder.",
)
@rich_click.option("--as", "act_as", metavar="NAME", help="Act as somebody else (Administrators only).")
@rich_click.option(
    "--language",
    type=click.Choice(languages.LANGUAGES),
    is_eager=True,
    callback=_speak,
    help="Language of help, questions, results and consent texts. Default: the environment's (LANG). "
    "Errors and --json are the same in each.",
)
@rich_click.option("--debug", is_flag=True, help="Log to standard error, and show where a fault happened.")
@rich_click.version_option(package_name="cdp-core", prog_name="cdp", help="Show the version and exit.")
@click.pass_context
def cli(ctx: click.Context, workspace: Path | None, act_as: str | None, language: str, debug: bool) -> None:
    """Export segments of customer profiles to advertising audiences, with every row accounted for.

    Plugins may add nouns of their own: `cdp plugins list` names them.
    """
    typed = ctx.get_parameter_source("workspace") is click.core.ParameterSource.COMMANDLINE
    session = Session(workspace=workspace, chosen=typed, act_as=act_as, language=language, debug=debug)
    ctx.obj = session
    ctx.call_on_close(session.close)
