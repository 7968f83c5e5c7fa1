"""Every hookspec's example is a whole plugin: it is run, registered, and its hook is called."""

from __future__ import annotations

import inspect
import re
from types import ModuleType
from typing import Any

import click
import pytest
from click.testing import CliRunner

import cdp_core
from cdp_core.contract import hookspecs
from cdp_core.model.run import RunEvent, Station
from cdp_core.plugins.manager import CdpPluginManager, create_plugin_manager

HOOKS = [name for name in vars(hookspecs) if name.startswith("cdp_")]


def example_of(hook: str) -> ModuleType:
    said = inspect.getdoc(getattr(hookspecs, hook)) or ""
    found = re.fullmatch(r".*?Example:\n\n```python\n(?P<code>.*?)```\s*", said, re.DOTALL)
    assert found, f"{hook} has no example"
    module = ModuleType(f"example_{hook}")
    exec(compile(found["code"], f"<example of {hook}>", "exec"), module.__dict__)  # noqa: S102
    return module


def registered(hook: str) -> tuple[CdpPluginManager, ModuleType]:
    manager = create_plugin_manager(entry_points=False)
    plugin = example_of(hook)
    manager.register(plugin, name=hook)
    manager.check_pending()
    return manager, plugin


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_is_a_plugin_with_exactly_this_hook(hook: str) -> None:
    manager, plugin = registered(hook)
    callers = manager.get_hookcallers(plugin) or []
    assert [caller.name for caller in callers] == [hook]


ANSWERS: dict[str, tuple[dict[str, Any], type]] = {
    "cdp_connection_types": ({}, cdp_core.ConnectionType),
    "cdp_export_destinations": ({}, cdp_core.DestinationSpec),
    "cdp_consent_prompts": ({"connection_type": "acme", "locale": "en"}, cdp_core.ConsentPrompt),
    "cdp_roles": ({}, cdp_core.Role),
    "cdp_profile_sources": ({}, cdp_core.SourceSpec),
    "cdp_identifier_kinds": ({}, cdp_core.IdentifierKind),
}


@pytest.mark.parametrize("hook", ANSWERS)
def test_the_example_gives_what_the_hook_promises(hook: str) -> None:
    manager, _ = registered(hook)
    arguments, promised = ANSWERS[hook]
    (given,) = getattr(manager.hook, hook)(**arguments)
    assert len(given) == 1
    assert isinstance(given[0], promised)


def test_the_example_of_an_opinion_denies_drafts_and_abstains_else() -> None:
    manager, _ = registered("cdp_authorize")
    ann = cdp_core.Actor(name="ann", real="ann")
    draft, final = (cdp_core.Resource(kind="export", name=name) for name in ("Draft 7", "Loyal"))
    act = cdp_core.Action.EXPORT_RUN
    (opinion,) = manager.hook.cdp_authorize(actor=ann, action=act, resource=draft)
    assert opinion.verdict == "deny"
    assert manager.hook.cdp_authorize(actor=ann, action=act, resource=final) == []


def test_the_example_of_an_observer_sees_the_event() -> None:
    manager, plugin = registered("cdp_run_event")
    event = RunEvent(run_id="r1", export="Loyal", station=Station.DELIVER, state="started")
    manager.hook.cdp_run_event(event=event)
    assert plugin.seen == [(Station.DELIVER, "started")]


def test_the_example_of_a_command_answers() -> None:
    manager, _ = registered("cdp_commands")
    cli = click.Group("cdp")
    manager.hook.cdp_commands(cli=cli)
    assert CliRunner().invoke(cli, ["acme-hello"]).output == "hello from acme\n"


def test_every_hook_is_called_here() -> None:
    assert set(HOOKS) == {*ANSWERS, "cdp_authorize", "cdp_run_event", "cdp_commands"}
