"""A mailing list that does all as it should, and the stand-in of its service: what mutants are made from."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from marshmallow import fields

from cdp_core import (
    Audience,
    AudienceGone,
    Batch,
    CredentialsRejected,
    Destination,
    DestinationContext,
    DestinationFault,
    NewAudience,
    Operation,
    Receipt,
    RightsRefused,
    SecretField,
    ServiceFailed,
    ServiceUrl,
    SettingsSchema,
    Throttled,
    lost_on_the_way,
    quoted,
)
from cdp_core.contract.settings_snapshot import recorded, text_of
from cdp_core.simulate import App, Refusal, Request, Route, json_answer, running

LIMIT = 40
# Too short for the session to mask it where the service says it back: that is left to the plugin.
KEY = "k-s3cret"
LIST = "list-1"


class ConnectionSettings(SettingsSchema):
    api_url = fields.String(
        required=True, validate=ServiceUrl(), metadata={"label": "API", "help": "Where the service is."}
    )
    api_key = SecretField(required=True, metadata={"label": "API key", "help": "From the account's page."})
    note = fields.String(load_default="", metadata={"label": "Note", "help": "What mutants are told by."})


class ListSettings(SettingsSchema):
    audience_id = fields.String(required=True, metadata={"label": "List", "help": "The list's id."})
    batch_size = fields.Integer(load_default=LIMIT, metadata={"label": "Batch", "help": "Digests at once."})


def released(key: str, folder: Path) -> Path:
    """The settings of the list as if they had been released under a mutant's key."""
    kept = folder / "settings_snapshot.json"
    kept.write_text(text_of(recorded({key: ConnectionSettings}, {key: ListSettings})))
    return kept


class Bench(Destination):
    """Each mutant changes one of these methods."""

    timeout: float | None = 10.0

    def __init__(self, context: DestinationContext) -> None:
        self.base = str(context.connection.settings["api_url"])
        self.note = str(context.connection.settings["note"])
        self.key = context.connection.settings["api_key"]
        self.http = context.connection.http
        self.list_id = str(context.settings["audience_id"])

    def verify(self) -> Audience:
        return self.audience_status()

    def audiences(self) -> Iterator[Audience]:
        raise NotImplementedError

    def create_audience(self, request: NewAudience) -> Audience:
        raise NotImplementedError

    def audience_status(self) -> Audience:
        self.answered(self.send("GET", "", None))
        return Audience(id=self.list_id)

    def deliver(self, batch: Batch) -> Receipt:
        digests = [digest.hex() for digest in batch.digests]
        return self.receipt(self.send("POST", f"/{batch.operation}", {"digests": digests}))

    def send(self, method: str, path: str, body: Any) -> requests.Response:
        url = f"{self.base}/lists/{self.list_id}{path}"
        try:
            return self.http.request(
                method,
                url,
                json=body,
                timeout=self.timeout,
                allow_redirects=False,
                headers=self.headers(),
            )
        except requests.RequestException as failure:
            raise self.lost(failure) from None

    def headers(self) -> dict[str, str]:
        return {}

    def lost(self, failure: requests.RequestException) -> DestinationFault:
        return lost_on_the_way(failure, "the list's service")

    def receipt(self, response: requests.Response) -> Receipt:
        if response.status_code == 400:
            said = str(response.json().get("error", "no reason was given"))
            return Receipt(accepted=False, http_status=400, message=self.words(said))
        return Receipt(
            accepted=True,
            request_id=str(self.answered(response)["request"]),
            http_status=response.status_code,
        )

    def words(self, said: str) -> str:
        return quoted(said, [self.key.reveal()])

    def answered(self, response: requests.Response) -> Mapping[str, Any]:
        """The answer's document; raises the fault that it is."""
        status = response.status_code
        message = f"the service answered {status}"
        if status == 429:
            wait = response.headers.get("Retry-After")
            raise Throttled(message, http_status=status, retry_after=self.waits(wait))
        faults = {401: CredentialsRejected, 403: RightsRefused, 404: AudienceGone, 410: AudienceGone}
        if status != 200:
            raise faults.get(status, ServiceFailed)(message, http_status=status)
        try:
            document: Mapping[str, Any] = response.json()
        except requests.JSONDecodeError:
            raise ServiceFailed("the answer is not JSON", http_status=status) from None
        return document

    def waits(self, told: str | None) -> float | None:
        return float(told) if told else None


class BenchOfRows(Bench):
    """The same for whole rows, which the service knows by an id of ours."""

    def deliver(self, batch: Batch) -> Receipt:
        ids = [self.row_id(record) for record in batch.digests]
        rows = batch.rows.to_pylist() if batch.rows is not None else []
        body = {"rows": [{"id": each, **row} for each, row in zip(ids, rows, strict=True)]}
        return self.receipt(self.send("POST", f"/{batch.operation}-rows", body))

    def row_id(self, record: bytes) -> str:
        return record.hex()


@dataclass
class Service:
    """The strict stand-in: a list, whom it lets in, and what it holds. `doubles`: adding somebody who is
    there adds them once more; `refuses_known`: that is refused."""

    doubles: bool = False
    refuses_known: bool = False
    held: list[bytes] = field(default_factory=list)
    rows: dict[str, tuple[str | None, ...]] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)
    requests: int = 0

    def routes(self) -> Iterator[Route]:
        yield Route(name="show", method="GET", pattern="/lists/{list}", handler=self._show)
        for name, handler in (
            ("add", self._add),
            ("remove", self._remove),
            ("remove-all", self._empty),
            ("add-rows", self._add_rows),
            ("remove-rows", self._remove_rows),
        ):
            pattern = f"/lists/{{list}}/{name}"
            yield Route(name=name, method="POST", pattern=pattern, handler=handler, takes="json")

    @staticmethod
    def admit(request: Request) -> None:
        if request.headers.get("x-list-key") != KEY:
            raise Refusal(401, "the key is wrong")

    def _show(self, request: Request) -> Any:
        if request.arguments["list"] != LIST:
            raise Refusal(404, "there is no such list")
        return json_answer({"id": LIST})

    def _digests(self, request: Request) -> list[bytes]:
        digests = request.json()["digests"]
        if len(digests) > LIMIT:
            raise Refusal(400, f"more than {LIMIT} digests")
        return [bytes.fromhex(digest) for digest in digests]

    def _add(self, request: Request) -> Any:
        with self.guard:
            for digest in self._digests(request):
                if digest in self.held and self.refuses_known:
                    raise Refusal(400, "somebody is there already")
                if digest not in self.held or self.doubles:
                    self.held.append(digest)
        return self._done()

    def _remove(self, request: Request) -> Any:
        with self.guard:
            gone = set(self._digests(request))
            self.held[:] = [digest for digest in self.held if digest not in gone]
        return self._done()

    def _add_rows(self, request: Request) -> Any:
        with self.guard:
            self.rows.update({row.pop("id"): tuple(row.values()) for row in request.json()["rows"]})
        return self._done()

    def _remove_rows(self, request: Request) -> Any:
        with self.guard:
            for row in request.json()["rows"]:
                self.rows.pop(row["id"], None)
        return self._done()

    def _empty(self, request: Request) -> Any:
        with self.guard:
            self.held.clear()
        return self._done()

    def _done(self) -> Any:
        self.requests += 1
        return json_answer({"request": f"r-{self.requests}"})


@contextmanager
def service(*, doubles: bool = False, refuses_known: bool = False) -> Iterator[tuple[Service, App, str]]:
    """The service, its app, and where it listens."""
    made = Service(doubles=doubles, refuses_known=refuses_known)
    app = App(made.routes(), name="List", admit=made.admit)
    with running(app) as server:
        yield made, app, server.url


OPERATIONS = frozenset({Operation.ADD, Operation.REMOVE})
