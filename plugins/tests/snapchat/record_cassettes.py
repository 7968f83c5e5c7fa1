"""Records `cassettes/*.yaml` against the simulator: `python plugins/tests/snapchat/record_cassettes.py`.

A cassette holds one scene: requests as the plugin makes them and the answers that it got. The scenes
and what each must yield are here, so that the tests play the same ones back with the network closed,
and against a fresh simulator, where a drift between the two shows. Hosts are written as Snapchat's own,
and secrets are taken out before anything is written.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

import requests
import vcr

from cdp_core.contract.destination import Batch, ConnectionContext, DestinationContext, NewAudience
from cdp_core.contract.digests import DigestBlock
from cdp_core.contract.faults import DestinationFault
from cdp_core.errors import Code, ReconnectFault
from cdp_core.model.delivery import Operation
from cdp_core.model.secret import Secret
from cdp_core.oauth.session import ConnectionSession
from cdp_snapchat.auth import SnapchatOAuth
from cdp_snapchat.destination import SnapchatAudience
from cdp_snapchat.identity import who_am_i
from cdp_snapchat.schemas import ConnectionSettings
from cdp_snapchat.simulator import AUDIENCE_ID, SnapchatSimulator, snapchat_simulator

FOLDER = Path(__file__).with_name("cassettes")
HEADER = """\
# Recorded against the simulator (cdp_snapchat.simulator), never against Snapchat itself;
# hosts are written as Snapchat's, secrets are taken out. Made by ../record_cassettes.py.
"""
MASK = "taken-out"
OFFICIAL = {"api_url": "https://adsapi.snapchat.com", "accounts_url": "https://accounts.snapchat.com"}
REDIRECT_URI = "https://example.com/callback"
SECRET_FIELDS = frozenset({"access_token", "refresh_token", "email"})
KEPT_HEADERS = frozenset({"content-type", "retry-after"})


class GivenToken:
    """A token source with one token."""

    def __init__(self, access: str) -> None:
        self._access = Secret(access)

    def current(self) -> Secret:
        return self._access

    def rejected(self, access: Secret) -> NoReturn:
        raise ReconnectFault(Code.RECONNECT, "the token is refused")

    def give_up(self, reason: str) -> NoReturn:
        raise ReconnectFault(Code.RECONNECT, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a scene plays on: the simulator, or a cassette behind the official addresses."""

    settings: Mapping[str, Any]
    http: ConnectionSession
    code: str

    @property
    def connection(self) -> ConnectionContext:
        return ConnectionContext(settings=self.settings, http=self.http, clock=time.time)

    @property
    def audience(self) -> SnapchatAudience:
        return SnapchatAudience(
            DestinationContext(connection=self.connection, settings={"audience_id": AUDIENCE_ID})
        )

    def deliver(self, operation: Operation) -> Any:
        digests = DigestBlock(b"".join(number.to_bytes(32, "big") for number in (1, 2)))
        try:
            return self.audience.deliver(Batch(operation=operation, kind="EMAIL", digests=digests))
        except DestinationFault as fault:
            return fault


def sign_in(stage: Stage) -> Any:
    oauth = SnapchatOAuth(clock=lambda: 0.0)
    token = oauth.exchange(stage.settings, code=stage.code, redirect_uri=REDIRECT_URI)
    fresh = oauth.refresh(stage.settings, token)
    return [token.expires_at, token.refresh is not None, fresh.expires_at]


def identity(stage: Stage) -> Any:
    found = who_am_i(stage.connection)
    return [found.name, found.details["member status"]]


def audiences(stage: Stage) -> Any:
    return [[found.id, found.name] for found in stage.audience.audiences()]


def creation(stage: Stage) -> Any:
    made = stage.audience.create_audience(
        NewAudience(name="Loyal customers", description="Made by cdp [cdp:0123456789abcdef]")
    )
    found = [each for each in stage.audience.audiences() if "0123456789abcdef" in each.description]
    return [made.name, made.retention_in_days, [each.id for each in found] == [made.id]]


def members(stage: Stage) -> Any:
    before = stage.audience.verify()
    added, removed = stage.deliver(Operation.ADD), stage.deliver(Operation.REMOVE)
    after = stage.audience.audience_status()
    return [before.upload_status, added.accepted, removed.accepted, after.upload_status]


def emptying(stage: Stage) -> Any:
    """An audience is emptied, once taken and once refused in a 200."""
    met = [stage.audience.remove_all() for _ in range(2)]
    return [[answer.accepted, answer.http_status] for answer in met]


def answers(stage: Stage) -> Any:
    """A batch in turn refused for its data, in a 200 too, throttled, and refused for rights."""
    met = [stage.deliver(Operation.ADD) for _ in range(5)]
    return [[type(answer).__name__, answer.http_status] for answer in met]


FAULTS = ("status:route=add-users,status=400", "data-error-in-200", "throttled:retry_after=2", "error-in-200")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """`faults` are queued at the simulator before; `yields` is what playing it must give."""

    play: Callable[[Stage], Any]
    yields: Any
    faults: tuple[str, ...] = ()


SCENES = {
    "sign_in": Scene(play=sign_in, yields=[3600.0, True, 3600.0]),
    "identity": Scene(play=identity, yields=["Demo User", "MEMBER"]),
    "audiences": Scene(play=audiences, yields=[[AUDIENCE_ID, "Demo customers"]]),
    "creation": Scene(play=creation, yields=["Loyal customers", 9999, True]),
    "members": Scene(play=members, yields=["NO_UPLOAD", True, True, "PROCESSING"]),
    "emptying": Scene(
        play=emptying,
        faults=("data-error-in-200:route=remove-all-users,skip=1",),
        yields=[[True, 200], [False, 200]],
    ),
    "answers": Scene(
        play=answers,
        faults=(*FAULTS, "forbidden"),
        yields=[
            ["Receipt", 400],
            ["Receipt", 200],
            ["Throttled", 429],
            ["RightsRefused", 200],
            ["RightsRefused", 403],
        ],
    ),
}


@contextmanager
def simulated(faults: tuple[str, ...] = ()) -> Iterator[Stage]:
    """A stage on a fresh simulator."""
    with snapchat_simulator(rate_limit=False, seed=7) as simulator:
        given = {"api_url": simulator.api_url, "accounts_url": simulator.accounts_url}
        settings = loaded(secret=simulator.options.client_secret, **given)
        access = simulator.issue_token().access_token
        with ConnectionSession(origin=simulator.api_url, tokens=GivenToken(access)) as http:
            stage = Stage(settings=settings, http=http, code=code_of(simulator, settings))
            for fault in faults:
                simulator.fault(simulator.app.catalogue.parse(fault))
            yield stage


def loaded(*, secret: str, **given: str) -> Mapping[str, Any]:
    settings: Mapping[str, Any] = ConnectionSettings().load(
        {"client_id": "demo-client", "client_secret": secret, **given}
    )
    return settings


def code_of(simulator: SnapchatSimulator, settings: Mapping[str, Any]) -> str:
    """An authorization code from the simulator's page, which agrees at once."""
    page = SnapchatOAuth().authorization_url(settings, redirect_uri=REDIRECT_URI, state="s")
    with requests.Session() as browser:
        browser.trust_env = False
        answer = browser.get(page, allow_redirects=False, timeout=5)
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def as_official(url: str) -> str:
    """The URL as it would be at Snapchat's own hosts."""
    parts = urlsplit(url)
    accounts = parts.path.startswith("/login/")
    host = OFFICIAL["accounts_url" if accounts else "api_url"]
    return f"{host}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def clean_request(request: Any) -> Any:
    cleaned = copy.copy(request)
    cleaned.uri = as_official(request.uri)
    return cleaned


def clean_response(response: dict[str, Any]) -> dict[str, Any]:
    body = response["body"]["string"]
    headers = {name: held for name, held in response["headers"].items() if name.lower() in KEPT_HEADERS}
    try:
        text = json.dumps(masked(json.loads(body)))
    except ValueError:
        text = body.decode()
    return {**response, "headers": headers, "body": {"string": text.encode()}}


def masked(value: Any) -> Any:
    """The JSON value with the values of secret fields taken out, and links led to the official host."""
    if isinstance(value, dict):
        return {name: MASK if name in SECRET_FIELDS else masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    return as_official(value) if isinstance(value, str) and value.startswith("http") else value


def tape(record_mode: str) -> vcr.VCR:
    return vcr.VCR(
        record_mode=record_mode,
        before_record_request=clean_request,
        before_record_response=clean_response,
        filter_headers=["authorization", "user-agent", "content-length"],
        filter_post_data_parameters=[
            (name, MASK) for name in ("client_id", "client_secret", "code", "refresh_token")
        ],
    )


def record(name: str, folder: Path = FOLDER) -> Path:
    """Record one scene; fails where it does not yield what it must."""
    scene, file = SCENES[name], folder / f"{name}.yaml"
    folder.mkdir(exist_ok=True)
    with simulated(scene.faults) as stage, tape("all").use_cassette(str(file)):
        yielded = scene.play(stage)
    if yielded != scene.yields:
        raise SystemExit(f"{name}: {yielded} instead of {scene.yields}")
    file.write_text(HEADER + file.read_text(encoding="utf-8"), encoding="utf-8")
    return file


if __name__ == "__main__":
    for scene_name in SCENES:
        FOLDER.joinpath(f"{scene_name}.yaml").unlink(missing_ok=True)
        print(record(scene_name).relative_to(FOLDER.parent))  # noqa: T201 (the script's answer)
