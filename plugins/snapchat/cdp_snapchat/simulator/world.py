"""The state behind the simulated API: one user's organizations, ad accounts and audiences.

What is called a segment on the wire is an audience here, as everywhere in this framework.
"""

from __future__ import annotations

import itertools
import random
import threading
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from cdp_core.simulate import Clock
from cdp_snapchat.simulator.audience import CUSTOMER_LIST, Audience
from cdp_snapchat.simulator.options import Options

ORGANIZATION_ID = "40d6719b-da09-410b-9185-0cc9c0dfed1d"
AD_ACCOUNT_ID = "8adc3db7-8148-4fbf-999c-8d2266369d74"
AUDIENCE_ID = "5677923948298240"
LOOKALIKE_ID = "5688000000000001"

# What the signed-in user may do with an ad account.
Access = Literal["data-manager", "reader", "none"]


@dataclass(slots=True, kw_only=True)
class Organization:
    id: str
    name: str
    member: bool = True

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "type": "ENTERPRISE", "state": "ACTIVE"}


@dataclass(slots=True, kw_only=True)
class AdAccount:
    id: str
    name: str
    organization_id: str
    access: Access = "data-manager"

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "type": "PARTNER",
            "status": "ACTIVE",
            "organization_id": self.organization_id,
            "currency": "USD",
            "timezone": "America/Los_Angeles",
            "advertiser": self.name,
        }


class World:
    """Everything that the signed-in user has, changed and read under `lock`."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options = options
        self.clock = clock
        self.lock = threading.RLock()
        # Ids and tokens that nobody can guess, unless a seed asks for the same ones each time.
        self._random = random.SystemRandom() if options.seed is None else random.Random(options.seed)  # noqa: S311
        self.user_id = "a22b5575-4ba7-40fb-9a5e-3c0e1c5d7e21"
        self.organizations: dict[str, Organization] = {}
        self.ad_accounts: dict[str, AdAccount] = {}
        self.audiences: dict[str, Audience] = {}
        self.bad_digests: set[bytes] = set(options.bad_digests)
        self._numbers = itertools.count(1)
        self.add_organization("Demo organization", id=ORGANIZATION_ID)
        self.add_ad_account("Demo ad account", id=AD_ACCOUNT_ID)
        self.add_audience("Demo customers", id=AUDIENCE_ID)
        self.add_audience("Demo lookalike", id=LOOKALIKE_ID, source_type="LOOKALIKE")

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def token(self) -> str:
        return f"{self._random.getrandbits(256):064x}"

    def add_organization(self, name: str, *, id: str = "", member: bool = True) -> Organization:  # noqa: A002
        organization = Organization(id=id or self.uuid(), name=name, member=member)
        with self.lock:
            self.organizations[organization.id] = organization
        return organization

    def add_ad_account(
        self,
        name: str,
        *,
        id: str = "",  # noqa: A002 (the service's own word, here and below)
        organization_id: str = ORGANIZATION_ID,
        access: Access = "data-manager",
    ) -> AdAccount:
        account = AdAccount(id=id or self.uuid(), name=name, organization_id=organization_id, access=access)
        with self.lock:
            self.ad_accounts[account.id] = account
        return account

    def add_audience(
        self,
        name: str,
        *,
        id: str = "",  # noqa: A002
        ad_account_id: str = AD_ACCOUNT_ID,
        description: str = "",
        source_type: str = CUSTOMER_LIST,
        retention_in_days: int = 180,
    ) -> Audience:
        """An audience that has been there for long."""
        with self.lock:
            audience = Audience(
                id=id or str(self._random.randrange(10**15, 10**16)),
                number=next(self._numbers),
                ad_account_id=ad_account_id,
                organization_id=self.ad_accounts[ad_account_id].organization_id,
                name=name,
                description=description,
                source_type=source_type,
                retention_in_days=retention_in_days,
            )
            self.audiences[audience.id] = audience
        return audience

    def create_audience(self, **given: Any) -> Audience:
        """An audience that is new, and takes users only after the time that the options say."""
        audience = self.add_audience(**given)
        audience.created_at = audience.updated_at = self.clock.time()
        audience.fresh_until = audience.created_at + self.options.new_audience_seconds
        return audience

    def audiences_of(self, ad_account_id: str) -> list[Audience]:
        """Processed as far as they are by now, in the order of their creation."""
        with self.lock:
            found = [one for one in self.audiences.values() if one.ad_account_id == ad_account_id]
            for audience in found:
                audience.process(self.clock.time(), self.options)
            return found
