"""How an SFTP server is reached: the server's key is checked against the known ones, always.

fsspec's own file system over SFTP trusts whoever answers first.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from cdp_core import Secret

_TIMEOUT = 30.0


class _KnownOnly(paramiko.MissingHostKeyPolicy):
    """Lets in a server whose key is in a file of known hosts; paramiko itself looks into none."""

    def __init__(self, known_hosts: str) -> None:
        path = Path(known_hosts).expanduser()
        self._known = paramiko.HostKeys(str(path) if path.is_file() else None)

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        if not self._known.check(hostname, key):
            raise paramiko.SSHException(f"the key of {hostname} is not in the file of known hosts")


class _Server(SFTPFileSystem):  # type: ignore[misc]
    cachable = False

    def _connect(self) -> None:
        options = dict(self.ssh_kwargs)
        self.client = paramiko.SSHClient()
        self.client.set_missing_host_key_policy(_KnownOnly(options.pop("known_hosts")))
        self.client.connect(self.host, **options)
        self.ftp = self.client.open_sftp()


def server(settings: Mapping[str, Any]) -> SFTPFileSystem:
    """The file system that a connection's settings lead to, signed in."""
    parts = urlsplit(settings["url"])
    password: Secret | None = settings["password"]
    key: Secret | None = settings["private_key"]
    return _Server(
        parts.hostname or "",
        port=parts.port or 22,
        username=settings["user"] or None,
        password=password.reveal() if password else None,
        pkey=paramiko.PKey.from_private_key(io.StringIO(key.reveal())) if key else None,
        known_hosts=settings["known_hosts"],
        timeout=_TIMEOUT,
        allow_agent=password is None and key is None,
        look_for_keys=False,
    )
