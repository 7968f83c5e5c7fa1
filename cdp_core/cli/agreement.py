"""Consent at the terminal: the texts are shown in full, then “I agree” is asked, or taken from `--agree`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cdp_core.cli.ask import ask_yes, can_ask
from cdp_core.cli.language import _
from cdp_core.cli.render.consent import texts
from cdp_core.cli.render.console import err, out, show
from cdp_core.errors import Code, UsageFault
from cdp_core.model.configuration import ConsentPrompt


def agreement(*, agreed: bool, as_json: bool, required: bool) -> Callable[[Sequence[ConsentPrompt]], bool]:
    """What the facade calls with the texts that are still to be agreed to.

    Where nobody can be asked, `required` decides: a fault, or no agreement. Under `as_json` the texts
    go to standard error.
    """

    def agree(prompts: Sequence[ConsentPrompt]) -> bool:
        target = err() if as_json else out()
        show(*texts(prompts, framed=target.is_terminal), to=target)
        if agreed:
            show(_("Agreed to (as the command line says)."), to=target)
            return True
        if can_ask():
            return ask_yes("I agree")
        if required:
            raise UsageFault(
                Code.NOT_AGREED_TO_ACT,
                "the texts above need somebody's agreement, and there is no terminal to ask on",
                hint="add --agree, if you have read them and agree",
            )
        return False

    return agree
