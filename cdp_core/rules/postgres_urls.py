"""URLs of PostgreSQL servers: which they are, and whether one holds a password, which none may."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

SCHEMES = ("postgresql://", "postgres://")

# Also a password that holds `/`, `?` or `#`, where a URL's own rules would find none.
_USER_AND_PASSWORD = re.compile(r"\A\w+://[^/?#@]*:.*@", re.DOTALL)
_SECRETS = ("password", "sslpassword")


def has_password(url: str) -> bool:
    # Of a URL whose host is none, urlsplit would complain.
    query = parse_qsl(url.partition("#")[0].partition("?")[2], keep_blank_values=True)
    return bool(_USER_AND_PASSWORD.match(url)) or any(key.lower() in _SECRETS for key, _ in query)
