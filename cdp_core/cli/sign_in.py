"""The sign-in's talk with the person: the page's address is shown, and a pasted one is read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cdp_core.cli.ask import ask_one, ask_text, can_ask
from cdp_core.cli.language import _, label_of, marked
from cdp_core.cli.render.console import remark
from cdp_core.errors import Code, UsageFault

if TYPE_CHECKING:
    from cdp_core.app.connections import Dialogue
    from cdp_core.contract.connection import Choice
    from cdp_core.contract.schemas import SettingInfo

_PASTE = marked(
    "After you agree, copy the whole address that the browser ends at, even if that page does not open."
)


def dialogue(
    *, open_browser: bool, paste: bool, timeout: float, redirect_uri: str, as_json: bool
) -> Dialogue:
    """How `authenticate` talks; under `as_json` the address goes to standard error too."""
    from cdp_core.app.connections import Dialogue

    def show_url(url: str) -> None:
        remark(_("Sign in on this page:"))
        # Alone on its line, unstyled and never wrapped: it is copied, or read by a script.
        stream = sys.stderr if as_json else sys.stdout
        stream.write(url + "\n")
        stream.flush()

    ask_paste = None
    if can_ask():
        ask_paste = _ask
    elif paste:
        ask_paste = _read
    return Dialogue(
        show_url=show_url,
        open_browser=open_browser,
        ask_paste=ask_paste,
        paste=paste,
        timeout=timeout,
        redirect_uri=redirect_uri,
        choose=_choose if can_ask() else None,
    )


def _choose(setting: SettingInfo, choices: Sequence[Choice]) -> Choice:
    labelled = {f"{choice.label}  {choice.value}": choice for choice in choices}
    return labelled[ask_one(label_of(setting), list(labelled), option="cdp connection edit NAME --set …")]


def _ask() -> str:
    return ask_text("Redirected address", option="--paste", hint=_(_PASTE))


def _read() -> str:
    line = sys.stdin.readline().strip()
    if not line:
        raise UsageFault(
            Code.MISSING_VALUE,
            "standard input ended without the redirected address",
            hint="--paste reads it as one line",
        )
    return line
