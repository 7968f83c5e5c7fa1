"""A Singer target on singer-sdk, with the tap before it: `BatchSink` posts each full batch.

The ways its documentation has for speed: `batch_size_rows` as large as the service takes, no validation of
what the tap has just written, the reader on msgspec; with `--batches`, BATCH messages in place of RECORDs.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecReader
from singer_sdk.sinks import BatchSink
from singer_sdk.target_base import Target

from benchmarks.peers.rule import BATCH
from benchmarks.peers.sending import add, session, told


class UsersSink(BatchSink):
    validate_schema = False

    def setup(self) -> None:
        self._sending = session(self.config["token"])

    def process_batch(self, context: dict[str, Any]) -> None:
        add(self._sending, self.config["url"], [record["digest"] for record in context["records"]])


class TargetUsers(Target):
    name = "target-users"
    default_sink_class = UsersSink
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True),
        th.Property("token", th.StringType, required=True, secret=True),
    ).to_dict()


def main() -> None:
    options = told(__doc__, "--batches")
    how = "batches" if options.batches else "records"
    tap = [sys.executable, "-m", "benchmarks.peers.singer_tap", options.profiles, how]
    with subprocess.Popen(tap, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        target = TargetUsers(
            config={"url": options.url, "token": options.token, "batch_size_rows": BATCH},
            message_reader=MsgSpecReader(),
        )
        target.listen(process.stdout)
    if process.returncode:
        sys.exit(process.returncode)


if __name__ == "__main__":
    main()
