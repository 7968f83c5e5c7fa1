"""What the SQL of each kind has in common: a value's verdict, and white space as Python knows it."""

from __future__ import annotations

from collections.abc import Mapping

from cdp_core.model.accounting import Reason

# What a value's verdict column holds: a digest is in the digest column, the rule must be asked, or why not.
DIGEST, ASK = 0, 255
VERDICTS: Mapping[Reason, int] = {
    Reason.MISSING: 1,
    Reason.PLACEHOLDER: 2,
    Reason.MALFORMED: 3,
    Reason.UNSUPPORTED: 4,
}

# ASCII white space as Python knows it, in a class: tab, line feed, vertical tab, form feed, return, FS to
# US, blank.
SPACE = r"\x09-\x0d\x1c-\x1f\x20"
EDGES = rf"^[{SPACE}]+|[{SPACE}]+$"
