"""The workspace: which folder it is, how it is made and opened, and where its pieces lie.

Every command begins here; nothing else of the house knows a path by itself.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import secrets
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
import tomlkit

from cdp_core.errors import CdpError, Code, InvalidFault
from cdp_core.workspace.files import (
    FOLDER_MODE,
    alone,
    make_private_folder,
    refuse_open_to_others,
    refuse_symlink,
    share_with,
    storing,
    write_private,
)
from cdp_core.workspace.ledger_url import normal, trouble_with_url
from cdp_core.workspace.settings import LARGEST, WorkspaceSettings, parse, validated, written

VARIABLE = "CDP_WORKSPACE"
LEDGER_VARIABLE = "CDP_LEDGER_URL"
DEFAULT_NAME = ".cdp"
SETTINGS_FILE = "cdp.toml"
STATE_FILE = "state.db"
FOLDERS = ("ledger", "plans", "vault", "scratch")
# Nothing can be made in what is no folder, in /proc, by too long a name, or beyond links that go in circles.
_NO_PLACE = {errno.EEXIST, errno.ENOTDIR, errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """An open workspace. Its `settings` are what `cdp.toml` said when it was opened or edited."""

    folder: Path
    settings: WorkspaceSettings

    @staticmethod
    def locate(
        explicit: Path | None, environ: Mapping[str, str] = os.environ, *, start: Path | None = None
    ) -> Path:
        """The workspace's folder, whether or not it is there yet.

        In this order: the one named, the one that `CDP_WORKSPACE` names, a `.cdp` with a `cdp.toml` in
        `start` (default: the current folder) or above it, the user's data folder.
        """
        if explicit is not None:
            return explicit.expanduser().absolute()
        if named := environ.get(VARIABLE):
            return Path(named).expanduser().absolute()
        here = (start or Path.cwd()).absolute()
        for folder in (here, *here.parents):
            if _is_ours(folder / DEFAULT_NAME):
                return folder / DEFAULT_NAME
        return _default_folder()

    @classmethod
    def create(
        cls,
        folder: Path,
        settings: WorkspaceSettings,
        furnish: Callable[[Workspace], None] = lambda workspace: None,
        *,
        group: str | None = None,
    ) -> Workspace:
        """Make a workspace, whole or not at all, for its owner alone or open to a `group`.

        It is made beside its place and moved there at the end; `furnish` puts further things into it (the
        state, the first Administrator) before that. Raises `InvalidFault` where something is there already,
        or there is no such group.
        """
        gid = None if group is None else _gid_of(group)
        folder = folder.expanduser().absolute()
        _refuse_taken(folder)
        with storing(folder):
            aside = folder.with_name(f".{folder.name.lstrip('.')}.{secrets.token_hex(8)}")
            try:
                _make_outer(aside, folder)
                if gid is not None:
                    share_with(aside, gid)
                for name in FOLDERS:
                    make_private_folder(aside / name)
                write_private(aside / SETTINGS_FILE, written(settings).encode())
                furnish(cls.open(aside))
                _move(aside, folder)
            except CdpError as fault:
                raise _told_of(folder, aside, fault) from fault
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Workspace:
        """Read and check a workspace; a folder of it that was lost is made anew."""
        folder = Path(os.path.realpath(folder.expanduser()))  # `resolve` fails at links that go round
        path = folder / SETTINGS_FILE
        text = _text(path)
        refuse_open_to_others(folder)
        for piece in (SETTINGS_FILE, STATE_FILE, *FOLDERS):
            refuse_symlink(folder / piece)
        settings = _with_environment(validated(parse(text, path), path))
        for name in FOLDERS:
            make_private_folder(folder / name)
        return cls(folder=folder, settings=settings)

    @property
    def settings_path(self) -> Path:
        return self.folder / SETTINGS_FILE

    @property
    def state_path(self) -> Path:
        return self.folder / STATE_FILE

    @property
    def ledger_folder(self) -> Path:
        return self.folder / "ledger"

    @property
    def aside_folder(self) -> Path:
        """Where files of the ledger go that are out of use, corrupt or not ours; it may not be there yet."""
        return self.folder / "ledger-aside"

    @property
    def plans_folder(self) -> Path:
        return self.folder / "plans"

    @property
    def segments_folder(self) -> Path:
        """Where static segments keep their results; it may not be there yet."""
        return self.folder / "segments"

    @property
    def vault_folder(self) -> Path:
        return self.folder / "vault"

    @property
    def scratch_folder(self) -> Path:
        return self.folder / "scratch"

    def edit(self, changes: Mapping[str, Mapping[str, Any]]) -> Workspace:
        """Change settings (`{"plugins": {"disabled": ["acme"]}}`; None removes one) and keep every comment.

        All of them or none: what would not be valid is refused before anything is written.
        """

        def change(document: tomlkit.TOMLDocument) -> None:
            for table, values in changes.items():
                _change(document, table, values)

        return self._rewrite(change)

    def disable_plugin(self, name: str) -> Workspace:
        """From the next opening on, the plugin is not loaded; one that is disabled already stays so."""

        def change(document: tomlkit.TOMLDocument) -> None:
            disabled = _disabled(document)
            if name not in disabled:
                _change(document, "plugins", {"disabled": [*disabled, name]})

        return self._rewrite(change)

    def enable_plugin(self, name: str) -> Workspace:
        """From the next opening on, the plugin is loaded again."""

        def change(document: tomlkit.TOMLDocument) -> None:
            kept = [other for other in _disabled(document) if other != name]
            _change(document, "plugins", {"disabled": kept})

        return self._rewrite(change)

    def _rewrite(self, change: Callable[[tomlkit.TOMLDocument], None]) -> Workspace:
        with alone(self.folder):
            document = parse(_text(self.settings_path), self.settings_path)
            change(document)
            settings = validated(document, self.settings_path)
            write_private(self.settings_path, document.as_string().encode())
        return Workspace(folder=self.folder, settings=_with_environment(settings))


def _with_environment(settings: WorkspaceSettings) -> WorkspaceSettings:
    """The settings, but for the URL of ledgers that the environment may name."""
    url = os.environ.get(LEDGER_VARIABLE)
    if not url:
        return settings
    if trouble := trouble_with_url(url):
        raise InvalidFault(
            Code.SETTING_INVALID,
            trouble[0].lower() + trouble[1:].removesuffix("."),
            where=LEDGER_VARIABLE,
            hint=f"export {LEDGER_VARIABLE}=s3://BUCKET/PREFIX, or unset it",
        )
    return dataclasses.replace(settings, ledger_url=normal(url))


def _gid_of(group: str) -> int:
    """Raises `InvalidFault` where there is no such group, or it is not this user's to give things to."""
    import grp

    try:
        gid = grp.getgrnam(group).gr_gid
    except KeyError:
        raise InvalidFault(
            Code.NOT_FOUND,
            f"this machine has no group {group!r}",
            where=f"--group {group}",
            hint=f"groups you are in: {', '.join(sorted(_own_groups())) or 'none that has a name here'}",
        ) from None
    if os.geteuid() != 0 and gid not in {*os.getgroups(), os.getegid()}:
        raise InvalidFault(
            Code.NOT_FOUND,
            f"you are not in the group {group!r}, and so cannot share with it",
            where=f"--group {group}",
            hint=f"groups you are in: {', '.join(sorted(_own_groups())) or 'none that has a name here'}",
        )
    return gid


def _own_groups() -> Iterator[str]:
    import grp

    for gid in os.getgroups():
        with suppress(KeyError):
            yield grp.getgrgid(gid).gr_name


def _refuse_taken(folder: Path) -> None:
    refuse_symlink(folder)
    if (folder / SETTINGS_FILE).exists() or (folder / STATE_FILE).exists():
        raise InvalidFault(
            Code.WORKSPACE_EXISTS,
            "there is a workspace here already",
            where=str(folder),
            hint=f"use it with --workspace {shlex.quote(str(folder))}, or name another folder",
        )
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InvalidFault(
            Code.WORKSPACE_EXISTS,
            "something else is there: a workspace needs a new or an empty folder",
            where=str(folder),
            hint=f"cdp init {shlex.quote(str(folder / DEFAULT_NAME))} --profiles FILE --key COLUMN",
        )


def _make_outer(aside: Path, folder: Path) -> None:
    """The folder that the workspace is made in, and those that it lies in."""
    try:
        aside.parent.mkdir(parents=True, exist_ok=True)
        make_private_folder(aside, mode=FOLDER_MODE)
    except OSError as failure:
        if failure.errno not in _NO_PLACE:
            raise
        raise InvalidFault(
            Code.DISK_FULL,
            f"no folder can be made in {aside.parent}: {os.strerror(failure.errno or 0).lower()}",
            where=str(folder),
            hint="name a folder of yours, with a name that is not too long",
        ) from failure


def _told_of(folder: Path, aside: Path, fault: CdpError) -> CdpError:
    """The fault with the workspace's own place where it names the one beside it, which is gone by now."""

    def told(text: str) -> str:
        return text.replace(str(aside), str(folder)).replace(aside.name, folder.name)

    return type(fault)(fault.code, told(fault.message), where=told(fault.where), hint=told(fault.hint))


def _move(aside: Path, folder: Path) -> None:
    """Put the finished folder in its place; the operating system refuses where another process was first."""
    try:
        aside.rename(folder)
    except OSError:
        _refuse_taken(folder)
        raise


def _change(document: tomlkit.TOMLDocument, table: str, values: Mapping[str, Any]) -> None:
    if table not in document:
        document.add(tomlkit.nl())
        document.add(table, tomlkit.table())
    found: Any = document[table]
    for name, value in values.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = value


def _disabled(document: tomlkit.TOMLDocument) -> list[str]:
    return [str(name) for name in document.get("plugins", {}).get("disabled", [])]


def _is_ours(folder: Path) -> bool:
    try:
        return (folder / SETTINGS_FILE).is_file()
    except PermissionError:  # somebody else's, further up
        return False


def _default_folder() -> Path:
    return platformdirs.user_data_path("cdp", appauthor=False)


def _missing(folder: Path) -> InvalidFault:
    """Where nobody named the folder, it was the last of several places that were looked in."""
    if folder == _default_folder().resolve():
        return InvalidFault(
            Code.WORKSPACE_MISSING,
            f"there is no workspace: no {DEFAULT_NAME} in this folder or above it, and none at {folder}",
            where=str(Path.cwd()),
            hint=f"cdp init --profiles FILE --key COLUMN makes ./{DEFAULT_NAME}; or name one that is "
            "elsewhere: cdp --workspace DIR …",
        )
    return InvalidFault(
        Code.WORKSPACE_MISSING,
        "there is no workspace here",
        where=str(folder),
        hint=f"cdp init {shlex.quote(str(folder))} --profiles FILE --key COLUMN",
    )


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            # What is longer is refused when it is parsed.
            return file.read(4 * LARGEST + 1).decode().replace("\r\n", "\n")
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(path.parent) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InvalidFault(
            Code.WORKSPACE_BROKEN,
            "cdp.toml is not a UTF-8 text",
            where=f"{path}:{line}",
            hint="save it as UTF-8, or restore it from a copy",
        ) from None
    except OSError as error:
        raise InvalidFault(
            Code.WORKSPACE_BROKEN,
            f"cdp.toml cannot be read: {os.strerror(error.errno or 0).lower()}",
            where=str(path),
            hint=f"the workspace is {_owner(path.parent)}'s: run cdp as that user, or ask them; one for "
            "several people is made with cdp init --group GROUP"
            if isinstance(error, PermissionError)
            else "see whether the path is the one that you meant, and its disk sound",
        ) from None


def _owner(folder: Path) -> str:
    """Whose folder it is, as far as that can be seen from outside."""
    try:
        return folder.owner()
    except (KeyError, OSError, NotImplementedError):
        return "somebody else"
