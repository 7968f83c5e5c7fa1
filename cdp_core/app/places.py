"""Where a workspace's state and secrets are: in its folder, or in a server that several machines share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.secret import Secret
from cdp_core.runner.migrating import set_aside
from cdp_core.store.backend import Place, Server
from cdp_core.store.state import State
from cdp_core.vault.references import parse, resolve
from cdp_core.vault.state_vault import StateVault, phrase_of
from cdp_core.vault.vault import Vault, open_vault
from cdp_core.workspace import Workspace
from cdp_core.workspace.files import read_private, write_private

VARIABLE = "CDP_STATE_URL"
# Names that begin so are passed over in a folder of profiles; by a glob, those alone that begin as the first.
_HIDDEN: tuple[str, ...] = (".", "_")

# In the folder: which shared state its files belong to.
MARK = "shared-state"


def require_apart(folder: Path, profiles: str) -> None:
    """Raise `InvalidFault` where a workspace in that folder would lie among its own profiles: its ledger
    would be read as some of them."""
    named = unquote(profiles.removeprefix("file://")) if profiles.startswith("file://") else profiles
    path, hidden = Path(named).expanduser(), _HIDDEN
    if "**" in path.parts:
        path, hidden = Path(*path.parts[: path.parts.index("**")]), _HIDDEN[:1]
    above, below = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    if not os.path.isdir(above) or not below.is_relative_to(above):  # noqa: PTH112 (it raises nothing)
        return
    if not any(part.startswith(hidden) for part in below.relative_to(above).parts):
        raise InvalidFault(
            Code.PROFILES_UNREADABLE,
            "the workspace would lie among its own profiles, and be read as some of them",
            where=str(folder),
            hint=f"a folder that is not in {path}, or one whose name begins with a dot",
        )


def state_place(workspace: Workspace, environ: Mapping[str, str] = os.environ) -> Place:
    """What `CDP_STATE_URL` names, else `[state]` in cdp.toml, else the file in the folder."""
    settings = workspace.settings
    url = environ.get(VARIABLE) or settings.state_url
    if url:
        return server(url, settings.state_password, environ)
    if settings.vault == "state":
        raise InvalidFault(
            Code.SETTING_INVALID,
            "the vault lies in the shared state, and nothing says where that is",
            where=f"{workspace.settings_path}: vault.kind",
            hint=f"set {VARIABLE}, or `url` below [state] in cdp.toml",
        )
    return workspace.state_path


def server(url: str, password: str | None, environ: Mapping[str, str] = os.environ) -> Server:
    """The server, with the password that the reference leads to."""
    from cdp_core.store.postgresql import schema_of

    schema_of(url)
    if password is None:
        return Server(url=url)
    reference = parse(password, setting="state.password")
    return Server(url=url, password=resolve(reference, _NoVault(), environ=environ))


def new_server(
    url: str | None, password: str | None, *, vault: str | None, environ: Mapping[str, str] = os.environ
) -> Server | None:
    """The server that a new workspace's state is to be in, or is in already; None where it gets a file."""
    url = url or environ.get(VARIABLE)
    if not url:
        if password is not None:
            raise UsageFault(
                Code.USAGE,
                "a password for the state, and no URL of it",
                where="--state-password",
                hint="--state-url postgresql://user@host/database",
            )
        return None
    if vault is not None:
        raise UsageFault(
            Code.USAGE,
            "where machines share a state, it holds their secrets too",
            where=f"--vault {vault}",
            hint="leave out --vault, and set CDP_VAULT_KEY on every machine",
        )
    found = server(url, password, environ)
    phrase_of(environ, where=url)
    return found


def made_or_joined(place: Place) -> State:
    """A new state; in a server, the one that is there already."""
    if not isinstance(place, Server):
        return State.create(place)
    try:
        state = State.create(place)
    except InvalidFault as fault:
        if fault.code is not Code.WORKSPACE_EXISTS:
            raise
        state = State.open(place)
    try:
        StateVault(state.secrets, where=state.where).prove()
    except BaseException:
        state.close()
        raise
    return state


def require_own(workspace: Workspace, state: State) -> None:
    """Raise `InvalidFault` where the folder's files are another state's: this one, which does not name them,
    would sweep them away."""
    if not state.shared:
        return
    path, owner = workspace.folder / MARK, state.audit.first_digest()
    if workspace.state_path.exists() and not _was_moved(workspace, state):
        raise _not_its_own(workspace.state_path, state, "this workspace has another state, in a file,")
    try:
        found = read_private(path).decode(errors="replace").strip()
    except FileNotFoundError:
        write_private(path, f"{owner}\n".encode())
        return
    if found != owner:
        raise _not_its_own(path, state, "the files of this workspace belong to another shared state")


def _was_moved(workspace: Workspace, state: State) -> bool:
    """Whether the file is this very state's, from before it was moved to the server, and the move was killed
    before it could give the file its other name, which it has then."""
    if workspace.settings.state_url is None:
        return False
    with State.open(workspace.state_path) as before:
        head = before.audit.head()
    if head is None or not state.audit.has(head):
        return False
    set_aside(workspace)
    return True


def _not_its_own(path: Path, state: State, message: str) -> InvalidFault:
    return InvalidFault(
        Code.SETTING_INVALID,
        f"{message} than the one at {state.where}",
        where=str(path),
        hint=f"name that one, in {VARIABLE} or below [state] in cdp.toml; or join this one in another "
        "folder: cdp init DIR --state-url URL",
    )


def vault_of(workspace: Workspace, state: State, environ: Mapping[str, str] = os.environ) -> Vault:
    """The vault that goes with the state: a shared one holds the secrets too."""
    if state.shared:
        return StateVault(state.secrets, where=state.where, environ=environ)
    return open_vault(workspace, environ)


class _NoVault:
    """What opens the vault cannot lie in it."""

    def get(self, name: str, /) -> Secret | None:
        return None
