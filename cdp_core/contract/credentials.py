"""How a connection's requests prove who one is where nobody signs in: credentials from its settings.

The core puts them on requests to the API's own origin, and on no others; a plugin says only which they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from cdp_core.model.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuth:
    """User name and password (RFC 7617)."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerToken:
    """A token that the service has given for good (RFC 6750)."""

    token: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key in the header or the query parameter `name`. A header is the better place: queries stand in the
    logs of whatever is on the way."""

    name: str
    key: Secret
    place: Literal["header", "query"] = "header"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """OAuth 2 for a program (RFC 6749, 4.4): the core asks `token_url` for a token when one is needed, and
    keeps it in memory alone. `in_body` sends id and secret in the form instead of as basic
    authentication, for services that read nothing else."""

    token_url: str
    client_id: str
    client_secret: Secret
    scope: str = ""
    in_body: bool = False


Credentials: TypeAlias = BasicAuth | BearerToken | ApiKey | ClientCredentials
