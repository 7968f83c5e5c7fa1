"""Each row of the table of answers: what the service says to a batch, and what that means here."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cdp_core.contract import wording
from cdp_core.contract.destination import Batch, ConnectionContext
from cdp_core.contract.digests import DigestBlock
from cdp_core.contract.faults import (
    LONGEST_RETRY_AFTER,
    AudienceGone,
    CredentialsRejected,
    DestinationFault,
    NeverSent,
    RightsRefused,
    ServiceFailed,
    Throttled,
    Unanswered,
)
from cdp_core.contract.transport import Transport
from cdp_core.model.delivery import Operation
from cdp_core.oauth.session import ConnectionSession
from cdp_core.simulate import Fault
from cdp_snapchat.answers import Refused, read_answer
from cdp_snapchat.client import SnapchatClient
from cdp_snapchat.destination import SnapchatAudience
from cdp_snapchat.simulator import AUDIENCE_ID, SnapchatSimulator, snapchat_simulator

Digests = Callable[..., DigestBlock]
Injected = tuple[str, Mapping[str, Any]]


def batch(digests: DigestBlock, operation: Operation = Operation.ADD) -> Batch:
    return Batch(operation=operation, kind="EMAIL", digests=digests)


def fault_of(audience: SnapchatAudience, digests: Digests) -> DestinationFault:
    with pytest.raises(DestinationFault) as fault:
        audience.deliver(batch(digests(1)))
    return fault.value


FAULTS: list[tuple[Injected, type[DestinationFault]]] = [
    (("unauthorized", {}), CredentialsRejected),
    (("status", {"status": 401}), CredentialsRejected),
    (("forbidden", {}), RightsRefused),
    (("html", {"status": 403}), RightsRefused),
    (("not-found", {}), AudienceGone),
    (("gone", {}), AudienceGone),
    (("throttled", {}), Throttled),
    (("unavailable", {}), ServiceFailed),
    (("status", {"status": 500}), ServiceFailed),
    (("status", {"status": 504, "body": ""}), ServiceFailed),
    (("status", {"status": 408}), ServiceFailed),
    (("status", {"status": 302, "body": ""}), ServiceFailed),
    (("html", {}), ServiceFailed),
    (("html", {"status": 200}), ServiceFailed),
    (("body", {"body": ""}), ServiceFailed),
    (("body", {"body": "[]"}), ServiceFailed),
    (("body", {"body": "{}"}), ServiceFailed),
    (("body", {"body": '{"request_status": "SOMETHING_NEW"}'}), ServiceFailed),
    (("body", {"body": '{"request_status": null}'}), ServiceFailed),
    (("body", {"body": "[" * 100_000}), ServiceFailed),
    (("error-in-200", {}), RightsRefused),
    (("sub-error-in-200", {}), RightsRefused),
    (("status", {"status": 400, "body": '{"error_code": "E3002"}'}), RightsRefused),
    (("status", {"status": 400, "body": '{"error_code": "e3003"}'}), AudienceGone),
    (("body", {"body": '{"request_status": "error", "debug_message": "E3003: not found"}'}), AudienceGone),
    (("cut-request", {}), Unanswered),
    (("cut-before", {}), Unanswered),
    (("cut-after", {}), Unanswered),
    (("cut-answer", {}), Unanswered),
]


@pytest.mark.parametrize(("injected", "kind"), FAULTS)
def test_an_answer_that_is_no_receipt_is_a_fault_of_its_kind(
    audience: SnapchatAudience,
    simulator: SnapchatSimulator,
    digests: Digests,
    injected: Injected,
    kind: type[DestinationFault],
) -> None:
    simulator.fault(injected[0], route="add-users", **injected[1])
    raised = fault_of(audience, digests)
    assert type(raised) is kind
    assert raised.message.isprintable()


REFUSALS: list[tuple[Injected, int]] = [
    (("data-error-in-200", {}), 200),
    (("body", {"body": '{"request_status": "Error"}'}), 200),
    (("body", {"body": '{"request_status":"SUCCESS","users":[{"sub_request_status":"error"}]}'}), 200),
    *((("status", {"status": status}), status) for status in (400, 405, 406, 409, 413, 418, 422)),
    (("status", {"status": 400, "body": "not JSON at all"}), 400),
    (("status", {"status": 400, "body": '{"error_code": "E2023"}'}), 400),
]


@pytest.mark.parametrize(("injected", "status"), REFUSALS)
def test_a_refusal_for_the_content_is_a_receipt(
    audience: SnapchatAudience,
    simulator: SnapchatSimulator,
    digests: Digests,
    injected: Injected,
    status: int,
) -> None:
    simulator.fault(injected[0], route="add-users", **injected[1])
    receipt = audience.deliver(batch(digests(1)))
    assert not receipt.accepted
    assert receipt.http_status == status
    assert receipt.message.startswith(f"Snapchat answered {status}")
    assert simulator.members(AUDIENCE_ID) == set()


def test_a_refusal_gives_the_services_reason_and_request_id(
    audience: SnapchatAudience, simulator: SnapchatSimulator, digests: Digests
) -> None:
    simulator.fault("data-error-in-200", route="add-users")
    receipt = audience.deliver(batch(digests(1)))
    assert "Invalid user data" in receipt.message
    assert receipt.request_id == "98e2a602-0000-4000-8000-000000000000"


@pytest.mark.parametrize("case", ["SUCCESS", "success", "Success"])
def test_success_is_success_in_any_case(
    audience: SnapchatAudience, simulator: SnapchatSimulator, digests: Digests, case: str
) -> None:
    body = {"request_status": case, "users": [{"sub_request_status": case.swapcase(), "user": {}}]}
    simulator.fault("body", route="add-users", body=json.dumps(body))
    assert audience.deliver(batch(digests(1))).accepted


def test_a_count_that_differs_is_told(
    audience: SnapchatAudience, simulator: SnapchatSimulator, digests: Digests
) -> None:
    user = {"sub_request_status": "SUCCESS", "user": {"number_uploaded_users": 1}}
    body = json.dumps({"request_status": "SUCCESS", "users": [user]})
    simulator.fault("body", route="add-users", body=body, count=2)
    assert audience.deliver(batch(digests(1))).message == ""
    assert audience.deliver(batch(digests(1, 2))).message == "Snapchat counted 1 of 2 users"


def retry_after(client: SnapchatClient, simulator: SnapchatSimulator, header: str) -> float | None:
    simulator.fault(Fault(name="slow", route="me", status=429, headers={"Retry-After": header}))
    with pytest.raises(Throttled) as throttled:
        client.me()
    return throttled.value.retry_after


def test_retry_after_is_read_as_seconds_or_as_a_date(
    client: SnapchatClient, simulator: SnapchatSimulator
) -> None:
    assert retry_after(client, simulator, "7") == 7.0
    assert retry_after(client, simulator, "2.5") == 2.5
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    assert 200 < (retry_after(client, simulator, soon) or 0) <= 300
    # Nobody is kept waiting for years.
    late = format_datetime(datetime.now(UTC).replace(year=2100), usegmt=True)
    assert retry_after(client, simulator, late) == LONGEST_RETRY_AFTER
    assert retry_after(client, simulator, "Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after(client, simulator, "soon") is None
    assert retry_after(client, simulator, "-5") is None
    assert retry_after(client, simulator, f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT") is None


def test_silence_after_sending_leaves_the_outcome_open(
    connection: ConnectionContext, simulator: SnapchatSimulator, digests: Digests
) -> None:
    impatient = SnapchatClient(
        connection.http, api_url=simulator.api_url, timeout=(2, 0.2), clock=connection.clock
    )
    simulator.fault("stall", route="add-users", seconds=0.6)
    with pytest.raises(Unanswered, match="in time"):
        impatient.change_users(AUDIENCE_ID, Operation.ADD, "EMAIL_SHA256", digests(1))


@pytest.mark.parametrize(
    "api_url", ["http://127.0.0.1:9/v1", "https://no-such-host.invalid/v1", "http://127.0.0.1:99999/v1"]
)
def test_what_never_left_is_told_apart(
    connection: ConnectionContext, api_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    lonely = SnapchatClient(connection.http, api_url=api_url, timeout=(2, 2), clock=connection.clock)
    with pytest.raises(NeverSent):
        lonely.me()


def test_a_connect_time_out_and_a_dead_proxy_mean_never_sent(
    connection: ConnectionContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(*_: Any, **__: Any) -> requests.Response:
        raise requests.ConnectTimeout("no answer")

    client = SnapchatClient(
        connection.http, api_url="https://api.example", timeout=(2, 2), clock=connection.clock
    )
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(NeverSent, match=r"the proxy on the way to api\.example"):
        client.me()
    monkeypatch.setattr(connection.http, "request", give_up)
    with pytest.raises(NeverSent):
        client.me()


def test_a_cut_behind_a_proxy_that_took_the_request_leaves_the_outcome_open(
    connection: ConnectionContext,
) -> None:
    """urllib3 calls it a fault of the proxy; the service may have had the request all the same."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def swallow() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(65536)

        thread = threading.Thread(target=swallow)
        thread.start()
        way = Transport(proxy=f"http://127.0.0.1:{server.getsockname()[1]}")
        with ConnectionSession(origin="http://127.0.0.1:9", tokens=None, transport=way) as session:
            client = SnapchatClient(
                session, api_url="http://127.0.0.1:9/v1", timeout=(2, 2), clock=connection.clock
            )
            with pytest.raises(Unanswered):
                client.me()
        thread.join()


def test_an_untrusted_certificate_means_never_sent(connection: ConnectionContext, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with (
        snapchat_simulator(tls=context) as simulator,
        ConnectionSession(origin=simulator.api_url, tokens=None) as session,
    ):
        client = SnapchatClient(session, api_url=simulator.api_url, timeout=(2, 2), clock=connection.clock)
        with pytest.raises(NeverSent, match=r"certificate .* is not trusted"):
            client.me()
        assert simulator.requests() == []


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "server.pem", folder / "server.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file


def test_an_answer_that_cannot_be_decoded_is_the_services_fault(connection: ConnectionContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        with pytest.raises(ServiceFailed, match="decoded"):
            SnapchatClient(connection.http, api_url=url, timeout=(2, 2), clock=connection.clock).me()
        thread.join()


def answered(status: int, body: bytes) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = status, body
    return response


def test_only_the_call_whose_example_has_no_status_may_go_without(client: SnapchatClient) -> None:
    bare = answered(200, b'{"me": {}}')
    assert read_answer(bare, clock=lambda: 0.0, has_status=False).document == {"me": {}}
    with pytest.raises(ServiceFailed):
        read_answer(bare, clock=lambda: 0.0)
    with pytest.raises(Refused):
        read_answer(answered(200, b'{"request_status": "ERROR"}'), clock=lambda: 0.0, has_status=False)


HOSTILE = "\x1b[31mred\x1b]0;title\x07 \x00null \u202egnp.exe\r\n" + "long " * 500


def test_service_texts_are_made_harmless_and_short() -> None:
    body = json.dumps({"request_status": "ERROR", "debug_message": HOSTILE, "request_id": HOSTILE}).encode()
    with pytest.raises(Refused) as refused:
        read_answer(answered(400, body), clock=lambda: 0.0)
    assert refused.value.message.isprintable()
    assert len(refused.value.message) <= wording.LONGEST
    assert refused.value.request_id.isprintable()
    assert len(refused.value.request_id) <= 100


def test_what_a_service_echoes_of_people_and_tokens_is_masked() -> None:
    digest = "ab" * 32
    said = wording.quoted(f"bad {digest} of Ann.Lee@example.com with Bearer 0.MGQ.x and k-1", ["k-1"])
    for echoed in (digest, "Ann", "example.com", "MGQ", "k-1"):
        assert echoed not in said


def test_no_token_is_in_a_log_a_fault_or_its_traceback(
    audience: SnapchatAudience,
    simulator: SnapchatSimulator,
    digests: Digests,
    access_token: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = json.dumps({"request_status": "ERROR", "debug_message": f"Bearer {access_token} is not known"})
    simulator.fault("cut-after", route="add-users")
    with pytest.raises(Unanswered) as cut:
        audience.deliver(batch(digests(1)))
    # The first frame is this test's own, which knows the token.
    below = traceback.TracebackException(cut.type, cut.value, cut.tb.tb_next, capture_locals=True)
    simulator.fault("status", route="add-users", status=403, body=echo)
    refused = fault_of(audience, digests)
    seen = [
        caplog.text,
        *below.format(),
        repr(cut.value),
        repr(refused),
        repr(audience),
        repr(vars(audience)),
    ]
    assert access_token not in "".join(seen)
    assert cut.value.__context__ is None
    assert "is not known" in refused.message
