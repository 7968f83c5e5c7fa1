"""The simulated Marketing API: who is let in, how often, and who one is. Audiences are next door."""

from __future__ import annotations

from cdp_core.simulate import Answer, Limit, Refusal, Request, Route, json_answer
from cdp_snapchat.simulator.entities import Entities
from cdp_snapchat.simulator.envelopes import API, Envelopes
from cdp_snapchat.simulator.segments import Segments
from cdp_snapchat.simulator.tokens import Tokens
from cdp_snapchat.simulator.world import ORGANIZATION_ID, World

PER_TOKEN = 10.0
PER_APP = 20.0


class MarketingApi:
    def __init__(self, world: World, tokens: Tokens, envelopes: Envelopes) -> None:
        self._world = world
        self._tokens = tokens
        self._envelopes = envelopes
        self._entities = Entities(world)
        self._segments = Segments(world, self._entities, envelopes)

    def routes(self) -> list[Route]:
        account = f"{API}/adaccounts/{{ad_account_id}}"
        accounts = f"{API}/organizations/{{organization_id}}/adaccounts"
        return [
            Route(name="me", method="GET", pattern=f"{API}/me", handler=self.me),
            Route(
                name="list-organizations",
                method="GET",
                pattern=f"{API}/me/organizations",
                handler=self.list_organizations,
            ),
            Route(name="list-ad-accounts", method="GET", pattern=accounts, handler=self.list_ad_accounts),
            Route(name="get-ad-account", method="GET", pattern=account, handler=self.get_ad_account),
            *self._segments.routes(),
        ]

    def limits(self) -> list[Limit]:
        def access_token(request: Request) -> str | None:
            return request.bearer if request.path.startswith(API) else None

        def app(request: Request) -> str | None:
            return "the app" if request.path.startswith(API) else None

        return [
            Limit(name="access token", per_second=PER_TOKEN, key=access_token),
            Limit(name="app", per_second=PER_APP, key=app),
        ]

    def admit(self, request: Request) -> None:
        """Raises `Refusal`: 401 without a good access token, 406 if JSON is not accepted."""
        if not request.path.startswith(API):
            return
        if request.bearer is None or not self._tokens.is_good(request.bearer):
            raise Refusal(401, "unauthorized")
        accepted = request.headers.get("accept", "*/*").lower()
        if not any(kind in accepted for kind in ("application/json", "application/*", "*/*")):
            raise Refusal(406, "the answer is JSON")

    def me(self, _request: Request) -> Answer:
        user = {
            "id": self._world.user_id,
            "email": "demo@example.com",
            "organization_id": ORGANIZATION_ID,
            "display_name": "Demo User",
            "snapchat_username": "demo-user",
            "member_status": "MEMBER",
        }
        return json_answer({"me": user})

    def list_organizations(self, request: Request) -> Answer:
        with self._world.lock:
            own = [one.as_json() for one in self._world.organizations.values() if one.member]
        return self._envelopes.listing(request, "organization", list(enumerate(own, 1)))

    def list_ad_accounts(self, request: Request) -> Answer:
        organization = self._entities.organization(request)
        with self._world.lock:
            accounts = [
                one.as_json()
                for one in self._world.ad_accounts.values()
                if one.organization_id == organization.id and one.access != "none"
            ]
        return self._envelopes.listing(request, "adaccount", list(enumerate(accounts, 1)))

    def get_ad_account(self, request: Request) -> Answer:
        return self._envelopes.entities("adaccount", [self._entities.ad_account(request).as_json()])
