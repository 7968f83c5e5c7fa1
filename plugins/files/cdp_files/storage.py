"""One way to write whole files, wherever the folder is: by fsspec, and never half a file in sight.

In a folder and over SFTP a file is written aside, under a name that begins with a dot, and renamed when it is
whole. A bucket shows an object only when it has come in whole. What fails becomes a fault of the contract.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from cdp_core import (
    AudienceGone,
    Code,
    CredentialsRejected,
    InvalidFault,
    RightsRefused,
    Secret,
    ServiceFailed,
    quoted,
)

T = TypeVar("T")

SCHEMES = ("file", "s3", "gs", "az", "sftp")
# What brings each: an extra of this distribution.
_EXTRAS = {
    "s3": ("s3fs", "s3"),
    "gs": ("gcsfs", "gcs"),
    "az": ("adlfs", "azure"),
    "sftp": ("paramiko", "sftp"),
}
_IN_BUCKETS = frozenset({"s3", "gs", "az"})
# By name, since the libraries that raise them need not be installed.
_NOT_LET_IN = ("Credential", "AuthenticationException", "ClientAuthenticationError", "RefreshError")


class Storage:
    """The folder of a connection. Paths are below it, with / between their parts."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._scheme = urlsplit(settings["url"]).scheme
        self._root = root_of(settings["url"])
        self._secrets = tuple(each.reveal() for each in settings.values() if isinstance(each, Secret))

    def require(self) -> None:
        """Raise `AudienceGone` where the folder is not there: it is not made, for then a disk that is not
        mounted would be filled from below."""
        if self._scheme in _IN_BUCKETS:
            return
        if not self._done(lambda: self._files.isdir(self._root)):
            raise AudienceGone(f"there is no folder {self._root}")

    def write(self, path: str, content: bytes) -> None:
        """Put a whole file there, in the place of one that is there already."""
        where = self._at(path)
        if self._scheme in _IN_BUCKETS:
            self._done(lambda: self._files.pipe_file(where, content))
        else:
            self._refuse_leading_out(where)
            self._done(lambda: self._aside(where, content))

    def read(self, path: str) -> bytes:
        where = self._at(path)
        return bytes(self._done(lambda: self._files.cat_file(where)))

    def names(self, path: str) -> tuple[str, ...]:
        """The names of what is in a folder; none where it is not there."""
        where = self._at(path)
        listed = self._done(lambda: self._listed(where))
        names = (str(each).rstrip("/").rpartition("/")[2] for each in listed)
        return tuple(sorted(name for name in names if name != where.rpartition("/")[2]))

    def remove(self, path: str) -> None:
        """Take a file away, if it is there."""
        where = self._at(path)
        self._done(lambda: self._removed(where))

    def probe(self) -> None:
        """Write a file, read it and remove it. Raises the fault that stands in the way."""
        self.require()
        path, content = f".cdp-probe-{uuid.uuid4().hex}", b"cdp"
        self.write(path, content)
        try:
            found = self.read(path)
        finally:
            self.remove(path)
        if found != content:
            raise ServiceFailed("what was written as a probe reads differently")

    def _at(self, path: str) -> str:
        if any(part in ("", ".", "..") for part in path.split("/")):
            raise ValueError("a path leads out of its folder")
        return f"{self._root}/{path}"

    def _refuse_leading_out(self, where: str) -> None:
        """Raise `RightsRefused` where a link in the folder leads out of it: nobody asked for that."""
        if self._scheme == "file" and not Path(where).parent.resolve().is_relative_to(
            Path(self._root).resolve()
        ):
            raise RightsRefused(f"a symbolic link below {self._root} leads out of it")

    def _listed(self, where: str) -> list[str]:
        try:
            return list(self._files.ls(where, detail=False))
        except FileNotFoundError:
            return []

    def _removed(self, where: str) -> None:
        with suppress(FileNotFoundError):
            self._files.rm_file(where)

    def _aside(self, where: str, content: bytes) -> None:
        folder, _, name = where.rpartition("/")
        part = f"{folder}/.{name}.part"
        self._files.makedirs(folder, exist_ok=True)
        try:
            if self._scheme == "file":
                _write_through(Path(part), content)
                Path(part).replace(where)
                _sync(Path(folder))
            else:
                with self._files.open(part, "wb") as file:
                    file.write(content)
                self._files.mv(part, where)
        except BaseException:
            with suppress(Exception):
                self._files.rm_file(part)
            raise

    @cached_property
    def _files(self) -> Any:
        if self._scheme == "sftp":
            from cdp_files.sftp import server

            return server(self._settings)
        import fsspec

        protocol = {"az": "abfs"}.get(self._scheme, self._scheme)
        return fsspec.filesystem(
            protocol, skip_instance_cache=True, use_listings_cache=False, **self._options()
        )

    def _options(self) -> dict[str, Any]:
        given = self._settings
        if self._scheme == "s3":
            options = {"key": given["access_key_id"], "secret": _revealed(given["secret_access_key"])}
            client = {"endpoint_url": given["endpoint_url"], "region_name": given["region"]}
            kept = {name: value for name, value in client.items() if value}
            return _set(options) | ({"client_kwargs": kept} if kept else {})
        if self._scheme == "gs":
            account = _revealed(given["service_account"])
            # Without one its library would try to come in as nobody, and in the end do so.
            return {"token": json.loads(account) if account else "google_default"}
        if self._scheme == "az":
            key = _revealed(given["account_key"])
            return _set({"account_name": given["account_name"], "account_key": key}) | {"anon": False}
        return {}

    def _done(self, act: Callable[[], T]) -> T:
        """What `act` yields. What a storage's libraries raise becomes a fault of the contract, without what
        they were handed."""
        try:
            return act()
        except ImportError:
            package, extra = _EXTRAS[self._scheme]
            fault: Exception = InvalidFault(
                Code.SETTING_INVALID,
                f"files at {self._scheme}:// need the package {package}, which is not installed",
                where="url",
                hint=f'pip install "cdp-core[{extra}]"',
            )
        except FileNotFoundError:
            fault = AudienceGone(f"there is nothing at {self._root}")
        except PermissionError:
            fault = RightsRefused(f"{self._root} may not be read, written or listed with these rights")
        except Exception as failure:  # noqa: BLE001 (each storage's library raises its own)
            name = type(failure).__name__
            said = quoted(f"{self._root}: {name}: {_words(failure)}", self._secrets)
            not_let_in = any(word in name for word in _NOT_LET_IN)
            # A connection that was lost is made anew at the next try.
            self.__dict__.pop("_files", None)
            fault = CredentialsRejected(said) if not_let_in else ServiceFailed(said)
        # Raised here, unchained: the frames below hold the credentials.
        raise fault


def root_of(url: str) -> str:
    """A URL's folder as its file system names it: with the bucket or container, and no slash at the end."""
    parts = urlsplit(url)
    path = unquote(parts.path).rstrip("/")
    return path if parts.scheme in ("file", "sftp") else f"{parts.netloc}{path}"


def _words(failure: Exception) -> str:
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror
    return str(failure)


def _revealed(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None


def _set(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value}


def _write_through(path: Path, content: bytes) -> None:
    """Down to the disk, readable by its owner and group. What lies in its place, such as what a killed run
    has left or a link that somebody has put there, is taken away and never written through."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o640), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    if os.name != "posix":  # a folder cannot be opened elsewhere
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
