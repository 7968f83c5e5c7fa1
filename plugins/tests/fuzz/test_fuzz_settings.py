"""Settings of every kind, addresses and URLs: refused in words, or taken."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import marshmallow
from hypothesis import strategies as st

from cdp_core.app.configuration import reading
from cdp_core.contract.schemas import ServiceUrl, is_loopback, load_settings, origin_of, settings_of
from cdp_core.contract.transport import ProxyUrl
from cdp_core.engines.duckdb.sources import locate
from cdp_core.engines.postgres.address import address_of as postgres_address
from cdp_core.engines.spark.address import address_of as spark_address
from cdp_core.engines.spark.address import hosts_of
from cdp_core.errors import InvalidFault, ReconnectFault, UsageFault
from cdp_core.model.configuration import ProfileSource
from cdp_core.model.names import as_typed, checked_name
from cdp_core.model.schedule import Recurrence
from cdp_core.oauth.redirect import code_of, is_answer
from cdp_core.rules import recurrence
from cdp_core.rules.postgres_urls import has_password
from cdp_core.vault import references
from cdp_core.workspace.ledger_url import trouble_with_options, trouble_with_url
from cdp_core.workspace.settings import parse, validated
from cdp_files.connections import ConnectionSettings as FilesConnection
from cdp_files.connections import StorageUrl
from cdp_files.schemas import RowsExportSettings
from cdp_files.storage import root_of
from cdp_snapchat.schemas import ConnectionSettings as SnapchatConnection
from cdp_snapchat.schemas import ExportSettings as SnapchatExport
from cdp_webhook.schemas import ConnectionSettings as WebhookConnection
from cdp_webhook.schemas import ExportSettings as WebhookExport
from fuzzing import documents, fuzzed, texts

PATH = Path("/nowhere/cdp.toml")
TOML = (
    '[profiles]\nurl = "p.csv"\nkey = "id"\n[profiles.options]\ndelimiter = ";"\n[vault]\nkind = "file"\n',
    '[profiles]\nurl = "p.csv"\nkey = "id"\n[engine]\nmemory_limit = "1.5GiB"\n[vault]\nkind = "state"\n'
    '[delivery]\nattempts = 3\nfirst_wait = 0.5\n[consent]\nfield = "ads"\ngranted = ["yes", "ja"]\n',
    '[profiles]\nurl = "p.csv"\nkey = "id"\n[vault]\nkind = "keyring"\n[ledger]\nurl = "s3://b/p"\n'
    'options = {endpoint_url = "https://x"}\ncache = "10GB"\n[alerts]\nurls = ["env:A"]\n'
    'webhook = "https://a.example/x"\n[state]\nurl = "postgresql://a@b/c#d"\n[approval]\nlapse_hours = 72\n',
)
URLS = (
    *("https://api.example:8443/v1", "http://[::1]:80/x", "file:///srv/exports", "s3://bucket/prefix"),
    *("sftp://user@host:22/a/b", "postgresql://reader@db.example:5432/crm?sslmode=require#public.people"),
    *(
        "spark://host:7077,[::2]:7078#catalog.schema.table",
        "spark://local[2]#parquet.`/x`",
        "duckdb:///a.duckdb#t",
    ),
    *("/data/*.parquet", "folder/profiles.csv.gz", "a.ddb#main.people", "abfs://c@account/p"),
)
urls = texts(*URLS)


@fuzzed(texts(*TOML))
def test_a_settings_file(text: str) -> None:
    with suppress(InvalidFault):
        validated(parse(text, PATH), PATH)


@fuzzed(urls)
def test_an_address_of_profiles(url: str) -> None:
    source = ProfileSource(url=url, key="id", options={})
    for read in (postgres_address, spark_address):
        with suppress(InvalidFault, UsageFault):
            read(source)
    with suppress(InvalidFault):
        # Below a folder that is not there, for some URLs mean every file of the machine.
        locate(ProfileSource(url=f"/nowhere/{url}", key="id", options={}))
    with suppress(InvalidFault, UsageFault):
        assert all(port > 0 for _, port in hosts_of(spark_address(source).master or ""))
    has_password(url)


VALIDATORS: tuple[Callable[[str], str], ...] = (ServiceUrl(), StorageUrl(), ProxyUrl())


@fuzzed(urls)
def test_a_url_of_a_setting(url: str) -> None:
    for validate in VALIDATORS:
        try:
            validate(url)
        except marshmallow.ValidationError:
            continue
        # What was taken can be worked with.
        if not isinstance(validate, StorageUrl):
            assert origin_of(url)
            assert "@" not in urlsplit(url).netloc
        if isinstance(validate, ServiceUrl):
            assert url.strip().lower().startswith("https://") or is_loopback(url)
        if isinstance(validate, StorageUrl):
            assert ".." not in root_of(url).split("/")
            assert "\0" not in root_of(url)
    trouble_with_url(url)
    trouble_with_options({url: url})


SCHEMAS = (
    *(
        FilesConnection,
        RowsExportSettings,
        SnapchatConnection,
        SnapchatExport,
        WebhookConnection,
        WebhookExport,
    ),
)
EXAMPLES = tuple(
    dict.fromkeys(
        str(value)
        for schema in SCHEMAS
        for each in settings_of(schema)
        for value in (each.example, each.default)
        if value
    )
)


@st.composite
def settings_of_some(draw: st.DrawFn) -> tuple[type[marshmallow.Schema], dict[str, Any]]:
    schema = draw(st.sampled_from(SCHEMAS))
    values: dict[str, Any] = {
        each.name: each.example for each in settings_of(schema) if each.required and each.example
    }
    for name in draw(st.lists(st.sampled_from([each.name for each in settings_of(schema)]), max_size=4)):
        values[name] = draw(texts(*EXAMPLES) | documents(EXAMPLES[:5]))
    return schema, values


@fuzzed(settings_of_some())
def test_the_settings_of_a_plugin(given: tuple[type[marshmallow.Schema], dict[str, Any]]) -> None:
    schema, values = given
    with suppress(InvalidFault):
        load_settings(schema, values, what="it")


YAML = (
    "version: 1\nroles:\n  anna: [viewer, {role: contributor, segment: Loyal}]\n",
    "version: 1\nsegments:\n  Loyal: &a\n    where: |\n      value > 5\n  Other: *a\nschedule: {cron: [x]}\n",
    "a: &a [x, x]\nb: [*a, *a]\nc: !!python/object:os.system x\n'd': \"e\\x00\"\n? [f]\n: g\n",
)


@fuzzed(texts(*YAML))
def test_a_configuration_in_yaml(text: str) -> None:
    with suppress(InvalidFault):
        marked = reading.read(text.encode(errors="surrogatepass"), "cdp.yaml")
        assert all(line >= 1 for line in marked.lines.values())


LINES = ("0 2 * * mon", "*/5 0-23/2 1,15 jan-mar 1#2", "0 0 L * *", "59 23 31 12 7", "0 0 30 2 *")
ZONES = ("Europe/Amsterdam", "UTC", "../../etc/passwd", "/etc/localtime", "posixrules")


@fuzzed(texts(*LINES), texts("02:00,14:00", "2:5", "24:00"), texts("mon,thu", "sunday"), texts(*ZONES))
def test_a_recurrence(line: str, times: str, days: str, zone: str) -> None:
    made_by: tuple[Callable[[], Recurrence], ...] = (
        lambda: recurrence.cron(line, timezone=zone),
        lambda: recurrence.cron(line, timezone="UTC"),
        lambda: recurrence.daily(times, timezone="UTC"),
        lambda: recurrence.weekly(days, times, timezone="Europe/Amsterdam"),
    )
    for made in made_by:
        with suppress(InvalidFault):
            assert recurrence.in_words(made())


@fuzzed(texts("env:NAME", "file:/a/b", "keyring:a/b", "vault:x"), texts("Loyal customers", "Ünï"))
def test_a_reference_and_a_name(reference: str, name: str) -> None:
    with suppress(UsageFault):
        references.parse(reference, setting="it")
    with suppress(InvalidFault):
        kept = checked_name(name, "segment")
        assert kept.encode()
        assert not {unicodedata.category(sign) for sign in kept} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert as_typed(name)


@fuzzed(
    texts("http://127.0.0.1:8721/cb?code=abc&state=s", "?error=access_denied&error_description=no", "code=x")
)
def test_a_redirect_of_a_sign_in(url: str) -> None:
    is_answer(url)
    with suppress(ReconnectFault):
        code_of(url, state="s", where="it", hint="again")
