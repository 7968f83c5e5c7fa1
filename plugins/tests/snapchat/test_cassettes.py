"""The recorded scenes play with the network closed, as they do against the simulator, and hold no secret."""

from __future__ import annotations

import importlib.util
import re
import socket
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest

from cdp_core.oauth.session import ConnectionSession

HERE = Path(__file__).parent
CASSETTES = sorted((HERE / "cassettes").glob("*.yaml"))


def _recorder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("record_cassettes", HERE / "record_cassettes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


RECORDER = _recorder()
# What the simulator of `simulated` hands out, and what its user is called.
TOKEN = re.compile(r"\b[01]\.[0-9a-zA-Z]{20,}|\b(?!0{60})[0-9a-f]{64}\b")
SECRETS = ("demo-secret", "demo@example.com", "Authorization", "127.0.0.1", "localhost")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a test with a cassette went to the network")

    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_there_is_a_cassette_for_each_scene() -> None:
    assert {file.stem for file in CASSETTES} == set(RECORDER.SCENES)


@pytest.mark.parametrize("name", RECORDER.SCENES)
@pytest.mark.usefixtures("no_network")
def test_a_scene_plays_back_with_the_network_closed(name: str) -> None:
    settings = RECORDER.loaded(secret="a-secret")
    tape = RECORDER.tape("none")
    with (
        ConnectionSession(origin=settings["api_url"], tokens=RECORDER.GivenToken("a-token")) as http,
        tape.use_cassette(str(HERE / "cassettes" / f"{name}.yaml")) as cassette,
    ):
        stage = RECORDER.Stage(settings=settings, http=http, code="a-code")
        assert RECORDER.SCENES[name].play(stage) == RECORDER.SCENES[name].yields
        assert cassette.all_played


@pytest.mark.parametrize("name", RECORDER.SCENES)
def test_a_scene_plays_the_same_against_the_simulator_of_today(name: str) -> None:
    scene = RECORDER.SCENES[name]
    with RECORDER.simulated(scene.faults) as stage:
        assert scene.play(stage) == scene.yields


CHANGING = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<moment>"),
    (re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b\d{15,16}\b"), "<number>"),
    (re.compile(r"(?:cursor|state)=[^&\"\\s]+"), "<mark>"),
)


def _told(file: Path) -> str:
    """A cassette without what differs from one recording to the next: ids and times."""
    text = file.read_text(encoding="utf-8")
    for pattern, stands in CHANGING:
        text = pattern.sub(stands, text)
    return text


@pytest.mark.parametrize("name", RECORDER.SCENES)
def test_recorded_again_a_cassette_differs_only_in_ids_and_times(name: str, tmp_path: Path) -> None:
    assert _told(RECORDER.record(name, tmp_path)) == _told(HERE / "cassettes" / f"{name}.yaml")


def test_the_cassettes_hold_every_call_of_the_client() -> None:
    """A call is a method and a path, whatever its ids."""
    texts = "".join(file.read_text(encoding="utf-8") for file in CASSETTES)
    played = {
        (method, re.sub(r"/(?:[0-9a-f-]{36}|\d{15,16})(?=/|$)", "/{id}", path))
        for method, path in re.findall(
            r"method: (\w+)\n\s+uri: https://adsapi\.snapchat\.com/v1([^?\n]*)", texts
        )
    }
    assert played == {
        ("GET", "/me"),
        ("GET", "/me/organizations"),
        ("GET", "/organizations/{id}/adaccounts"),
        ("GET", "/adaccounts/{id}/segments"),
        ("POST", "/adaccounts/{id}/segments"),
        ("GET", "/segments/{id}"),
        ("POST", "/segments/{id}/users"),
        ("DELETE", "/segments/{id}/users"),
        ("DELETE", "/segments/{id}/all_users"),
    }


@pytest.mark.parametrize("file", CASSETTES, ids=lambda file: file.stem)
def test_a_cassette_says_what_it_was_recorded_against(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith("# Recorded against the simulator")


@pytest.mark.parametrize("file", CASSETTES, ids=lambda file: file.stem)
def test_no_secret_is_in_a_cassette(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not TOKEN.search(text)
    for secret in SECRETS:
        assert secret not in text
    for field in ("access_token", "refresh_token", "client_secret", "code", "email"):
        for value in re.findall(rf'(?:\b{field}=|"{field}": ")([^&"\n]*)', text):
            assert value == RECORDER.MASK


def test_recording_takes_every_secret_out(tmp_path: Path) -> None:
    """The search above would find one: the same scene without the cleaning has them."""
    recorded = RECORDER.record("sign_in", tmp_path).read_text(encoding="utf-8")
    assert not TOKEN.search(recorded)
    dirty = tmp_path / "dirty.yaml"
    with RECORDER.simulated() as stage, RECORDER.vcr.VCR(record_mode="all").use_cassette(str(dirty)):
        RECORDER.sign_in(stage)
    text = dirty.read_text(encoding="utf-8")
    assert TOKEN.search(text)
    assert "demo-secret" in text
