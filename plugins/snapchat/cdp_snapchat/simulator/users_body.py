"""Reads the body of a users request: strictly, and quickly where it is written the usual way.

The quick way checks that every character of structure stands where it must, and hands anything that
it is not sure of to the strict way: what one accepts, the other reads the same.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import Any

from cdp_core.simulate import Refusal, strict_json

SCHEMAS = ("EMAIL_SHA256", "PHONE_SHA256", "MOBILE_AD_ID_SHA256")
MOST_IDENTIFIERS = 100_000

_SPACE = rb"[ \t\n\r]*"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ROW = len('["') + 64 + len('"]')


def _spaced(*tokens: bytes) -> re.Pattern[bytes]:
    return re.compile(_SPACE + _SPACE.join(tokens) + _SPACE)


_HEAD = _spaced(
    *(
        rb"\{",
        rb'"users"',
        b":",
        rb"\[",
        rb"\{",
        rb'"schema"',
        b":",
        rb"\[",
        rb'"([A-Z0-9_]+)"',
        rb"\]",
        b",",
    ),
    *(rb'"data"', b":", rb"\["),
)
_TAIL = _spaced(rb"\]", rb"\}", rb"\]", rb"\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersBody:
    """One schema and its digests, 32 bytes each, as they came."""

    schema: str
    digests: bytes = field(repr=False)

    @property
    def count(self) -> int:
        return len(self.digests) // 32


def read_users(body: bytes) -> UsersBody:
    """Raises `Refusal` (400) for a body that is not exactly what the service takes."""
    users = read_quickly(body) or read_strictly(body)
    if users.schema not in SCHEMAS:
        raise Refusal(400, f"the schema must be one of {', '.join(SCHEMAS)}")
    if not 1 <= users.count <= MOST_IDENTIFIERS:
        raise Refusal(400, f"a request takes 1 to {MOST_IDENTIFIERS} identifiers, not {users.count}")
    return users


def read_quickly(body: bytes) -> UsersBody | None:
    """The body if it is written with rows of one width; None if the strict way has to look at it."""
    head = _HEAD.match(body)
    end = body.rfind(b'"]') + 2
    if head is None or end < head.end() or _TAIL.fullmatch(body, end) is None:
        return None
    rows = body[head.end() : end]
    for separator in (b",", b", "):
        hexadecimal = _digits(rows, separator)
        if hexadecimal is not None:
            return UsersBody(schema=head[1].decode("ascii"), digests=binascii.unhexlify(hexadecimal))
    return None


def _digits(rows: bytes, separator: bytes) -> bytes | None:
    """All digests of `rows` in one; None unless each is 64 lower-case hexadecimal digits in `["…"]`."""
    stride = _ROW + len(separator)
    count, rest = divmod(len(rows) + len(separator), stride)
    if rest:
        return None
    frame = {0: b"[", 1: b'"', _ROW - 2: b'"', _ROW - 1: b"]"}
    gaps = {_ROW + at: separator[at : at + 1] for at in range(len(separator))}
    if any(rows[at::stride] != sign * count for at, sign in frame.items()):
        return None
    if any(rows[at::stride] != sign * (count - 1) for at, sign in gaps.items()):
        return None
    # Such a sign within a digest goes too, and then the length tells.
    digits = rows.translate(None, b'[]", ')
    if len(digits) != count * 64 or digits.translate(None, b"0123456789abcdef"):
        return None
    return digits


def read_strictly(body: bytes) -> UsersBody:
    """The body by the rules, however it is written. Raises `Refusal` (400)."""
    entry = _only(_object(strict_json(body), "the body", "users")["users"], "users")
    entry = _object(entry, "an entry of users", "schema", "data")
    schema = _only(entry["schema"], "schema")
    if not isinstance(schema, str):
        raise Refusal(400, "schema must hold one name")
    if not isinstance(entry["data"], list):
        raise Refusal(400, "data must be a list of rows")
    digits = "".join(_digest(row) for row in entry["data"])
    return UsersBody(schema=schema, digests=bytes.fromhex(digits))


def _object(value: Any, what: str, *keys: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise Refusal(400, f"{what} must be an object with {' and '.join(keys)}, and nothing else")
    return value


def _only(value: Any, what: str) -> Any:
    if not isinstance(value, list) or len(value) != 1:
        raise Refusal(400, f"{what} must be a list of exactly one")
    return value[0]


def _digest(row: Any) -> str:
    if not isinstance(row, list) or len(row) != 1:
        raise Refusal(400, "a row of data must hold exactly one value")
    if not isinstance(row[0], str) or _DIGEST.fullmatch(row[0]) is None:
        raise Refusal(400, "a value of data is not a SHA-256 in lower-case hexadecimal")
    return row[0]
