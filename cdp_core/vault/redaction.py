"""Keeps secrets out of logs and messages: those that this process has seen, and what looks like one.

The vault and the references tell of each secret that they give. A token that a service has just
issued is known to nobody yet when requests-oauthlib logs it, so the usual names of credentials mask
whatever stands beside them.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterator
from typing import Any

from cdp_core.model.secret import MASK, Secret, forms

_NAMES = (
    "access_token|refresh_token|id_token|client_secret|client_assertion|assertion|code_verifier|password|"
    "api_key|x-api-key|private_key|access|refresh|token|secret"
)
# Quotation marks may themselves be escaped, in a document that is quoted as a whole.
_QUOTED = r"(?P<open>\\*[\"'])(?:(?!(?P=open))(?:\\.|.))*"

_BESIDE = (
    # "name": "value" and 'name': 'value', as JSON and as Python show a mapping
    re.compile(rf"(?P<kept>[\"'](?:{_NAMES})\\*[\"']\s*:\s*b?){_QUOTED}", re.IGNORECASE | re.DOTALL),
    # an authorization code; the short ones of error answers stay
    re.compile(r"(?P<kept>[\"']code[\"']\s*:\s*b?)(?P<open>[\"'])[^\"']{12,}", re.IGNORECASE),
    # name=value in a form, a query, or a keyword
    re.compile(rf"(?P<kept>\b(?:{_NAMES})=)(?P<open>b?[\"']?)[^\s\"'&,;)}}\]]+", re.IGNORECASE),
    re.compile(r"(?P<kept>(?:^|[?&\"'\s])code=)(?P<open>)[^\s\"'&,;)}\]]{12,}", re.IGNORECASE),
    # an Authorization header's value; a plain word after "basic" is no credential
    re.compile(r"(?P<kept>\b(?:bearer|basic)\s+)(?P<open>)(?=\S*[\d._~+/=-])[\w.~+/=-]{8,}", re.IGNORECASE),
)

_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)


class _Seen:
    """Every form of every secret that this process was given."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._changing = threading.Lock()

    def add(self, value: str) -> None:
        every = {form for form in forms(value) if form}
        with self._changing:
            if every <= self._forms:
                return
            self._forms |= every
            # The longest first: one secret may begin another.
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def masked(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern is not None else text


_seen = _Seen()


def remember(secret: Secret) -> Secret:
    """From now on, `redacted` masks it; of a JSON document, its credentials too. Gives it back."""
    value = secret.reveal()
    _seen.add(value)
    for credential in _credentials(value):
        _seen.add(credential)
    return secret


def redacted(text: str) -> str:
    """The text with every secret masked."""
    text = _seen.masked(text)
    for pattern in _BESIDE:
        text = pattern.sub(rf"\g<kept>\g<open>{MASK}", text)
    return text


class RedactingFilter(logging.Filter):
    """Masks secrets in a record's message, traceback and stack, for every handler after this one too."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # logging would show the arguments to explain what is wrong with them.
            message = f"a message that cannot be formatted, from {record.pathname}:{record.lineno}"
        record.msg, record.args = redacted(message), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text, record.exc_info = redacted(record.exc_text), None
        if record.stack_info:
            record.stack_info = redacted(record.stack_info)
        return True


def install(*handlers: logging.Handler) -> None:
    """Redact what these handlers write; without any, what the root's write, and Python's last resort."""
    every = handlers or tuple(filter(None, (*logging.getLogger().handlers, logging.lastResort)))
    for handler in every:
        if not any(isinstance(kept, RedactingFilter) for kept in handler.filters):
            handler.addFilter(RedactingFilter())


def _credentials(value: str) -> Iterator[str]:
    """The credentials in a JSON document, which is how a token lies in the vault."""
    try:
        document = json.loads(value)
    except ValueError:
        return
    yield from _named(document)


def _named(found: Any, name: str = "") -> Iterator[str]:
    if isinstance(found, dict):
        for key, inner in found.items():
            yield from _named(inner, str(key))
    elif isinstance(found, str) and _SECRET_NAME.fullmatch(name):
        yield found
