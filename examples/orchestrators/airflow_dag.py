"""One export as an Airflow task (Airflow 3). What the exit status asks for decides whether it is tried again.

`cdp` and its workspace are on the worker; secrets are in its environment, as the connection refers to them.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime, timedelta
from typing import Any

from airflow.exceptions import AirflowFailException
from airflow.sdk import dag, task

CDP = os.environ.get("CDP", "cdp")
WORKSPACE = os.environ["CDP_WORKSPACE"]
EXPORT = "Loyal to Snapchat"
# Done; done, but the service refused some digests, which the next run tries again.
DONE = (0, 8)
# A temporary failure, and another run that holds the audience: these pass.
AGAIN = (9, 10)


@dag(schedule="0 2 * * *", start_date=datetime(2026, 1, 1), catchup=False, max_active_runs=1)
def loyal_to_snapchat() -> None:
    @task(retries=4, retry_delay=timedelta(minutes=15))
    def run() -> dict[str, Any]:
        done = subprocess.run(
            [CDP, "--workspace", WORKSPACE, "export", "run", EXPORT, "--json"],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        found: dict[str, Any] = json.loads(done.stdout or "{}")
        why = f"cdp exited with {done.returncode}: {found.get('error')}"
        if done.returncode in AGAIN:
            raise RuntimeError(why)
        if done.returncode not in DONE:
            raise AirflowFailException(why)
        return {"run": found["run"], "status": found["status"], **found["delivered"]}

    run()


loyal_to_snapchat()
