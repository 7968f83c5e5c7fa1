"""Each way to authenticate against the strict service, and that credentials go to it alone."""

from __future__ import annotations

from base64 import b64encode

import pytest

from acme_service import Acme, acme_service
from cdp_core import CredentialsRejected, ServiceFailed, ServiceIdentity
from cdp_core.errors import Code, ReconnectFault, TemporaryFault
from cdp_core.oauth.session import ConnectionSession, with_renewal
from cdp_core.simulate import redirect
from cdp_webhook.destination import who_am_i

from .conftest import connected

SECRET = "s3cret-of-the-app"


def ask(acme: Acme, **given: str) -> ServiceIdentity:
    with connected(acme, **given) as connection:
        return who_am_i(connection)


def client(acme: Acme, **more: str) -> dict[str, str]:
    return {
        "auth": "client-credentials",
        "token_url": f"{acme.url}/token",
        "client_id": "cdp-exporter",
        "client_secret": SECRET,
        "scope": "audiences.write",
        **more,
    }


def test_basic(acme: Acme) -> None:
    acme.authorization = f"Basic {b64encode(f'ann:{SECRET}'.encode()).decode()}"
    assert ask(acme, auth="basic", username="ann", password=SECRET).name == "Acme account 7"
    with pytest.raises(CredentialsRejected):
        ask(acme, auth="basic", username="ann", password="wrong")


def test_bearer(acme: Acme) -> None:
    acme.authorization = f"Bearer {SECRET}"
    assert ask(acme, auth="bearer", token=SECRET).name == "Acme account 7"
    with pytest.raises(CredentialsRejected):
        ask(acme)


def test_an_api_key_in_a_header(acme: Acme) -> None:
    acme.key = ("X-Acme-Key", SECRET)
    assert ask(acme, auth="api-key", api_key=SECRET, api_key_name="X-Acme-Key").name == "Acme account 7"


def test_an_api_key_in_the_query_is_quoted(acme: Acme) -> None:
    acme.query_key = ("key", "a&b=c")
    found = ask(acme, auth="api-key", api_key="a&b=c", api_key_name="key", api_key_place="query")
    assert found.name == "Acme account 7"


@pytest.mark.parametrize("in_body", ["false", "true"])
def test_client_credentials_ask_for_one_token(acme: Acme, in_body: str) -> None:
    acme.client_in_body = in_body == "true"
    with connected(acme, **client(acme, client_in_body=in_body)) as connection:
        who_am_i(connection)
        who_am_i(connection)
    assert acme.tokens == ["access-0"]


def test_a_token_that_ended_is_asked_for_anew(acme: Acme) -> None:
    acme.token_life = 0
    with connected(acme, **client(acme)) as connection:
        who_am_i(connection)
        who_am_i(connection)
    assert len(acme.tokens) == 2


def test_a_token_that_is_turned_down_is_renewed_once(acme: Acme) -> None:
    with connected(acme, **client(acme)) as connection:
        who_am_i(connection)
        acme.tokens.append("another")
        assert isinstance(connection.http, ConnectionSession)
        assert with_renewal(connection.http, lambda: who_am_i(connection)).name == "Acme account 7"
        acme.authorization = "Bearer nobody's"
        with pytest.raises(ReconnectFault, match="credentials"):
            with_renewal(connection.http, lambda: who_am_i(connection))


def test_a_client_that_is_not_known_must_be_mended(acme: Acme) -> None:
    with pytest.raises(ReconnectFault, match="invalid_client") as caught:
        ask(acme, **client(acme, client_secret="wrong"))
    assert caught.value.code is Code.CLIENT_REFUSED
    assert caught.value.hint == "look at client_secret"
    assert "wrong" not in str(caught.value)


def test_a_token_endpoint_that_is_down_is_asked_again_and_then_said(acme: Acme) -> None:
    acme.fault("status:route=token,status=503,count=2")
    assert ask(acme, **client(acme)).name == "Acme account 7"
    acme.fault("status:route=token,status=503,count=20")
    with pytest.raises(TemporaryFault, match="503"):
        ask(acme, **client(acme))


def test_a_redirect_is_not_followed_and_carries_nothing(acme: Acme) -> None:
    with acme_service() as elsewhere:
        assert acme.app is not None
        route = next(route for _, route in acme.app.routes._routes if route.name == "me")
        object.__setattr__(route, "handler", lambda request: redirect(f"{elsewhere.url}/v1/me"))
        with pytest.raises(ServiceFailed, match="redirect, which is not followed"):
            ask(acme, auth="bearer", token=SECRET)
        assert elsewhere.seen == []


def test_no_fault_holds_the_key_of_a_query(acme: Acme) -> None:
    acme.fault("cut-after:route=me")
    with pytest.raises(Exception, match="cut the connection") as caught:
        ask(acme, auth="api-key", api_key=SECRET, api_key_name="key", api_key_place="query")
    chain = f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}"
    assert SECRET not in chain
