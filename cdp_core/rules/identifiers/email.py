"""The e-mail rule: the reference that every engine's faster way must agree with, byte for byte.

Normalised is `str.strip().lower()` by Python's idea of white space and of lower case; the digest is
SHA-256 of its UTF-8 bytes. Well-formed is exactly one `@`, something before it, a domain with a dot
and no empty label, and no white space anywhere; letters beyond ASCII are welcome. 64 hexadecimal
digits are a digest already; 32 or 40 are an MD5 or SHA-1, which no service takes.
"""

from __future__ import annotations

import re

from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import Identified
from cdp_core.rules.identifiers.screening import WORDS, digests_of, hashed, hashed_now

# What forms and exports hold in place of an address that is not there, normalised. Extend either list
# when the accounting shows another one: whatever stands here is counted as a placeholder, never sent.
PLACEHOLDER_WORDS = WORDS | {"no email", "no e-mail", "noemail"}
PLACEHOLDER_ADDRESSES = frozenset(
    {
        *("test@test.com", "test@test.de", "test@example.com", "test@example.org", "test@email.com"),
        *("example@example.com", "email@example.com", "user@example.com", "name@example.com"),
        *("noreply@example.com", "no-reply@example.com", "admin@example.com", "email@email.com"),
        *("no@email.com", "noemail@noemail.com", "none@none.com", "no@no.com", "na@na.com", "null@null.com"),
        *("unknown@unknown.com", "nobody@nowhere.com", "anonymous@anonymous.com", "a@a.com", "a@b.com"),
        *("a@b.c", "abc@abc.com", "asdf@asdf.com", "x@x.xx", "xxx@xxx.com"),
    }
)
PLACEHOLDER_DIGESTS = digests_of(PLACEHOLDER_WORDS | PLACEHOLDER_ADDRESSES)

# Half of a surrogate pair, which JSON can smuggle in, has no UTF-8 and so no digest.
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


def email(raw: str | None) -> Identified:
    """The digest of a raw e-mail, or the first reason why it has none."""
    text = "" if raw is None else raw.strip().lower()
    if (found := hashed(text, PLACEHOLDER_DIGESTS)) is not None:
        return found
    reason = _reason(text)
    if reason is not None:
        return Identified(reason)
    return hashed_now(text, PLACEHOLDER_DIGESTS)


def _reason(text: str) -> Reason | None:
    if not text:
        return Reason.MISSING
    if text in PLACEHOLDER_WORDS or text in PLACEHOLDER_ADDRESSES:
        return Reason.PLACEHOLDER
    return None if _is_well_formed(text) else Reason.MALFORMED


def _is_well_formed(text: str) -> bool:
    name, _, domain = text.partition("@")
    labels = domain.split(".")
    return (
        bool(name)
        and "@" not in domain
        and len(labels) > 1
        and all(labels)
        and len(text.split(None, 1)) == 1
        and _HALF_A_PAIR.search(text) is None
    )
