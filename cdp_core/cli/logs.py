"""Where log records go: to standard error, redacted; with `--debug` all of them, else warnings only."""

from __future__ import annotations

import logging
import sys


def write_logs(*, debug: bool) -> None:
    """Send what is logged to standard error; a second call changes nothing."""
    from cdp_core.vault.redaction import install

    root = logging.getLogger()
    if any(isinstance(handler, _Handler) for handler in root.handlers):
        return
    handler = _Handler(sys.stderr)
    install(handler)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s" if debug else "%(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if debug else logging.WARNING)


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]  # its stream is any that can be written
    """Ours, to be told from a test runner's or a plugin's."""
