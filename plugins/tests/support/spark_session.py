"""A Spark of the tests' own on two cores of this machine, started once for each worker."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cdp_core.errors import InvalidFault

MASTER = "local[2]"
# What Java does to be quick later costs more than it wins where it lives for a minute.
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def require_spark() -> None:
    """Skip where PySpark or its Java is missing (in CI a skip fails)."""
    if any(importlib.util.find_spec(each) is None for each in ("pyspark", "pandas")):
        pytest.skip("PySpark is not installed: CI=true or EXTRAS=all fetches its 490 MB")
    from cdp_core.engines.spark.java import require_java

    try:
        require_java()
    except InvalidFault as lacking:
        pytest.skip(f"{lacking.message}: {lacking.hint}")


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A `SparkSession`, which engines that are opened in this process use, and leave running."""
    require_spark()
    from cdp_core.engines.spark.address import Address
    from cdp_core.engines.spark.session import Session

    with tempfile.TemporaryDirectory(prefix="cdp-spark-") as folder:
        # Few partitions: the tests' tables have few rows, and each partition is a task.
        settings = {
            "spark.sql.shuffle.partitions": "2",
            "spark.driver.memory": "1g",
            "spark.driver.extraJavaOptions": SHORT_LIVED,
        }
        session = Session(Address(master=MASTER, table="", settings=settings), Path(folder), url="tests")
        try:
            yield session.spark
        finally:
            session.close()
