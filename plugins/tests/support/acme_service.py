"""A strict stand-in for an audience service of the usual kind, which answers for each record."""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from cdp_core.simulate import App, Limit, Refusal, Request, Route, Server, json_answer, running

AUDIENCE = "loyal-customers"
_DIGEST = re.compile(r"[0-9a-f]{64}")
# One configuration that fits the service; tests lay their own over it.
SETTINGS: Mapping[str, str] = {
    "add_path": "/v1/audiences/$audience_id/members",
    "add_body": '{"type": "$kind", "operation": "$operation", "count": "$count", "hashes": "$digests"}',
    "kind_names": "EMAIL=email_sha256",
    "verify_path": "/v1/me",
    "verify_name_path": "account.name",
    "audience_path": "/v1/audiences/$audience_id",
    "audience_name_path": "name",
    "audience_size_path": "size",
    "success_path": "status",
    "success_value": "ok",
    "accepted_path": "result.accepted",
    "refused_path": "result.errors",
    "refused_key": "hash",
    "refused_reason": "why",
    "message_path": "error",
    "request_id_path": "request",
    "requests_per_second": "1000",
}


@dataclass
class Acme:
    """What the service holds, whom it lets in, and whom it refuses one by one."""

    members: dict[str, set[str]] = field(default_factory=lambda: {AUDIENCE: set()})
    bad: set[str] = field(default_factory=set)
    authorization: str = ""
    key: tuple[str, str] = ("", "")
    query_key: tuple[str, str] = ("", "")
    token_life: float | None = 3600
    client_in_body: bool = False
    tokens: list[str] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)
    server: Server | None = None
    app: App | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return str(self.server.url)

    def held(self) -> set[bytes]:
        return {bytes.fromhex(digest) for digest in self.members[AUDIENCE]}

    def fault(self, text: str, body: str | None = None) -> None:
        """The next requests meet it; `body` is what a `status` answers with."""
        assert self.app is not None
        fault = self.app.catalogue.parse(text)
        self.app.faults.add(fault if body is None else replace(fault, body=body))

    def mend(self) -> None:
        """No further request meets a fault."""
        assert self.app is not None
        self.app.faults.clear()

    def admit(self, request: Request) -> None:
        with self.guard:
            self.seen.append(request)
        if request.path == "/token":
            return
        if self.authorization and request.headers.get("authorization") != self.authorization:
            raise Refusal(401, "who are you?")
        if self.tokens and request.bearer != self.tokens[-1]:
            raise Refusal(401, "the token has ended")
        name, key = self.key
        if key and request.headers.get(name.lower()) != key:
            raise Refusal(401, "the key is wrong")
        name, key = self.query_key
        if key and request.query().get(name) != key:
            raise Refusal(401, "the key is wrong")

    def routes(self) -> Iterator[Route]:
        path = "/v1/audiences/{audience}/members"
        yield Route(name="me", method="GET", pattern="/v1/me", handler=self._me)
        yield Route(name="show", method="GET", pattern="/v1/audiences/{audience}", handler=self._show)
        for name, method in (("add", "POST"), ("remove", "DELETE")):
            yield Route(name=name, method=method, pattern=path, handler=self._change, takes="json")
        yield Route(name="token", method="POST", pattern="/token", handler=self._token, takes="form")

    def _me(self, request: Request) -> Any:
        return json_answer({"account": {"name": "Acme account 7"}})

    def _show(self, request: Request) -> Any:
        held = self._audience(request)
        return json_answer({"name": "Loyal customers", "size": len(held)})

    def _audience(self, request: Request) -> set[str]:
        if request.arguments["audience"] not in self.members:
            raise Refusal(404, "there is no such audience")
        return self.members[request.arguments["audience"]]

    def _change(self, request: Request) -> Any:
        body = request.json()
        with self.guard:
            self.bodies.append(body)
            held = self._audience(request)
            operation = "add" if request.method == "POST" else "remove"
            if set(body) != {"type", "operation", "count", "hashes"} or body["operation"] != operation:
                raise Refusal(400, "the body is not as it should be")
            hashes = body["hashes"]
            if body["count"] != len(hashes) or not all(_DIGEST.fullmatch(each) for each in hashes):
                raise Refusal(400, "the hashes are not as they should be")
            refused = [each for each in hashes if each in self.bad]
            taken = set(hashes) - set(refused)
            if operation == "add":
                held |= taken
            else:
                held -= taken
        errors = [{"hash": each.upper(), "why": "not a hash of ours"} for each in refused]
        result = {"accepted": len(taken), "errors": errors}
        return json_answer({"status": "ok", "request": f"r-{len(self.bodies)}", "result": result})

    def _token(self, request: Request) -> Any:
        form = request.form()
        basic = b64encode(b"cdp-exporter:s3cret-of-the-app").decode()
        by_header = request.headers.get("authorization") == f"Basic {basic}" and "client_secret" not in form
        by_form = (form.get("client_id"), form.get("client_secret")) == ("cdp-exporter", "s3cret-of-the-app")
        if form.get("grant_type") != "client_credentials" or form.get("scope") != "audiences.write":
            raise Refusal(400, "unsupported_grant_type")
        if not (by_form if self.client_in_body else by_header):
            return json_answer({"error": "invalid_client"}, status=401)
        with self.guard:
            self.tokens.append(f"access-{len(self.tokens)}")
        life = {} if self.token_life is None else {"expires_in": self.token_life}
        return json_answer({"access_token": self.tokens[-1], "token_type": "Bearer", **life})


@contextmanager
def acme_service(*limits: Limit, **more: Any) -> Iterator[Acme]:
    acme = Acme(**more)
    acme.app = App(acme.routes(), name="Acme", admit=acme.admit, limits=limits)
    with running(acme.app) as server:
        acme.server = server
        yield acme
