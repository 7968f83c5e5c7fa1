"""A files destination over each kind of storage, without a network beyond this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from cdp_core.contract.destination import ConnectionContext, Delivering, DestinationContext
from cdp_core.contract.schemas import load_settings
from cdp_files.connections import ConnectionSettings
from cdp_files.destination import FilesAudience
from cdp_files.schemas import ExportSettings
from cdp_files.storage import Storage
from storages import S3Server, s3_server, sftp_server

BEGAN = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["folder", "s3", "sftp"])
def storage_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Each test has a place of its own."""
    if request.param == "folder":
        (tmp_path / "exports").mkdir()
        yield {"url": f"file://{tmp_path}/exports"}
    elif request.param == "s3":
        server: S3Server = request.getfixturevalue("s3")
        yield {**server.settings, "url": f"{server.settings['url']}/{tmp_path.name}"}
    else:
        with sftp_server(tmp_path) as running:
            yield running.settings


def connection(settings: Mapping[str, Any]) -> ConnectionContext:
    loaded = load_settings(ConnectionSettings, settings, what="the connection")
    return ConnectionContext(settings=loaded, http=requests.Session(), clock=time.time)


def storage(settings: Mapping[str, Any]) -> Storage:
    return Storage(connection(settings).settings)


def audience(
    settings: Mapping[str, Any], run: str = "r1", began: datetime = BEGAN, **given: Any
) -> FilesAudience:
    loaded = load_settings(ExportSettings, {"folder": "loyal", **given}, what="the export")
    delivering = Delivering(run_id=run, export="Loyal to files", started_at=began)
    return FilesAudience(
        DestinationContext(connection=connection(settings), settings=loaded, delivering=delivering)
    )
