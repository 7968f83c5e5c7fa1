"""Members as files, by commands: what a consumer finds after runs that went well and that were killed."""

from __future__ import annotations

import pytest

from by_hand import alter
from cdp_core.app.facade import CDP
from cdp_core.errors import Code, InternalFault
from cdp_core.model.run import RunEvent, Station
from cdp_core.workspace import Workspace
from file_jobs import NAME, FilesJob, add_files, files_job
from main_job import Cdp, customers, digest, wanted
from storages import S3_SECRET, s3_server

RUN = ("export", "run", NAME)


@pytest.fixture
def files(cdp: Cdp) -> FilesJob:
    return files_job(cdp)


def test_the_first_run_writes_all_and_the_next_what_has_changed(files: FilesJob) -> None:
    verified = files.cdp.json("connection", "verify", "Files")
    assert "written, read and removed" in verified["identity"]["probe"]
    files.cdp(*RUN)
    assert files.held() == wanted(range(1000))
    assert len(files.seen()) == 10
    files.write(customers(range(10, 1010)))
    report = files.cdp.json(*RUN)
    assert (report["delivered"]["planned"], report["delivered"]["requests"]) == (20, 2)
    assert files.held() == wanted(range(10, 1010))
    assert [each["contents"] for each in files.manifests()] == ["changes", "changes"]
    files.cdp(*RUN)
    assert len(files.manifests()) == 2


def test_nobody_is_asked_to_sign_in_where_there_is_nothing_to_sign_in_to(files: FilesJob) -> None:
    waiting = files.cdp.json("status")["attention"]
    assert [each["trouble"] for each in waiting if "signed in" in each["trouble"]] == []
    checks = files.cdp.json("doctor")
    found = [each for each in checks if each["name"] == "connections"]
    assert [(each["state"], each["message"]) for each in found] == [("ok", "Files needs no sign-in")]


def test_looking_how_things_stand_leaves_one_entry_in_the_audit_log(files: FilesJob) -> None:
    files.cdp("status")
    entries = files.cdp.json("audit", "list", "--action", "status.show")
    assert [each["outcome"] for each in entries] == ["done"]


def test_replace_writes_the_whole_each_time(files: FilesJob) -> None:
    files.cdp("export", "edit", NAME, "--mode", "replace")
    files.cdp(*RUN, "--yes")
    files.write(customers(range(100, 1100)))
    files.cdp(*RUN, "--yes")
    first, second = files.manifests()
    assert [each["contents"] for each in (first, second)] == ["full", "full"]
    assert [each["complete"] for each in (first, second)] == [True, True]
    assert files.held() == wanted(range(100, 1100))
    assert second["rows"] == [{"operation": "add", "kind": "EMAIL", "rows": 1000}]


def test_who_is_suppressed_is_named_for_removal_past_every_gate(files: FilesJob) -> None:
    files.cdp(*RUN)
    files.cdp("suppress", "add", "--kind", "EMAIL", stdin=f"{digest('person7@example.org').hex()}\n")
    files.cdp(*RUN)
    assert files.held() == wanted(range(1000)) - {digest("person7@example.org")}


@pytest.mark.parametrize("mode", ["mirror", "replace"])
@pytest.mark.parametrize(
    "step",
    [
        "cdp_files.storage:Storage.write:before:1",
        "cdp_files.storage:Storage.write:after:1",
        "cdp_files.storage:Storage.write:after:6",
        "cdp_files.storage:_write_through:after:4",
        "cdp_files.destination:FilesAudience.finish:before:1",
        "cdp_files.destination:FilesAudience._publish:after:1",
        "cdp_core.store.journal:Journal.close:after:5",
        "cdp_core.store.ledgers:Ledgers.commit:before:1",
    ],
)
def test_killed_anywhere_no_half_file_is_seen_and_the_next_run_converges(
    files: FilesJob, step: str, mode: str
) -> None:
    files.cdp(*RUN)
    files.cdp("export", "edit", NAME, "--mode", mode)
    files.write(customers(range(500, 1500)))
    before = files.held()
    assert files.killed(step, *RUN, "--yes")
    for path in files.folder.rglob("[ar]*.csv"):
        assert len(path.read_text().splitlines()) == 101
    assert files.held() in (before, wanted(range(500, 1500)))
    files.cdp(*RUN, "--yes")
    assert files.held() == wanted(range(500, 1500))
    assert not list(files.folder.rglob("*.part"))
    assert files.names("loyal/_open") == ()


def test_a_folder_that_is_gone_stops_the_run_before_anything_is_written(files: FilesJob) -> None:
    files.folder.rmdir()
    said = files.cdp(*RUN, status=3).stderr
    assert "there is no folder" in said
    assert not files.folder.exists()


def test_a_storage_that_fails_costs_a_run_and_nothing_else(files: FilesJob) -> None:
    files.cdp(*RUN)
    files.write(customers(range(10, 1010)))
    # A file stands where a folder would have to be made.
    (files.folder / "loyal" / "_open").rmdir()
    (files.folder / "loyal" / "_open").write_text("")
    files.cdp(*RUN, status=9)
    (files.folder / "loyal" / "_open").unlink()
    files.cdp(*RUN)
    assert files.held() == wanted(range(10, 1010))


def test_a_bucket_is_filled_and_no_secret_is_kept(files: FilesJob) -> None:
    with s3_server() as server:
        cdp = files.cdp
        cdp.environ["BUCKET_SECRET"] = S3_SECRET
        words = [
            f"--set={name}={value}" for name, value in server.settings.items() if name != "secret_access_key"
        ]
        cdp(
            *("connection", "add", "files", "--name", "Bucket", "--agree", *words),
            *("--secret", "secret_access_key=env:BUCKET_SECRET"),
        )
        cdp(
            *("export", "add", "Loyal to S3", "--connection", "Bucket", "--set", "folder=loyal"),
            *("--match", "EMAIL=email", "--segment", "Loyal customers"),
        )
        cdp("export", "run", "Loyal to S3")
        # Read by nobody but S3's own protocol.
        from cdp_core.contract.schemas import load_settings
        from cdp_files.connections import ConnectionSettings
        from cdp_files.storage import Storage
        from reading_files import members

        bucket = Storage(load_settings(ConnectionSettings, server.settings, what="the bucket"))
        assert members(bucket.names, bucket.read, "loyal") == wanted(range(1000))
        kept = [path.read_bytes() for path in (cdp.folder / ".cdp").rglob("*") if path.is_file()]
        assert not [content for content in kept if S3_SECRET.encode() in content]


def test_two_exports_may_fill_one_folder_and_a_claim_of_both_stays(files: FilesJob) -> None:
    files.cdp(*RUN)
    files.cdp("segment", "add", "Everybody", "--where", "true")
    files.cdp(
        *("export", "add", "Everybody to files", "--connection", "Files", "--set", "folder=loyal"),
        *("--set", "format=csv", "--match", "EMAIL=email", "--segment", "Everybody"),
    )
    files.cdp("export", "run", "Everybody to files")
    assert files.held() == wanted(range(1200))
    files.cdp("export", "remove", NAME, "--take-members-out", "--yes")
    assert files.held() == wanted(range(1200))


def test_an_uppercase_scheme_or_a_missing_extra_is_said(cdp: Cdp) -> None:
    files_job(cdp)
    said = cdp("connection", "add", "files", "--name", "X", "--set", "url=ftp://host/x", status=3).stderr
    assert "sftp://" in said


def test_a_second_connection_to_the_same_folder_is_the_same_audience(files: FilesJob) -> None:
    files.cdp(*RUN)
    add_files(files.cdp, files.folder.as_uri(), name="Again", connection="Files too")
    report = files.cdp.json("export", "run", "Again")
    assert report["kinds"]["EMAIL"]["unchanged"] == 1000
    assert len(files.manifests()) == 1


def test_a_run_that_was_taken_over_finishes_nothing(files: FilesJob) -> None:
    taken: list[int] = []

    def take_over(event: RunEvent) -> None:
        if event.station is not Station.DELIVER or event.done < 1000 or taken:
            return
        taken.append(alter(files.cdp, "UPDATE leases SET fence = fence + 1 WHERE held"))

    with CDP(Workspace.open(files.cdp.folder / ".cdp")) as cdp, pytest.raises(InternalFault) as lost:
        cdp.exports.run(NAME, progress=take_over)
    assert lost.value.code is Code.LEASE_LOST
    assert files.manifests() == []
    assert len(files.names("loyal/_open")) == 1
    alter(files.cdp, "UPDATE leases SET held = false")
    files.cdp(*RUN)
    assert files.held() == wanted(range(1000))
