"""Whom a command is about: asked for on a terminal, or read from standard input, and never an argument,
which the shell would keep in its history."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import rich_click

from cdp_core.cli.ask import ask_text
from cdp_core.errors import Code, UsageFault

F = TypeVar("F", bound=Callable[..., Any])

_WHAT = "An e-mail address, a phone number, a mobile ad id, or a digest."


def person_options(function: F) -> F:
    # What was typed after the command is taken, so that it can be refused without being repeated.
    typed = rich_click.argument("typed", nargs=-1, metavar="")
    return kind_options(typed(function))


def kind_options(function: F) -> F:
    kind = rich_click.option(
        "--kind", metavar="KIND", help="EMAIL, PHONE, MOBILE_AD_ID, …; a digest alone does not tell it."
    )
    region = rich_click.option(
        "--default-region", "region", metavar="CC", help="The country of a phone number without one, as NL."
    )
    return kind(region(function))


def read_person(command: str, typed: tuple[str, ...], *, several: str = "") -> str:
    """One person. `several` says what takes a list. Raises `UsageFault`, which repeats nothing of it."""
    refuse_typed(command, typed)
    if sys.stdin is None or sys.stdin.isatty():
        return ask_text("Person", option=f"{command} < FILE", hint=_WHAT)
    lines = [line for line in sys.stdin.read().splitlines() if line.strip()]
    if len(lines) != 1:
        raise UsageFault(
            Code.MISSING_VALUE,
            f"standard input holds {len(lines)} lines; it takes one, the person",
            hint=several if lines and several else f"{command} < FILE",
        )
    return lines[0]


def refuse_typed(command: str, typed: tuple[str, ...]) -> None:
    """Raise `UsageFault` where anything was typed after the command."""
    if typed:
        raise UsageFault(
            Code.USAGE,
            "a person is not given on the command line, which the shell keeps in its history",
            hint=f"leave it out to be asked, or: {command} < FILE",
        )
