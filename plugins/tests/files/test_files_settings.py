"""No setting leads out of the folder, and what is wrong is named."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core import Delivering, InvalidFault, Sentence, SettingsSchema
from cdp_core.contract.schemas import load_settings, settings_of
from cdp_files.connections import ConnectionSettings, origin
from cdp_files.places import checked_dated_path, checked_folder, file_name, read_name, run_folder
from cdp_files.schemas import ExportSettings

from .conftest import storage


@pytest.mark.parametrize(
    "url",
    [
        "/srv/exports",
        "http://bucket.example/x",
        "file://host/srv",
        "file:///",
        "file:///srv/../etc",
        "s3:///prefix",
        "s3://key:secret@bucket/x",
        "sftp://somebody@host/x",
        "s3://bucket/x?versionId=1",
        "memory://x",
        "s3://bucket/a/../../b",
        "sftp://host:99999/x",
        "file:///srv/a%00b",
        "http://[2/x",
    ],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidFault, match="url"):
        load_settings(ConnectionSettings, {"url": url}, what="the connection")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("folder", ".."),
        ("folder", "../other"),
        ("folder", "/etc"),
        ("folder", "a//b"),
        ("folder", "a/"),
        ("folder", ".hidden"),
        ("folder", "a\\b"),
        ("folder", "_open"),
        ("folder", "a\nb"),
        ("folder", ""),
        ("dated_path", "%Y/../%m"),
        ("dated_path", "/%Y"),
        ("dated_path", "%c"),
        ("dated_path", "%Y%"),
        ("dated_path", ".%Y"),
        ("format", "xlsx"),
        ("compression", "bzip2"),
        ("delimiter", ";"),
        ("rows_per_file", "0"),
        ("rows_per_file", "1000001"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidFault, match=name):
        load_settings(ExportSettings, {"folder": "loyal", name: value}, what="the export")


@given(st.text())
def test_whatever_is_taken_for_a_folder_stays_below(text: str) -> None:
    try:
        checked_folder(text)
        checked_dated_path(text)
    except ValueError:
        return
    assert not {"", ".", ".."} & set(text.split("/"))
    assert "\\" not in text


@given(run=st.text(min_size=1), export=st.text(), kind=st.text(min_size=1))
def test_no_name_of_a_run_or_kind_leads_anywhere(run: str, export: str, kind: str) -> None:
    began = datetime(2026, 11, 26, 2, 3, 4, tzinfo=UTC)
    place = run_folder("%Y/%m", Delivering(run_id=run, export=export, started_at=began))
    assert place.startswith("2026/11/20261126T020304.000Z-")
    assert place.count("/") == 2
    assert "/" not in file_name("add", kind, 7, "0" * 64, ".csv")


def test_a_files_name_says_what_is_in_it() -> None:
    name = file_name("remove", "MOBILE_AD_ID", 12, "ab" * 32, ".csv.gz")
    assert read_name(name) == ("remove", "MOBILE_AD_ID", 12)
    assert read_name("_manifest.json") is None
    assert read_name(".add-EMAIL-1-0000000000000000.csv.part") is None


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/x", "a//b", "."])
def test_the_storage_itself_refuses_a_path_that_leads_out(path: str, tmp_path: object) -> None:
    with pytest.raises(ValueError, match="leads out"):
        storage({"url": f"file://{tmp_path}"}).write(path, b"x")


def test_an_audience_at_another_server_is_another_one() -> None:
    assert origin({"url": "s3://b/x/"}) == "s3://b/x"
    assert origin({"url": "s3://b/x", "endpoint_url": "https://minio.example"}) != origin({"url": "s3://b/x"})


def test_every_setting_speaks_dutch_and_danish() -> None:
    for schema in (ConnectionSettings, ExportSettings):
        for info in settings_of(schema):
            assert all(info.help_in(language) for language in ("nl", "da")), info.name


@pytest.mark.parametrize(
    ("schema", "name", "value"),
    [
        (ConnectionSettings, "url", "ftp://x/y"),
        (ConnectionSettings, "url", "file:///"),
        (ConnectionSettings, "url", "s3:///x"),
        (ExportSettings, "folder", ".."),
        (ExportSettings, "dated_path", "%c"),
    ],
)
def test_what_is_wrong_is_said_in_dutch_and_danish_too(
    schema: type[SettingsSchema], name: str, value: str
) -> None:
    info = next(each for each in settings_of(schema) if each.name == name)
    said = info.complaint(value)
    assert isinstance(said, Sentence)
    assert set(said.in_language) == {"nl", "da"}
    assert all(text.format(**said.values) for text in said.in_language.values())
