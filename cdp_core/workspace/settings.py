"""`cdp.toml`: read with its comments kept, validated by one schema, errors with the field and the line.

The workspace's folder is opened with it, and the runner takes the profile source and the engine's
limits from it.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import marshmallow
import tomlkit
from marshmallow import fields
from tomlkit.exceptions import ParseError, TOMLKitError, UnexpectedCharError, UnexpectedEofError

from cdp_core.contract.schemas import warn_of_deprecated
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.access import Action, Role
from cdp_core.model.alert import AlertSettings
from cdp_core.model.configuration import ProfileSource
from cdp_core.model.delivery import Patience
from cdp_core.model.policy import MemberConsent
from cdp_core.model.retention import Retention
from cdp_core.rules.member_consent import member_consent
from cdp_core.workspace.ledger_url import normal
from cdp_core.workspace.role_tables import RoleSettings
from cdp_core.workspace.tables import (
    APPROVAL_HOURS,
    LEDGER_CACHE,
    EngineSettings,
    LedgerSettings,
    WorkspaceSchema,
)

# More than people write, and what the parser reads in a moment: it needs far longer for each further table.
LARGEST = 256 * 1024
_MOST_TABLES = 100
_TABLE = re.compile(r"""^[ \t]*(?:\[|(?:"[^"\n]*"|'[^'\n]*'|[\w-]+)[ \t]*\.)""", re.MULTILINE)
_MOST_WRONG = 20
HEADING = "The workspace's settings. Edit them here or through cdp; comments are kept."


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSettings:
    """What `cdp.toml` says. `memory_limit` is in bytes; None leaves it to the engine."""

    profiles: ProfileSource
    vault: Literal["keyring", "file", "state"]
    memory_limit: int | None = None
    local_normalising: bool = True
    disabled_plugins: tuple[str, ...] = ()
    patience: Patience = field(default_factory=Patience)
    consent: MemberConsent | None = None
    retry_minutes: float = 120.0
    approval_hours: float = APPROVAL_HOURS
    retention: Retention = field(default_factory=Retention)
    encrypt_ledger: bool = False
    state_url: str | None = None
    state_password: str | None = None
    alerts: AlertSettings = field(default_factory=AlertSettings)
    telemetry: bool = False
    ledger_url: str | None = None
    ledger_options: Mapping[str, str] = field(default_factory=dict)
    ledger_cache: int = LEDGER_CACHE
    roles: tuple[Role, ...] = ()


_PATIENCE = Patience()


def parse(text: str, path: Path) -> tomlkit.TOMLDocument:
    """The file as a document that can be changed and written back; `path` is only named in faults."""
    _refuse_too_much(text, path)
    try:
        document = tomlkit.parse(text)
    except RecursionError:
        raise _too_much("holds values within values without end", path) from None
    except TOMLKitError as error:
        if _ends_too_early(error, text):
            raise InvalidFault(
                Code.WORKSPACE_BROKEN,
                "cdp.toml ends too early: something that begins in it is not finished",
                where=f"{path}:{len(text.rstrip().splitlines()) or 1}",
                hint="finish or take out what its last line begins, or restore it from a copy",
            ) from None
        line = error.line if isinstance(error, ParseError) else 1
        raise InvalidFault(
            Code.WORKSPACE_BROKEN,
            f"cdp.toml is not valid TOML: {error}",
            where=f"{path}:{line}",
            hint='mend that line; `key = "value"` below a `[table]` is the form',
        ) from None
    if not any(table in document for table in WorkspaceSchema().fields):
        raise InvalidFault(
            Code.WORKSPACE_BROKEN,
            "cdp.toml holds none of a workspace's tables ([profiles], [vault], …)",
            where=f"{path}:1",
            hint="restore it, or make a workspace elsewhere: cdp init DIR --profiles FILE --key COLUMN",
        )
    return document


def _refuse_too_much(text: str, path: Path) -> None:
    """What would keep the parser busy for minutes is no file of ours."""
    if len(text) > LARGEST:
        raise _too_much(f"has {len(text):,} characters; {LARGEST:,} are the most", path)
    if (tables := sum(1 for _ in _TABLE.finditer(text))) > _MOST_TABLES:
        raise _too_much(f"has {tables:,} tables; {_MOST_TABLES} are the most", path)


def _too_much(what: str, path: Path) -> InvalidFault:
    return InvalidFault(
        Code.WORKSPACE_BROKEN, f"cdp.toml {what}", where=str(path), hint="restore it from a copy"
    )


def _ends_too_early(error: TOMLKitError, text: str) -> bool:
    """The parser reads a NUL after the end: one that it objects to, and that the text does not hold."""
    past_the_end = isinstance(error, UnexpectedCharError) and "\\x00" in str(error) and "\0" not in text
    return past_the_end or isinstance(error, UnexpectedEofError)


def validated(document: tomlkit.TOMLDocument, path: Path) -> WorkspaceSettings:
    """What the document says; raises `InvalidFault` naming each wrong field, at the first one's line."""
    try:
        loaded: dict[str, Any] = WorkspaceSchema().load(document.unwrap())
    except marshmallow.ValidationError as error:
        # A table of tables names what is wrong in it below `value`, and with its name below `key`.
        wrong = {
            re.sub(r"^(roles\.[^.]+)\.(?:value|key)\b", r"\1", name): message
            for name, message in itertools.islice(_flattened(error.messages_dict), _MOST_WRONG)
        }
        raise InvalidFault(
            Code.SETTING_INVALID,
            "; ".join(f"{name}: {message.removesuffix('.')}" for name, message in wrong.items()),
            where=f"{path}:{min(_line_of(document.as_string(), name) for name in wrong)}",
            hint=_meant(wrong),
        ) from None
    for table, declared in WorkspaceSchema().fields.items():
        if isinstance(declared, fields.Nested):
            warn_of_deprecated(type(declared.schema), loaded[table], what=f"[{table}] in {path}")
    source = loaded["profiles"]
    return WorkspaceSettings(
        profiles=ProfileSource(
            url=_absolute(source["url"], path.parent), key=source["key"], options=source["options"]
        ),
        vault=loaded["vault"]["kind"],
        memory_limit=loaded["engine"]["memory_limit"],
        local_normalising=loaded["engine"]["local_normalising"],
        disabled_plugins=tuple(loaded["plugins"]["disabled"]),
        patience=Patience(**loaded["delivery"]),
        consent=member_consent(**loaded["consent"]) if loaded["consent"]["field"] else None,
        retry_minutes=loaded["scheduler"]["retry_minutes"],
        approval_hours=loaded["approval"]["lapse_hours"],
        retention=Retention(**loaded["retention"]),
        encrypt_ledger=loaded["ledger"]["encrypted"],
        state_url=loaded["state"]["url"],
        state_password=loaded["state"]["password"],
        telemetry=loaded["telemetry"]["opentelemetry"],
        alerts=AlertSettings(**loaded["alerts"] | {"urls": tuple(loaded["alerts"]["urls"])}),
        ledger_url=normal(loaded["ledger"]["url"]) if loaded["ledger"]["url"] else None,
        ledger_options=loaded["ledger"]["options"],
        ledger_cache=loaded["ledger"]["cache"],
        roles=tuple(_role(key, said) for key, said in loaded["roles"].items()),
    )


def written(settings: WorkspaceSettings) -> str:
    """A new `cdp.toml` that says this."""
    document = tomlkit.document()
    document.add(tomlkit.comment(HEADING))
    engine: dict[str, Any] = {"memory_limit": settings.memory_limit} if settings.memory_limit else {}
    engine |= {} if settings.local_normalising else {"local_normalising": False}
    patience = {} if settings.patience == _PATIENCE else dataclasses.asdict(settings.patience)
    source = settings.profiles
    tables: dict[str, dict[str, Any]] = {
        "profiles": {"url": source.url, "key": source.key, "options": dict(source.options)},
        "engine": EngineSettings().dump(engine),
        "delivery": patience,
        "consent": {"field": settings.consent.field, "granted": list(settings.consent.granted)}
        if settings.consent
        else {},
        "retention": {
            name: days
            for name, days in dataclasses.asdict(settings.retention).items()
            if days != getattr(Retention(), name)
        },
        "approval": {}
        if settings.approval_hours == APPROVAL_HOURS
        else {"lapse_hours": settings.approval_hours},
        "scheduler": {} if settings.retry_minutes == 120.0 else {"retry_minutes": settings.retry_minutes},
        "alerts": _written_alerts(settings.alerts),
        "telemetry": {"opentelemetry": True} if settings.telemetry else {},
        "ledger": _ledger(settings),
        "state": {
            name: value
            for name, value in (("url", settings.state_url), ("password", settings.state_password))
            if value is not None
        },
        "plugins": {"disabled": list(settings.disabled_plugins)},
        "vault": {"kind": settings.vault},
    }
    if not source.options:
        del tables["profiles"]["options"]
    for name, content in tables.items():
        if content:
            document.add(tomlkit.nl())
            document.add(name, tomlkit.item(content))
    return document.as_string()


def _role(key: str, said: Mapping[str, Any]) -> Role:
    return Role(
        key=key,
        label=said["label"] or key,
        actions=frozenset(map(Action, said["allows"])),
        includes=frozenset({said["based_on"]} if said["based_on"] else ()),
        declared_by="cdp.toml",
    )


def _written_alerts(alerts: AlertSettings) -> dict[str, Any]:
    """Those that are not as they are by default."""
    default = dataclasses.asdict(AlertSettings())
    kept = dataclasses.asdict(alerts) | {"urls": list(alerts.urls)}
    return {name: value for name, value in kept.items() if value not in (default[name], [])}


def _ledger(settings: WorkspaceSettings) -> dict[str, Any]:
    """Its table, without what is as ever."""
    said: dict[str, Any] = {"encrypted": True} if settings.encrypt_ledger else {}
    if settings.ledger_cache != LEDGER_CACHE:
        said |= LedgerSettings(only=["cache"]).dump({"cache": settings.ledger_cache})
    if settings.ledger_url:
        said["url"] = settings.ledger_url
    return said | ({"options": dict(settings.ledger_options)} if settings.ledger_options else {})


def _absolute(url: str, folder: Path) -> str:
    return url if "://" in url else str(folder / Path(url).expanduser())


def _flattened(messages: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """(dotted field, sentence) of marshmallow's nested messages."""
    for name, found in messages.items():
        dotted = f"{above}.{name}" if above else str(name)
        if isinstance(found, Mapping):
            yield from _flattened(found, dotted)
        else:
            yield dotted, " ".join(str(part) for part in found)


def _line_of(text: str, dotted: str) -> int:
    """The line (from 1) where a field stands: its key's, else its table's heading's, else the first. A table
    may lie in another, as `[roles.analyst]` does."""
    table, _, key = dotted.partition(".")
    if key and f"[{'.'.join(dotted.split('.')[:2])}]" in text.replace(" ", "").replace('"', ""):
        name, _, key = key.partition(".")
        table = f"{table}.{name}"
    key = key.partition(".")[0]
    heading, best = "", 1
    for number, line in enumerate(text.splitlines(), start=1):
        if found := re.match(r"\s*\[\s*\"?([^\]\"]+?)\"?\s*\]", line):
            heading = found[1]
            if heading == table:
                best = number
        elif found := re.match(r"\s*\"?([^=#\"]+?)\"?\s*=", line):
            name = f"{heading}.{found[1]}" if heading else found[1]
            if key and name == f"{table}.{key}":
                return number
            if name == table:
                best = number
    return best


def _meant(wrong: Mapping[str, str]) -> str:
    """The known names near an unknown one, or all of them; of known ones how they may look."""
    if all(name.startswith("roles.") for name in wrong):
        return _meant_of_roles(wrong)
    declared_ones = {
        f"{table}.{name}": inner
        for table, declared in WorkspaceSchema().fields.items()
        if isinstance(declared, fields.Nested)
        for name, inner in declared.schema.fields.items()
    }
    known = list(declared_ones)
    # Of a list's items the list is what may look otherwise.
    wrong = {re.sub(r"\.\d+$", "", name): message for name, message in wrong.items()}
    if all(name in declared_ones and declared_ones[name].metadata.get("example") for name in wrong):
        return "for example " + ", ".join(_shown(name, declared_ones[name]) for name in wrong)
    near = dict.fromkeys(name for field in wrong for name in difflib.get_close_matches(field, known, n=1))
    unknown = any("Unknown" in message for message in wrong.values())
    return f"did you mean {', '.join(near)}?" if unknown and near else f"known settings: {', '.join(known)}"


def _meant_of_roles(wrong: Mapping[str, str]) -> str:
    known = list(RoleSettings().fields)
    unknown = [name.rpartition(".")[2] for name, message in wrong.items() if "Unknown" in message]
    near = dict.fromkeys(each for name in unknown for each in difflib.get_close_matches(name, known, n=1))
    if near:
        return f"did you mean {', '.join(near)}?"
    if unknown:
        return f"a role has {', '.join(known)}"
    if any(".allows" in name for name in wrong):
        return "actions: " + ", ".join(sorted(Action))
    return 'for example [roles.analyst] based_on = "viewer", allows = ["export.plan"]'


def _shown(name: str, declared: fields.Field[Any]) -> str:
    """A setting as it stands in the file."""
    example = declared.metadata["example"]
    return f'{name} = "{example}"' if isinstance(declared, fields.String) else f"{name} = {example}"
