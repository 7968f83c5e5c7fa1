"""Files under a URL, on a real S3 server and in a folder: whole, in pieces, with faults of the house."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cdp_core.errors import CdpError, Code, InvalidFault, TemporaryFault
from cdp_core.model.delivery import Patience
from cdp_core.remote.faults import fault_of
from cdp_core.remote.files import PIECE, RemoteFiles
from s3_server import Bucket, bucket, free_port, s3  # noqa: F401 - fixtures

HURRY = Patience(attempts=2, first_wait=0.01, longest_wait=0.01)


@pytest.fixture
def remote(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> RemoteFiles:  # noqa: F811
    for name, value in bucket.environ.items():
        monkeypatch.setenv(name, value)
    return RemoteFiles(bucket.url, dict, HURRY)


@pytest.fixture
def folder(tmp_path: Path) -> RemoteFiles:
    return RemoteFiles(f"file://{tmp_path}/the re", dict, HURRY)


def test_what_is_put_is_listed_fetched_copied_and_removed(
    remote: RemoteFiles,
    folder: RemoteFiles,
    tmp_path: Path,
) -> None:
    for files in (remote, folder):
        content = {"ledger/a b/1.parquet": b"one", "ledger/2": b"", "plans/p/3": os.urandom(2 * PIECE + 7)}
        local = {}
        for number, (name, said) in enumerate(content.items()):
            local[name] = tmp_path / str(number)
            local[name].write_bytes(said)
        put = files.put(local)
        assert files.below("ledger") == {name: put[name] for name in content if name.startswith("ledger/")}
        assert files.below("nowhere") == {}
        assert files.folders("plans") == {"p"}
        assert files.sha256([*content, "ledger/3"]) == {
            **{name: hashlib.sha256(said).hexdigest() for name, said in content.items()},
            "ledger/3": None,
        }
        files.copy({"plans/p/3": "aside/3"})
        fetched = tmp_path / "fetched"
        with fetched.open("w+b") as into:
            files.fetch("aside/3", into)
        assert fetched.read_bytes() == content["plans/p/3"]
        with fetched.open("w+b") as into:
            assert files.fetch("aside/4", into) is None
        files.remove(["ledger/2", "ledger/2", "never there"])
        assert list(files.below("ledger")) == ["ledger/a b/1.parquet"]
        files.probe()
        assert not any("probe" in name for name in files.below(""))


def test_a_file_that_changes_has_another_mark(remote: RemoteFiles, tmp_path: Path) -> None:
    path = tmp_path / "1"
    path.write_bytes(b"one")
    first = remote.put({"ledger/1": path})["ledger/1"]
    assert remote.below("ledger")["ledger/1"] == first
    path.write_bytes(b"two")
    assert remote.put({"ledger/1": path})["ledger/1"].mark != first.mark


def test_a_place_is_one_states(remote: RemoteFiles, bucket: Bucket) -> None:  # noqa: F811
    remote.claim("mine")
    remote.claim("mine")
    with pytest.raises(InvalidFault) as taken:
        remote.claim("theirs")
    assert taken.value.code is Code.LEDGER_PLACE_TAKEN
    bucket.write("cdp.json", b"not ours at all")
    with pytest.raises(InvalidFault):
        remote.claim("mine")


def test_of_two_states_that_claim_a_place_at_once_one_is_refused(
    remote: RemoteFiles, folder: RemoteFiles
) -> None:
    for place in (remote, folder):

        class Late(RemoteFiles):
            other = place

            def _create(self, name: str, content: bytes) -> None:
                self.other.claim("theirs")
                super()._create(name, content)

        with pytest.raises(InvalidFault) as taken:
            Late(place.url, dict, HURRY).claim("mine")
        assert taken.value.code is Code.LEDGER_PLACE_TAKEN
        place.claim("theirs")


def test_a_claim_that_another_writes_over_is_refused(remote: RemoteFiles, bucket: Bucket) -> None:  # noqa: F811
    class Early(RemoteFiles):
        def _create(self, name: str, content: bytes) -> None:
            super()._create(name, content)
            bucket.write(name, content.replace(b"mine", b"theirs"))

    with pytest.raises(InvalidFault):
        Early(remote.url, dict, HURRY).claim("mine")


def test_a_server_that_is_down_is_asked_again_and_then_named(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {"key": "tests", "secret": "pa55word", "endpoint_url": f"http://127.0.0.1:{free_port()}"}
    files = RemoteFiles("s3://bucket/prefix", lambda: secret, HURRY)
    with pytest.raises(TemporaryFault) as down:
        files.below("ledger")
    assert down.value.code is Code.LEDGER_PLACE_UNREACHABLE
    assert "pa55word" not in repr(vars(down.value))


def test_a_bucket_that_is_not_there_is_named_and_not_made(remote: RemoteFiles, bucket: Bucket) -> None:  # noqa: F811
    missing = RemoteFiles("s3://no-such-bucket-of-ours/prefix", dict, HURRY)
    for ask in (missing.probe, lambda: missing.claim("mine")):
        with pytest.raises(InvalidFault) as gone:
            ask()
        assert gone.value.code is Code.LEDGER_PLACE_REFUSED
    names = [each["Name"] for each in bucket.client.list_buckets()["Buckets"]]
    assert "no-such-bucket-of-ours" not in names


def test_faults_say_no_more_than_what_to_do() -> None:
    class NoCredentialsError(Exception):
        pass

    for error, code in (
        (PermissionError("AKIA-pa55word"), Code.LEDGER_PLACE_REFUSED),
        (NoCredentialsError("pa55word"), Code.LEDGER_PLACE_REFUSED),
        (FileNotFoundError("pa55word"), Code.LEDGER_PLACE_REFUSED),
        (ConnectionResetError(104, "pa55word"), Code.LEDGER_PLACE_UNREACHABLE),
        (RuntimeError("pa55word"), Code.LEDGER_PLACE_UNREACHABLE),
    ):
        fault = fault_of(error, "s3://bucket", "write")
        assert isinstance(fault, CdpError)
        assert fault.code is code
        assert "pa55word" not in f"{fault} {fault.hint}"


_BIG = """
import os, resource, sys
from pathlib import Path
from cdp_core.model.delivery import Patience
from cdp_core.remote.files import RemoteFiles
folder, url = Path(sys.argv[1]), sys.argv[2]
files = RemoteFiles(url, dict, Patience(attempts=1))
files.claim("mine")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
files.put({"ledger/big": folder / "big"})
with (folder / "back").open("w+b") as into:
    files.fetch("ledger/big", into)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_a_large_file_goes_through_in_pieces(bucket: Bucket, tmp_path: Path) -> None:  # noqa: F811
    size = 160 * 2**20
    with (tmp_path / "big").open("wb") as file:
        for _ in range(size // PIECE):
            file.write(os.urandom(PIECE))
    done = subprocess.run(
        [sys.executable, "-c", _BIG, str(tmp_path), bucket.url],
        env=os.environ | bucket.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (tmp_path / "back").read_bytes() == (tmp_path / "big").read_bytes()
    assert int(done.stdout) < size / 2


def test_a_file_that_a_library_tells_by_its_name_alone_is_known(
    remote: RemoteFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Azure's library does where it is asked what lies below a file, whatever detail is asked for."""
    from s3fs import S3FileSystem

    original = S3FileSystem.find

    def find(self: S3FileSystem, path: str, **asked: object) -> object:
        return [path] if self.isfile(path) else original(self, path, **asked)

    monkeypatch.setattr(S3FileSystem, "find", find)
    (tmp_path / "one").write_bytes(b"one")
    put = remote.put({"cdp.json": tmp_path / "one"})
    assert remote.below("cdp.json") == put
