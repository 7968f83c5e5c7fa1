"""What lies in the folder after runs that went well, that failed and that died; the same on every storage."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
from datetime import timedelta
from pathlib import Path

import pytest

from cdp_core import (
    AudienceGone,
    Batch,
    CredentialsRejected,
    DestinationFault,
    DigestBlock,
    InvalidFault,
    Operation,
    RightsRefused,
    ServiceFailed,
)
from cdp_files.destination import who_am_i
from reading_files import manifests, members

from .conftest import BEGAN, audience, connection, storage

Settings = dict[str, str]


def batch(numbers: range, operation: Operation = Operation.ADD) -> Batch:
    return Batch(operation=operation, kind="EMAIL", digests=DigestBlock(b"".join(sorted(people(numbers)))))


def people(numbers: range) -> set[bytes]:
    return {hashlib.sha256(str(n).encode()).digest() for n in numbers}


def held(settings: Settings) -> set[bytes]:
    files = storage(settings)
    return members(files.names, files.read, "loyal")


def newest(settings: Settings) -> dict[str, object]:
    files = storage(settings)
    pointer = json.loads(files.read("loyal/_latest.json"))
    content = files.read(f"loyal/{pointer['manifest']}")
    assert hashlib.sha256(content).hexdigest() == pointer["sha256"]
    found: dict[str, object] = json.loads(content)
    return found


def test_a_link_that_lies_in_wait_is_not_written_through(tmp_path: Path) -> None:
    """Whoever may write into the folder of exports knows some names beforehand."""
    (tmp_path / "exports" / "loyal").mkdir(parents=True)
    private = tmp_path / "private"
    private.write_text("mine")
    for name in ("._latest.json.part", "_latest.json"):
        (tmp_path / "exports" / "loyal" / name).symlink_to(private)
    files = storage({"url": f"file://{tmp_path}/exports"})
    files.write("loyal/_latest.json", b"{}")
    assert private.read_text() == "mine"
    assert files.read("loyal/_latest.json") == b"{}"


def test_a_folder_that_leads_out_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "exports" / "loyal").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(tmp_path / "exports")
    files = storage({"url": f"file://{tmp_path}/exports"})
    for path in ("loyal/a.csv", "loyal/2026/a.csv"):
        with pytest.raises(RightsRefused, match="symbolic link"):
            files.write(path, b"x")
    assert not [*(tmp_path / "elsewhere").iterdir()]
    # The connection's own folder may be reached by one: its owner has said so.
    storage({"url": f"file://{tmp_path}/link"}).write("other/a.csv", b"x")
    assert (tmp_path / "exports" / "other" / "a.csv").read_bytes() == b"x"


def test_changes_of_several_runs_add_up(storage_settings: Settings) -> None:
    first = audience(storage_settings)
    first.verify()
    assert first.deliver(batch(range(10))).accepted
    first.deliver(batch(range(10, 15)))
    first.finish(whole=True)
    second = audience(storage_settings, "r2", BEGAN + timedelta(days=1), format="csv", compression="gzip")
    second.deliver(batch(range(20, 22)))
    second.deliver(batch(range(3), Operation.REMOVE))
    second.finish(whole=True)
    assert held(storage_settings) == people(range(3, 15)) | people(range(20, 22))
    manifest = newest(storage_settings)
    assert (manifest["run"], manifest["contents"], manifest["complete"]) == ("r2", "changes", True)
    assert manifest["rows"] == [
        {"operation": "add", "kind": "EMAIL", "rows": 2},
        {"operation": "remove", "kind": "EMAIL", "rows": 3},
    ]
    assert storage(storage_settings).names("loyal/_open") == ()


def test_a_run_that_empties_writes_the_whole(storage_settings: Settings) -> None:
    first = audience(storage_settings)
    first.deliver(batch(range(10)))
    first.finish(whole=True)
    second = audience(storage_settings, "r2", BEGAN + timedelta(days=1))
    second.deliver(batch(range(2), Operation.REMOVE))
    second.remove_all()
    second.deliver(batch(range(5, 8)))
    second.finish(whole=True)
    assert held(storage_settings) == people(range(5, 8))
    manifest = newest(storage_settings)
    assert (manifest["contents"], [row["rows"] for row in manifest["rows"]]) == ("full", [3])  # type: ignore[attr-defined]


def test_a_batch_that_is_sent_again_is_one_file(storage_settings: Settings) -> None:
    run = audience(storage_settings)
    one, other = run.deliver(batch(range(10))), run.deliver(batch(range(10)))
    assert one == other
    run.finish(whole=True)
    ((_, manifest),) = manifests(storage(storage_settings).names, storage(storage_settings).read, "loyal")
    assert len(manifest["files"]) == 1


def test_what_a_killed_run_has_left_is_accounted_for_by_the_next(storage_settings: Settings) -> None:
    audience(storage_settings).deliver(batch(range(10)))
    files = storage(storage_settings)
    assert manifests(files.names, files.read, "loyal") == []
    audience(storage_settings, "r2", BEGAN + timedelta(hours=1)).finish(whole=True)
    assert held(storage_settings) == people(range(10))
    ((_, left),) = manifests(files.names, files.read, "loyal")
    assert (left["run"], left["complete"]) == ("r1", False)
    assert files.names("loyal/_open") == ()


def test_a_whole_that_did_not_come_whole_replaces_nothing(storage_settings: Settings) -> None:
    first = audience(storage_settings)
    first.remove_all()
    first.deliver(batch(range(10)))
    first.finish(whole=True)
    killed = audience(storage_settings, "r2", BEGAN + timedelta(hours=1))
    killed.remove_all()
    killed.deliver(batch(range(3)))
    failed = audience(storage_settings, "r3", BEGAN + timedelta(hours=2))
    failed.remove_all()
    failed.deliver(batch(range(4)))
    failed.finish(whole=False)
    assert held(storage_settings) == people(range(10))
    assert newest(storage_settings)["run"] == "r1"


def test_a_run_without_changes_writes_nothing(storage_settings: Settings) -> None:
    audience(storage_settings).finish(whole=True)
    assert storage(storage_settings).names("loyal") == ()


def test_the_probe_leaves_nothing(storage_settings: Settings) -> None:
    assert who_am_i(connection(storage_settings)).details["probe"]
    audience(storage_settings).verify()
    if not storage_settings["url"].startswith("s3"):
        assert storage(storage_settings).names("loyal") == ()
    fs = storage(storage_settings)
    assert not [name for name in fs._listed(fs._root) if "probe" in str(name)]


@pytest.mark.parametrize(
    ("change", "meant"),
    [
        ({"url": "file:///a/folder/that/is/not/there"}, AudienceGone),
        ({"url": "s3://another-bucket/x"}, AudienceGone),
        ({"url": "sftp://127.0.0.1:9/x"}, ServiceFailed),
    ],
    ids=["folder", "s3", "sftp"],
)
def test_a_place_that_is_not_there_is_told(
    change: Settings, meant: type[DestinationFault], request: pytest.FixtureRequest
) -> None:
    base = request.getfixturevalue("s3").settings if change["url"].startswith("s3") else {}
    with pytest.raises(meant):
        audience({**base, **change}).verify()


@pytest.mark.parametrize("storage_settings", ["sftp"], indirect=True)
def test_an_sftp_server_with_another_key_is_not_let_in(storage_settings: Settings, tmp_path: object) -> None:
    for known in ("/dev/null", f"{tmp_path}/none"):
        with pytest.raises(ServiceFailed, match="known hosts"):
            audience({**storage_settings, "known_hosts": known}).verify()


@pytest.mark.parametrize("storage_settings", ["sftp"], indirect=True)
def test_a_wrong_password_is_told_and_not_shown(storage_settings: Settings) -> None:
    with pytest.raises(CredentialsRejected) as caught:
        audience({**storage_settings, "password": "wrong-password"}).verify()
    assert "wrong-password" not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}"


def test_only_a_run_writes(storage_settings: Settings) -> None:
    asked = audience(storage_settings)
    asked._run = None
    with pytest.raises(ValueError, match="only a run"):
        asked.deliver(dataclasses.replace(batch(range(1))))


@pytest.mark.parametrize("note", [b"{", b"[]", b'{"contents": "changes", "folder": "../../other"}'])
def test_a_note_that_is_not_ours_is_named_and_followed_nowhere(
    storage_settings: Settings, note: bytes
) -> None:
    files = storage(storage_settings)
    files.write("loyal/_open/x.json", note)
    with pytest.raises(ServiceFailed, match=r"loyal/_open/x\.json"):
        audience(storage_settings).finish(whole=True)


@pytest.mark.parametrize(("url", "package"), [("gs://bucket/x", "gcsfs"), ("az://container/x", "adlfs")])
def test_a_storage_whose_package_is_missing_says_what_to_install(url: str, package: str) -> None:
    if importlib.util.find_spec(package):
        return
    with pytest.raises(InvalidFault, match=package) as caught:
        audience({"url": url}).verify()
    assert "pip install" in caught.value.hint


@pytest.mark.parametrize("storage_settings", ["sftp"], indirect=True)
def test_a_connection_that_was_lost_is_made_anew(storage_settings: Settings) -> None:
    run = audience(storage_settings)
    run.deliver(batch(range(3)))
    run._storage._files.client.close()
    with pytest.raises(ServiceFailed):
        run.deliver(batch(range(3, 6)))
    run.deliver(batch(range(3, 6)))
    run.finish(whole=True)
    assert held(storage_settings) == people(range(6))


@pytest.mark.parametrize("storage_settings", ["folder", "sftp"], indirect=True)
def test_a_note_that_was_never_whole_stands_in_nobodys_way(storage_settings: Settings) -> None:
    files = storage(storage_settings)
    files.write("loyal/_open/.20261126T010000.000Z-r0.json.part", b'{"form"')
    run = audience(storage_settings)
    run.deliver(batch(range(3)))
    run.finish(whole=True)
    assert held(storage_settings) == people(range(3))
    assert files.names("loyal/_open") == ()


def test_what_a_later_run_has_open_is_left_to_it(storage_settings: Settings) -> None:
    stalled, later = audience(storage_settings), audience(storage_settings, "r2", BEGAN + timedelta(hours=1))
    stalled.deliver(batch(range(3)))
    later.deliver(batch(range(5)))
    stalled.finish(whole=False)
    files = storage(storage_settings)
    assert files.names("loyal/_open") == ("20261126T030000.000Z-r2.json",)
    assert [manifest["run"] for _, manifest in manifests(files.names, files.read, "loyal")] == ["r1"]
    later.finish(whole=True)
    assert held(storage_settings) == people(range(5))


@pytest.mark.parametrize("storage_settings", ["folder"], indirect=True)
def test_an_emptying_that_failed_goes_on_where_it_stopped(storage_settings: Settings) -> None:
    run = audience(storage_settings)
    run.deliver(batch(range(3), Operation.REMOVE))
    folder = Path(storage_settings["url"].removeprefix("file://"))
    (written,) = folder.rglob("remove-*")
    content = written.read_bytes()
    written.unlink()
    written.mkdir()
    with pytest.raises(DestinationFault):
        run.remove_all()
    written.rmdir()
    written.write_bytes(content)
    run.remove_all()
    assert not written.exists()
