"""A Spark of our own for one engine, quiet and read-only; or one that runs in this process already.

Java's own output is thrown away, and its log is off: both quote rows where a query fails on one.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cdp_core.engines.places import QueryPlace
from cdp_core.engines.spark.address import Address, hosts_of, is_local
from cdp_core.engines.spark.faults import analysis_fault, parse_fault, profiles_fault, run_fault, start_fault
from cdp_core.engines.spark.java import require_java
from cdp_core.errors import Code, InvalidFault, TemporaryFault

CONNECT_SECONDS = 10.0
BATCH_ROWS = 32_768

# Settings of a session, whoever started Spark.
_OF_SESSIONS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
}
# Of the same, what no option may change: a segment that says `${env:NAME}` would be given it.
_NOT_TO_CHANGE = {"spark.sql.variable.substitute": "false"}
# Settings of a Spark that is started here. They can all be given anew as options.
_OF_OURS = {
    "spark.app.name": "cdp",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
}
_STOP_SECONDS = 30.0

T = TypeVar("T")


class Session:
    """Raises `InvalidFault` where Spark does not start or refuses, `TemporaryFault` where none answers."""

    def __init__(self, address: Address, folder: Path, *, url: str) -> None:
        self._pyspark = _pyspark()
        _refuse_connect(url)
        self._url = url
        self._gateway: Any = None
        running = self._pyspark.sql.SparkSession.getActiveSession()
        if running is None:
            running = self._started(address, folder)
        elif address.master not in (None, running.sparkContext.master):
            raise InvalidFault(
                Code.PROFILES_UNREADABLE,
                f"a Spark runs in this process already, under the master {running.sparkContext.master!r}",
                where=url,
                hint="stop it first, or write 'spark://#…' to have the profiles read with it",
            )
        # One's own: temporary views and settings of others are not seen, nor changed.
        self._spark: Any = running.newSession()
        for name, value in {**_OF_SESSIONS, **address.settings, **_NOT_TO_CHANGE}.items():
            if self._spark.conf.isModifiable(name):
                self._spark.conf.set(name, value)
        context = self._spark.sparkContext
        self.is_local = is_local(context.master)
        # Of itself it would be whatever `python3` is.
        there = sys.executable if self.is_local else context.pythonExec
        context.pythonExec = context.getConf().get("spark.pyspark.python", there)

    @property
    def spark(self) -> Any:
        """The `SparkSession`. What it raises goes through one of the methods below."""
        return self._spark

    def parsed(self, text: str, *, where: str, expression: bool) -> Any:
        """The tree of one expression or one query, in Java, not looked up in any catalog."""
        parser = self._spark._jsparkSession.sessionState().sqlParser()
        read = parser.parseExpression if expression else parser.parsePlan
        return self._guarded(lambda: read(text), lambda failure: parse_fault(failure, text, where=where))

    def analysed(self, query: str, place: QueryPlace, *, where: str) -> Any:
        """The `DataFrame` of a query around a segment's text; nothing has run yet."""
        return self._guarded(
            lambda: self._spark.sql(query),
            lambda failure: analysis_fault(failure, query, place, where=where),
        )

    def table(self, name: str, told: Callable[[Exception], Exception]) -> Any:
        return self._guarded(lambda: self._spark.table(name), told)

    def run(self, work: Callable[[], T], *, where: str, staging: str = "") -> T:
        """Work that reads rows, and may write to `staging`; `where` names the segments whose queries it
        runs."""
        return self._guarded(
            work, lambda failure: run_fault(failure, where=where, url=self._url, staging=staging)
        )

    def rows(self, query: str) -> list[Any]:
        """All rows of a query of ours."""
        return self._guarded(
            lambda: list(self._spark.sql(query).collect()), lambda failure: profiles_fault(failure, self._url)
        )

    def instance_of(self, tree: Any, kind: str) -> bool:
        from py4j.java_gateway import is_instance_of

        return bool(is_instance_of(self._spark.sparkContext._gateway, tree, kind))

    def close(self) -> None:
        """End the Spark that was started here, with its Java: its memory is wanted no more."""
        if self._gateway is None:
            return
        context = self._pyspark.SparkContext
        try:
            if context._active_spark_context is not None:
                context._active_spark_context.stop()
            self._gateway.shutdown()
        except Exception:  # noqa: BLE001, S110 - it may be gone already
            pass
        finally:
            self._pyspark.sql.SparkSession._instantiatedSession = None
            context._gateway = context._jvm = None
            _end(self._gateway.proc)
            self._gateway = None

    def _started(self, address: Address, folder: Path) -> Any:
        require_java()
        _require_answer(address, self._url)
        settings = {**_OF_OURS, "spark.local.dir": str(folder)}
        if address.master is not None:
            settings["spark.master"] = address.master
            if is_local(address.master):
                settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        settings |= address.settings
        try:
            return self._launched(settings, folder)
        except Exception as failure:  # noqa: BLE001 - Spark's, py4j's, or the operating system's
            fault = start_fault(failure, self._url)
        self.close()
        raise fault

    def _launched(self, settings: dict[str, str], folder: Path) -> Any:
        from pyspark.java_gateway import launch_gateway

        conf = self._pyspark.SparkConf(loadDefaults=False).setAll(list(settings.items()))
        # In a folder of ours: Java leaves a warehouse and a metastore where it stands.
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        before = signal.getsignal(signal.SIGINT)
        self._gateway = launch_gateway(conf, quiet)
        context = self._pyspark.SparkContext(conf=conf, gateway=self._gateway)
        # Spark puts a handler of its own in the place of the one that ends a run in order.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)
        return self._pyspark.sql.SparkSession(context)

    def _guarded(self, work: Callable[[], T], told: Callable[[Exception], Exception]) -> T:
        """Raises outside the handler, so that Spark's words do not travel along as the fault's context."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        try:
            return work()
        except (PySparkException, Py4JError, ConnectionError) as failure:
            fault = told(failure)
        raise fault


def _pyspark() -> Any:
    try:
        import pandas  # noqa: F401 - `mapInArrow` asks for it
        import pyspark.sql
    except ImportError:
        lacking = InvalidFault(
            Code.PROFILES_UNREADABLE,
            "reading with Spark needs PySpark, which is not installed",
            hint='pip install "cdp-core[spark]"; it takes 490 MB, and needs Java 17 or newer',
        )
    else:
        # It writes each failed query to the standard error, and what the query failed on.
        logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
        return pyspark
    raise lacking


def _refuse_connect(url: str) -> None:
    """Its client parses nothing, so that a segment could not be held to the profiles before it is run."""
    if remote := os.environ.get("SPARK_REMOTE"):
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "SPARK_REMOTE names a server of Spark Connect, which cannot be read through",
            where=remote.partition(";")[0],
            hint=f"take SPARK_REMOTE away for this command, and name the cluster's master: {url!r}",
        )


def _require_answer(address: Address, url: str) -> None:
    """Spark itself would ask for a minute, and say no more than that it has stopped."""
    hosts = hosts_of(address.master or "")
    for host, port in hosts:
        try:
            socket.create_connection((host, port), CONNECT_SECONDS).close()
        except OSError:
            continue
        return
    if hosts:
        raise TemporaryFault(
            Code.SERVICE_UNREACHABLE,
            "no Spark master answers there",
            where=url,
            hint="check host and port in the URL, and that the master runs and can be reached from here",
        )


def _end(process: subprocess.Popen[bytes] | None) -> None:
    """Java ends once its standard input does."""
    if process is None:
        return
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
