"""The simulated API's audiences: listed, created, changed, deleted, and filled with users."""

from __future__ import annotations

from typing import Any

from cdp_core.simulate import Answer, Refusal, Request, Route
from cdp_snapchat.simulator.audience import CUSTOMER_LIST, Audience
from cdp_snapchat.simulator.entities import Entities
from cdp_snapchat.simulator.envelopes import API, NO_ACCESS, NOT_FOUND, Envelopes
from cdp_snapchat.simulator.membership import split_digests
from cdp_snapchat.simulator.segments_body import changed_segment, new_segment, segment_entries
from cdp_snapchat.simulator.users_body import read_users
from cdp_snapchat.simulator.world import AdAccount, World

MOST_AUDIENCES = 1000


class Segments:
    def __init__(self, world: World, entities: Entities, envelopes: Envelopes) -> None:
        self._world = world
        self._entities = entities
        self._envelopes = envelopes

    def routes(self) -> list[Route]:
        of_account, one = f"{API}/adaccounts/{{ad_account_id}}/segments", f"{API}/segments/{{segment_id}}"
        users, all_users = f"{one}/users", f"{one}/all_users"
        return [
            Route(name="list-segments", method="GET", pattern=of_account, handler=self.list_page),
            Route(
                name="create-segment", method="POST", pattern=of_account, handler=self.create, takes="json"
            ),
            Route(name="update-segment", method="PUT", pattern=of_account, handler=self.update, takes="json"),
            Route(name="get-segment", method="GET", pattern=one, handler=self.get),
            Route(name="delete-segment", method="DELETE", pattern=one, handler=self.delete),
            Route(name="add-users", method="POST", pattern=users, handler=self.add_users, takes="json"),
            Route(
                name="remove-users", method="DELETE", pattern=users, handler=self.remove_users, takes="json"
            ),
            Route(name="remove-all-users", method="DELETE", pattern=all_users, handler=self.remove_all_users),
        ]

    def list_page(self, request: Request) -> Answer:
        account = self._entities.ad_account(request)
        with self._world.lock:
            found = [(one.number, one.as_json()) for one in self._world.audiences_of(account.id)]
        return self._envelopes.listing(request, "segment", found)

    def create(self, request: Request) -> Answer:
        account = self._entities.ad_account(request, writes=True)
        new = [new_segment(entry, account.id) for entry in segment_entries(request.json())]
        with self._world.lock:
            if len(self._world.audiences_of(account.id)) + len(new) > MOST_AUDIENCES:
                raise Refusal(400, f"an ad account has at most {MOST_AUDIENCES} custom audiences")
            created = [self._world.create_audience(**entry).created_json() for entry in new]
        return self._envelopes.entities("segment", created, items=len(created))

    def update(self, request: Request) -> Answer:
        account = self._entities.ad_account(request, writes=True)
        entries = segment_entries(request.json())
        with self._world.lock:
            # All are checked before any is changed.
            changes = [self._change(entry, account) for entry in entries]
            for audience, changed in changes:
                for name, value in changed.items():
                    setattr(audience, name, value)
                audience.updated_at = self._world.clock.time()
            updated = [audience.as_json() for audience, _ in changes]
        return self._envelopes.entities("segment", updated, items=len(updated))

    def get(self, request: Request) -> Answer:
        with self._world.lock:
            return self._envelopes.entities("segment", [self._entities.audience(request).as_json()])

    def delete(self, request: Request) -> Answer:
        with self._world.lock:
            del self._world.audiences[self._entities.audience(request, writes=True).id]
        return self._envelopes.entities("segment", [], word="SUCCESS")

    def add_users(self, request: Request) -> Answer:
        return self._change_users(request, adds=True)

    def remove_users(self, request: Request) -> Answer:
        return self._change_users(request, adds=False)

    def remove_all_users(self, request: Request) -> Answer:
        with self._world.lock:
            audience = self._customer_list(request)
            audience.empty(self._world.clock.time())
            return self._envelopes.entities("segment", [audience.as_json()], word="SUCCESS")

    def _change_users(self, request: Request, *, adds: bool) -> Answer:
        audience = self._customer_list(request)
        # Parsing is most of the work, and needs no lock.
        users = read_users(request.body)
        world, now = self._world, self._world.clock.time()
        if now < audience.fresh_until:
            return self._not_yet()
        if world.bad_digests and not world.bad_digests.isdisjoint(split_digests(users.digests)):
            raise Refusal(400, "the data holds a value that is not accepted")
        with world.lock:
            audience.upload(users.schema, users.digests, now, adds=adds)
        answer = {"number_uploaded_users": users.count}
        return self._envelopes.entities("user", [answer], word="SUCCESS", items=users.count)

    def _customer_list(self, request: Request) -> Audience:
        audience = self._entities.audience(request, writes=True)
        if audience.source_type != CUSTOMER_LIST:
            raise Refusal(400, f"only a {CUSTOMER_LIST} segment takes users")
        return audience

    def _not_yet(self) -> Answer:
        status = self._world.options.new_audience_status
        if status == 200:
            return self._envelopes.failed_within("users")
        raise Refusal(status, "the segment does not take users yet", code=NO_ACCESS if status == 404 else "")

    def _change(self, entry: dict[str, Any], account: AdAccount) -> tuple[Audience, dict[str, Any]]:
        audience = self._world.audiences.get(str(entry.get("id", "")))
        if audience is None or audience.ad_account_id != account.id:
            raise Refusal(404, "the ad account has no such segment", code=NOT_FOUND)
        return audience, changed_segment(entry, audience, self._world.options)
