"""What each answer means, asked of a real server that answers so."""

from __future__ import annotations

import hashlib

import pytest

from acme_service import AUDIENCE, Acme
from cdp_core import (
    AudienceGone,
    Batch,
    CredentialsRejected,
    DestinationFault,
    DigestBlock,
    NeverSent,
    Operation,
    RightsRefused,
    ServiceFailed,
    Throttled,
    Unanswered,
)
from cdp_webhook.answers import at, number_at
from cdp_webhook.destination import who_am_i

from .conftest import audience, connected


def batch(count: int = 5, operation: Operation = Operation.ADD) -> Batch:
    digests = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(count))
    return Batch(operation=operation, kind="EMAIL", digests=DigestBlock(digests))


def test_members_are_added_and_taken_out(acme: Acme) -> None:
    with connected(acme) as connection:
        to = audience(connection)
        added = to.deliver(batch())
        assert acme.held() == set(batch().digests)
        assert (added.accepted, added.request_id, added.http_status, added.message) == (True, "r-1", 200, "")
        assert acme.bodies[0]["type"] == "email_sha256"
        assert to.audience_status().approximate_number_users == 5
        assert to.deliver(batch(3, Operation.REMOVE)).accepted
        assert len(acme.held()) == 2


def test_a_record_that_is_refused_is_told_with_its_place_and_reason(acme: Acme) -> None:
    third = list(batch().digests)[2]
    acme.bad.add(third.hex())
    with connected(acme) as connection:
        receipt = audience(connection).deliver(batch())
    assert receipt.accepted
    assert receipt.refused == {2: "not a hash of ours"}
    assert receipt.message == ""


def test_a_count_that_differs_is_said(acme: Acme) -> None:
    acme.fault("status:route=add,status=200", '{"status": "ok", "result": {"accepted": 4}}')
    with connected(acme) as connection:
        assert audience(connection).deliver(batch()).message == "the service counted 4 of 5 records"


@pytest.mark.parametrize(
    ("fault", "body", "meant"),
    [
        ("status:route=add,status=401", None, CredentialsRejected),
        ("status:route=add,status=403", None, RightsRefused),
        ("status:route=add,status=404", None, AudienceGone),
        ("status:route=add,status=410", None, AudienceGone),
        ("status:route=add,status=408", None, ServiceFailed),
        ("status:route=add,status=429", None, Throttled),
        ("status:route=add,status=500", None, ServiceFailed),
        ("status:route=add,status=302", None, ServiceFailed),
        ("status:route=add,status=200", "<html>", ServiceFailed),
        ("status:route=add,status=200", '{"result": {}}', ServiceFailed),
        ("status:route=add,status=200", '{"status": "ok", "result": {"errors": ["x"]}}', ServiceFailed),
        ("cut-before:route=add", None, Unanswered),
        ("cut-after:route=add", None, Unanswered),
    ],
)
def test_what_is_no_answer_to_the_content_is_a_fault(
    acme: Acme, fault: str, body: str | None, meant: type[DestinationFault]
) -> None:
    acme.fault(fault, body)
    with connected(acme) as connection, pytest.raises(meant):
        audience(connection).deliver(batch())


@pytest.mark.parametrize(
    ("status", "body"), [(400, None), (200, '{"status": "failed", "error": "bad list"}')]
)
def test_a_refusal_for_the_content_is_a_receipt(acme: Acme, status: int, body: str | None) -> None:
    acme.fault(f"status:route=add,status={status}", body)
    with connected(acme) as connection:
        receipt = audience(connection).deliver(batch())
    assert not receipt.accepted
    assert receipt.message.startswith("the service answered ")


def test_an_address_that_nobody_listens_at_is_never_sent_to(acme: Acme) -> None:
    with (
        connected(acme, api_url="http://127.0.0.1:9") as connection,
        pytest.raises(NeverSent, match=r"127\.0\.0\.1:9 cannot be reached"),
    ):
        audience(connection).deliver(batch())


def test_the_service_is_asked_who_one_is_where_the_settings_say_how(acme: Acme) -> None:
    with connected(acme) as connection:
        assert who_am_i(connection).name == "Acme account 7"
    with connected(acme, verify_path="") as connection:
        assert who_am_i(connection).unasked == "the connection has no verify_path"
    with connected(acme) as connection:
        assert who_am_i(connection).unasked == ""


def test_an_audience_that_is_not_there_is_told_before_anything_is_sent(acme: Acme) -> None:
    with connected(acme) as connection:
        assert audience(connection).verify().name == "Loyal customers"
        with pytest.raises(AudienceGone):
            audience(connection, "another").verify()
    with connected(acme, audience_path="") as connection:
        assert audience(connection, "another").verify().id == "another"


def test_an_id_with_slashes_stays_one_part_of_the_path(acme: Acme) -> None:
    acme.members["a/../b?c"] = set()
    with connected(acme) as connection:
        audience(connection, "a/../b?c").deliver(batch())
    assert len(acme.members["a/../b?c"]) == 5
    assert not acme.held()


def test_removal_may_have_a_path_and_a_body_of_its_own(acme: Acme) -> None:
    with connected(
        acme,
        remove_method="POST",
        remove_path="/v1/audiences/$audience_id/members?do=$operation",
        remove_body='{"type": "x", "operation": "add", "count": "$count", "hashes": "$digests"}',
    ) as connection:
        assert audience(connection).deliver(batch(2, Operation.REMOVE)).accepted
    assert acme.seen[-1].query() == {"do": "remove"}
    assert AUDIENCE in acme.seen[-1].path


def test_what_a_service_echoes_of_our_secrets_and_digests_is_masked(acme: Acme) -> None:
    echo = (
        f'{{"status": "no", "error": "key s3cret-key, {batch(1).digests.joined_hex("")}, ann@mail.example"}}'
    )
    acme.fault("status:route=add,status=400", echo)
    with connected(acme, auth="api-key", api_key="s3cret-key") as connection:
        said = audience(connection).deliver(batch()).message
    assert "s3cret-key" not in said
    assert batch(1).digests.joined_hex("") not in said
    assert "ann@" not in said


def test_a_sign_that_is_a_digit_and_no_number_is_none() -> None:
    assert number_at({"accepted": "²"}, "accepted") is None
    assert at([1, 2, 3], "²") is at({}, "nothing")
