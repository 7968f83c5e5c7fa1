"""Real servers for files: S3's protocol over HTTP, and SFTP with a host key of its own."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import paramiko
import requests
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_OK

S3_KEY, S3_SECRET = "AKIAEXPORTER", "s3cret-of-the-bucket"
BUCKET = "acme-audiences"
USER, PASSWORD = "exports", "s3cret-of-sftp"


@dataclass(frozen=True, slots=True)
class S3Server:
    url: str

    @property
    def settings(self) -> dict[str, str]:
        return {
            "url": f"s3://{BUCKET}/exports",
            "endpoint_url": self.url,
            "region": "us-east-1",
            "access_key_id": S3_KEY,
            "secret_access_key": S3_SECRET,
        }


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """With one empty bucket."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        # What an earlier one held is kept in this process.
        requests.post(f"{url}/moto-api/reset", timeout=20).raise_for_status()
        requests.put(f"{url}/{BUCKET}", timeout=20).raise_for_status()
        yield S3Server(url)
    finally:
        server.stop()


class _Door(paramiko.ServerInterface):
    """Lets one user in by password."""

    def check_auth_password(self, username: str, password: str) -> int:
        good = (username, password) == (USER, PASSWORD)
        return AUTH_SUCCESSFUL if good else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED


class _Open(paramiko.SFTPHandle):
    readfile: BinaryIO
    writefile: BinaryIO

    def stat(self) -> paramiko.SFTPAttributes | int:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


class _Files(paramiko.SFTPServerInterface):
    """A folder of this machine, as `/` of the server."""

    root: Path

    def _real(self, path: str) -> Path:
        return self.root / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
        try:
            return [
                paramiko.SFTPAttributes.from_stat(each.stat(), each.name)
                for each in self._real(path).iterdir()
            ]
        except OSError as fault:
            return paramiko.SFTPServer.convert_errno(fault.errno or 0)

    def stat(self, path: str) -> paramiko.SFTPAttributes | int:
        try:
            return paramiko.SFTPAttributes.from_stat(self._real(path).stat())
        except OSError as fault:
            return paramiko.SFTPServer.convert_errno(fault.errno or 0)

    lstat = stat

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
        try:
            descriptor = os.open(self._real(path), flags, 0o600)
        except OSError as fault:
            return paramiko.SFTPServer.convert_errno(fault.errno or 0)
        handle = _Open(flags)
        reads = "r+b" if flags & os.O_RDWR else "wb" if flags & os.O_WRONLY else "rb"
        handle.readfile = handle.writefile = cast(BinaryIO, os.fdopen(descriptor, reads))
        return handle

    def _act(self, act: Callable[..., object], *arguments: object) -> int:
        try:
            act(*arguments)
        except OSError as fault:
            return paramiko.SFTPServer.convert_errno(fault.errno or 0)
        return SFTP_OK

    def remove(self, path: str) -> int:
        return self._act(os.remove, self._real(path))

    def rename(self, oldpath: str, newpath: str) -> int:
        return self._act(os.link, self._real(oldpath), self._real(newpath)) or self.remove(oldpath)

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        return self._act(os.replace, self._real(oldpath), self._real(newpath))

    def mkdir(self, path: str, attr: paramiko.SFTPAttributes) -> int:
        return self._act(os.mkdir, self._real(path))


@dataclass(frozen=True, slots=True)
class SftpServer:
    """`root` is the folder of this machine that is the server's `/`."""

    port: int
    root: Path
    known_hosts: Path

    @property
    def settings(self) -> dict[str, str]:
        return {
            "url": f"sftp://127.0.0.1:{self.port}/exports",
            "user": USER,
            "password": PASSWORD,
            "known_hosts": str(self.known_hosts),
        }


@contextmanager
def sftp_server(folder: Path) -> Iterator[SftpServer]:
    """Over a folder, with an empty folder `exports` in it."""
    root = folder / "sftp"
    (root / "exports").mkdir(parents=True)
    key = paramiko.RSAKey.generate(2048)
    files = type("Files", (_Files,), {"root": root})
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transports.append(transport)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files)
            try:
                transport.start_server(server=_Door())
            except (paramiko.SSHException, EOFError, OSError):
                transport.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield SftpServer(port=port, root=root, known_hosts=known)
    finally:
        # A thread that waits in accept() is not woken by close() alone.
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for transport in transports:
            transport.close()
        thread.join(timeout=10)
