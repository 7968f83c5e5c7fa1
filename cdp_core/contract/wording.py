"""A service's own words, made fit for a terminal, a log and a database row."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cdp_core.model.secret import MASK

LONGEST = 300

_ESCAPE_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[@-_])")
_DIGEST = re.compile(r"\b[0-9a-fA-F]{64}\b")
_BEARER = re.compile(r"(?i)\bbearer\s+\S+")
_ADDRESS = re.compile(r"[^\s@\"'<>]+(?:@+[^\s@\"'<>]+)+")


def quoted(text: str, secrets: Iterable[str] = ()) -> str:
    """One line of at most `LONGEST` characters, without control characters.

    What a service echoes of a request is masked: digests, e-mail addresses, bearer tokens, and the
    given `secrets`.
    """
    for secret in filter(None, secrets):
        text = text.replace(secret, MASK)
    text = _ESCAPE_SEQUENCE.sub("", text)
    for pattern in (_DIGEST, _BEARER, _ADDRESS):
        text = pattern.sub(MASK, text)
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
