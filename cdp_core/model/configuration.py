"""What people set up: segments, connections and exports, as the state keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cdp_core.model.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSource:
    """Where the unified customer table is.

    `url` is a path, glob or URL as the user wrote it, made absolute; `key` the column that names a
    customer; `options` what the source's reader needs beyond that (a CSV's delimiter, say).
    """

    url: str
    key: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResult:
    """Of a static segment: SHA-256 digests of its members' keys in a file (`path` in the workspace's folder
    of segments), as they were `at` a moment. No key and no identifier is kept."""

    path: str
    sha256: str
    members: int
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A named query over `profiles`: a condition (`where`), or a SELECT that yields the key (`sql`).

    A dynamic segment is evaluated by every run; of a static one the members are those of the `kept` result
    who are among the profiles still. Exports of one that is not `active` are skipped.
    """

    id: str
    name: str
    where: str | None = None
    sql: str | None = None
    created_by: str = ""
    created_at: datetime | None = None
    active: bool = True
    kept: KeptResult | None = None


class ConnectionStatus(StrEnum):
    """Whether the service has accepted the connection's credentials."""

    NEW = "new"
    CONNECTED = "connected"
    RECONNECT = "reconnect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One configured instance of a connection type.

    `settings` holds plain values by name and, for secret ones, references (`env:NAME`, …), never the
    secret. `identity` is what the service said of the signed-in user. `shared_with` names roles and people.
    """

    id: str
    name: str
    type: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    shared_with: frozenset[str] = frozenset()
    status: ConnectionStatus = ConnectionStatus.NEW
    identity: Mapping[str, str] = field(default_factory=dict)
    export_user: str | None = None
    created_by: str = ""
    created_at: datetime | None = None
    authenticated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One profile field that feeds one identifier kind."""

    kind: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Destination settings, data matching and segments over a connection (`None`: detached). `group` names
    the exports that were added together, one for each segment."""

    id: str
    name: str
    destination: str
    connection_id: str | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    matching: tuple[Match, ...] = ()
    segment_ids: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    group: str | None = None
    created_by: str = ""
    created_at: datetime | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The identifier kinds that are matched, in the order of the matching."""
        return tuple(dict.fromkeys(match.kind for match in self.matching))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPrompt:
    """A text that somebody must agree to before a connection of a type may be used."""

    key: str
    version: str
    title: str
    text: str
    language: str = "en"

    @classmethod
    def in_language(
        cls, locale: str, texts: Mapping[str, tuple[str, str]], *, key: str, version: str
    ) -> ConsentPrompt:
        """Of titles and texts by language, those in the language of `locale` (`nl`, `nl-BE`, `da_DK.UTF-8`),
        else in English, which has to be there."""
        language = locale.replace("_", "-").partition("-")[0].lower()
        language = language if language in texts else "en"
        title, text = texts[language]
        return cls(key=key, version=version, title=title, text=text, language=language)

    @property
    def digest(self) -> str:
        """SHA-256 over everything that is agreed to, in hexadecimal."""
        import hashlib

        agreed = "\x1f".join((self.key, self.version, self.language, self.title, self.text))
        return hashlib.sha256(agreed.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The record that somebody agreed to a prompt for a connection, and that somebody withdrew it since."""

    id: str
    connection_id: str
    prompt: ConsentPrompt
    agreed_by: str
    agreed_at: datetime
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None
