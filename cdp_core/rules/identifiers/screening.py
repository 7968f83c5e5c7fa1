"""What the rules of all built-in kinds share: words that stand for nothing, and values that come hashed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import Identified

# What forms and exports hold in place of a value that is not there, normalised. Extend the list when the
# accounting shows another one: whatever stands here is counted as a placeholder, never sent.
WORDS = frozenset(
    {
        *("-", "--", "---", ".", "..", "...", "?", "??", "???", "_", "@", "0", "x", "xx", "xxx"),
        *("n/a", "#n/a", "n.a.", "n.a", "na", "nan", "nil", "no", "none", "null", "undefined", "unknown"),
        *("(none)", "(null)", "<none>", "<null>", "[none]", "[null]", "empty", "missing", "blank"),
        *("not available", "not applicable", "not provided", "not known"),
        *("anonymous", "deleted", "redacted", "test", "tbd", "false", "true"),
    }
)

_HEXADECIMAL = re.compile("[0-9a-f]+")
_SHA256_DIGITS = 64
_HASH_DIGITS = (_SHA256_DIGITS, 32, 40)


def digests_of(placeholders: Iterable[str]) -> frozenset[bytes]:
    """The digests of placeholders and of the empty text, by which values that came hashed are told.

    Who hashed them may not have normalised them first: they are known in upper case, capitalised, with a
    blank or a line's end behind them, too. Of other values that cannot be told.
    """
    spelled = {
        spelling + end
        for text in {"", *placeholders}
        for spelling in (text, text.upper(), "@".join(map(str.capitalize, text.split("@"))))
        for end in ("", "\n", "\r\n", " ")
    }
    return frozenset(hashlib.sha256(text.encode()).digest() for text in spelled)


def hashed(text: str, placeholders: frozenset[bytes]) -> Identified | None:
    """What to make of a trimmed, lower-cased value that is a hash already; None where it is none.

    64 hexadecimal digits are a SHA-256; 32 or 40 are an MD5 or SHA-1, which no service takes.
    """
    if len(text) not in _HASH_DIGITS or not _HEXADECIMAL.fullmatch(text):
        return None
    if len(text) != _SHA256_DIGITS:
        return Identified(Reason.UNSUPPORTED)
    digest = bytes.fromhex(text)
    return Identified(Reason.PLACEHOLDER) if digest in placeholders else Identified(None, digest)


def hashed_now(normalised: str, placeholders: frozenset[bytes]) -> Identified:
    digest = hashlib.sha256(normalised.encode()).digest()
    if digest in placeholders:
        return Identified(Reason.PLACEHOLDER)
    return Identified(None, digest, normalised)
