"""What comes back from a sign-in page is told apart, and nothing foreign gets through."""

from __future__ import annotations

import pytest

from cdp_core.errors import Code, ReconnectFault
from cdp_core.oauth.redirect import can_listen, code_of, is_answer, with_port

STATE = "s-1"


def read(url: str) -> str:
    return code_of(url, state=STATE, where='connection "X"', hint="again").reveal()


@pytest.mark.parametrize(
    "pasted",
    [
        "https://example.com/callback?code=abc&state=s-1",
        "  'http://127.0.0.1:8721/callback?state=s-1&code=abc'  ",
        "https://example.com/callback?code=abc&st\n  ate=s-1#_=_",
        "code=abc&state=s-1",
    ],
)
def test_the_code_is_found_however_the_url_was_pasted(pasted: str) -> None:
    assert read(pasted) == "abc"


@pytest.mark.parametrize(
    "url",
    [
        "https://e.com/cb?code=abc&state=other",
        "https://e.com/cb?code=abc",
        "https://e.com/cb?state=s-1",
        "https://e.com/cb?error=access_denied&state=other",
        "nonsense",
        "",
        "https://e.com/cb?" + "&".join(f"a{n}=1" for n in range(99)),
    ],
)
def test_an_answer_to_something_else_is_refused(url: str) -> None:
    with pytest.raises(ReconnectFault) as fault:
        read(url)
    assert fault.value.code is Code.SIGN_IN_STATE
    assert "abc" not in str(fault.value)


@pytest.mark.parametrize("pasted", ["nonsense", "", "https://e.com/cb", "https://e.com/cb?state=s-1"])
def test_what_is_no_answer_is_not_called_a_forged_one(pasted: str) -> None:
    with pytest.raises(ReconnectFault, match="neither a code nor an error") as fault:
        read(pasted)
    assert "whole address" in fault.value.hint


@pytest.mark.parametrize("state", ["&state=s-1", ""])
def test_a_denial_is_called_one(state: str) -> None:
    with pytest.raises(ReconnectFault) as fault:
        read(f"https://e.com/cb?error=access_denied&error_description=The+user+said+no{state}")
    assert fault.value.code is Code.SIGN_IN_DENIED
    assert "The user said no" in fault.value.message


def test_another_error_quotes_the_service_on_one_harmless_line() -> None:
    with pytest.raises(ReconnectFault) as fault:
        read(
            "https://e.com/cb?error=invalid_scope&error_description=no%1b%5b31m%0ascope"
            + "x" * 900
            + "&state=s-1"
        )
    assert fault.value.code is Code.SIGN_IN_REFUSED
    assert fault.value.message.isprintable()
    assert len(fault.value.message) < 300


def test_only_a_plain_loopback_address_is_listened_on() -> None:
    assert can_listen("http://127.0.0.1:8721/callback")
    assert can_listen("http://localhost:8721/")
    assert not can_listen("https://127.0.0.1:8721/callback")
    assert not can_listen("https://example.com/callback")


def test_a_stray_request_is_no_answer() -> None:
    assert not is_answer("/favicon.ico")
    assert not is_answer("/callback")
    assert is_answer("/callback?error=x")


def test_only_port_zero_is_replaced() -> None:
    assert with_port("http://127.0.0.1:0/callback", 5000) == "http://127.0.0.1:5000/callback"
    assert with_port("http://[::1]:0", 5000) == "http://[::1]:5000"
    assert with_port("http://127.0.0.1:80/a:0/", 5000) == "http://127.0.0.1:80/a:5000/"
