"""The rule for mobile advertising ids: the reference that every engine's faster way must agree with.

Normalised is the UUID, trimmed and lower-cased, with its hyphens; the digest is SHA-256 of it. Devices
whose owner declines to be tracked report zeros alone, which stand for everybody and for nobody.
"""

from __future__ import annotations

import re

from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import Identified
from cdp_core.rules.identifiers.screening import WORDS, digests_of, hashed, hashed_now

# Ids that stand for no device. Extend the list when the accounting shows another one.
PLACEHOLDER_IDS = frozenset(
    {
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "11111111-1111-1111-1111-111111111111",
        "12345678-1234-1234-1234-123456789012",
        "12345678-1234-5678-1234-567812345678",
    }
)
PLACEHOLDER_WORDS = WORDS | {"00000000000000000000000000000000", "no id", "limited", "opted out", "opt-out"}
PLACEHOLDER_DIGESTS = digests_of(PLACEHOLDER_WORDS | PLACEHOLDER_IDS)

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_UUID = re.compile(UUID)


def mobile_ad_id(raw: str | None) -> Identified:
    """The digest of a raw mobile advertising id, or the first reason why it has none."""
    text = "" if raw is None else raw.strip().lower()
    if not text:
        return Identified(Reason.MISSING)
    if text in PLACEHOLDER_WORDS:
        return Identified(Reason.PLACEHOLDER)
    if _UUID.fullmatch(text):
        return hashed_now(text, PLACEHOLDER_DIGESTS)
    return hashed(text, PLACEHOLDER_DIGESTS) or Identified(Reason.MALFORMED)
