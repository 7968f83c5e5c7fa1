"""The simulated sign-in: the page that agrees at once, and the token endpoint, as RFC 6749 has them."""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from cdp_core.simulate import Answer, Refusal, Request, Route, json_answer, redirect
from cdp_snapchat.simulator.envelopes import ACCOUNTS
from cdp_snapchat.simulator.options import Options
from cdp_snapchat.simulator.tokens import IssuedToken, Tokens

SCOPE = "snapchat-marketing-api"


class Accounts:
    def __init__(self, options: Options, tokens: Tokens) -> None:
        self._options = options
        self._tokens = tokens

    def routes(self) -> list[Route]:
        return [
            Route(name="authorize", method="GET", pattern=f"{ACCOUNTS}/authorize", handler=self.authorize),
            Route(
                name="token",
                method="POST",
                pattern=f"{ACCOUNTS}/access_token",
                handler=self.token,
                takes="form",
            ),
        ]

    def authorize(self, request: Request) -> Answer:
        """Agrees at once. A wrong client or redirect URI gets a page, all else is told to that URI."""
        query = request.query()
        if query.get("client_id") != self._options.client_id:
            raise Refusal(400, "there is no app with this client_id")
        redirect_uri = query.get("redirect_uri", "")
        if not self._registered(redirect_uri):
            raise Refusal(400, "redirect_uri is not one of the app's")
        answer = {"state": query["state"]} if query.get("state") else {}
        error = _authorize_error(query)
        if error:
            answer["error"] = error
        else:
            answer["code"] = self._tokens.new_code(redirect_uri)
        joint = "&" if urlsplit(redirect_uri).query else "?"
        return redirect(f"{redirect_uri}{joint}{urlencode(answer)}")

    def token(self, request: Request) -> Answer:
        form = request.form()
        self._check_client(request, form)
        issued = self._grant(form)
        return json_answer(issued.as_json(), headers={"Cache-Control": "no-store"})

    def _grant(self, form: dict[str, str]) -> IssuedToken:
        grant = form.get("grant_type")
        if grant == "authorization_code":
            return self._tokens.for_code(_given(form, "code"), _given(form, "redirect_uri"))
        if grant == "refresh_token":
            return self._tokens.for_refresh_token(_given(form, "refresh_token"))
        raise Refusal(400, "grant_type is missing or not known", code="unsupported_grant_type")

    def _check_client(self, request: Request, form: dict[str, str]) -> None:
        if "authorization" in request.headers:
            raise Refusal(401, "the client goes in the body, not in a header", code="invalid_client")
        known = form.get("client_id") == self._options.client_id
        secret = form.get("client_secret", "").encode()
        if not known or not hmac.compare_digest(secret, self._options.client_secret.encode()):
            raise Refusal(401, "client_id or client_secret is wrong", code="invalid_client")

    def _registered(self, redirect_uri: str) -> bool:
        if self._options.redirect_uris is not None:
            return redirect_uri in self._options.redirect_uris
        try:
            parts = urlsplit(redirect_uri)
        except ValueError:
            return False
        if parts.fragment or not parts.hostname:
            return False
        return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _authorize_error(query: dict[str, str]) -> str:
    if query.get("response_type") != "code":
        return "unsupported_response_type"
    if query.get("scope") != SCOPE:
        return "invalid_scope"
    return "" if query.get("state") else "invalid_request"


def _given(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        raise Refusal(400, f"{name} is missing", code="invalid_request")
    return form[name]
