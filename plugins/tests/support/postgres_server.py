"""A PostgreSQL server of the tests' own, from the binaries on the machine, in a folder that goes with it."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from cdp_core.store.backend import Server

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_NOBODY = ("postgres", "nobody")
_AUTHENTICATION = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "max_connections": "40",
    "logging_collector": "off",
}


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """A running server; `reader` may connect from anywhere with `password`, and read what `table` makes."""

    port: int
    sockets: Path
    password: str
    reader: str = "reader"

    def url(self, table: str, *, port: int | None = None, database: str = "crm") -> str:
        return f"postgresql://{self.reader}@127.0.0.1:{port or self.port}/{database}?sslmode=disable#{table}"

    def state_place(self) -> Server:
        """Where a state of its own can be made: a schema that is not there yet."""
        schema = f"state_{uuid.uuid4().hex[:12]}"
        return Server(url=f"postgresql://postgres@/crm?host={self.sockets}&port={self.port}#{schema}")

    @contextmanager
    def administrator(self, database: str = "crm") -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        with psycopg.connect(
            host=str(self.sockets), port=self.port, user="postgres", dbname=database, autocommit=True
        ) as connection:
            yield connection

    def table(self, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> str:
        """Make a table of columns with their types, which the reader may read; its name with its schema."""
        table = f"customers_{uuid.uuid4().hex[:12]}"
        name = sql.Identifier("public", table)
        declared = sql.SQL(", ").join(
            sql.SQL("{} " + kind).format(sql.Identifier(column)) for column, kind in columns.items()
        )
        with self.administrator() as connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(name, declared))
            with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(name)) as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(sql.SQL("GRANT SELECT ON {} TO reader").format(name))
        return f"public.{table}"

    def execute(self, statement: str) -> None:
        """As the server's administrator."""
        with self.administrator() as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Skips where the server's binaries are missing (in CI a skip fails)."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's initdb and postgres are not on this machine")
    # A short path: a socket's name has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="cdp-pg-", dir="/tmp"))
    try:
        yield from _running(binaries, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(binaries: Path, folder: Path) -> Iterator[Postgres]:
    user = _server_user()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def run(*words: object) -> None:
        done = subprocess.run(
            list(map(str, words)),
            cwd=folder,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")

    data, port = folder / "data", _free_port()
    arguments = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
    run(binaries / "initdb", "-D", data, "-U", "postgres", *arguments)
    (data / "pg_hba.conf").write_text(_AUTHENTICATION)
    settings = _SETTINGS | {"port": str(port), "unix_socket_directories": str(folder)}
    with (data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    run(binaries / "pg_ctl", "-D", data, "-w", "-t", "60", "-l", folder / "log", "start")
    try:
        server = Postgres(port=port, sockets=folder, password=secrets.token_urlsafe(12))
        with server.administrator("postgres") as connection:
            connection.execute(f"CREATE ROLE reader LOGIN PASSWORD '{server.password}'".encode())
            connection.execute("CREATE DATABASE crm")
        yield server
    finally:
        run(binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _binaries() -> Path | None:
    found = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if place]
    for pattern in _PLACES:
        found += sorted(Path("/").glob(pattern.lstrip("/")), key=lambda each: each.parent.name, reverse=True)
    return next((each for each in found if (each / "initdb").exists() and (each / "postgres").exists()), None)


def _server_user() -> pwd.struct_passwd | None:
    """The server refuses to run as root: then as somebody who may do nothing else."""
    if os.geteuid() != 0:
        return None
    for name in _NOBODY:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is nobody else on this machine")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
