"""The control plane's part that is Snapchat's: the audiences with their members, tokens, bad digests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cdp_core.simulate import Answer, Refusal, Request, Route, control_route, json_answer, json_object
from cdp_snapchat.simulator.audience import Audience
from cdp_snapchat.simulator.membership import DIGEST_SIZE
from cdp_snapchat.simulator.tokens import Tokens
from cdp_snapchat.simulator.users_body import SCHEMAS
from cdp_snapchat.simulator.world import World

_ACCESS = ("data-manager", "reader", "none")


class SnapchatControl:
    def __init__(self, world: World, tokens: Tokens) -> None:
        self._world = world
        self._tokens = tokens

    def routes(self) -> list[Route]:
        one = "segments/{segment_id}"
        return [
            control_route("POST", "organizations", self.add_organization, takes="json"),
            control_route("POST", "adaccounts", self.add_ad_account, takes="json"),
            control_route("POST", "segments", self.add_segment, takes="json"),
            control_route("DELETE", one, self.delete_segment),
            control_route("GET", f"{one}/members", self.count_members),
            control_route("DELETE", f"{one}/members", self.wipe_members),
            control_route("GET", f"{one}/members/{{schema}}", self.stream_members),
            control_route("POST", "tokens", self.issue_token),
            control_route("POST", "tokens/expire", self.expire_tokens),
            control_route("POST", "tokens/revoke", self.revoke_tokens),
            control_route("GET", "bad-digests", self.bad_digests),
            control_route("PUT", "bad-digests", self.set_bad_digests, takes="json"),
        ]

    def state(self) -> dict[str, Any]:
        world = self._world
        with world.lock:
            return {
                "organizations": [one.as_json() for one in world.organizations.values()],
                "ad_accounts": [one.as_json() for one in world.ad_accounts.values()],
                "segments": [self._told(one) for one in world.audiences.values()],
            }

    def add_organization(self, request: Request) -> Answer:
        given = json_object(request, "id", "name", "member")
        return json_answer(self._world.add_organization(**_named(given)).as_json(), status=201)

    def add_ad_account(self, request: Request) -> Answer:
        given = json_object(request, "id", "name", "organization_id", "access")
        if given.get("access", "none") not in _ACCESS:
            raise Refusal(400, f"access must be one of {', '.join(_ACCESS)}")
        return json_answer(self._world.add_ad_account(**_named(given)).as_json(), status=201)

    def add_segment(self, request: Request) -> Answer:
        keys = ("id", "name", "ad_account_id", "description", "source_type", "retention_in_days", "members")
        given = json_object(request, *keys)
        members = given.pop("members", {})
        if not isinstance(members, dict) or not set(members) <= set(SCHEMAS):
            raise Refusal(400, f"members must be an object of {', '.join(SCHEMAS)}")
        digests = {schema: read_digests(listed) for schema, listed in members.items()}
        if given.get("ad_account_id", "") not in ("", *self._world.ad_accounts):
            raise Refusal(400, "there is no such ad account")
        audience = self._world.add_audience(**_named(given))
        with self._world.lock:
            for schema, listed in digests.items():
                audience.upload(schema, b"".join(listed), self._world.clock.time(), adds=True)
            return json_answer(self._told(audience), status=201)

    def delete_segment(self, request: Request) -> Answer:
        with self._world.lock:
            del self._world.audiences[self._audience(request).id]
        return json_answer({})

    def count_members(self, request: Request) -> Answer:
        """Each schema's count and checksum, as `Membership.checksum` describes it."""
        with self._world.lock:
            members = self._audience(request).members
            return json_answer(
                {name: {"count": len(one), "checksum": one.checksum()} for name, one in members.items()}
            )

    def wipe_members(self, request: Request) -> Answer:
        with self._world.lock:
            self._audience(request).empty(self._world.clock.time())
        return json_answer({})

    def stream_members(self, request: Request) -> Answer:
        """One digest a line, in hexadecimal, in no order."""
        with self._world.lock:
            members = self._audience(request).members.get(request.arguments["schema"])
            if members is None:
                raise Refusal(404, f"the schemas are {', '.join(SCHEMAS)}")
            return Answer(stream=_lines(members.runs()), content_type="text/plain; charset=utf-8")

    def issue_token(self, _request: Request) -> Answer:
        return json_answer(self._tokens.issue().as_json(), status=201)

    def expire_tokens(self, _request: Request) -> Answer:
        self._tokens.expire()
        return json_answer({})

    def revoke_tokens(self, _request: Request) -> Answer:
        self._tokens.revoke()
        return json_answer({})

    def bad_digests(self, _request: Request) -> Answer:
        return json_answer({"count": len(self._world.bad_digests)})

    def set_bad_digests(self, request: Request) -> Answer:
        self._world.bad_digests = set(read_digests(json_object(request, "digests").get("digests")))
        return self.bad_digests(request)

    def _audience(self, request: Request) -> Audience:
        audience = self._world.audiences.get(request.arguments["segment_id"])
        if audience is None:
            raise Refusal(404, "there is no such segment")
        return audience

    def _told(self, audience: Audience) -> dict[str, Any]:
        audience.process(self._world.clock.time(), self._world.options)
        counts = {schema: len(members) for schema, members in audience.members.items()}
        return {**audience.as_json(), "members": counts}


def read_digests(listed: Any) -> list[bytes]:
    """Digests of a list in hexadecimal. Raises `Refusal` (400)."""
    try:
        digests = [bytes.fromhex(text) for text in listed]
    except (TypeError, ValueError) as error:
        raise Refusal(400, "digests are a list of texts in hexadecimal") from error
    if any(len(digest) != DIGEST_SIZE for digest in digests):
        raise Refusal(400, "a digest has 64 hexadecimal digits")
    return digests


def _named(given: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(given.get("name"), str):
        raise Refusal(400, "name is required")
    return given


def _lines(runs: list[bytes]) -> Iterator[bytes]:
    for run in runs:
        if run:
            yield run.hex("\n", DIGEST_SIZE).encode("ascii") + b"\n"
