"""What a consumer of files does: follow the manifests, check every sum, and apply what they name."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Read = Callable[[str], bytes]
List = Callable[[str], tuple[str, ...]]


def in_folder(folder: Path) -> tuple[List, Read]:
    """How a folder on this machine is listed and read."""

    def names(path: str) -> tuple[str, ...]:
        place = folder / path
        return tuple(sorted(each.name for each in place.iterdir())) if place.is_dir() else ()

    return names, lambda path: (folder / path).read_bytes()


def rows_of(name: str, content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a file, by its name."""
    if name.endswith(".parquet"):
        return list(pq.read_table(io.BytesIO(content)).to_pylist())
    if name.endswith(".gz"):
        content, name = gzip.decompress(content), name.removesuffix(".gz")
    if name.endswith(".zst"):
        with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
            content, name = stream.read(), name.removesuffix(".zst")
    text = content.decode()
    if name.endswith(".csv"):
        return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    return [json.loads(line) for line in text.splitlines()]


def manifests(names: List, read: Read, folder: str) -> list[tuple[str, dict[str, Any]]]:
    """Each run's folder that is finished, with its manifest, in the order of time."""
    found = []
    for name in names(folder):
        if name.startswith("_"):
            continue
        below = f"{folder}/{name}"
        if "_manifest.json" in names(below):
            found.append((below, json.loads(read(f"{below}/_manifest.json"))))
        elif not name.endswith(("parquet", "csv", "ndjson")):
            found += manifests(names, read, below)
    return sorted(found, key=lambda each: each[1]["started_at"])


def members(names: List, read: Read, folder: str) -> set[bytes]:
    """Who is in the audience, by its files alone."""
    held: set[bytes] = set()
    for place, manifest in manifests(names, read, folder):
        if manifest["contents"] == "full":
            if not manifest["complete"]:
                continue
            held = set()
        for operation in ("add", "remove"):
            for file in manifest["files"]:
                if file["operation"] != operation:
                    continue
                content = read(f"{place}/{file['name']}")
                assert hashlib.sha256(content).hexdigest() == file["sha256"]
                assert len(content) == file["bytes"]
                rows = rows_of(file["name"], content)
                assert len(rows) == file["rows"]
                digests = {bytes.fromhex(row["digest"]) for row in rows}
                held = held | digests if operation == "add" else held - digests
    return held


def rows_held(names: List, read: Read, folder: str) -> dict[str, Mapping[str, Any]]:
    """What a consumer has who follows the manifests, by the record."""
    found: dict[str, Mapping[str, Any]] = {}
    for place, manifest in manifests(names, read, folder):
        if manifest["contents"] == "full":
            if not manifest["complete"]:
                continue
            found = {}
        for operation in ("add", "remove"):
            for file in manifest["files"]:
                if file["operation"] != operation:
                    continue
                rows = rows_of(file["name"], read(f"{place}/{file['name']}"))
                assert len(rows) == file["rows"]
                for row in rows:
                    if operation == "add":
                        found[row["record"]] = row
                    else:
                        found.pop(row["record"], None)
    return found
