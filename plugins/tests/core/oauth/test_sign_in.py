"""A sign-in from page to token, both ways of bringing the code back, and each way it can fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from cdp_core.contract.connection import SignInFault
from cdp_core.errors import Code, ReconnectFault, TemporaryFault, UsageFault
from cdp_core.oauth import sign_in as sign_in_module
from cdp_core.oauth.sign_in import SignIn


class Browser:
    """Follows the shown page as a person would: agrees, or answers with `answer`."""

    def __init__(self, answer: str = "code=abc&state={state}") -> None:
        self.answer = answer
        self.shown: list[str] = []
        self._visits: list[threading.Thread] = []

    def show(self, url: str) -> None:
        self.shown.append(url)
        asked = parse_qs(urlsplit(url).query)
        target = f"{asked['redirect_uri'][0]}?{self.answer.format(state=asked['state'][0])}"
        visit = threading.Thread(target=self._visit, args=(target,))
        self._visits.append(visit)
        visit.start()

    def _visit(self, target: str) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.get(target, timeout=5)

    def close(self) -> None:
        for visit in self._visits:
            visit.join()


@contextmanager
def browsing(answer: str = "code=abc&state={state}") -> Iterator[Browser]:
    browser = Browser(answer)
    try:
        yield browser
    finally:
        browser.close()


def signing_in(world: Any, **options: Any) -> SignIn:
    options.setdefault("sleep", world.slept.append)
    return SignIn(connection="Snapchat EU", oauth=world.service, settings={}, **options)


def test_the_listener_takes_the_code_and_the_service_gives_a_token(world: Any) -> None:
    with browsing() as browser:
        token = signing_in(world).run(show_url=browser.show, open_browser=False, ask_paste=None)
    assert token.access.reveal() == "access-for-abc"
    ((code, redirect_uri),) = world.service.exchanges
    assert code == "abc"
    # The exchange must name the very URI that the page was opened with.
    assert f"redirect_uri={redirect_uri}&" in browser.shown[0]
    assert ":0/" not in redirect_uri


def test_each_sign_in_has_a_state_of_its_own(world: Any) -> None:
    with browsing() as browser:
        for _ in range(2):
            signing_in(world).run(show_url=browser.show, open_browser=False, ask_paste=None)
    states = {parse_qs(urlsplit(url).query)["state"][0] for url in browser.shown}
    assert len(states) == 2
    assert all(len(state) >= 32 for state in states)


def test_a_pasted_url_does_as_well(world: Any) -> None:
    world.service.uri = "https://example.com/callback"
    shown: list[str] = []

    def paste() -> str:
        state = parse_qs(urlsplit(shown[0]).query)["state"][0]
        return f"https://example.com/callback?code=abc&state={state}\n"

    token = signing_in(world).run(show_url=shown.append, open_browser=False, ask_paste=paste)
    assert token.access.reveal() == "access-for-abc"
    assert world.service.exchanges == [("abc", "https://example.com/callback")]


def test_pasting_with_a_free_port_names_a_real_one(world: Any) -> None:
    shown: list[str] = []
    with pytest.raises(ReconnectFault):
        signing_in(world).run(
            show_url=shown.append, open_browser=False, ask_paste=lambda: "nothing", paste=True
        )
    redirect_uri = parse_qs(urlsplit(shown[0]).query)["redirect_uri"][0]
    assert (urlsplit(redirect_uri).port or 0) > 0


def test_where_nobody_can_be_asked_a_paste_is_a_usage_fault(world: Any) -> None:
    world.service.uri = "https://example.com/callback"
    with pytest.raises(UsageFault) as fault:
        signing_in(world).run(show_url=lambda url: None, open_browser=False, ask_paste=None)
    assert fault.value.code is Code.MISSING_VALUE


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("error=access_denied&state={state}", Code.SIGN_IN_DENIED),
        ("code=abc&state=forged", Code.SIGN_IN_STATE),
        ("error=invalid_scope&state={state}", Code.SIGN_IN_REFUSED),
    ],
)
def test_each_bad_answer_has_its_own_fault(world: Any, answer: str, code: Code) -> None:
    with browsing(answer) as browser, pytest.raises(ReconnectFault) as fault:
        signing_in(world).run(show_url=browser.show, open_browser=False, ask_paste=None)
    assert fault.value.code is code
    assert fault.value.where == 'connection "Snapchat EU"'
    assert 'cdp connection authenticate "Snapchat EU"' in fault.value.hint
    assert world.service.exchanges == []


def test_nobody_signs_in_in_time(world: Any) -> None:
    with pytest.raises(ReconnectFault) as fault:
        signing_in(world, timeout=0.05).run(show_url=lambda url: None, open_browser=False, ask_paste=None)
    assert fault.value.code is Code.SIGN_IN_TIMEOUT
    for what_to_look_at in ("client_id", "redirect URI is registered", "--paste"):
        assert what_to_look_at in fault.value.hint
    assert fault.value.hint.endswith('cdp connection authenticate "Snapchat EU"')


def test_a_refused_exchange_quotes_the_service(world: Any) -> None:
    world.service.faults = [SignInFault("invalid_client: client authentication failed", terminal=True)]
    with browsing() as browser, pytest.raises(ReconnectFault, match="client authentication failed") as fault:
        signing_in(world).run(show_url=browser.show, open_browser=False, ask_paste=None)
    assert fault.value.code is Code.SIGN_IN_REFUSED
    assert "client_secret" in fault.value.hint
    assert len(world.service.exchanges) == 1


def test_a_busy_service_is_asked_again_and_then_it_is_temporary(
    world: Any, busy: Callable[[], SignInFault]
) -> None:
    world.service.faults = [busy()]
    with browsing() as browser:
        signing_in(world).run(show_url=browser.show, open_browser=False, ask_paste=None)
        assert len(world.service.exchanges) == 2
        world.service.faults = [busy() for _ in range(9)]
        with pytest.raises(TemporaryFault) as fault:
            signing_in(world).run(show_url=browser.show, open_browser=False, ask_paste=None)
    assert fault.value.code is Code.SERVICE_UNREACHABLE
    assert world.slept == sorted(world.slept[:1]) + sorted(world.slept[1:])


def test_the_browser_is_opened_only_when_asked_and_only_where_there_is_one(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_url(url: str) -> bool:
        opened.append(url)
        return True

    def run(*, open_browser: bool) -> None:
        with browsing() as browser:
            signing_in(world, open_url=open_url).run(
                show_url=browser.show, open_browser=open_browser, ask_paste=None
            )

    monkeypatch.setattr(sign_in_module, "has_browser", lambda: True)
    run(open_browser=False)
    assert opened == []
    run(open_browser=True)
    assert len(opened) == 1
    monkeypatch.setattr(sign_in_module, "has_browser", lambda: False)
    run(open_browser=True)
    assert len(opened) == 1


def test_a_text_browser_is_never_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert not sign_in_module.has_browser()
    monkeypatch.setenv("DISPLAY", ":0")
    assert sign_in_module.has_browser()
