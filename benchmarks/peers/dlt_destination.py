"""dlt: a resource that yields Arrow from DuckDB, and a custom destination that posts what it is handed.

The ways its documentation recommends for speed: Arrow in place of rows, Parquet between the steps, a batch
that is as large as the service takes, and files of one batch each, which its loader sends side by side.
`--incremental` adds `dlt.sources.incremental` on the key: the second run then asks for newer keys alone.
`--paced` keeps to the service's documented requests a second, which the loader itself knows nothing of.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Read when dlt is imported.
os.environ |= {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "WARNING",
    "DATA_WRITER__FILE_MAX_ITEMS": "100000",
}

import dlt

from benchmarks.peers.rule import BATCH, hashed, in_batches
from benchmarks.peers.sending import Pace, add, session, told


def resource(profiles: str, *, incremental: bool) -> Any:
    """The digests as Arrow; where incremental, of the keys after the last run's greatest."""

    @dlt.resource(name="users", columns={"digest": {"data_type": "text"}})
    def everybody() -> Iterator[Any]:
        yield from in_batches(f"SELECT digest FROM ({hashed(profiles)})")

    @dlt.resource(name="users")
    def newer(key: Any = dlt.sources.incremental("customer_id", initial_value="")) -> Iterator[Any]:
        yield from in_batches(f"SELECT * FROM ({hashed(profiles)}) WHERE customer_id > '{key.last_value}'")

    return newer if incremental else everybody


def main() -> None:
    options = told(__doc__, "--incremental", "--paced")
    pace = Pace() if options.paced else None
    of_thread = threading.local()

    @dlt.destination(batch_size=BATCH, loader_file_format="parquet", name="audience")
    def audience(items: Any, _table: Any) -> None:
        if not hasattr(of_thread, "session"):
            of_thread.session = session(options.token)
        if pace is not None:
            pace.wait()
        add(of_thread.session, options.url, items.column("digest").to_pylist())

    pipeline = dlt.pipeline(
        "audience", destination=audience, pipelines_dir=str(Path.cwd() / "pipelines"), progress=None
    )
    pipeline.run(resource(options.profiles, incremental=options.incremental)).raise_on_failed_jobs()


if __name__ == "__main__":
    main()
