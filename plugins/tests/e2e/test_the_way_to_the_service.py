"""Through a company's proxy, over its own certificates, within the service's limits: settings do it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cdp_core.simulate.certificate import make_certificate
from cdp_snapchat.simulator import SnapchatSimulator, snapchat_simulator
from connect_proxy import ConnectProxy, connect_proxy
from main_job import Cdp, Job, add_connection, add_export, customers, job_in, wanted

NAME = "Loyal to Snapchat"
SECRET = "s3cret-of-the-app"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return tmp_path / "company.pem"


@pytest.fixture
def tls_simulator(certificate: Path) -> Iterator[SnapchatSimulator]:
    context = make_certificate(certificate)
    with snapchat_simulator(rate_limit=False, client_secret=SECRET, tls=context) as running:
        yield running


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with connect_proxy() as running:
        yield running


def begun(cdp: Cdp) -> Path:
    made = Job(cdp=cdp, simulator=None, profiles=cdp.folder / "profiles.parquet")  # type: ignore[arg-type]
    made.write(customers(range(10)))
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    cdp("segment", "add", "Loyal customers", "--where", "lifetime_value > 500")
    return made.profiles


def test_sign_in_and_runs_go_through_the_connections_proxy_and_trust_its_certificates(
    cdp: Cdp, tls_simulator: SnapchatSimulator, proxy: ConnectProxy, certificate: Path
) -> None:
    begun(cdp)
    ways = ("--set", f"proxy={proxy.url}", "--set", f"ca_bundle={certificate}")
    add_connection(cdp, tls_simulator, *ways, "--set", "connect_timeout=5")
    # The browser is the test's own, and trusts the company, too.
    cdp.environ["REQUESTS_CA_BUNDLE"] = str(certificate)
    cdp.sign_in("Snapchat EU")
    del cdp.environ["REQUESTS_CA_BUNDLE"]
    signed_in = len(proxy.asked)
    assert signed_in >= 2  # the token endpoint's session, and the API's
    add_export(cdp)
    run = cdp.json("export", "run", NAME)
    assert run["delivered"]["accepted"] == 10
    assert len(proxy.asked) > signed_in
    assert set(proxy.asked) == {urlsplit(tls_simulator.api_url).netloc}


def test_a_bundle_is_found_from_any_folder(
    cdp: Cdp, tls_simulator: SnapchatSimulator, certificate: Path
) -> None:
    begun(cdp)
    relative = Path("..") / certificate.name
    add_connection(cdp, tls_simulator, "--set", f"ca_bundle={relative}")
    kept = cdp.json("connection", "show", "Snapchat EU")["settings"]["ca_bundle"]
    assert Path(kept) == certificate


def test_a_certificate_that_nobody_trusts_is_named(
    cdp: Cdp, tls_simulator: SnapchatSimulator, certificate: Path
) -> None:
    begun(cdp)
    add_connection(cdp, tls_simulator)
    cdp.environ["REQUESTS_CA_BUNDLE"] = str(certificate)
    cdp.sign_in("Snapchat EU")
    del cdp.environ["REQUESTS_CA_BUNDLE"]
    said = cdp("connection", "verify", "Snapchat EU", status=9)
    assert "certificate" in said.stderr
    assert "ca_bundle" in said.stderr


def test_a_proxy_that_is_down_is_named_as_the_matter(job: Job) -> None:
    job.cdp("connection", "edit", "Snapchat EU", "--set", "proxy=http://127.0.0.1:9")
    said = job.cdp("export", "run", NAME, status=9)
    assert "the proxy on the way" in said.stderr
    assert job.members() == set()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("proxy=proxy.example:3128", "http://proxy.example:3128"),
        ("proxy=http://anna:pass@proxy.example:3128", "no user name or password"),
        ("ca_bundle=/nowhere/ca.pem", "cannot be read"),
        ("ca_bundle=profiles.parquet", "no certificate"),
        ("connect_timeout=0", "0.1"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_its_name(job: Job, setting: str, words: str) -> None:
    said = job.cdp("connection", "edit", "Snapchat EU", "--set", setting, status=3)
    assert setting.partition("=")[0] in said.stderr
    assert words in said.stderr
    assert "pass@" not in said.stderr


def test_three_tokens_of_one_app_stay_below_both_limits_and_bursts_of_429_end_well(cdp: Cdp) -> None:
    """The service keeps to its own limits, 10 a second for a token and 20 for the app: who goes faster is
    refused, and so tries again."""
    with snapchat_simulator(rate_limit=True, client_secret=SECRET) as simulator:
        job = job_in(cdp, simulator)
        job.write(customers(range(2000)))
        for number in (2, 3):
            name = f"Snapchat {number}"
            cdp(
                *("connection", "add", "snapchat", "--name", name, "--agree"),
                *("--set", "client_id=demo-client", "--set", f"api_url={simulator.api_url}"),
                *("--set", f"accounts_url={simulator.accounts_url}"),
                *("--set", "redirect_uri=http://127.0.0.1:0/callback"),
                *("--secret", "client_secret=env:SNAP_SECRET"),
            )
            cdp.sign_in(name)
            audience = simulator.world.add_audience(f"Number {number}")
            cdp(
                *("export", "add", f"Export {number}", "--connection", name),
                *("--set", f"audience_id={audience.id}", "--set", "batch_size=100"),
                *("--match", "EMAIL=email", "--segment", "Loyal customers"),
            )
        running = [cdp.start("export", "run", each, "--json") for each in (NAME, "Export 2", "Export 3")]
        for process in running:
            said, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
            delivered = json.loads(said)["delivered"]
            assert (delivered["requests"], delivered["retries"]) == (20, 0)
        simulator.fault("throttled:route=add-users,count=3")
        job.write(customers(range(1000, 3000)))
        run = cdp.json("export", "run", NAME)
        assert (run["status"], run["delivered"]["retries"]) == ("committed", 3)
        assert job.members() == wanted(range(1000, 3000))


def test_how_many_requests_are_under_way_is_a_setting(job: Job) -> None:
    job.cdp("export", "edit", NAME, "--set", "requests_at_once=1")
    job.simulator.fault("stall:route=add-users,seconds=0.2,count=1000")
    began = time.monotonic()
    job.cdp("export", "run", NAME)
    one = time.monotonic() - began
    assert one > 10 * 0.2
    refused = job.cdp("export", "edit", NAME, "--set", "requests_at_once=9", status=3)
    assert "requests_at_once" in refused.stderr
