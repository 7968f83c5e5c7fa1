"""Files that may be anything: backups, plans, ledgers, lists of people; and whatever may be an identifier."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from cdp_core.app.lists import persons
from cdp_core.contract.source import EngineContext
from cdp_core.contract.spreadsheets import without_formulas
from cdp_core.engines.duckdb.engine import DuckDBEngine
from cdp_core.errors import CdpError, GateFault, InvalidFault
from cdp_core.model.configuration import ProfileSource
from cdp_core.model.ledger import LedgerFile, LedgerPart
from cdp_core.pipeline import ledger
from cdp_core.pipeline.plan import MANIFEST as PLAN_MANIFEST
from cdp_core.pipeline.plan import Plan
from cdp_core.rules.identifiers import BUILT_IN_KINDS
from cdp_core.rules.identifiers.masking import masked
from cdp_core.runner.backup import MANIFEST
from cdp_core.runner.restoring import looked_at, unpack
from fuzzing import bytes_like, documents, fuzzed, texts

SETTINGS = b'[profiles]\nurl="p.csv"\nkey="id"\n[vault]\nkind="file"\n'
PARTS = {
    "cdp.toml": SETTINGS,
    "state.db": b"state",
    "ledger/a/b.parquet": b"PAR1",
    "plans/p/plan.json": b"{}",
}


def archive(manifest: bytes, parts: dict[str, bytes]) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as tar:
        for name, content in ((MANIFEST, manifest), *parts.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return into.getvalue()


def manifest_of(parts: dict[str, bytes], said: Mapping[str, Any]) -> bytes:
    listed = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in parts.items()
    ]
    about = {"format": 1, "made_at": "2026-11-27T02:00:00+00:00", "tables": {"runs": 1}, "parts": listed}
    return json.dumps({**about, "lost": 0, "head": "x", "vault": "file", **said}).encode()


WHOLE = archive(manifest_of(PARTS, {}), PARTS)
names = texts("ledger/a/b.parquet", "ledger/../../x", "/etc/x", "vault/secrets.json", "plans\\..\\x")


def look(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, into = Path(folder) / "backup", Path(folder) / "into" / "it"
        path.write_bytes(content)
        into.mkdir(parents=True)
        with suppress(InvalidFault):
            backup, _ = looked_at(path)
            unpack(path, into, size=backup.size, progress=lambda done, of: None)
        # Whatever it said, nothing lies outside.
        assert {each.name for each in Path(folder).iterdir()} == {"backup", "into"}
        assert {each.name for each in into.parent.iterdir()} == {"it"}
        assert not any(each.is_symlink() for each in into.rglob("*"))


@fuzzed(bytes_like(WHOLE))
def test_a_backup_with_other_bytes(content: bytes) -> None:
    look(content)


@fuzzed(
    st.dictionaries(names, st.binary(max_size=4), max_size=3),
    st.dictionaries(
        st.sampled_from(["format", "made_at", "tables", "parts", "lost", "head", "vault"]),
        documents(),
        max_size=2,
    ),
)
def test_a_backup_that_somebody_made(further: dict[str, bytes], said: dict[str, Any]) -> None:
    parts = {**PARTS, **further}
    try:
        manifest = manifest_of(parts, said)
        content = archive(manifest, parts)
    except (ValueError, UnicodeError):  # what no archive can hold
        return
    look(content)


@fuzzed(bytes_like(b'{"kinds": {"EMAIL": {"read": 1}}, "files": [], "owed_alone": false, "mode": "mirror"}'))
def test_a_plans_heading(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / PLAN_MANIFEST).write_bytes(content)
        for digest in (hashlib.sha256(content).hexdigest(), "0" * 64):
            try:
                Plan.open(Path(folder), digest)
            except GateFault:
                continue
            assert digest == hashlib.sha256(content).hexdigest()


@functools.cache
def _ledger_file() -> bytes:
    from cdp_core.pipeline.digest_file import DigestFileWriter

    with tempfile.TemporaryDirectory() as folder:
        with DigestFileWriter(Path(folder) / "a.parquet") as writer:
            digests = sorted(hashlib.sha256(bytes([n])).digest() for n in range(20))
            writer.write(pa.array(digests, pa.binary(32)))
            writer.close(durable=False)
        return (Path(folder) / "a.parquet").read_bytes()


@fuzzed(st.deferred(lambda: bytes_like(_ledger_file())))
def test_a_ledgers_file(content: bytes) -> None:
    """One that differs by a byte is never opened."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.parquet").write_bytes(content)
        file = LedgerFile(
            export_id="e",
            kind="EMAIL",
            part=LedgerPart.BASE,
            path="a.parquet",
            sha256=hashlib.sha256(_ledger_file()).hexdigest(),
            rows=20,
        )
        try:
            ledger.verify(Path(folder), [file])
        except GateFault:
            assert content != _ledger_file()
        else:
            assert content == _ledger_file()


@fuzzed(
    bytes_like(
        b"id;email\n1;a@b.de\n", b'{"email": "a@b.de"}\n{"email": null}\n', b"a@b.de\n", _ledger_file()
    ),
    st.sampled_from([".csv", ".ndjson", ".txt", ".parquet", ".tsv"]),
)
def test_a_list_of_people(content: bytes, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"list{ending}"
        path.write_bytes(content)
        for field in (None, "email"):
            with suppress(InvalidFault):
                list(persons(str(path), field=field, undone="nothing was added"))


@fuzzed(
    bytes_like(b'id,email,n\n1,"a ""b""",2026-01-02\n2,,3\n', b"\xef\xbb\xbfid;email\r\n1;x\r\n", b"id\n1\n"),
    slow=True,
)
def test_a_table_of_profiles(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profiles.csv"
        path.write_bytes(content)
        source = ProfileSource(url=str(path), key="id", options={})
        with suppress(CdpError):
            DuckDBEngine(EngineContext(source=source, scratch=Path(folder), memory_limit=128 << 20)).close()


PEOPLE = (
    *("Anna.B+x@Mail.Example ", "+31 (0)6 12345678 ext 7", "tel:+39-06-698", "a" * 64, "0031612345678"),
    *("38400000-8CF0-11BD-B23E-10B96E40000D", "00000000-0000-0000-0000-000000000000", "n/a", "ann@müller.de"),
)


@fuzzed(st.none() | texts(*PEOPLE), st.sampled_from([None, "NL", "IT", "AR", "ZZ", "nl", ""]))
def test_an_identifier(value: str | None, region: str | None) -> None:
    for kind in BUILT_IN_KINDS.values():
        found = kind.identify(value, region)
        assert (found.reason is None) == (found.digest is not None)
        assert found.digest is None or len(found.digest) == 32
    if value is not None:
        masked(value)


cells = texts("=1+1", "Anna;=cmd|'/C calc'!A0", "x\n@SUM(1)", "+31612345678", "a,-5;+3", 'say "=x"')


@fuzzed(st.lists(st.none() | cells.map(lambda text: text.encode("utf-8", "replace").decode()), max_size=5))
def test_cells_of_a_spreadsheet(column: list[str | None]) -> None:
    escaped = without_formulas(pa.table({"a": pa.array(column, pa.string())})).column("a").to_pylist()
    for before, after in zip(column, escaped, strict=True):
        assert (before is None) == (after is None)
        if after is not None and before is not None:
            assert not after.startswith(("=", "@", "\t", "\r", "\n"))
            assert not any(f"{end}{sign}" in after for end in ",;|\t\r\n" for sign in "=@")
            assert after.replace("'", "") == before.replace("'", "")
