"""An ad platform of the usual kind by configuration alone: real processes, real HTTP, a strict service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from acme_service import AUDIENCE, SETTINGS, Acme, acme_service
from cdp_core.simulate import Limit
from main_job import QUICK, Cdp, customers, digest, wanted, write_profiles

NAME = "Loyal to Acme"


@pytest.fixture
def acme() -> Iterator[Acme]:
    with acme_service(key=("X-Api-Key", "s3cret-key")) as running:
        yield running


def connect(cdp: Cdp, acme: Acme, *more: str) -> None:
    words = ["connection", "add", "webhook", "--name", "Acme", "--set", f"api_url={acme.url}"]
    for name, value in SETTINGS.items():
        words += ["--set", f"{name}={value}"]
    cdp(*words, "--set", "auth=api-key", "--secret", "api_key=env:ACME_KEY", "--agree", *more)


@pytest.fixture
def ready(cdp: Cdp, acme: Acme) -> Cdp:
    cdp.environ["ACME_KEY"] = "s3cret-key"
    write_profiles(cdp.folder / "profiles.parquet", customers(range(1000)))
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    settings = cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(settings.read_text() + QUICK)
    cdp("segment", "add", "Loyal customers", "--where", "lifetime_value > 500")
    connect(cdp, acme)
    cdp(
        *("export", "add", NAME, "--connection", "Acme", "--set", f"audience_id={AUDIENCE}"),
        *("--set", "batch_size=100", "--match", "EMAIL=email", "--segment", "Loyal customers"),
    )
    return cdp


def test_the_first_run_sends_all_and_the_next_one_what_has_changed(ready: Cdp, acme: Acme) -> None:
    assert ready.json("connection", "verify", "Acme")["identity"]["name"] == "Acme account 7"
    ready("export", "run", NAME)
    assert acme.held() == wanted(range(1000))
    acme.bodies.clear()
    write_profiles(ready.folder / "profiles.parquet", customers(range(10, 1010)))
    ready("export", "run", NAME)
    assert acme.held() == wanted(range(10, 1010))
    assert sorted(len(body["hashes"]) for body in acme.bodies) == [10, 10]
    assert ready.json("export", "status", NAME)["audience"]["approximate_number_users"] == 1000


def test_a_service_that_there_is_no_way_to_ask_is_not_said_to_answer(ready: Cdp) -> None:
    asked = ready("connection", "verify", "Acme").stdout
    assert "Webhook answers." in asked
    assert "not asked yet" not in asked
    ready("connection", "edit", "Acme", "--set", "verify_path=")
    unasked = ready("connection", "verify", "Acme").stdout
    assert "Webhook was not asked: the connection has no verify_path." in unasked
    assert "answers" not in unasked
    told = ready.json("connection", "verify", "Acme")
    assert (told["answered"], told["unasked"]) == (False, "the connection has no verify_path")
    assert ready.json("connection", "authenticate", "Acme")["answered"] is False


def test_nobody_is_told_to_sign_in_where_a_key_lacks_rights(ready: Cdp, acme: Acme) -> None:
    acme.fault("status:route=me,status=403,count=all")
    said = ready("connection", "verify", "Acme", status=6).stderr
    assert "error CDP-603: the connection may not do this at the service" in said
    assert "sign in" not in said
    assert 'cdp connection verify "Acme"' in said


def test_a_record_that_is_refused_holds_up_no_other_and_is_named(ready: Cdp, acme: Acme) -> None:
    bad = digest("person7@example.org").hex()
    acme.bad.add(bad)
    run = ready.json("export", "run", NAME, status=8)
    assert (run["delivered"]["accepted"], run["delivered"]["dead_letters"]) == (999, 1)
    assert run["delivered"]["requests"] == 10
    ready("export", "rejected", run["run"], "--output", "rejected.csv")
    told = (ready.folder / "rejected.csv").read_text()
    assert bad in told
    assert "not a hash of ours" in told
    acme.bad.clear()
    ready("export", "run", NAME)
    assert acme.held() == wanted(range(1000))
    assert [point["claims"] for point in ready.json("export", "status", NAME)["trend"]] == [999, 1000]


def test_faults_on_the_way_cost_nothing(ready: Cdp, acme: Acme) -> None:
    for fault in (
        "cut-after:route=add,count=2",
        "status:route=add,status=503,count=2",
        "cut-before:route=add",
    ):
        acme.fault(fault)
    ready("export", "run", NAME)
    assert acme.held() == wanted(range(1000))


def test_a_key_that_is_wrong_stops_the_run_and_says_how_to_mend_it(ready: Cdp, acme: Acme) -> None:
    done = ready("export", "run", NAME, status=6, environ={"ACME_KEY": "another"})
    assert "another" not in done.stdout + done.stderr
    assert acme.held() == set()


def test_the_secret_is_nowhere(ready: Cdp, acme: Acme) -> None:
    ready("export", "run", NAME)
    shown = ready("connection", "show", "Acme").stdout + ready("audit", "list", "--json").stdout
    kept = [path.read_bytes() for path in (ready.folder / ".cdp").rglob("*") if path.is_file()]
    assert "s3cret-key" not in shown
    assert not [content for content in kept if b"s3cret-key" in content]


def test_a_token_for_client_credentials_is_had_when_it_is_needed_and_kept_nowhere(
    ready: Cdp, acme: Acme
) -> None:
    acme.key = ("", "")
    ready.environ["CLIENT_SECRET"] = "s3cret-of-the-app"
    ready(
        *(
            "connection",
            "edit",
            "Acme",
            "--set",
            "auth=client-credentials",
            "--set",
            "client_id=cdp-exporter",
        ),
        *("--set", f"token_url={acme.url}/token", "--set", "scope=audiences.write"),
        *("--secret", "client_secret=env:CLIENT_SECRET"),
    )
    ready("export", "run", NAME)
    assert acme.held() == wanted(range(1000))
    assert len(acme.tokens) == 1
    kept = [path.read_bytes() for path in (ready.folder / ".cdp").rglob("*") if path.is_file()]
    assert not [content for content in kept if b"access-0" in content or b"s3cret-of" in content]
    said = ready("export", "run", NAME, status=6, environ={"CLIENT_SECRET": "another"}).stderr
    assert "cdp connection edit" in said


def test_the_rate_is_the_connections_own(cdp: Cdp) -> None:
    with acme_service(Limit(name="key", per_second=20, key=lambda request: "everybody")) as acme:
        write_profiles(cdp.folder / "profiles.parquet", customers(range(300)))
        cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
        cdp("segment", "add", "Everybody", "--where", "true")
        words = ["connection", "add", "webhook", "--name", "Acme", "--set", f"api_url={acme.url}", "--agree"]
        for name, value in {**SETTINGS, "requests_per_second": "10"}.items():
            words += ["--set", f"{name}={value}"]
        cdp(*words)
        cdp(
            *("export", "add", NAME, "--connection", "Acme", "--set", f"audience_id={AUDIENCE}"),
            *("--set", "batch_size=10", "--match", "EMAIL=email", "--segment", "Everybody"),
        )
        run = cdp.json("export", "run", NAME)
        assert acme.held() == wanted(range(300))
        assert run["delivered"]["retries"] == 0
