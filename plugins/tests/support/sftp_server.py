"""An SFTP server of the tests' own (asyncssh's), on loopback, with keys that were made for it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, kw_only=True)
class Sftp:
    """A running server; `folder` is what it shows, `key` the client's, `known_hosts` a file that names it."""

    port: int
    folder: Path
    key: Path
    known_hosts: Path

    @property
    def url(self) -> str:
        return f"sftp://team@127.0.0.1:{self.port}/ledgers/of the team"

    @property
    def options(self) -> dict[str, str]:
        return {"key_filename": str(self.key), "known_hosts": str(self.known_hosts)}


@contextmanager
def sftp_server(home: Path) -> Iterator[Sftp]:
    import asyncssh

    folder, key, host_key = home / "shown", home / "key", home / "host_key"
    folder.mkdir(parents=True)
    for path in (key, host_key):
        made = asyncssh.generate_private_key("ssh-ed25519")
        made.write_private_key(str(path))
        made.write_public_key(str(path.with_suffix(".pub")))
    words = [sys.executable, __file__, str(home)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            known_hosts = home / "known_hosts"
            public = host_key.with_suffix(".pub").read_text()
            known_hosts.write_text(f"[127.0.0.1]:{port} {public}")
            yield Sftp(port=port, folder=folder, key=key, known_hosts=known_hosts)
        finally:
            process.kill()


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Sftp]:
    with sftp_server(tmp_path / "sftp") as running:
        yield running


async def _serve(home: Path) -> None:
    import asyncssh

    def shown(channel: asyncssh.SSHServerChannel) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(home / "shown").encode())

    listening = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[str(home / "host_key")],
        authorized_client_keys=str(home / "key.pub"),
        sftp_factory=shown,
    )
    sys.stdout.write(f"{listening.get_port()}\n")
    sys.stdout.flush()
    await listening.wait_closed()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
