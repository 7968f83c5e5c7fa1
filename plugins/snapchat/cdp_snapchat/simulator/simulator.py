"""The simulator put together, and what tests ask of it besides HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cdp_core.simulate import App, Clock, Fault, LoggedRequest, running
from cdp_snapchat.simulator.accounts import Accounts
from cdp_snapchat.simulator.control import SnapchatControl
from cdp_snapchat.simulator.envelopes import ACCOUNTS, API, Envelopes
from cdp_snapchat.simulator.facts import facts_as_html
from cdp_snapchat.simulator.faults import SNAPCHAT_FAULTS
from cdp_snapchat.simulator.marketing import MarketingApi
from cdp_snapchat.simulator.options import Options
from cdp_snapchat.simulator.tokens import IssuedToken, Tokens
from cdp_snapchat.simulator.world import World


class SnapchatSimulator:
    """A simulated Snapchat; `app` is what a server serves, and `url` where, once it does."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.clock = Clock()
        self.world = World(self.options, self.clock)
        self.tokens = Tokens(self.options, self.world, self.clock)
        self.url = ""
        envelopes = Envelopes(self.world)
        api = MarketingApi(self.world, self.tokens, envelopes)
        control = SnapchatControl(self.world, self.tokens)
        routes = [
            *Accounts(self.options, self.tokens).routes(),
            *api.routes(),
            *control.routes(),
        ]
        self.app = App(
            routes,
            name="Snapchat simulator",
            limits=api.limits() if self.options.rate_limit else (),
            admit=api.admit,
            refuse=envelopes.refuse,
            latency=self.options.latency,
            seed=self.options.seed,
            clock=self.clock,
            fault_kinds=SNAPCHAT_FAULTS,
            state=control.state,
            notes=facts_as_html,
        )

    @property
    def api_url(self) -> str:
        return self.url + API

    @property
    def accounts_url(self) -> str:
        return self.url + ACCOUNTS

    def members(self, segment_id: str, schema: str = "EMAIL_SHA256") -> set[bytes]:
        """The 32-byte digests that the audience holds."""
        with self.world.lock:
            return set(self.world.audiences[segment_id].members[schema])

    def requests(self, route: str = "") -> list[LoggedRequest]:
        """What was asked of the service, oldest first; of one route if it is named."""
        return [one for one in self.app.log.requests() if route in ("", one.route)]

    def clear_requests(self) -> None:
        self.app.log.clear()

    def fault(self, fault: str | Fault, **options: Any) -> None:
        """Queues a fault: one of the catalogue by its name with options, `NAME:key=value,…`, or a `Fault`."""
        if isinstance(fault, str):
            catalogue = self.app.catalogue
            fault = catalogue.parse(fault) if ":" in fault else catalogue.make(fault, options)
        self.app.faults.add(fault)

    def clear_faults(self) -> None:
        self.app.faults.clear()

    def issue_token(self) -> IssuedToken:
        """A grant without a sign-in."""
        return self.tokens.issue()

    def tokens_in_use(self) -> set[str]:
        """Access and refresh tokens that are good now, for a test to look for where they must not be."""
        return self.tokens.in_use()

    def expire_tokens(self) -> None:
        self.tokens.expire()

    def revoke_tokens(self) -> None:
        self.tokens.revoke()

    def refuse_digests(self, *digests: bytes) -> None:
        """A request that holds one of them is refused whole; none given: all are taken again."""
        self.world.bad_digests = set(digests)


@contextmanager
def snapchat_simulator(
    *, port: int = 0, tls: ssl.SSLContext | None = None, **options: Any
) -> Iterator[SnapchatSimulator]:
    """A simulator on a loopback port (0: a free one) for as long as the block lasts; `options` are those
    of `Options`."""
    simulator = SnapchatSimulator(Options(**options))
    with running(simulator.app, port=port, tls=tls) as server:
        simulator.url = server.url
        yield simulator
