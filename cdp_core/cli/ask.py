"""Questions on a terminal, for what the command line left out. Without a terminal nothing is ever asked:
a fault names the option that was missing.

Questions go to standard error, so that standard output stays the result's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.columns import Columns
from rich.text import Text

from cdp_core.cli.language import _, marked, said
from cdp_core.cli.render.console import err, show
from cdp_core.cli.render.words import count, plain
from cdp_core.errors import Code, UsageFault
from cdp_core.model.secret import Secret

T = TypeVar("T")


def can_ask() -> bool:
    """Whether somebody sits at a terminal, reads what we ask and can answer."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def missing(what: str, option: str) -> UsageFault:
    return UsageFault(Code.MISSING_VALUE, f"missing: {what}; and there is no terminal to ask on", hint=option)


def ask_text(
    what: str,
    *,
    option: str,
    hint: str = "",
    default: str | None = None,
    complaint: Callable[[str], str] = lambda answer: "",
) -> str:
    """A line of text; an empty answer gives `default`, or is asked for again where there is none.

    So is one that there is a complaint about, which is shown.
    """
    _require_terminal(what, option)
    _explain(hint)
    question = Text(_(what)) if default is None else Text.assemble(_(what), (f" ({plain(default)})", "dim"))
    while True:
        answer = _answer(question)
        if not answer and default is not None:
            return default
        if answer and _passes(complaint(answer)):
            return answer


def ask_secret(
    what: str, *, option: str, hint: str = "", complaint: Callable[[str | Secret], str] = lambda answer: ""
) -> str | Secret:
    """A hidden line: a reference where it reads like one, else the secret itself. Asked for again where it
    is empty, or there is a complaint about it, which is shown."""
    _require_terminal(what, option)
    _explain(hint)
    while True:
        answer = _answer(Text.assemble(_(what), (_(" (hidden)"), "dim")), hidden=True)
        found = answer if is_reference(answer) else Secret(answer)
        if answer and _passes(complaint(found)):
            return found


def is_reference(text: str) -> bool:
    return text.startswith(("env:", "file:", "keyring:"))


def ask_one(what: str, choices: Sequence[str], *, option: str) -> str:
    """One of a list, by its number or its name."""
    return _ask_from(what, choices, option=option, several=False)[0]


def ask_several(what: str, choices: Sequence[str], *, option: str) -> tuple[str, ...]:
    """Some of a list, by numbers or names with commas between them; at least one."""
    return _ask_from(what, choices, option=option, several=True)


def ask_yes(question: str) -> bool:
    """A yes or a no, in English or the language spoken, and no where nothing is typed. Only on a terminal:
    see `settled`."""
    while True:
        answer = _answer(Text.assemble(_(question), (_(" [y/N]"), "dim"))).lower()
        yes = ("y", "yes", *_("y yes").split())
        if answer in ("", "n", "no", *_("n no").split(), *yes):
            return answer in yes


def settled(question: str, *, yes: bool, **said: str | int) -> None:
    """Go on only with a yes: `--yes`, or typed. Raises `UsageFault` otherwise.

    The question is translated where it is asked; `said` is what goes into its braces.
    """
    if yes:
        return
    if not can_ask():
        english = {name: f"{each:,}" if isinstance(each, int) else each for name, each in said.items()}
        raise UsageFault(
            Code.NOT_AGREED_TO_ACT,
            f"{question.format(**english)} There is no terminal to answer on",
            hint="add --yes",
        )
    shown = {name: count(each) if isinstance(each, int) else each for name, each in said.items()}
    if not ask_yes(_(question).format(**shown)):
        raise UsageFault(
            Code.NOT_AGREED_TO_ACT, "not agreed to: nothing was done", hint="answer yes, or add --yes"
        )


def agreeing(deed: Callable[[bool], T], *, yes: bool) -> T:
    """Do it with the yes that it may need: `--yes`, or typed after reading why."""
    try:
        return deed(yes)
    except UsageFault as fault:
        if fault.code is not Code.NOT_AGREED_TO_ACT or not can_ask():
            raise
        _explain(fault.message)
    settled(marked("Go on?"), yes=False)
    return deed(True)


def _ask_from(what: str, choices: Sequence[str], *, option: str, several: bool) -> tuple[str, ...]:
    _require_terminal(what, option)
    numbered = [Text(f"{number:>3}  {plain(choice)}") for number, choice in enumerate(choices, 1)]
    show(Columns(numbered, padding=(0, 3)), to=err())
    manner = _("numbers or names, commas between") if several else _("number or name")
    while True:
        answer = _answer(Text.assemble(_(what), (f" ({manner})", "dim")))
        found = chosen(answer, choices, several=several)
        if found:
            return found
        show(Text(_("Not in the list."), style="yellow"), to=err())


def chosen(answer: str, choices: Sequence[str], *, several: bool) -> tuple[str, ...]:
    """What an answer names; nothing where any part of it is not in the list."""
    if answer.strip() in choices:
        return (answer.strip(),)
    parts = [part.strip() for part in answer.split(",")] if several else [answer.strip()]
    found = [_pick(part, choices) for part in parts if part]
    return () if None in found else tuple(dict.fromkeys(name for name in found if name is not None))


def _pick(part: str, choices: Sequence[str]) -> str | None:
    if part in choices:
        return part
    number = int(part) if part.isdecimal() else 0
    return choices[number - 1] if 1 <= number <= len(choices) else None


def _require_terminal(what: str, option: str) -> None:
    if not can_ask():
        raise missing(what, option)


def _passes(complaint: str) -> bool:
    if complaint:
        show(Text(plain(said(complaint)), style="yellow"), to=err())
    return not complaint


def _explain(hint: str) -> None:
    if hint:
        show(Text(plain(said(hint)), style="dim"), to=err())


def _answer(question: Text, *, hidden: bool = False) -> str:
    try:
        return err().input(Text.assemble(question, ": "), password=hidden).strip()
    except EOFError:
        raise UsageFault(
            Code.MISSING_VALUE,
            "the input ended before the question was answered",
            where=question.plain,
            hint="answer it, or give it as an option: --help lists them",
        ) from None
