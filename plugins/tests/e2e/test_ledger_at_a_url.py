"""Ledger and plans under an S3 URL: the main job, other machines, lost copies, crashes, what goes wrong."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from by_hand import place_of
from cdp_snapchat.simulator import SnapchatSimulator
from crashing import agrees, balanced, forks
from main_job import Cdp, Job, add_export, cdp_in, customers, job_in, wanted
from s3_server import Bucket, bucket, free_port, made_bucket, s3, s3_server  # noqa: F401 - fixtures

NAME = "Loyal to Snapchat"


@pytest.fixture
def cdp(tmp_path: Path, bucket: Bucket) -> Cdp:  # noqa: F811
    made = cdp_in(tmp_path)
    made.environ |= bucket.environ
    return made


@pytest.fixture
def job(cdp: Cdp, simulator: SnapchatSimulator, bucket: Bucket) -> Job:  # noqa: F811
    made = job_in(cdp, simulator)
    cdp("ledger", "move", "--to", bucket.url)
    return made


def workspace(job: Job) -> Path:
    return job.cdp.folder / ".cdp"


def forget_copies(job: Job) -> None:
    """The workspace's copies are lost, as on another machine."""
    for name in ("ledger", "plans"):
        shutil.rmtree(workspace(job) / name)
    (workspace(job) / "ledger-seen.json").unlink(missing_ok=True)


def test_the_main_job(job: Job, bucket: Bucket) -> None:  # noqa: F811
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000))
    assert len(bucket.names("ledger/")) == 1
    assert len(bucket.names("plans/")) == 2
    forget_copies(job)
    job.write(customers(range(100, 1100)))
    plan = job.cdp.json("export", "plan", NAME)["plan"]
    forget_copies(job)
    counts = job.cdp.json("export", "run", NAME, "--plan", plan)["kinds"]["EMAIL"]
    assert (counts["added"], counts["removed"], counts["unchanged"]) == (100, 100, 900)
    assert job.members() == wanted(range(100, 1100))
    shown = job.cdp.json("ledger", "show", NAME)
    assert shown["place"] == bucket.url
    assert shown["differing"] == []
    assert bucket.url in job.cdp("doctor").stdout
    forget_copies(job)
    told = job.cdp("explain", "--json", stdin="person50@example.org\n").stdout
    assert NAME in told
    assert "purged" not in told or '"purged": true' not in told
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 1000


def test_the_result_of_a_static_segment_is_read_by_every_machine(job: Job, bucket: Bucket) -> None:  # noqa: F811
    job.cdp("segment", "add", "Christmas", "--where", "lifetime_value > 500", "--static")
    job.cdp("export", "edit", NAME, "--segment", "Christmas")
    (kept,) = bucket.names("segments/")
    shutil.rmtree(workspace(job) / "segments")
    job.write(customers(range(100, 200), value=1) + customers(range(200, 1100)))
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(100, 1000))
    job.cdp("ledger", "move", "--to", "workspace")
    job.cdp("ledger", "move", "--to", f"{bucket.url}/elsewhere")
    assert bucket.names("elsewhere/segments/") == [f"elsewhere/{kept}"]
    job.cdp("export", "edit", NAME, "--segment", "Loyal customers")
    job.cdp("segment", "remove", "Christmas", "--yes")
    assert bucket.names("elsewhere/segments/") == []


def test_two_exports_on_one_audience_and_two_machines(job: Job, bucket: Bucket, tmp_path: Path) -> None:  # noqa: F811
    """The other machine has a workspace of its own, and the same state, vault and profiles."""
    add_export(job.cdp, "Early too")
    job.write(customers(range(600)))
    job.cdp("export", "run", "Early too")
    other = tmp_path / "other machine"
    other.mkdir()
    for name in ("cdp.toml", "vault"):
        source = workspace(job) / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, other / name)
    other.chmod(0o700)
    if isinstance(state := place_of(job.cdp), Path):
        (other / "state.db").hardlink_to(state)
        assert not list(workspace(job).glob("state.db-*"))
    job.write(customers(range(500, 1000)))
    there = ("--workspace", str(other))
    counts = job.cdp.json(*there, "export", "run", NAME)["kinds"]["EMAIL"]
    assert (counts["added"], counts["unchanged"]) == (400, 100)
    assert job.members() == wanted(range(1000))
    # A run of this machine dies; the other one settles it, with the plan from the URL.
    job.write(customers(range(700, 1200)))
    job.killed("cdp_core.store.journal:Journal.close:after:2", "export", "run", NAME)
    job.cdp("export", "history", NAME)  # brings what SQLite keeps beside the file into the file
    report = job.cdp.json(*there, "export", "run", NAME)
    assert report["resumed_from"]
    assert job.members() == wanted(range(600)) | wanted(range(700, 1200))
    job.cdp("export", "run", "Early too", "--allow-shrink")
    assert job.members() == wanted(range(700, 1200))
    job.cdp.json(*there, "ledger", "show", NAME)


def test_a_file_that_is_missing_or_not_what_was_committed_stops_a_run(job: Job, bucket: Bucket) -> None:  # noqa: F811
    job.cdp("export", "run", NAME)
    (name,) = bucket.names("ledger/")
    content = bucket.read(name)
    job.write(customers(range(10, 1010)))
    spoilt: tuple[Callable[[], None], ...] = (
        lambda: bucket.remove(name),
        lambda: bucket.write(name, content[:-1]),
        lambda: bucket.write(name, bytes([content[0] ^ 1]) + content[1:]),
    )
    for spoil in spoilt:
        spoil()
        stopped = job.cdp("export", "run", NAME, status=7).stderr
        assert "CDP-702" in stopped
        assert f"{bucket.url}/{name}" in stopped
        assert job.members() == wanted(range(1000))
        assert "CDP-702" in job.cdp("doctor", status=3).stdout
        # This machine has the right bytes still, and brings them back.
        job.cdp("ledger", "move", "--to", bucket.url)
        assert bucket.read(name) == content
        job.cdp("doctor")
    bucket.remove(name)
    forget_copies(job)
    assert "CDP-702" in job.cdp("ledger", "move", "--to", bucket.url, status=7).stderr
    view = job.cdp.json("ledger", "rebuild", NAME)
    assert view["before"] == view["after"] == 1000
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 990
    assert job.members() == wanted(range(10, 1010))


def test_strangers_and_old_files_are_moved_aside_at_the_url(job: Job, bucket: Bucket) -> None:  # noqa: F811
    job.cdp("export", "run", NAME)
    (old,) = bucket.names("ledger/")
    bucket.write("ledger/of last year.parquet", b"somebody else's")
    assert f"{bucket.url}/ledger/of last year.parquet" in job.cdp("ledger", "show", NAME).stdout
    assert "not written by cdp" in job.cdp("doctor").stdout
    view = job.cdp.json("ledger", "rebuild", NAME)
    assert bucket.url in view["aside"]
    (new,) = bucket.names("ledger/")
    assert new != old
    assert sorted(
        name.partition("/")[2].partition("/")[2] for name in bucket.names("ledger-aside/")
    ) == sorted(("of last year.parquet", old.removeprefix("ledger/")))
    job.cdp("ledger", "reset", NAME, "--yes")
    assert bucket.names("ledger/") == []
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["added"] == 1000


def test_a_server_that_is_down_stops_a_run_with_nothing_half_done(job: Job, bucket: Bucket) -> None:  # noqa: F811
    job.cdp("export", "run", NAME)
    job.write(customers(range(10, 1010)))
    down = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    job.simulator.clear_requests()
    stopped = job.cdp("export", "run", NAME, status=9, environ=down).stderr
    assert "CDP-910" in stopped
    assert bucket.url in stopped
    assert job.uploads() == []
    assert "CDP-910" in job.cdp("doctor", status=3, environ=down).stdout
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["added"] == 10
    assert job.members() == wanted(range(10, 1010))


def test_a_server_that_goes_down_during_delivery_leaves_what_the_next_run_settles(
    cdp: Cdp, simulator: SnapchatSimulator
) -> None:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    cdp.environ |= {"AWS_ENDPOINT_URL": endpoint}
    job = job_in(cdp, simulator)
    with s3_server(port) as server, made_bucket(endpoint, "ledgers") as bucket:  # noqa: F811
        cdp("ledger", "move", "--to", bucket.url)
        simulator.fault("stall:route=add-users,seconds=2")
        with cdp.start("export", "run", NAME) as process:
            while not job.uploads():
                time.sleep(0.01)
            server.kill()
            _, errors = process.communicate(timeout=100)
    assert process.returncode == 9, errors
    assert "CDP-910" in errors
    assert job.members() == wanted(range(1000))
    assert cdp.json("ledger", "show", NAME, status=9)["error"]["code"] == "CDP-910"
    # It comes back as empty as it never is outside of tests: the plan is here still.
    with s3_server(port), made_bucket(endpoint, "ledgers") as bucket:
        report = cdp.json("export", "run", NAME)
        assert report["resumed_from"]
        assert report["kinds"]["EMAIL"]["unchanged"] == 1000
        assert len(bucket.names("ledger/")) == 1
        cdp("doctor")


def test_what_cannot_be_used_is_said_and_no_secret_with_it(cdp: Cdp, bucket: Bucket) -> None:  # noqa: F811
    pq.write_table(pa.table({"customer_id": ["1"]}), cdp.folder / "profiles.parquet")
    init = ("init", "--profiles", "profiles.parquet", "--key", "customer_id", "--ledger-url")
    for url, status, said in (
        ("sftp://me:pa55word@host/folder", 2, "CDP-202"),
        ("s3://bucket/prefix?token=pa55word", 2, "CDP-202"),
        ("a folder", 2, "CDP-203"),
        ("nonsense://bucket/prefix", 3, "CDP-308"),
        ("s3://no-such-bucket/prefix", 3, "CDP-340"),
        ("gs://bucket/prefix", 3, "pip install 'cdp-core[gcs]'"),
    ):
        told = cdp(*init, url, status=status).stderr
        assert said in told
        assert "pa55word" not in told
        assert not (cdp.folder / ".cdp").exists()
    refused = cdp(*init, bucket.url, "--ledger-option", "secret=pa55word", status=2).stderr
    assert "CDP-202" in refused
    assert "pa55word" not in refused
    without = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    without |= {"AWS_EC2_METADATA_DISABLED": "true"}
    assert "CDP-340" in cdp(*init, bucket.url, status=3, environ=without).stderr
    cdp(*init, bucket.url)
    assert bucket.names() == ["cdp.json"]
    # Another workspace, with a state of its own.
    assert "CDP-341" in cdp(*("init", "other", *init[1:]), bucket.url, status=3).stderr
    assert not (cdp.folder / "other").exists()


@pytest.mark.timeout(900)
def test_ledgers_are_moved_to_a_url_and_back(cdp: Cdp, simulator: SnapchatSimulator, bucket: Bucket) -> None:  # noqa: F811
    job = job_in(cdp, simulator)
    cdp("export", "run", NAME)
    with forks(job) as typed:
        for number in itertools.count(1):
            ended = typed("ledger", "move", "--to", bucket.url, kill_at=number)
            agrees(job, typed, wanted(range(1000)), of=NAME)
            assert (
                typed.ended("export", "run", NAME, "--json").document["kinds"]["EMAIL"]["unchanged"] == 1000
            )
            typed.ended("ledger", "move", "--to", "workspace")
            assert "url" not in (workspace(job) / "cdp.toml").read_text().partition("[ledger]")[2]
            if not ended.killed:
                break
    done = cdp.json("ledger", "move", "--to", bucket.url)
    assert (done["files"], done["lost"]) == (1, 0)
    forget_copies(job)
    cdp("ledger", "move", "--to", "workspace")
    cdp("doctor", environ={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    assert cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 1000
    named = {"CDP_LEDGER_URL": bucket.url}
    assert cdp("ledger", "move", "--to", "workspace", status=2, environ=named)


def test_the_encrypted_ledger(job: Job, bucket: Bucket) -> None:  # noqa: F811
    job.cdp("export", "run", NAME)
    digest = next(iter(wanted([5])))
    assert any(digest in bucket.read(name) for name in bucket.names())
    job.cdp("ledger", "encrypt")
    assert not any(digest in bucket.read(name) for name in bucket.names())
    forget_copies(job)
    job.write(customers(range(100, 1100)))
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(100, 1100))
    assert not any(next(iter(wanted([1050]))) in bucket.read(name) for name in bucket.names())
    job.cdp("ledger", "decrypt", "--yes")
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 1000


def test_encrypting_leaves_what_another_machine_has_just_brought_there(job: Job, bucket: Bucket) -> None:  # noqa: F811
    job.cdp("export", "run", NAME)
    (name,) = bucket.names("ledger/")
    fresh = {f"{name.removesuffix('.parquet')[:-32]}{'0' * 32}.parquet", "plans/of-another/EMAIL.add.parquet"}
    for each in fresh:
        bucket.write(each, bucket.read(name))
    job.cdp("ledger", "encrypt")
    assert fresh <= set(bucket.names())


def test_copies_are_kept_within_their_limit(job: Job, bucket: Bucket) -> None:  # noqa: F811
    settings = workspace(job) / "cdp.toml"
    settings.write_text(settings.read_text().replace("[ledger]", '[ledger]\ncache = "1KB"'))
    job.cdp("export", "run", NAME)
    copies = list((workspace(job) / "ledger").rglob("*.parquet"))
    assert copies
    for path in (*copies, *(workspace(job) / "plans").iterdir()):
        os.utime(path, (0, 0))
    job.write(customers(range(5, 1005)))
    first = next((workspace(job) / "plans").iterdir())
    job.cdp("export", "run", NAME)
    assert not first.exists()
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 1000
    job.cdp("ledger", "rebuild", NAME)
    assert first.exists()


@pytest.mark.timeout(900)
def test_killed_at_every_step(job: Job, bucket: Bucket) -> None:  # noqa: F811
    job.write(customers(range(60)))
    with forks(job) as typed:
        typed.ended("export", "edit", NAME, "--max-shrink", "100%")
        for number in itertools.count(1):
            start = number * 17 % 40
            job.write(customers(range(start, start + 60)))
            ended = typed("export", "run", NAME, kill_at=number)
            if number % 2:
                forget_copies(job)
            job.write(customers(range(start + 5, start + 65)))
            balanced(typed.ended("export", "run", NAME, "--json").document)
            agrees(job, typed, wanted(range(start + 5, start + 65)), of=NAME)
            if not ended.killed:
                break
    assert number > 40
    job.cdp("doctor")


def test_a_restored_workspace_keeps_off_the_place_of_the_one_that_was_backed_up(
    job: Job,
    bucket: Bucket,  # noqa: F811
) -> None:
    job.cdp("export", "run", NAME)
    job.cdp("workspace", "backup", "crm.backup")
    job.cdp("workspace", "restore", "crm.backup", "restored", "--vault-key", ".cdp/vault/key")
    there = ("--workspace", "restored")
    before = bucket.names("")
    told = job.cdp(*there, "ledger", "move", "--to", bucket.url, status=3).stderr
    assert "the ledgers of another workspace lie at this URL" in told
    job.cdp(*there, "export", "run", NAME, status=3, environ={"CDP_LEDGER_URL": bucket.url})
    assert bucket.names("") == before
    job.cdp(*there, "ledger", "move", "--to", f"{bucket.url}/restored")
    assert job.cdp.json(*there, "export", "run", NAME)["kinds"]["EMAIL"]["added"] == 1000
    assert job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]["unchanged"] == 1000
