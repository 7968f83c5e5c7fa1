"""The commands of `cdp` that a text shows, found and held against the real command line; none of them runs.

In blocks of code a command must be whole: subcommands, options, values that are a choice, and everything that
is required, unless an ellipsis stands for the rest. In running text it may be cut short.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import click

from cdp_core.cli.root import cli
from cdp_core.cli.session import Session

ELLIPSIS = "…"
USAGE = "[OPTIONS]"
# Stand-ins of plugins that are not installed with this project: the one that pages make up, and the example.
OF_EXAMPLES = ("acme", "mailer")
_BLOCK = re.compile(
    r"^(?P<fence>`{3,})(?P<language>[^\n]*)\n(?P<body>.*?)^(?P=fence)\s*$", re.DOTALL | re.MULTILINE
)
_INLINE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_HERE_DOCUMENT = re.compile(r"<<-?\s*(['\"]?)(\w+)\1(.*?)\n.*?^\2$", re.DOTALL | re.MULTILINE)
# What a shell types; a block without a language may hold anything.
SHELLS = ("sh", "bash", "console", "")
_ENDS = re.compile(r"[|&;()]+")
_REDIRECTION = re.compile(r"[<>]+[&|]?")


@dataclass(frozen=True, slots=True)
class Typed:
    """The words after `cdp`; `whole` where nothing may be missing."""

    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return shlex.join(["cdp", *self.words])


def in_page(text: str) -> Iterator[Typed]:
    """Every command in a page of Markdown."""
    for block in _BLOCK.finditer(text):
        if block["language"].strip() in SHELLS:
            yield from (Typed(words, whole=True) for words in in_script(block["body"]))
    for inline in _INLINE.finditer(_BLOCK.sub("", text)):
        if inline[2].strip().startswith("cdp "):
            yield from (Typed(words, whole=False) for words in in_script(" ".join(inline[2].split())))


def in_script(script: str) -> Iterator[tuple[str, ...]]:
    """The words of each command line of `cdp`, without what the shell itself does with it."""
    joined = _HERE_DOCUMENT.sub(r"\3", script).replace("\\\n", " ")
    for line in joined.splitlines():
        if "cdp" in line:
            for words in _commands(_words(line)):
                # The reference's own lines of usage are made from the code, and nobody types them.
                if USAGE not in words:
                    yield tuple(words[1:])


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.wordchars += "…:@%+,{}[]$"
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:  # a sentence with an apostrophe, and no command line
        return []
    return list(itertools.takewhile(lambda word: not word.startswith("#"), words))


def _commands(words: Iterable[str]) -> Iterator[list[str]]:
    """Each simple command of a line, from the word `cdp` on: what stands before it only calls it."""
    command: list[str] = []
    skip = False
    for word in [*words, ";"]:
        if skip:
            skip = False
        elif _ENDS.fullmatch(word):
            found = [place for place, each in enumerate(command) if each == "cdp" or each.endswith("/cdp")]
            if found:
                yield command[found[0] :]
            command = []
        elif _REDIRECTION.fullmatch(word):
            skip = True
            if command and command[-1].isdigit():
                command.pop()
        else:
            command.append(word)


def fault_of(typed: Typed) -> str | None:
    """Why the command line would be refused, None if it would be taken."""
    command: click.Command = cli
    context = click.Context(cli, info_name="cdp", obj=Session())
    left = list(typed.words)
    whole = typed.whole and ELLIPSIS not in typed.words
    while True:
        try:
            given, left, _ = command.make_parser(context).parse_args(args=list(left))
        except click.UsageError as fault:
            # Cut short after an option, as running text does: `cdp erase --json`, `--reason …`.
            if isinstance(fault, click.BadOptionUsage) and not whole:
                return None
            return fault.format_message()
        if wrong := _fault_of_values(command, given, whole=whole):
            return f"{context.command_path}: {wrong}"
        if not isinstance(command, click.Group):
            more = [word for word in left if word != ELLIPSIS]
            return f"{context.command_path}: one word too many, {more[0]!r}" if more else None
        asked = {name for name, value in given.items() if value}
        if not left:
            alone = command.invoke_without_command or asked & {"help", "version"} or not whole
            return None if alone else f"{context.command_path}: no command"
        if left[0] == ELLIPSIS:
            return None
        found = command.get_command(context, left[0])
        if found is None and context.info_name == "simulate" and left[0] in OF_EXAMPLES:
            return None
        if found is None:
            return f"{context.command_path} has no command {left[0]!r}"
        context = click.Context(found, info_name=left[0], parent=context)
        command, left = found, left[1:]


def _fault_of_values(command: click.Command, given: dict[str, object], *, whole: bool) -> str | None:
    if given.get("help"):
        return None
    for parameter in command.params:
        value = given.get(parameter.name or "")
        if value in (None, ()) or type(value).__name__ == "Sentinel":
            if whole and parameter.required:
                return f"{parameter.opts[0]} is missing"
            continue
        if isinstance(parameter.type, click.Choice):
            several = value if isinstance(value, list | tuple) else (value,)
            wrong = [each for each in several if isinstance(each, str) and not _chosen(parameter.type, each)]
            if wrong:
                return f"{parameter.opts[0]} is no {wrong[0]!r}"
    return None


def _chosen(choice: click.Choice[str], word: str) -> bool:
    """Capitals stand for what the reader puts there."""
    return word in choice.choices or ELLIPSIS in word or word.isupper()


def faults(commands: Iterable[Typed]) -> Sequence[str]:
    return [f"`{typed}`: {fault}" for typed in commands if (fault := fault_of(typed))]
