"""Finds what a path names and whether the signed-in user may do with it what the request would."""

from __future__ import annotations

import re

from cdp_core.simulate import Refusal, Request
from cdp_snapchat.simulator.audience import Audience
from cdp_snapchat.simulator.envelopes import NO_PERMISSION, NOT_FOUND
from cdp_snapchat.simulator.world import AdAccount, Organization, World

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_NUMERIC = re.compile(r"[0-9]+")


class Entities:
    """Each raises `Refusal`: 400 for an id of the wrong kind, 404 for nothing there, 403 for no right."""

    def __init__(self, world: World) -> None:
        self._world = world

    def organization(self, request: Request) -> Organization:
        organization = self._world.organizations.get(_uuid(request, "organization_id"))
        if organization is None:
            raise Refusal(404, "there is no such organization", code=NOT_FOUND)
        if not organization.member:
            raise Refusal(403, "not a member of the organization", code=NO_PERMISSION)
        return organization

    def ad_account(self, request: Request, *, writes: bool = False) -> AdAccount:
        return self._permitted(_uuid(request, "ad_account_id"), writes=writes)

    def audience(self, request: Request, *, writes: bool = False) -> Audience:
        """The audience, with the processing of its last upload finished if its time has come."""
        segment_id = request.arguments["segment_id"]
        if _NUMERIC.fullmatch(segment_id) is None:
            raise Refusal(400, "a segment's id is numeric")
        with self._world.lock:
            audience = self._world.audiences.get(segment_id)
            if audience is None:
                raise Refusal(404, "there is no such segment", code=NOT_FOUND)
            self._permitted(audience.ad_account_id, writes=writes)
            audience.process(self._world.clock.time(), self._world.options)
            return audience

    def _permitted(self, ad_account_id: str, *, writes: bool) -> AdAccount:
        account = self._world.ad_accounts.get(ad_account_id)
        if account is None:
            raise Refusal(404, "there is no such ad account", code=NOT_FOUND)
        if account.access == "none" or (writes and account.access != "data-manager"):
            raise Refusal(403, "the user's role does not allow it", code=NO_PERMISSION)
        return account


def _uuid(request: Request, name: str) -> str:
    value = request.arguments[name]
    if _UUID.fullmatch(value) is None:
        raise Refusal(400, f"{name} is not a UUID")
    return value.lower()
