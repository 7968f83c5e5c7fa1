"""What is on its way out warns whoever uses it, with the new way, and does not outlive its word."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pluggy
import pytest
from click.testing import CliRunner
from marshmallow import fields
from packaging.version import Version

import cdp_core
import cdp_core.testing
from cdp_core.app.configuration.json_schema import json_schema
from cdp_core.cli.command import Command
from cdp_core.cli.root import cli
from cdp_core.cli.session import Session
from cdp_core.contract import deprecation, hookspecs
from cdp_core.contract.deprecation import NAMES, DeprecatedUse, Deprecation
from cdp_core.contract.schemas import load_settings, settings_of
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.manager import CdpPluginManager, create_plugin_manager
from cdp_core.workspace.settings import parse, validated
from cdp_core.workspace.tables import SchedulerSettings, WorkspaceSchema

OLD = Deprecation(since="0.9", goes="0.10", instead="use the new one")
SAID = "is deprecated since 0.9 and goes in 0.10: use the new one"


@pytest.mark.parametrize(
    ("module", "name"), [(cdp_core, "masked"), (cdp_core.testing, "StandIn")], ids=["core", "testing"]
)
def test_a_public_name_that_goes_still_works_and_points_to_who_uses_it(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    assert isinstance(NAMES, dict)
    monkeypatch.setitem(NAMES, (module.__name__, name), OLD)
    with pytest.warns(DeprecatedUse) as warned:
        assert getattr(module, name) is not None
    assert str(warned[0].message) == f"{module.__name__}.{name} {SAID}"
    assert warned[0].filename == __file__


def test_a_name_that_stays_warns_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deprecation, "NAMES", {("cdp_core", "masked"): OLD})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cdp_core.Batch is not None


def test_a_hook_and_an_argument_that_go_warn_who_implements_them() -> None:
    mark = pluggy.HookspecMarker("cdp")

    @mark(warn_on_impl=OLD.warning("the hook cdp_old"))
    def cdp_old() -> None: ...

    @mark(warn_on_impl_args={"was": OLD.warning("the argument was of cdp_kept")})
    def cdp_kept(was: str, now: str) -> None: ...

    manager = CdpPluginManager()
    specs: Any = SimpleNamespace(cdp_old=cdp_old, cdp_kept=cdp_kept)
    manager.add_hookspecs(specs)
    with pytest.warns(DeprecatedUse) as warned:
        manager.register(
            SimpleNamespace(
                cdp_old=cdp_core.hookimpl(lambda: None), cdp_kept=cdp_core.hookimpl(lambda was: None)
            )
        )
    assert {str(each.message) for each in warned} == {
        f"the hook cdp_old {SAID}",
        f"the argument was of cdp_kept {SAID}",
    }


class Settings(cdp_core.SettingsSchema):
    url = fields.String(load_default="", metadata={"label": "URL"})
    host = fields.String(load_default="localhost", metadata={"label": "Host", "deprecated": OLD})


@pytest.mark.parametrize("given", [{}, {"host": "localhost"}, {"url": "https://a.example"}])
def test_who_has_not_set_a_setting_that_goes_is_not_warned(given: dict[str, str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_settings(Settings, given, what="connection 'Acme'")["host"] == "localhost"


def test_who_has_set_a_setting_that_goes_is_warned_and_it_still_counts() -> None:
    with pytest.warns(DeprecatedUse) as warned:
        assert load_settings(Settings, {"host": "here"}, what="connection 'Acme'")["host"] == "here"
    assert str(warned[0].message) == f"the setting host of connection 'Acme' {SAID}"


def test_a_setting_that_goes_is_not_asked_for() -> None:
    asked = [info.name for info in settings_of(Settings) if info.is_asked({}, {})]
    assert asked == ["url"]


def test_an_editor_is_told_that_a_setting_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog(create_plugin_manager())
    declared_ones = catalog.connection_type("snapchat").settings_schema._declared_fields
    monkeypatch.setitem(declared_ones["timeout"].metadata, "deprecated", OLD)
    told = json.loads(json.dumps(json_schema(catalog)))["$defs"]["connection.snapchat.settings"]["properties"]
    assert [name for name, said in told.items() if said.get("deprecated")] == ["timeout"]


def test_a_command_and_an_option_that_go_say_so_in_help_and_when_they_are_used() -> None:
    old = click.Option(["--old"], deprecated=OLD.of("--old"), help="As it was.")
    command = Command("try", params=[old], callback=lambda old: None, deprecated=OLD.of("`cdp try`"))
    assert "use the new one" in " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    used = CliRunner().invoke(command, ["--old", "1"])
    assert used.exit_code == 0
    assert f"--old {SAID}" in used.stderr
    assert f"`cdp try` {SAID}" in used.stderr


def test_a_setting_of_the_workspace_that_goes_is_told_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cdp.toml"
    monkeypatch.setitem(SchedulerSettings._declared_fields["retry_minutes"].metadata, "deprecated", OLD)
    said = '[profiles]\nurl = "p.csv"\nkey = "id"\n[vault]\nkind = "file"\n'
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        validated(parse(said, path), path)
    with pytest.warns(DeprecatedUse) as warned:
        validated(parse(f"{said}[scheduler]\nretry_minutes = 5\n", path), path)
    assert str(warned[0].message) == f"the setting retry_minutes of [scheduler] in {path} {SAID}"


SAY = """
import sys
import warnings
from cdp_core.contract import deprecation
from cdp_core.cli.main import run
deprecation.NAMES["cdp_core", "ConsentPrompt"] = deprecation.Deprecation(
    since="0.9", goes="0.10", instead="use the new one"
)
sys.exit(run(["simulate", "--help"]))
"""


@pytest.mark.parametrize(
    ("options", "status", "lines"),
    [([], 0, 1), (["-W", "error::DeprecationWarning"], 0, 0), (["-W", "ignore"], 0, 0)],
)
def test_the_command_line_says_it_once_in_one_line(
    tmp_path: Path, options: list[str], status: int, lines: int
) -> None:
    (tmp_path / "cdp_old.py").write_text(
        "import cdp_core\n\nfor _ in range(3):\n    cdp_core.ConsentPrompt\n\n\n"
        "@cdp_core.hookimpl\ndef cdp_roles():\n    return []\n"
    )
    about = tmp_path / "cdp_old-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: cdp-old\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[cdp]\nold = cdp_old\n")
    done = subprocess.run(
        [sys.executable, *options, "-c", SAY],
        env={"PYTHONPATH": str(tmp_path), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    said = [
        line for line in done.stderr.splitlines() if line.startswith("cdp_core.ConsentPrompt is deprecated")
    ]
    assert said == [f"cdp_core.ConsentPrompt {SAID} ({tmp_path / 'cdp_old.py'}:4)"][:lines]
    assert "Traceback" not in done.stderr


def test_nothing_outlives_the_version_in_which_it_was_to_go() -> None:
    now = Version(version("cdp-core"))
    for what, found in declared():
        assert Version(found.since) <= now < Version(found.goes), f"{what} is to go: {found}"
        assert Version(found.since).release[:2] < Version(found.goes).release[:2], (
            f"{what}: no minor version warns"
        )


def declared() -> Iterator[tuple[str, Deprecation]]:
    """All that the core and our own plugins have declared to be on its way out."""
    yield from ((".".join(name), found) for name, found in NAMES.items())
    for name, hook in vars(hookspecs).items():
        options = getattr(hook, "cdp_spec", None) or {}
        of_arguments = (options.get("warn_on_impl_args") or {}).values()
        for warning in (options.get("warn_on_impl"), *of_arguments):
            if warning is not None:
                yield name, warning.deprecation
    yield from _of_commands(cli, click.Context(cli, info_name="cdp", obj=Session()))
    catalog = Catalog(create_plugin_manager())
    schemas = [each.settings_schema for each in catalog.connection_types.values()]
    schemas += [each.settings_schema for each in catalog.destinations.values()]
    schemas += [
        type(table.schema) for table in WorkspaceSchema().fields.values() if isinstance(table, fields.Nested)
    ]
    for schema in schemas:
        for info in settings_of(schema):
            if info.deprecated is not None:
                yield f"{schema.__name__}.{info.name}", info.deprecated


def _of_commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, Deprecation]]:
    both: tuple[click.Command | click.Parameter, ...] = (command, *command.params)
    for each in both:
        if said := getattr(each, "deprecated", False):
            what = f"{context.command_path} {each.name}"
            found = re.search(r"is deprecated since (\S+) and goes in (\S+): (.+)", str(said))
            assert found, f"{what}: deprecated=Deprecation(...).of(...)"
            yield what, Deprecation(since=found[1], goes=found[2], instead=found[3])
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if inner := command.get_command(context, name):
                yield from _of_commands(inner, click.Context(inner, info_name=name, parent=context))


def test_an_option_that_goes_is_looked_at_too() -> None:
    def found(deprecated: bool | str) -> list[tuple[str, Deprecation]]:
        command = click.Command("try", params=[click.Option(["--old"], deprecated=deprecated)])
        return list(_of_commands(command, click.Context(command, info_name="try")))

    assert found(OLD.of("--old")) == [("try old", OLD)]
    with pytest.raises(AssertionError, match="try old"):
        found(True)


def test_what_outlives_its_word_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(NAMES, dict)
    monkeypatch.setitem(NAMES, ("cdp_core", "masked"), Deprecation(since="0.0.1", goes="0.1", instead=""))
    with pytest.raises(AssertionError, match=r"cdp_core\.masked is to go"):
        test_nothing_outlives_the_version_in_which_it_was_to_go()
