"""What people and plugins rely on, listed from the code, and compared with the list that was released.

    python plugins/tests/support/promises.py           record what has come since, unless something has gone
    python plugins/tests/support/promises.py --check   say what has gone or come, and exit 1 if anything has
    python plugins/tests/support/promises.py --major   record it as it is: a version that may break something

`docs/reference/stability.md` says what is promised of each. Settings of plugins have snapshots of their own.
"""

from __future__ import annotations

import argparse
import dataclasses
import enum
import importlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cdp_core import errors
from cdp_core.alerts.ways import document_of
from cdp_core.app.configuration.schemas import FilePart
from cdp_core.cli import main as process
from cdp_core.cli.root import cli
from cdp_core.cli.session import Session
from cdp_core.contract import hookspecs
from cdp_core.contract.settings_snapshot import changes, shape_of
from cdp_core.model.access import Action
from cdp_core.model.alert import Alert, AlertKind
from cdp_core.model.audit import AuditEntry, AuditOutcome
from cdp_core.model.log import LogEvent
from cdp_core.model.run import RunEvent, RunStatus, Station
from cdp_core.plugins.fitness.imports import CORE, PUBLIC_MODULES
from cdp_core.plugins.manager import ACCESS_GROUP, GROUP
from cdp_core.telemetry.names import Metric
from cdp_core.workspace.tables import WorkspaceSchema

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "plugins" / "tests" / "packaging" / "promised.json"
_RECORD = "make promises"
_TO_BE_WRITTEN = "required, to be written"

Promised = dict[str, Any]


def present() -> Promised:
    """`named` are things by what they are called, each with what must not change of it; `schemas` are of the
    files that people write."""
    named = dict(sorted(_named()))
    schemas = {"cdp.toml": shape_of(WorkspaceSchema), "configuration as code": shape_of(FilePart)}
    return {"named": named, "schemas": schemas}


def _named() -> Iterator[tuple[str, str]]:
    for status in errors.ExitStatus:
        yield f"exit status {int(status)}", status.name
    yield f"exit status {process.INTERRUPTED}", "INTERRUPTED"
    yield f"exit status {process.BROKEN_PIPE}", "BROKEN_PIPE"
    for code in errors.Code:
        yield f"code {code}", code.name
    for group in (GROUP, ACCESS_GROUP):
        yield f"entry point group {group}", ""
    for name, hook in vars(hookspecs).items():
        if name.startswith("cdp_"):
            signature = inspect.signature(hook)
            yield f"hook {name}", f"gives {signature.return_annotation}"
            for argument in signature.parameters.values():
                yield f"hands {name} {argument.name}", str(argument.annotation)
    for station in Station:
        yield f"station {station}", ""
    for field in dataclasses.fields(RunEvent):
        yield f"event field {field.name}", str(field.type)
    for act in Action:
        yield f"act {act}", ""
    yield from _told()
    yield from _public()
    yield from _views()
    yield from _commands(cli, click.Context(cli, info_name="cdp", obj=Session()))


def _told() -> Iterator[tuple[str, str]]:
    """What a program is told of besides, by the names of the page on events."""
    yield from ((f"status {status}", "") for status in RunStatus)
    yield from ((f"alert {kind}", "") for kind in AlertKind)
    alert = Alert(id="", at=datetime.now(UTC), kind=AlertKind.TEST, export="", message="")
    yield from ((f"alert field {field}", "") for field in document_of(alert))
    for event in LogEvent:
        yield f"log event {event}", ""
        yield from ((f"log field {event} {field}", "") for field in event.fields)
    yield from ((f"metric {metric}", f"{metric.sort} {metric.unit}".strip()) for metric in Metric)
    yield from ((f"audit field {field.name}", "") for field in dataclasses.fields(AuditEntry))
    yield from ((f"audit outcome {outcome}", "") for outcome in AuditOutcome)


def _public() -> Iterator[tuple[str, str]]:
    """The names that may be imported: their arguments, methods and members."""
    for module in PUBLIC_MODULES:
        for name in importlib.import_module(module).__all__:
            what, place = getattr(importlib.import_module(module), name), f"{module}.{name}"
            yield f"name {place}", ""
            if inspect.isclass(what) and issubclass(what, enum.Enum):
                yield from ((f"member {place}.{member}", "") for member in what.__members__)
            elif inspect.isclass(what) and not name.endswith("Suite"):
                # What a library's class is made of is the library's.
                if str(getattr(what.__init__, "__module__", "")).startswith(CORE):
                    yield from _arguments(place, what)
                yield from _methods(place, what)
            elif inspect.isfunction(what):
                yield from _arguments(place, what)


def _methods(place: str, what: type) -> Iterator[tuple[str, str]]:
    """What a class says itself; an author has to write those that are abstract."""
    for name, method in vars(what).items():
        if name.startswith("_"):
            continue
        abstract = getattr(method, "__isabstractmethod__", False)
        if isinstance(method, property) or inspect.isroutine(inspect.unwrap(getattr(what, name))):
            yield f"method {place}.{name}", _TO_BE_WRITTEN if abstract else ""
        if inspect.isfunction(method):
            yield from _arguments(f"{place}.{name}", method)


def _arguments(place: str, what: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    for each in inspect.signature(what).parameters.values():
        if each.name != "self" and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            given = "required" if each.default is each.empty else "optional"
            by_name = ", by name" if each.kind is each.KEYWORD_ONLY else ""
            yield f"argument {place} {each.name}", f"{given}{by_name}"


def _views() -> Iterator[tuple[str, str]]:
    """The keys of what the facade gives back, which `--json` prints."""
    for path in sorted((ROOT / "cdp_core" / "app").rglob("*views.py")):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, view in vars(module).items():
            if (
                inspect.isclass(view)
                and view.__module__ == module.__name__
                and dataclasses.is_dataclass(view)
            ):
                for field in dataclasses.fields(view):
                    if not field.metadata.get("shown_only"):
                        yield f"key {name}.{field.name}", ""


def _commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    path = context.command_path
    yield f"command {path}", ""
    for parameter in command.get_params(context):
        name = parameter.opts[0] if isinstance(parameter, click.Option) else f"{parameter.name}".upper()
        flag = isinstance(parameter, click.Option) and parameter.is_flag
        takes = "nothing" if flag else "several values" if _takes_several(parameter) else "a value"
        yield f"parameter {path} {name}", f"{'required, ' if parameter.required else ''}takes {takes}"
        for other in [*parameter.opts[1:], *parameter.secondary_opts]:
            yield f"parameter {path} {other}", f"as {name}"
        if isinstance(parameter.type, click.Choice):
            for choice in parameter.type.choices:
                yield f"choice {path} {name} {choice}", ""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _commands(inner, click.Context(inner, info_name=name, parent=context))


def _takes_several(parameter: click.Parameter) -> bool:
    return parameter.nargs != 1 or getattr(parameter, "multiple", False)


def gone(kept: Promised, now: Promised) -> list[str]:
    """What breaks somebody, in sentences."""
    found = [
        f"{name} is gone" if name not in now["named"] else f"{name} was {was!r} and is {now['named'][name]!r}"
        for name, was in kept["named"].items()
        if now["named"].get(name) != was and not _is_eased(was, now["named"].get(name))
    ]
    for name, what in now["named"].items():
        if name not in kept["named"] and what.startswith("required") and _is_part(name, kept):
            found.append(f"{name} is new, and required")
        if name in kept.get("retired", {}):
            found.append(f"{name} was {kept['retired'][name]!r} once, and means something else now")
    for file, shape in kept["schemas"].items():
        moved = changes(shape, now["schemas"].get(file, {"properties": {}}))
        found += [f"{file}: {change}" for change in moved if change.breaks]
    return found


def _is_eased(was: str, now: str | None) -> bool:
    """What was required is not, what was given by name alone may be given otherwise, too."""
    if now is None:
        return False
    eased = was.replace("required", "optional", 1) if was.startswith("required") else was
    others = (was.removeprefix("required, "), "" if was == _TO_BE_WRITTEN else was)
    return now in {each.removesuffix(", by name") for each in (was, eased, *others)} | {eased, *others}


def _is_part(name: str, kept: Promised) -> bool:
    """Whether it belongs to something that was there: an option to a command, an argument to a name."""
    kind, _, place = name.partition(" ")
    of = place.rpartition("." if kind == "method" else " ")[0]
    return any(f"{whole} {of}" in kept["named"] for whole in ("command", "name", "method"))


def come(kept: Promised, now: Promised) -> list[str]:
    """What is there and breaks nobody, and is not in the list yet."""
    found = [f"{name} is new" for name in now["named"] if name not in kept["named"]]
    for name, was in kept["named"].items():
        if was != now["named"].get(name) and _is_eased(was, now["named"].get(name)):
            found.append(f"{name} was {was!r} and is {now['named'][name]!r}")
    for file, shape in now["schemas"].items():
        moved = changes(kept["schemas"].get(file, {"properties": {}}), shape)
        found += [f"{file}: {change}" for change in moved if not change.breaks]
    return found


def recorded(kept: Promised, now: Promised) -> Promised:
    """What is there now, and the codes and exit statuses that went: their numbers are never used again."""
    numbered = ("code ", "exit status ")
    went = {
        name: was
        for name, was in kept["named"].items()
        if name.startswith(numbered) and now["named"].get(name) != was
    }
    return {**now, "retired": {**kept.get("retired", {}), **went}}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--major", action="store_true", help="record although something has gone")
    chosen = parser.parse_args()
    now = present()
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {"named": {}, "schemas": {}}
    broken, new = gone(kept, now), come(kept, now)
    for sentence in broken:
        sys.stdout.write(
            f"{sentence}. Bring it back; deprecate it first, and let it go in a major version (--major).\n"
        )
    for sentence in new:
        sys.stdout.write(f"{sentence}{f': {_RECORD}' if chosen.check else ''}\n")
    if chosen.check:
        return 1 if broken or new else 0
    if broken and not chosen.major:
        return 1
    text = json.dumps(recorded(kept, now), indent=1, sort_keys=True, ensure_ascii=False)
    KEPT.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
