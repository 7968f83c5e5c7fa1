"""Turns Spark's errors into faults that show the place and never a row's value.

What Spark says of a query before it runs holds only the query's own text. What it says while it reads rows
may quote them, so of that only the kind of the error gets through.
"""

from __future__ import annotations

import re
from typing import Any

from cdp_core.engines.places import QueryPlace, syntax_fault, without_addresses
from cdp_core.errors import CdpError, Code, InternalFault, InvalidFault, TemporaryFault

_PLACE = re.compile(r"\(line (\d+), pos (\d+)\)")
_SAID = re.compile(r"^(?:\[[\w.]+\] )?(.*?)(?: SQLSTATE: \w+.*)?$")
_RULE_FAILED = re.compile(r"InternalFault: CDP-\d+: ([^\n]*)")
_UNLIKE = re.compile(
    r"(?:OtherVersion|ModuleNotFoundError|\[PYTHON_VERSION_MISMATCH\]):? "
    r"(cdp-core [^\n]*|No module named '[\w.]+'|Python in worker has different version[^,\n]*)"
)
_ABOUT_A_VALUE = ("21", "22")


def parse_fault(failure: Exception, text: str, *, where: str) -> InvalidFault:
    """What the parser says of a text by itself; it counts lines from 1 and characters from 0."""
    found = _PLACE.search(str(failure))
    position = None
    if found is not None:
        before = text.splitlines(keepends=True)[: int(found[1]) - 1]
        line = (text.splitlines() or [""])[len(before) :][:1]
        position = len(("".join(before) + "".join(line)[: int(found[2])]).encode())
    return syntax_fault(_said(failure), position, QueryPlace(text), where=where)


def analysis_fault(failure: Exception, query: str, place: QueryPlace, *, where: str) -> InvalidFault:
    """What the analyser says of a query around a segment's text."""
    contexts = failure.getQueryContext() if hasattr(failure, "getQueryContext") else []
    starts = [context.startIndex() for context in contexts if context.contextType().name == "SQL"]
    position = len(query[: starts[0]].encode()) if starts else None
    return syntax_fault(_said(failure), position, place, where=where)


def run_fault(failure: Exception, *, where: str, url: str, staging: str = "") -> CdpError:
    """What fails while rows are read: a value that the segment's query stumbles over, our own rule on an
    executor, or the cluster; also where it cannot write to `staging`."""
    told = str(failure)
    if found := _UNLIKE.search(told):
        return _unlike(found[1], url)
    if found := _RULE_FAILED.search(told):
        hint = "report it to the author of the plugin that declares the kind"
        return InternalFault(Code.UNEXPECTED, found[1], hint=hint)
    if _state(failure).startswith(_ABOUT_A_VALUE):
        return InvalidFault(
            Code.SEGMENT_INVALID,
            f"the query fails on a value of the profiles: {_kind(failure)}",
            where=where,
            hint="let it pass over such values, as in: try_cast(spend AS INT) > 500",
        )
    return profiles_fault(failure, url, staging)


def profiles_fault(failure: Exception, url: str, staging: str = "") -> CdpError:
    """A fault of the source or the cluster."""
    if _is_lost(failure):
        return TemporaryFault(
            Code.SERVICE_UNREACHABLE,
            "Spark has ended before its work was done",
            where=url,
            hint="run again; if it lacked memory: --option spark.driver.memory=4g, and spark.executor.memory",
        )
    hint = "see that Spark reads the table by itself, as in: spark-sql -e 'SELECT count(*) FROM …'"
    if staging:
        message = f"Spark cannot read it, or not stage what it finds: {_kind(failure)}"
        hint += f"; and that its executors can write to {staging}"
    else:
        message = f"Spark cannot read it: {_kind(failure)}"
    return InvalidFault(Code.PROFILES_UNREADABLE, message, where=url, hint=hint)


def start_fault(failure: Exception, url: str) -> CdpError:
    return InvalidFault(
        Code.PROFILES_UNREADABLE,
        f"Spark does not start: {_kind(failure)}",
        where=url,
        hint="check the master and the spark.… options, and that `spark-submit` starts with them",
    )


def _unlike(what: str, url: str) -> InvalidFault:
    return InvalidFault(
        Code.PROFILES_UNREADABLE,
        f"Python on the executors is not like the one here: {what}",
        where=url,
        hint='install the same there, with its plugins (pip install "cdp-core[spark]"), and name that Python '
        "with --option spark.pyspark.python=/opt/cdp/bin/python",
    )


def _said(failure: Exception) -> str:
    """The first line of a message, without Spark's names for it."""
    found = _SAID.match((str(failure).strip().splitlines() or ["not valid"])[0])
    return without_addresses(found[1] if found else "not valid").rstrip(". ")


def _is_lost(failure: Exception) -> bool:
    """Whether nobody is there any more who could answer."""
    if isinstance(failure, ConnectionError) or type(failure).__name__ == "Py4JNetworkError":
        return True
    return "stopped SparkContext" in str(failure) or "SparkContext was shut down" in str(failure)


def _state(failure: Exception) -> str:
    """The SQLSTATE; empty where there is none."""
    return str(_asked(failure, "getSqlState") or "")


def _kind(failure: Exception) -> str:
    """The name of the error in words, `cast invalid input`, or that of the class of what caused it."""
    condition = _asked(failure, "getCondition") or _asked(failure, "getErrorClass")
    if condition:
        return str(condition).replace("_", " ").replace(".", ", ").lower()
    thrown: Any = getattr(failure, "java_exception", None)
    if thrown is None:
        return type(failure).__name__
    while thrown.getCause() is not None:
        thrown = thrown.getCause()
    return str(thrown.getClass().getSimpleName())


def _asked(failure: Exception, method: str) -> object:
    """Of PySpark's exception, or of Java's where PySpark has no class for it, or of what caused that."""
    thrown: Any = getattr(failure, "java_exception", failure)
    for _ in range(8):
        if thrown is None:
            break
        try:
            said: object = getattr(thrown, method)()
        except Exception:  # noqa: BLE001 - Java tells only on the call that it has no such method
            said = None
        if said:
            return said
        thrown = thrown.getCause() if thrown is not failure else None
    return None
