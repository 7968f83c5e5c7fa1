"""Where log records go: to standard error, redacted; with `--debug` all of them, else warnings only."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal


def write_logs(*, debug: bool, form: Literal["text", "json"] = "text", verbose: bool = False) -> None:
    """Send what is logged to standard error; where it goes there already, only the form changes.

    `verbose` is for a process that nobody watches, and whose log is its only voice.
    """
    from cdp_core.vault.redaction import install

    root = logging.getLogger()
    handler = next((each for each in root.handlers if isinstance(each, _Handler)), None)
    if handler is None:
        handler = _Handler(sys.stderr)
        install(handler)
        root.addHandler(handler)
        root.setLevel(logging.DEBUG if debug else logging.WARNING)
        handler.setFormatter(logging.Formatter(_DEBUG if debug else _PLAIN))
    if form == "json":
        handler.setFormatter(_AsJson())
    elif verbose and not debug:
        handler.setFormatter(logging.Formatter(_DATED))
    if verbose and not debug:
        logging.getLogger("cdp").setLevel(logging.INFO)


def json_line(message: str, extra: dict[str, Any]) -> str:
    """What is logged of a message, with what `LogEvent.about` gives, past the logger."""
    record = {"name": "cdp", "levelno": logging.INFO, "levelname": "INFO", "msg": message}
    return _AsJson().format(logging.makeLogRecord(record | extra))


_PLAIN = "%(message)s"
_DATED = "%(asctime)s %(levelname)s %(message)s"
_DEBUG = "%(levelname)s %(name)s: %(message)s"
_OURS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]  # its stream is any that can be written
    """Ours, to be told from a test runner's or a plugin's."""


class _AsJson(logging.Formatter):
    """One object a line: time (UTC), level, logger, message, and whatever the record has beyond that."""

    def format(self, record: logging.LogRecord) -> str:
        further = {name: value for name, value in vars(record).items() if name not in _OURS}
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **further,
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str, ensure_ascii=False)
