"""What tests of erasures stand on: people with two identifiers, and what lies in a workspace."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from main_job import Job

NAME, OTHER = "Loyal to Snapchat", "Early too"
SEVEN = "Person7@example.org"


def everybody(job: Job, numbers: range = range(100)) -> None:
    """Person n with an e-mail and a phone number each."""
    table = pa.table(
        {
            "customer_id": [f"c{n}" for n in numbers],
            "email": [f"Person{n}@example.org" for n in numbers],
            "phone": [f"+3161234{n:04}" for n in numbers],
            "lifetime_value": [900 for _ in numbers],
        }
    )
    pq.write_table(table, job.profiles)


def phone(number: int) -> bytes:
    return hashlib.sha256(f"3161234{number:04}".encode()).digest()


def erase(job: Job, person: str, *words: str, status: int = 0) -> Any:
    said = job.cdp("erase", "--yes", "--json", *words, stdin=f"{person}\n", status=status)
    return json.loads(said.stdout)


def kept(folder: Path, *digests: bytes) -> list[Path]:
    """The files of digests in the workspace, whole or not, that hold one of them; none is encrypted."""
    files = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    return [path for path, content in files.items() if any(each in content for each in digests)]
