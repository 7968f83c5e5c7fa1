"""What a new destination is called, everywhere: one name typed, and all that is made of it."""

from __future__ import annotations

import builtins
import importlib.util
import keyword
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from cdp_core.errors import Code, InvalidFault

Auth = Literal["api-key", "basic", "oauth2", "none"]
AUTHS: tuple[Auth, ...] = get_args(Auth)
# Longer ones would break the lines of what is written.
LONGEST = 24
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# What the written files call something else, by which a class of the destination's would be meant, too.
OWN_WORDS = frozenset(
    {"Answer", "App", "Client", "Conformance", "Iterator", "Mapping", "New", "Path", "Refusal", "Refused"}
    | {"Request", "Route", "Secret", "Server"}
    | {"AudienceGone", "ConnectionContext", "ConnectionSettings", "CredentialsRejected"}
    | {"HttpDestinationSuite", "SignIn", "SignInFault", "StandIn"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A plugin to be written: a destination named `name`, to whose service one proves who one is by `auth`,
    and which gets digests, or, with `records`, chosen fields of whole rows."""

    name: str
    auth: Auth
    records: bool = False

    @property
    def distribution(self) -> str:
        """What is installed, and the folder that it is written into."""
        return f"cdp-{self.name}"

    @property
    def package(self) -> str:
        return self.distribution.replace("-", "_")

    @property
    def label(self) -> str:
        """What people read."""
        return " ".join(map(str.capitalize, self.name.split("-")))

    @property
    def type_name(self) -> str:
        return self.label.replace(" ", "")

    @property
    def variable(self) -> str:
        """The beginning of environment variables."""
        return self.name.replace("-", "_").upper()


def checked(project: Project, taken: Collection[str]) -> Project:
    """The project, whose name is one that can be written and installed. `taken` are the keys of what is there
    already. Raises `InvalidFault`."""
    name = project.name
    if not _NAME.fullmatch(name):
        raise _invalid(name, "a destination's name has lower-case letters and digits, with dashes between")
    if len(name) > LONGEST:
        raise _invalid(name, f"the name has {len(name)} characters; {LONGEST} are the most")
    if name.startswith("cdp-"):
        such_as = name.removeprefix("cdp-")
        raise _invalid(
            name, f"the project is called cdp-NAME by itself; {such_as} is enough", such_as=such_as
        )
    if keyword.iskeyword(name) or hasattr(builtins, project.type_name):
        raise _invalid(name, f"{name} is a word of Python's own", such_as=f"{name}-ads")
    if project.type_name in OWN_WORDS:
        raise _invalid(name, f"{name} means something else in what is written", such_as=f"{name}-ads")
    for key in sorted(taken):
        if key.replace("_", "-") == name:
            raise _taken(name, f"a plugin that is installed brings {key!r} already")
    if importlib.util.find_spec(project.package) is not None:
        raise _taken(name, f"a Python package {project.package} is installed already")
    return project


def _invalid(name: str, message: str, *, such_as: str = "") -> InvalidFault:
    such_as = such_as or _tidied(name)
    return InvalidFault(Code.NAME_INVALID, message, where=repr(name), hint=f"cdp new-destination {such_as}")


def _taken(name: str, message: str) -> InvalidFault:
    hint = f"choose another name, such as {name}-ads"
    return InvalidFault(Code.NAME_TAKEN, message, where=repr(name), hint=hint)


def _tidied(name: str) -> str:
    """What was probably meant, as far as it can be told."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:LONGEST].strip("-")
    return words or "acme"
