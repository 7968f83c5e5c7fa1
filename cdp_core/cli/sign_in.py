"""The sign-in's talk with the person: the page's address is shown, and a pasted one is read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cdp_core.cli.ask import ask_text, can_ask
from cdp_core.cli.language import _, marked
from cdp_core.cli.render.console import remark
from cdp_core.errors import Code, UsageFault

if TYPE_CHECKING:
    from cdp_core.app.connections import Dialogue

_PASTE = marked(
    "After you agree, copy the whole address that the browser ends at, even if that page does not open."
)


def dialogue(*, open_browser: bool, paste: bool, timeout: float, as_json: bool) -> Dialogue:
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
        show_url=show_url, open_browser=open_browser, ask_paste=ask_paste, paste=paste, timeout=timeout
    )


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
