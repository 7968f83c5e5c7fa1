"""What the facade hands on of configuration as code: what differs, what was done, what is left to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["role", "group-role", "segment", "connection", "export", "schedule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field; None where it is not there. `gates.max_shrink` is a field of a field."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """What would make the workspace as the file says, with the line that asks for it (None: none does)."""

    kind: Kind
    name: str
    act: Literal["add", "change", "remove"]
    differences: tuple[Difference, ...] = ()
    line: int | None = None
    before: Mapping[str, Any] | None = field(default=None, metadata={"shown_only": True})
    after: Mapping[str, Any] | None = field(default=None, metadata={"shown_only": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class NotInFile:
    """What the workspace has and the file has not. `stays` is why it cannot be removed; empty where it could
    be, or where that was not looked at; `hint` is how to mend that."""

    kind: Kind
    name: str
    stays: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDiff:
    """How a file and the workspace differ. `sections` are those that the file has: others are left alone;
    `same` counts what is as the file says."""

    file: str
    sections: tuple[str, ...]
    changes: tuple[ConfigChange, ...]
    not_in_file: tuple[NotInFile, ...]
    same: int

    @property
    def differs(self) -> bool:
        return bool(self.changes or self.not_in_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigApplied:
    """What was done, or would be (`dry_run`). `not_in_file` is what stayed; `steps` are commands that people
    have to type before anything can be sent; `remarks` are sentences on what could not be looked at."""

    file: str
    dry_run: bool
    changes: tuple[ConfigChange, ...]
    not_in_file: tuple[NotInFile, ...]
    same: int
    steps: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigExported:
    """The file's text, and the sections that the actor may not see, or sees in part."""

    text: str
    left_out: tuple[str, ...]
    document: Mapping[str, Any]
