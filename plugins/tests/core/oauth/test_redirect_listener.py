"""The loopback listener takes one answer over real HTTP, ignores strays, and leaves no socket behind."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from cdp_core.errors import Code, InvalidFault, ReconnectFault
from cdp_core.model.secret import Secret
from cdp_core.oauth.listener import RedirectListener
from cdp_core.oauth.redirect import code_of

FREE = "http://127.0.0.1:0/callback"


def read(url: str) -> Secret:
    return code_of(url, state="s", where="here", hint="again")


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def is_open(uri: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(uri).port or 0)) == 0


def test_the_code_arrives_and_the_page_says_that_the_window_can_be_closed(browser: requests.Session) -> None:
    with RedirectListener(FREE, read=read) as listener:
        page = browser.get(f"{listener.redirect_uri}?code=abc&state=s", timeout=5)
        code = listener.wait(5)
    assert code is not None
    assert code.reveal() == "abc"
    assert page.status_code == 200
    assert "close this window" in page.text
    assert "abc" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert not is_open(listener.redirect_uri)


def test_a_wrong_state_is_refused_on_the_page_and_in_the_terminal(browser: requests.Session) -> None:
    with RedirectListener(FREE, read=read) as listener:
        page = browser.get(f"{listener.redirect_uri}?code=abc&state=other", timeout=5)
        with pytest.raises(ReconnectFault) as fault:
            listener.wait(5)
    assert fault.value.code is Code.SIGN_IN_STATE
    assert page.status_code == 400
    assert "state" in page.text


def test_words_of_the_service_are_escaped_on_the_page(browser: requests.Session) -> None:
    with RedirectListener(FREE, read=read) as listener:
        page = browser.get(f"{listener.redirect_uri}?error=<script>alert(1)</script>&state=s", timeout=5)
        with pytest.raises(ReconnectFault):
            listener.wait(5)
    assert "<script>" not in page.text


def test_stray_requests_are_answered_and_ignored(browser: requests.Session) -> None:
    with RedirectListener(FREE, read=read) as listener:
        base = listener.redirect_uri.removesuffix("/callback")
        assert browser.get(f"{base}/favicon.ico", timeout=5).status_code == 404
        assert browser.get(f"{base}/other?code=abc&state=s", timeout=5).status_code == 404
        assert browser.get(f"{base}/callback", timeout=5).status_code == 404
        assert browser.post(f"{base}/callback?code=abc&state=s", timeout=5).status_code == 501
        browser.get(f"{base}/callback?code=right&state=s", timeout=5)
        code = listener.wait(5)
    assert code is not None
    assert code.reveal() == "right"


def test_a_connection_on_which_nobody_speaks_holds_nothing_up(browser: requests.Session) -> None:
    with RedirectListener(FREE, read=read) as listener:
        port = urlsplit(listener.redirect_uri).port or 0
        with socket.create_connection(("127.0.0.1", port)) as silent:
            browser.get(f"{listener.redirect_uri}?code=abc&state=s", timeout=5)
            assert listener.wait(5) is not None
            listener.__exit__(None, None, None)
            assert silent.recv(1) == b""


def test_only_the_first_answer_counts(browser: requests.Session) -> None:
    with RedirectListener(FREE, read=read) as listener:
        browser.get(f"{listener.redirect_uri}?code=first&state=s", timeout=5)
        again = browser.get(f"{listener.redirect_uri}?code=second&state=s", timeout=5)
        code = listener.wait(5)
    assert again.status_code == 410
    assert code is not None
    assert code.reveal() == "first"


def test_silence_ends_the_wait_and_closes_the_socket() -> None:
    with RedirectListener(FREE, read=read) as listener:
        assert is_open(listener.redirect_uri)
        assert listener.wait(0.05) is None
    assert not is_open(listener.redirect_uri)


def test_the_socket_is_closed_when_the_wait_is_interrupted() -> None:
    listener = RedirectListener(FREE, read=read)
    with pytest.raises(KeyboardInterrupt), listener:
        raise KeyboardInterrupt
    assert not is_open(listener.redirect_uri)


def test_a_port_in_use_is_named_with_a_way_out() -> None:
    with (
        RedirectListener(FREE, read=read) as first,
        pytest.raises(InvalidFault, match="cannot listen on http") as fault,
    ):
        RedirectListener(first.redirect_uri, read=read)
    assert "--paste" in fault.value.hint


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_it_listens_on_loopback_only(host: str) -> None:
    with RedirectListener(f"http://{host}:0/callback", read=read) as listener:
        assert listener.redirect_uri.startswith(f"http://{host}:")
        assert listener._server.server_address[0] == "127.0.0.1"
