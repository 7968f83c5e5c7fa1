"""After the sign-in: who one is, which ad accounts one reaches, whether that suffices, how the token is."""

from __future__ import annotations

import re
import socket
import threading
import urllib.request

import pexpect
import pytest

from by_hand import alter
from cdp_snapchat.simulator import AD_ACCOUNT_ID, AUDIENCE_ID, SnapchatSimulator
from fork_server import CDP
from main_job import Cdp, Job, add_connection, add_export
from shared_state import in_postgresql

NAME = "Snapchat EU"


@pytest.fixture
def connected(cdp: Cdp, simulator: SnapchatSimulator) -> Job:
    """A workspace with a connection that nobody has signed in to."""
    made = Job(cdp=cdp, simulator=simulator, profiles=cdp.folder / "profiles.parquet")
    made.write([("c1", "ann@example.org", 900)])
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    cdp("segment", "add", "Loyal customers", "--where", "lifetime_value > 500")
    add_connection(cdp, simulator)
    return made


def test_the_only_ad_account_is_taken(connected: Job) -> None:
    said = connected.cdp.sign_in(NAME)
    for told in ("Demo User", "Demo organization", "Demo ad account", "MEMBER"):
        assert told in said
    view = connected.cdp.json("connection", "show", NAME)
    assert view["settings"]["ad_account_id"] == AD_ACCOUNT_ID
    assert "@" not in str(view["identity"])


def test_of_several_without_a_terminal_none_is_taken_and_they_are_named(connected: Job) -> None:
    second = connected.simulator.world.add_ad_account("Second")
    said = connected.cdp.sign_in(NAME)
    assert "ad_account_id is not chosen" in said
    assert f"{second.id}  Second (USD, ACTIVE)" in said
    view = connected.cdp.json("connection", "verify", NAME)
    assert [choice["value"] for choice in view["open_choices"]["ad_account_id"]] == [AD_ACCOUNT_ID, second.id]
    connected.cdp("connection", "edit", NAME, "--set", f"ad_account_id={second.id}")
    assert connected.cdp.json("connection", "verify", NAME)["open_choices"] == {}


def test_of_several_at_a_terminal_one_is_picked(connected: Job) -> None:
    second = connected.simulator.world.add_ad_account("Second")
    process = pexpect.spawn(
        str(CDP),
        ["connection", "authenticate", NAME, "--no-browser"],
        env=connected.cdp.environ | {"TERM": "dumb"},
        cwd=connected.cdp.folder,
        encoding="utf-8",
        timeout=60,
        dimensions=(40, 250),
    )
    process.expect(r"(http://127\.0\.0\.1:\d+/login\S+)")
    assert isinstance(process.match, re.Match)
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    url = str(process.match.group(1))
    visiting = threading.Thread(target=lambda: browser.open(url, timeout=20).close())
    visiting.start()
    process.expect("Ad account .*: ")
    process.sendline("2")
    process.expect(pexpect.EOF)
    visiting.join()
    assert connected.cdp.json("connection", "show", NAME)["settings"]["ad_account_id"] == second.id


def test_a_user_without_rights_is_told_what_is_needed(connected: Job) -> None:
    for account in connected.simulator.world.ad_accounts.values():
        account.access = "none"
    said = connected.cdp.sign_in(NAME)
    assert "reaches no ad account" in said
    assert "Data Manager" in said
    assert connected.cdp.json("connection", "verify", NAME)["lacking"]


def test_an_ad_account_that_one_does_not_reach_is_named(connected: Job) -> None:
    elsewhere = "00000000-0000-4000-8000-000000000000"
    connected.cdp("connection", "edit", NAME, "--set", f"ad_account_id={elsewhere}")
    connected.cdp.sign_in(NAME)
    (lacking,) = connected.cdp.json("connection", "verify", NAME)["lacking"]
    assert elsewhere in lacking
    refused = connected.cdp("connection", "edit", NAME, "--set", "ad_account_id=12", status=3)
    assert "ad_account_id (Ad account)" in refused.stderr


def test_an_audience_of_another_ad_account_is_refused_when_the_export_is_added(connected: Job) -> None:
    second = connected.simulator.world.add_ad_account("Second")
    theirs = connected.simulator.world.add_audience("Theirs", ad_account_id=second.id)
    connected.cdp("connection", "edit", NAME, "--set", f"ad_account_id={AD_ACCOUNT_ID}")
    connected.cdp.sign_in(NAME)
    refused = connected.cdp(
        *("export", "add", "Other", "--connection", NAME, "--set", f"audience_id={theirs.id}"),
        *("--match", "EMAIL=email", "--segment", "Loyal customers"),
        status=3,
    )
    assert second.id in refused.stderr
    listed = connected.cdp.json("connection", "audiences", NAME)
    assert [each["audience"]["id"] for each in listed] == [AUDIENCE_ID]


def test_signing_in_again_leaves_exports_as_they_are(connected: Job) -> None:
    connected.simulator.world.add_ad_account("Second")
    connected.cdp.sign_in(NAME)
    add_export(connected.cdp)
    before = connected.cdp.json("export", "show", "Loyal to Snapchat")
    connected.cdp.sign_in(NAME)
    connected.cdp("connection", "edit", NAME, "--set", "timeout=200")
    connected.cdp("connection", "share", NAME, "--with", "contributor")
    connected.cdp("connection", "share", NAME, "--stop-with", "contributor")
    assert connected.cdp.json("export", "show", "Loyal to Snapchat") == before
    assert "ad_account_id" not in connected.cdp.json("connection", "show", NAME)["settings"]
    connected.cdp("export", "run", "Loyal to Snapchat")


def test_the_redirect_may_go_to_a_given_port(connected: Job) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    uri = f"http://127.0.0.1:{port}/back"
    with connected.cdp.start(
        "connection", "authenticate", NAME, "--no-browser", "--redirect-uri", uri
    ) as process:
        assert process.stdout is not None
        url = next(line.strip() for line in process.stdout if re.match(r"https?://", line))
        assert f"127.0.0.1%3A{port}%2Fback" in url
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=20).close()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


def test_doctor_and_verify_tell_of_the_token_and_never_its_value(connected: Job) -> None:
    connected.cdp.sign_in(NAME)
    told = connected.cdp("doctor").stdout
    assert re.search(r"its token is 0 min old, for snapchat-marketing-api, lasts \d+ min more", told)
    assert "is refreshed in" in told
    health = connected.cdp.json("connection", "verify", NAME)["token"]
    assert set(health) == {"age", "scope", "refreshable", "expires_in", "next_refresh_in"}
    shown = told + connected.cdp("connection", "verify", NAME).stdout
    for secret in connected.simulator.tokens_in_use():
        assert secret not in shown


def test_a_wrong_app_is_told_in_words(connected: Job) -> None:
    """A wrong client id or redirect URI is shown on the service's page; a wrong secret where the token is
    asked for."""
    connected.cdp("connection", "edit", NAME, "--set", "client_id=not-the-app")
    with connected.cdp.start("connection", "authenticate", NAME, "--no-browser", "--timeout", "2") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 6
    assert "client_id" in errors
    assert "redirect URI" in errors
    connected.cdp("connection", "edit", NAME, "--set", "client_id=demo-client")
    connected.cdp.environ["SNAP_SECRET"] = "not-the-secret"
    with pytest.raises(AssertionError, match="CDP-60") as refused:
        connected.cdp.sign_in(NAME)
    assert "client_secret" in str(refused.value)
    assert "not-the-secret" not in str(refused.value)


def test_a_token_that_cannot_be_read_stops_no_look_at_connections(connected: Job) -> None:
    connected.cdp.sign_in(NAME)
    for kept in (connected.cdp.folder / ".cdp" / "vault").glob("*.secret"):
        kept.write_bytes(kept.read_bytes()[:40])
    if in_postgresql():
        assert alter(connected.cdp, "UPDATE secrets SET sealed = substr(sealed, 1, 40)")
    assert NAME in connected.cdp("connection", "list").stdout
    assert connected.cdp.json("connection", "show", NAME)["token"]["problem"]
