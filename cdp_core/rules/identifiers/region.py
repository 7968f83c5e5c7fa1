"""Which region a profile's values are read in, from what its country field holds."""

from __future__ import annotations

import re

# White space in ASCII alone, so that every engine finds the same.
_CODE = re.compile(r"[\t-\r\x1c- ]*([A-Za-z]{2})[\t-\r\x1c- ]*")
_BLANK = re.compile(r"[\t-\r\x1c- ]*")


def region_of(text: str | None, default: str | None) -> str | None:
    """Two capital letters: the field's, or the default where it is empty.

    None where it holds something else: to read such a number in the default region would make another
    person's number of it.
    """
    if text is None or _BLANK.fullmatch(text):
        return default
    code = _CODE.fullmatch(text)
    return code[1].upper() if code else None
