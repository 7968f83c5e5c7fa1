"""An audience at a service that the connection's settings describe, as the core's delivery sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from cdp_core import (
    Audience,
    Batch,
    ConnectionContext,
    Destination,
    DestinationContext,
    NewAudience,
    Operation,
    Receipt,
    ServiceIdentity,
    Transport,
    lost_on_the_way,
    origin_of,
)
from cdp_webhook.answers import AnswerRules, number_at, receipt, succeeded
from cdp_webhook.complaints import complaint
from cdp_webhook.schemas import fixed_headers, kind_names, origin
from cdp_webhook.template import Values, body_of, filled, path


class WebhookAudience(Destination):
    """One audience, by the id in the export's settings."""

    def __init__(self, context: DestinationContext) -> None:
        settings = context.connection.settings
        self._service = _Service(context.connection)
        self._origin = origin(settings)
        self._id = str(context.settings.get("audience_id", ""))
        self._settings = settings
        self._kinds = kind_names(settings["kind_names"])
        add, remove = body_of(settings["add_body"]), settings["remove_body"]
        self._bodies = {Operation.ADD: add, Operation.REMOVE: body_of(remove) if remove else add}
        self._paths = {
            Operation.ADD: settings["add_path"],
            Operation.REMOVE: settings["remove_path"] or settings["add_path"],
        }
        self._methods = {
            Operation.ADD: settings["add_method"],
            Operation.REMOVE: settings["remove_method"],
        }

    def verify(self) -> Audience:
        """Where the settings say how the service is asked for an audience, it is asked."""
        return self.audience_status()

    def audiences(self) -> Iterator[Audience]:
        raise NotImplementedError("the plugin declares that it lists no audiences")

    def create_audience(self, request: NewAudience) -> Audience:
        raise NotImplementedError("the plugin declares that it makes no audiences")

    def deliver(self, batch: Batch) -> Receipt:
        digests = tuple(digest.hex() for digest in batch.digests)
        values = Values(
            audience_id=self._id,
            kind=self._kinds.get(batch.kind, batch.kind),
            operation=str(batch.operation),
            digests=digests,
        )
        response = self._service.send(
            self._methods[batch.operation],
            path(self._paths[batch.operation], values),
            filled(self._bodies[batch.operation], values),
        )
        return receipt(response, self._service.rules, digests=digests, clock=self._service.clock)

    def audience_status(self) -> Audience:
        template = self._settings["audience_path"]
        if not template:
            return Audience(id=self._id, origin=self._origin)
        document = self._service.asked(path(template, Values(audience_id=self._id)))
        return Audience(
            id=self._id,
            name=self._service.rules.told(document, self._settings["audience_name_path"]),
            origin=self._origin,
            approximate_number_users=number_at(document, self._settings["audience_size_path"]),
        )


_UNASKED = complaint(
    "the connection has no verify_path",
    nl="de verbinding heeft geen verify_path",
    da="forbindelsen har ingen verify_path",
)


def who_am_i(connection: ConnectionContext) -> ServiceIdentity:
    """What the service says at `verify_path`; where there is none, only where the connection leads."""
    settings = connection.settings
    host = urlsplit(origin(settings)).netloc
    if not settings["verify_path"]:
        return ServiceIdentity(name=host, unasked=_UNASKED)
    service = _Service(connection)
    name = service.rules.told(service.asked(settings["verify_path"]), settings["verify_name_path"])
    return ServiceIdentity(name=name or host, details={"service": host} if name else {})


class _Service:
    """Sends each request once, to the connection's own origin; safe to use from several threads."""

    def __init__(self, connection: ConnectionContext) -> None:
        settings: Mapping[str, Any] = connection.settings
        self._http = connection.http
        self._base = str(settings["api_url"]).rstrip("/")
        self._timeout = (Transport.of(settings).connect_timeout, settings["timeout"])
        self._headers = {"Accept": "application/json", **fixed_headers(settings["headers"])}
        self.rules = AnswerRules.of(settings)
        self.clock = connection.clock

    def asked(self, where: str) -> Any:
        """The document that a GET yields."""
        return succeeded(self.send("GET", where), self.rules, clock=self.clock, shape=False)

    def send(self, method: str, where: str, body: bytes | None = None) -> requests.Response:
        url = f"{self._base}{where}"
        if origin_of(url) != origin_of(self._base):
            raise ValueError("The request would lead to another host than the connection's.")
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            return self._http.request(
                method, url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            )
        except requests.RequestException as failure:
            lost = lost_on_the_way(failure, urlsplit(self._base).netloc)
        # Raised here, unchained: the frames below hold the request's headers, and so the credentials.
        raise lost
