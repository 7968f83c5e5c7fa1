"""One sign-in at a service: state, page, redirect, and the exchange of its code for a token.

Called by the facade when somebody authenticates a connection; the token goes to the token's keeper.
Prints nothing: whoever calls says how the address is shown and how a URL is asked for.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cdp_core.contract.connection import OAuth2, SignInFault, Token
from cdp_core.errors import Code, ReconnectFault, TemporaryFault, UsageFault
from cdp_core.model.names import as_typed
from cdp_core.model.secret import Secret
from cdp_core.oauth.listener import RedirectListener, free_port
from cdp_core.oauth.patience import patiently
from cdp_core.oauth.redirect import can_listen, code_of, wants_free_port, with_port


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in for the connection of that name, with its loaded settings.

    `timeout` is how many seconds a listener waits for the person. `redirect_uri` stands in for the one in the
    settings.
    """

    connection: str
    oauth: OAuth2
    settings: Mapping[str, Any]
    timeout: float = 300.0
    redirect_uri: str = ""
    sleep: Callable[[float], None] = time.sleep
    open_url: Callable[[str], bool] = webbrowser.open

    def run(
        self,
        *,
        show_url: Callable[[str], None],
        open_browser: bool,
        ask_paste: Callable[[], str] | None,
        paste: bool = False,
    ) -> Token:
        """A token, once the person has agreed on the service's page.

        Listens where the redirect URI is a plain loopback address, unless `paste`; else asks for the
        redirected URL with `ask_paste`, which is None where nobody can be asked. Raises
        `ReconnectFault` (denied, wrong state, timed out, refused), `TemporaryFault` where the service
        does not answer, `UsageFault` where a URL is needed and nobody can be asked.
        """
        redirect_uri = self.redirect_uri or self.oauth.redirect_uri(self.settings)
        state = secrets.token_urlsafe(32)
        if paste or not can_listen(redirect_uri):
            code, redirect_uri = self._pasted(redirect_uri, state, show_url, open_browser, ask_paste)
        else:
            code, redirect_uri = self._listened(redirect_uri, state, show_url, open_browser)
        return self._exchanged(code, redirect_uri)

    def _listened(
        self, redirect_uri: str, state: str, show_url: Callable[[str], None], open_browser: bool
    ) -> tuple[Secret, str]:
        with RedirectListener(redirect_uri, read=lambda url: self._code(url, state)) as listener:
            self._show(listener.redirect_uri, state, show_url, open_browser)
            code = listener.wait(self.timeout)
            if code is None:
                seconds = "1 second" if round(self.timeout) == 1 else f"{self.timeout:.0f} seconds"
                raise ReconnectFault(
                    Code.SIGN_IN_TIMEOUT,
                    f"no answer came to {listener.redirect_uri} within {seconds}",
                    where=self._where,
                    hint="if the service's page showed an error: check client_id, and that this redirect URI "
                    "is registered there, letter for letter; if the browser is on another machine, add "
                    f"--paste; then again: {self._hint}",
                )
            return code, listener.redirect_uri

    def _pasted(
        self,
        redirect_uri: str,
        state: str,
        show_url: Callable[[str], None],
        open_browser: bool,
        ask_paste: Callable[[], str] | None,
    ) -> tuple[Secret, str]:
        if ask_paste is None:
            raise UsageFault(
                Code.MISSING_VALUE,
                "the redirected URL has to be pasted, and there is no terminal to ask on",
                where=self._where,
                hint="sign in from a terminal, or use a redirect URI such as http://127.0.0.1:8721/callback",
            )
        if wants_free_port(redirect_uri):
            redirect_uri = with_port(redirect_uri, free_port(redirect_uri))
        self._show(redirect_uri, state, show_url, open_browser)
        return self._code(ask_paste(), state), redirect_uri

    def _show(
        self, redirect_uri: str, state: str, show_url: Callable[[str], None], open_browser: bool
    ) -> None:
        url = self.oauth.authorization_url(self.settings, redirect_uri=redirect_uri, state=state)
        show_url(url)
        if open_browser and has_browser():
            self.open_url(url)

    def _code(self, url: str, state: str) -> Secret:
        return code_of(url, state=state, where=self._where, hint=self._hint)

    def _exchanged(self, code: Secret, redirect_uri: str) -> Token:
        def ask() -> Token:
            return self.oauth.exchange(self.settings, code=code.reveal(), redirect_uri=redirect_uri)

        try:
            return patiently(ask, sleep=self.sleep)
        except SignInFault as fault:
            if fault.terminal:
                raise ReconnectFault(
                    Code.SIGN_IN_REFUSED,
                    f"the service refused the sign-in: {fault.message}",
                    where=self._where,
                    hint="check client_id, client_secret and redirect_uri against the app's registration",
                ) from fault
            raise TemporaryFault(
                Code.SERVICE_UNREACHABLE,
                f"the service did not complete the sign-in: {fault.message}",
                where=self._where,
                hint=self._hint,
            ) from fault

    @property
    def _where(self) -> str:
        return f'connection "{self.connection}"'

    @property
    def _hint(self) -> str:
        return f"cdp connection authenticate {as_typed(self.connection)}"


def has_browser() -> bool:
    """Whether a browser with windows can be opened: a text browser would take over the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
