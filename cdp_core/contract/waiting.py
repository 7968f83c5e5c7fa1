"""How long a service asks to be left alone: its `Retry-After`, which is a number or a date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait from `now` (since the epoch), as an answer's headers say (RFC 9110, 10.2.3); None where
    they do not, or cannot be read. For `Throttled`, which lets nobody wait for days."""
    given = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", given):
        return float(given)
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - now)
    except (ValueError, OverflowError):
        return None
