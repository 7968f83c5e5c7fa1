"""Faulty destinations: each breaks one rule of the suite, which must find it; and one that breaks none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import marshmallow
import requests
from bench import LIMIT, OPERATIONS, Bench, BenchOfRows, ConnectionSettings, ListSettings
from marshmallow import fields, validate

import cdp_core
from cdp_core import Batch, Capabilities, Operation, Receipt

_idle: list[threading.Event] = []


class _CutsWhatIsAbove(Bench):
    def deliver(self, batch: Batch) -> Receipt:
        return super().deliver(replace(batch, digests=batch.digests.slice(0, LIMIT)))


class _AddsNobody(Bench):
    def deliver(self, batch: Batch) -> Receipt:
        return Receipt(accepted=True, request_id="r-0", http_status=200)


class _RemovesNobody(Bench):
    def deliver(self, batch: Batch) -> Receipt:
        if batch.operation is Operation.REMOVE:
            return Receipt(accepted=True, request_id="r-0", http_status=200)
        return super().deliver(batch)


class _EmptiesNobody(Bench):
    def remove_all(self) -> Receipt:
        return Receipt(accepted=True, request_id="r-0", http_status=200)


class _CanEmptyInSecret(Bench):
    def remove_all(self) -> Receipt:
        return self.receipt(self.send("POST", "/remove-all", {}))


class _ClaimsPlacesThatAreNotThere(Bench):
    def receipt(self, response: requests.Response) -> Receipt:
        return replace(super().receipt(response), refused={99: "bad"})


class _TakesEveryFailureForOne(Bench):
    def answered(self, response: requests.Response) -> Mapping[str, Any]:
        if response.status_code != 200:
            raise cdp_core.ServiceFailed("it failed", http_status=response.status_code)
        return super().answered(response)


class _ForgetsHowLong(Bench):
    def waits(self, told: str | None) -> float | None:
        return None


class _RaisesWhereItIsAnswered(Bench):
    def receipt(self, response: requests.Response) -> Receipt:
        if response.status_code == 400:
            raise cdp_core.ServiceFailed("it failed", http_status=400)
        return super().receipt(response)


class _TakesAnyAnswer(Bench):
    def receipt(self, response: requests.Response) -> Receipt:
        if response.status_code == 200:
            return Receipt(accepted=True, http_status=200)
        return super().receipt(response)


class _TakesNoAnswerForOne(Bench):
    def deliver(self, batch: Batch) -> Receipt:
        try:
            return super().deliver(batch)
        except (cdp_core.Unanswered, cdp_core.ServiceFailed):
            return Receipt(accepted=True)


class _WaitsForEver(Bench):
    timeout = 100_000.0


class _DoesNotKnowThatNothingLeft(Bench):
    def lost(self, failure: requests.RequestException) -> cdp_core.DestinationFault:
        return cdp_core.Unanswered("no answer")


class _GoesItsOwnWay(Bench):
    """The core's session follows nothing: this one has another."""

    def send(self, method: str, path: str, body: Any) -> requests.Response:
        url = f"{self.base}/lists/{self.list_id}{path}"
        own = {"X-List-Key": self.key.reveal()}
        return requests.request(method, url, json=body, timeout=self.timeout, headers=own)


class _SaysWhoTheyAre(Bench):
    def headers(self) -> dict[str, str]:
        return {"X-Note": self.note}


class _ShowsItsKey(Bench):
    def __repr__(self) -> str:
        return f"Bench({self.key.reveal()})"


class _QuotesItsKey(Bench):
    def answered(self, response: requests.Response) -> Mapping[str, Any]:
        if response.status_code == 403:
            raise cdp_core.RightsRefused(f"{self.key.reveal()} may not", http_status=403)
        return super().answered(response)


class _RepeatsWhatIsSaid(Bench):
    def words(self, said: str) -> str:
        return said


class _KeepsItsKey(Bench):
    def deliver(self, batch: Batch) -> Receipt:
        Path(self.note).write_text(self.key.reveal())
        return super().deliver(batch)


class _LeavesAThread(Bench):
    def deliver(self, batch: Batch) -> Receipt:
        idle = threading.Event()
        _idle.append(idle)
        threading.Thread(target=idle.wait, daemon=True).start()
        return super().deliver(batch)


class _LeavesASocket(Bench):
    def deliver(self, batch: Batch) -> Receipt:
        session = requests.Session()
        _idle.append(session)  # type: ignore[arg-type]
        session.get(self.base, timeout=5)
        return super().deliver(batch)


class _KnowsRowsByTheirKey(BenchOfRows):
    def row_id(self, record: bytes) -> str:
        return record[:16].hex()


class _Upper(fields.String):
    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return str(value).upper()


class _Shouts(ListSettings):
    audience_id = _Upper(required=True, metadata={"label": "List", "help": "The list's id."})


class _SaysNothing(ListSettings):
    audience_id = fields.String(required=True)


class _TakesAnything(ListSettings):
    class Meta:
        unknown = marshmallow.EXCLUDE


class _AsksForAddresses(ListSettings):
    sample_email = fields.String(load_default="", metadata={"label": "Sample", "help": "Somebody's address."})


class _TakesLess(ConnectionSettings):
    note = fields.String(
        load_default="", validate=validate.Length(max=9), metadata={"label": "Note", "help": "In a word."}
    )


class _OpenKey(ConnectionSettings):
    password = fields.String(load_default="", metadata={"label": "Password", "help": "Shown to everybody."})


_ABLE = Capabilities(operations=OPERATIONS, batch_limit=LIMIT)
_OF_ROWS = replace(_ABLE, payload="records")
_EMPTIES = replace(_ABLE, operations=frozenset(Operation), while_emptied="Nobody is there for a moment.")


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """`fails` are the tests that must find it; `service` how its stand-in is odd."""

    fails: tuple[str, ...] = ()
    build: type[Bench] = Bench
    connection: type[marshmallow.Schema] = ConnectionSettings
    export: type[marshmallow.Schema] = ListSettings
    able: Capabilities = _ABLE
    consent: bool = True
    service: Mapping[str, bool] = field(default_factory=dict)
    note: Callable[[Path], str] = lambda _folder: ""

    @property
    def takes_rows(self) -> bool:
        return self.able.payload == "records"


MUTANTS: Mapping[str, Mutant] = {
    "no-batches": Mutant(
        fails=("test_the_plan_can_be_made_by_what_it_declares",), able=replace(_ABLE, concurrency=0)
    ),
    "limit-too-high": Mutant(
        fails=("test_a_batch_at_the_limit_is_taken_whole",), able=replace(_ABLE, batch_limit=2 * LIMIT)
    ),
    "cuts-batches": Mutant(
        fails=("test_a_batch_above_the_limit_is_never_taken_in_part",), build=_CutsWhatIsAbove
    ),
    "adds-nobody": Mutant(fails=("test_who_is_added_is_there",), build=_AddsNobody),
    "removes-nobody": Mutant(
        fails=("test_who_is_removed_is_gone_and_nobody_else", "test_an_audience_follows_its_segment"),
        build=_RemovesNobody,
    ),
    "knows-rows-by-key": Mutant(
        fails=("test_who_changes_is_there_as_they_are_now",), build=_KnowsRowsByTheirKey, able=_OF_ROWS
    ),
    "empties-nobody": Mutant(fails=("test_emptying_empties",), build=_EmptiesNobody, able=_EMPTIES),
    "empties-undeclared": Mutant(fails=("test_what_it_declares_is_what_it_does",), build=_CanEmptyInSecret),
    "declares-emptying": Mutant(fails=("test_what_it_declares_is_what_it_does",), able=_EMPTIES),
    "doubles": Mutant(
        fails=("test_sending_again_is_harmless", "test_a_crash_loses_and_doubles_nobody"),
        service={"doubles": True},
    ),
    "refuses-known": Mutant(fails=("test_sending_again_is_harmless",), service={"refuses_known": True}),
    "claims-too-much": Mutant(
        fails=("test_a_receipt_says_no_more_than_the_service",), build=_ClaimsPlacesThatAreNotThere
    ),
    "one-failure-for-all": Mutant(
        fails=(
            "test_a_failure_is_the_fault_that_tells_the_core_what_to_do",
            "test_credentials_that_are_turned_down_stop_a_run",
        ),
        build=_TakesEveryFailureForOne,
    ),
    "forgets-how-long": Mutant(fails=("test_how_long_to_wait_is_handed_on",), build=_ForgetsHowLong),
    "raises-answers": Mutant(
        fails=("test_a_batch_that_is_not_taken_is_a_receipt",), build=_RaisesWhereItIsAnswered
    ),
    "takes-any-answer": Mutant(
        fails=("test_a_page_where_an_answer_should_be_is_no_success",), build=_TakesAnyAnswer
    ),
    "takes-no-answer": Mutant(
        fails=("test_an_answer_that_does_not_come_is_unknown", "test_failures_on_the_way_cost_nobody"),
        build=_TakesNoAnswerForOne,
    ),
    "waits-for-ever": Mutant(
        fails=("test_an_answer_that_is_late_is_not_waited_for_without_end",), build=_WaitsForEver
    ),
    "never-sent-unknown": Mutant(
        fails=("test_a_request_that_cannot_leave_was_never_sent",), build=_DoesNotKnowThatNothingLeft
    ),
    "follows-redirects": Mutant(fails=("test_a_redirect_takes_nothing_along",), build=_GoesItsOwnWay),
    "sends-raw": Mutant(
        fails=("test_nothing_raw_is_on_the_wire",),
        build=_SaysWhoTheyAre,
        note=lambda _folder: "Person1@Example.org",
    ),
    "shows-its-key": Mutant(fails=("test_no_secret_shows",), build=_ShowsItsKey),
    "quotes-its-key": Mutant(fails=("test_no_secret_shows",), build=_QuotesItsKey),
    "repeats-what-is-said": Mutant(fails=("test_no_secret_shows",), build=_RepeatsWhatIsSaid),
    "keeps-its-key": Mutant(
        fails=("test_nothing_is_kept_of_them_in_the_workspace",),
        build=_KeepsItsKey,
        note=lambda folder: str(folder / ".cdp" / "kept.txt"),
    ),
    "leaves-a-thread": Mutant(fails=("test_no_thread_or_socket_is_left_behind",), build=_LeavesAThread),
    "leaves-a-socket": Mutant(fails=("test_no_thread_or_socket_is_left_behind",), build=_LeavesASocket),
    "settings-change": Mutant(fails=("test_settings_come_back_as_they_were_given",), export=_Shouts),
    "settings-say-nothing": Mutant(fails=("test_every_setting_says_what_it_is",), export=_SaysNothing),
    "settings-take-anything": Mutant(
        fails=("test_a_setting_that_there_is_not_is_refused",), export=_TakesAnything
    ),
    "settings-take-less": Mutant(
        fails=("test_settings_break_nobody_who_has_set_them",), connection=_TakesLess
    ),
    "open-password": Mutant(fails=("test_a_secret_is_declared_one",), connection=_OpenKey),
    "no-consent": Mutant(fails=("test_consent_is_asked_for",), consent=False),
    "asks-for-addresses": Mutant(fails=("test_no_raw_identifier_is_asked_for",), export=_AsksForAddresses),
}


REGISTERED = {"none": Mutant(), **MUTANTS}


def _key(name: str) -> str:
    return f"mutant-{name}"


@cdp_core.hookimpl
def cdp_connection_types() -> Sequence[cdp_core.ConnectionType]:
    return [
        cdp_core.ConnectionType(
            key=_key(name),
            label=name,
            settings_schema=mutant.connection,
            verify=lambda _context: cdp_core.ServiceIdentity(name="the list"),
            origin=lambda settings: cdp_core.origin_of(settings["api_url"]),
            credentials=lambda settings: cdp_core.ApiKey(name="X-List-Key", key=settings["api_key"]),
        )
        for name, mutant in REGISTERED.items()
    ]


@cdp_core.hookimpl
def cdp_export_destinations() -> Sequence[cdp_core.DestinationSpec]:
    return [
        cdp_core.DestinationSpec(
            key=_key(name),
            label=name,
            connection_type=_key(name),
            settings_schema=mutant.export,
            matching=(cdp_core.MatchingRule(kind="EMAIL"),),
            capabilities=mutant.able,
            factory=mutant.build,
            batch_size_setting="batch_size",
        )
        for name, mutant in REGISTERED.items()
    ]


@cdp_core.hookimpl
def cdp_consent_prompts(connection_type: str, locale: str) -> Sequence[cdp_core.ConsentPrompt]:
    mutant = REGISTERED.get(connection_type.removeprefix("mutant-"))
    if mutant is None or not mutant.consent:
        return []
    text = "The list's service keeps members for thirty days."
    return [cdp_core.ConsentPrompt(key="list.terms", version="1", title="The list's terms", text=text)]
