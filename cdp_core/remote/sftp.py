"""SFTP that knows its server: fsspec's own takes whatever host key it is shown."""

from __future__ import annotations

from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

_REQUESTS_AT_ONCE = 64
_SECONDS = 30.0


class UnknownHostKey(paramiko.SSHException):
    """The server showed a key that stands in no list of known hosts."""


class _Refusing(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        raise UnknownHostKey


class HostChecked(SFTPFileSystem):  # type: ignore[misc]
    """Options are those of paramiko's `SSHClient.connect`; `known_hosts` is a file beside the user's own."""

    protocol = ("sftp", "ssh")

    def _connect(self) -> None:
        patience = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), _SECONDS)
        options = {**patience, **self.ssh_kwargs}
        known_hosts = options.pop("known_hosts", None)
        self.client = paramiko.SSHClient()
        self.client.load_system_host_keys()
        if known_hosts:
            self.client.load_system_host_keys(known_hosts)
        self.client.set_missing_host_key_policy(_Refusing())
        self.client.connect(self.host, **options)
        self.ftp = self.client.open_sftp()
        if channel := self.ftp.get_channel():
            channel.settimeout(_SECONDS)

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, **more: Any) -> Any:
        # Neither waits for an answer to each 32 KB before it asks for the next.
        file = super()._open(path, mode, block_size, **more)
        if "w" in mode:
            file.set_pipelined(True)
        else:
            file.prefetch(max_concurrent_requests=_REQUESTS_AT_ONCE)
        return file

    def close(self) -> None:
        self.client.close()
