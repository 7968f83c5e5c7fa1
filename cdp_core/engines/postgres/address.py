"""`postgresql://USER@HOST/DATABASE#SCHEMA.TABLE`: where the server is and what to read there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.configuration import ProfileSource
from cdp_core.rules.postgres_urls import has_password

PASSWORD = "password"  # noqa: S105 - the name of an option, which holds a reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`server` is what libpq takes; `schema` is empty where the search path is to find the table."""

    server: str
    schema: str
    table: str


def address_of(source: ProfileSource) -> Address:
    """Raises `UsageFault` for a URL with a password, which it does not repeat, and `InvalidFault` for one
    without a table or with options that mean nothing here."""
    if has_password(source.url):
        raise UsageFault(
            Code.SECRET_ON_COMMAND_LINE,
            "a password does not belong in the URL: it would stay in the shell's history, in cdp.toml and in "
            "the audit log",
            where="the profiles' URL",
            hint="leave it out and give --option password=env:NAME or password=file:PATH, or let libpq find "
            "it (PGPASSWORD, ~/.pgpass); write an @ that is part of a name as %40. If it was the password, "
            "change it",
        )
    _check_options(source.options, source.url)
    server, _, table = source.url.partition("#")
    schema, dot, rest = unquote(table).partition(".")
    if not dot:
        schema, rest = "", schema
    if not rest:
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "the URL does not say which table holds the profiles",
            where=source.url,
            hint="name it after a #, in quotes for the shell: 'postgresql://user@host/database#schema.table'",
        )
    return Address(server=server, schema=schema, table=rest)


def _check_options(options: Mapping[str, str], url: str) -> None:
    unknown = sorted(set(options) - {PASSWORD})
    if unknown:
        raise InvalidFault(
            Code.SETTING_INVALID,
            f"a PostgreSQL source has no option {', '.join(map(repr, unknown))}",
            where=url,
            hint="the option is `password`, a reference; all else stands in the URL, as ?sslmode=require",
        )
