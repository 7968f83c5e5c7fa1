"""Files of digests and of whole rows, held to what any destination is held to."""

from __future__ import annotations

from pathlib import Path

import pytest

import cdp_files
from cdp_core.testing import DestinationSuite, StandIn
from reading_files import in_folder, members, rows_held

FIELDS = ("customer_id", "identifier")
RELEASED = Path(cdp_files.__file__).with_name("settings_snapshot.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "exports"
    made.mkdir()
    return made


class TestFiles(DestinationSuite):
    @pytest.fixture
    def stand_in(self, folder: Path) -> StandIn:
        return StandIn(
            destination="files",
            settings={"url": folder.as_uri()},
            export={"folder": "loyal", "format": "csv"},
            held=lambda: members(*in_folder(folder), "loyal"),
            settings_snapshot=RELEASED,
        )


class TestFilesOfRows(DestinationSuite):
    @pytest.fixture
    def stand_in(self, folder: Path) -> StandIn:
        return StandIn(
            destination="files_records",
            settings={"url": folder.as_uri()},
            export={"folder": "loyal"},
            held=lambda: [
                tuple(row[field] for field in FIELDS)
                for row in rows_held(*in_folder(folder), "loyal").values()
            ],
            fields=FIELDS,
            settings_snapshot=RELEASED,
        )
