"""What every command has: an example in its help, and the options that mean the same everywhere.

Built on rich-click. The example stands apart from the help text, so that it is printed as it is typed,
on one line however narrow the terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import rich_click
from rich_click import RichCommand, RichContext, RichGroup, RichHelpFormatter

from cdp_core.cli.language import ENGLISH, _, help_in_language, spoken
from cdp_core.errors import CdpError

F = TypeVar("F", bound=Callable[..., Any])


def _help_looks() -> dict[str, Any]:
    """How help is laid out; the same on every machine where it does not go to a terminal."""
    return {
        "theme": "default-slim",
        "text_markup": None,
        "text_paragraph_linebreaks": "\n\n",
        "width": None if sys.stdout.isatty() else 110,
        "max_width": 110,
    }


def _formatters_words() -> Iterator[tuple[str, str]]:
    """What the formatter itself puts around the help."""
    yield "options_panel_title", _("Options")
    yield "commands_panel_title", _("Commands")
    yield "append_range_help_string", f"\\[{_('range')}: {{}}]"
    yield "default_string", f"\\[{_('default')}={{}}]"


@contextmanager
def _translated(*shown: Any) -> Iterator[None]:
    """The help of commands and options in the language spoken, while it is rendered."""
    before = [(each, each.help) for each in shown if getattr(each, "help", None)]
    for each, said in before:
        each.help = help_in_language(said)
    try:
        yield
    finally:
        for each, said in before:
            each.help = said


class Command(RichCommand):
    """A command whose help ends with an example."""

    def __init__(self, *args: Any, example: str = "", **options: Any) -> None:
        options.setdefault("context_settings", {}).setdefault("rich_help_config", _help_looks())
        super().__init__(*args, **options)
        self.example = example

    def get_help(self, ctx: click.Context) -> str:
        with _translated(self, *self.get_params(ctx), *getattr(self, "commands", {}).values()):
            text = super().get_help(ctx)
        # rich fills lines with spaces up to the width; in a file or a page they only disturb.
        return "\n".join(line.rstrip() for line in text.splitlines())

    def format_help(self, ctx: RichContext, formatter: RichHelpFormatter) -> None:  # type: ignore[override]
        if spoken() != ENGLISH:
            for title, said in _formatters_words():
                setattr(formatter.config, title, said)
        super().format_help(ctx, formatter)

    def format_usage(self, ctx: RichContext, formatter: RichHelpFormatter) -> None:  # type: ignore[override]
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix=_("Usage:"))

    def invoke(self, ctx: click.Context) -> Any:
        """A fault that does not say where names the command at least."""
        try:
            return super().invoke(ctx)
        except CdpError as fault:
            fault.where = fault.where or ctx.command_path
            raise

    def format_epilog(self, ctx: RichContext, formatter: RichHelpFormatter) -> None:  # type: ignore[override]
        from rich.text import Text

        if self.example:
            lines = "\n".join(f"  {line}" for line in self.example.strip().splitlines())
            formatter.console.print(Text(_("Example:"), style="bold"), Text(lines), sep="\n", soft_wrap=True)
        super().format_epilog(ctx, formatter)


class Group(Command, RichGroup):  # type: ignore[misc]  # both bases say the same of format_options
    """A noun: its commands are the verbs. What a plugin declares below it has the same looks."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are declared: the one in which one needs them."""
        return list(self.commands)

    def verb(self, name: str, *, example: str) -> Callable[[Callable[..., Any]], Command]:
        """Declare a command of this noun; `example` is what one would type."""

        def declare(function: Callable[..., Any]) -> Command:
            made = command(name, example=example)(function)
            self.add_command(made)
            return made

        return declare


Group.group_class = Group


def command(name: str, *, example: str) -> Callable[[Callable[..., Any]], Command]:
    return rich_click.command(name, cls=Command, example=example)


def noun(name: str, *, help: str, example: str) -> Group:  # noqa: A002 (click's own word)
    return Group(name, help=help, example=example, no_args_is_help=True)


def json_option(function: F) -> F:
    return rich_click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document on standard output, nothing else."
    )(function)


def yes_option(function: F) -> F:
    return rich_click.option("--yes", is_flag=True, help="Answer yes to what would be asked.")(function)
