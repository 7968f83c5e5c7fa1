"""One export as a Dagster job. What the exit status asks for decides whether it is tried again.

`cdp` and its workspace are where the code location runs; secrets are in its environment.
"""

import json
import os
import subprocess

from dagster import (
    Backoff,
    DefaultScheduleStatus,
    Definitions,
    Failure,
    OpExecutionContext,
    RetryPolicy,
    ScheduleDefinition,
    job,
    op,
)

CDP = os.environ.get("CDP", "cdp")
WORKSPACE = os.environ["CDP_WORKSPACE"]
EXPORT = "Loyal to Snapchat"
DONE = (0, 8)
AGAIN = (9, 10)


@op(retry_policy=RetryPolicy(max_retries=4, delay=300, backoff=Backoff.EXPONENTIAL))
def run_export(context: OpExecutionContext) -> None:
    done = subprocess.run(
        [CDP, "--workspace", WORKSPACE, "export", "run", EXPORT, "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout or "{}")
    if done.returncode not in DONE:
        raise Failure(
            f"cdp exited with {done.returncode}",
            metadata={"error": json.dumps(found.get("error"))},
            allow_retries=done.returncode in AGAIN,
        )
    context.add_output_metadata({"run": found["run"], "status": found["status"], **found["delivered"]})


@job
def loyal_to_snapchat() -> None:
    run_export()


definitions = Definitions(
    jobs=[loyal_to_snapchat],
    schedules=[
        ScheduleDefinition(
            job=loyal_to_snapchat,
            cron_schedule="0 2 * * *",
            execution_timezone="Europe/Amsterdam",
            default_status=DefaultScheduleStatus.RUNNING,
        )
    ],
)
