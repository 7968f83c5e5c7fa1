"""drt: a project of one sync, hashing in its SQL model, and its generic REST destination in batch mode.

Batches of 100,000 rows, one request each, and drt's own default of 10 requests a second. `--incremental` has
it ask for newer keys alone from the second run on. Its other strategies, which find out who has left, need a
destination with keys to look up; the REST destination has none.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.peers.rule import BATCH, hashed
from benchmarks.peers.sending import told

_PROJECT = """
name: audience
version: "1.0"
profile: local
"""

_PROFILES = """
local:
  type: duckdb
  database: ":memory:"
"""

_SYNC = """
name: audience
model: |
{model}
destination:
  type: rest_api
  url: {url}
  method: POST
  headers:
    Content-Type: application/json
  auth:
    type: bearer
    token_env: AUDIENCE_TOKEN
  body_mode: batch
  max_records_per_request: {batch}
  batch_template: >-
    {{"users":[{{"schema":["EMAIL_SHA256"],"data":
    [["{{{{ rows | map(attribute='digest') | join('"],["') }}}}"]]}}]}}
sync:
  mode: {mode}
  batch_size: {batch}
  on_error: fail
"""


def write_project(folder: Path, profiles: str, url: str, *, incremental: bool) -> None:
    (folder / "syncs").mkdir(exist_ok=True)
    (folder / ".drt").mkdir(exist_ok=True)
    model = "\n".join(f"  {line}" for line in hashed(profiles).strip().splitlines())
    mode = "incremental\n  cursor_field: customer_id" if incremental else "full"
    (folder / "drt_project.yml").write_text(_PROJECT, encoding="utf-8")
    (folder / ".drt" / "profiles.yml").write_text(_PROFILES, encoding="utf-8")
    (folder / "syncs" / "audience.yml").write_text(
        _SYNC.format(model=model, url=url, batch=BATCH, mode=mode), encoding="utf-8"
    )


def main() -> None:
    options = told(__doc__, "--incremental")
    write_project(Path.cwd(), options.profiles, options.url, incremental=options.incremental)
    os.environ |= {"AUDIENCE_TOKEN": options.token, "HOME": str(Path.cwd()), "DO_NOT_TRACK": "1"}
    from drt.cli.main import app

    sys.argv = ["drt", "run"]
    app()


if __name__ == "__main__":
    main()
