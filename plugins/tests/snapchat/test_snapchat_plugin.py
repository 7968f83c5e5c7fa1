"""What the plugin registers, found through a fresh plugin manager, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import click
import pluggy
import pytest
from click.testing import CliRunner

from cdp_core.contract import hookspecs
from cdp_core.contract.connection import ConnectionType
from cdp_core.contract.destination import ConnectionContext, DestinationContext, DestinationSpec
from cdp_snapchat import consent, plugin
from cdp_snapchat.destination import SnapchatAudience
from cdp_snapchat.schemas import ConnectionSettings, ExportSettings, origin


@pytest.fixture
def manager() -> pluggy.PluginManager:
    made = pluggy.PluginManager(hookspecs.PROJECT)
    made.add_hookspecs(hookspecs)
    made.register(plugin)
    made.check_pending()
    return made


@pytest.fixture
def spec(manager: pluggy.PluginManager) -> DestinationSpec:
    ((found,),) = manager.hook.cdp_export_destinations()
    assert isinstance(found, DestinationSpec)
    return found


def test_the_connection_type_signs_in_and_verifies(
    manager: pluggy.PluginManager, connection: ConnectionContext
) -> None:
    ((found,),) = manager.hook.cdp_connection_types()
    assert isinstance(found, ConnectionType)
    assert (found.key, found.label, found.settings_schema) == ("snapchat", "Snapchat", ConnectionSettings)
    assert found.oauth is not None
    assert found.verify(connection).name == "Demo User"


def test_the_destination_declares_what_the_service_can_do(spec: DestinationSpec) -> None:
    assert (spec.key, spec.connection_type, spec.settings_schema) == ("snapchat", "snapchat", ExportSettings)
    assert [(rule.kind, rule.need) for rule in spec.matching] == [
        ("EMAIL", "at-least-one"),
        ("PHONE", "at-least-one"),
        ("MOBILE_AD_ID", "at-least-one"),
    ]
    capabilities = spec.capabilities
    assert (capabilities.batch_limit, capabilities.concurrency) == (100_000, 4)
    assert capabilities.rate is not None
    assert capabilities.rate.requests_per_second == 10
    assert (capabilities.answers, capabilities.payload) == ("batch", "digests")
    settings = dict.fromkeys(ExportSettings().fields)
    assert spec.audience_setting in settings
    assert spec.batch_size_setting in settings


def test_the_factory_makes_an_audience(
    spec: DestinationSpec, connection: ConnectionContext, settings: Mapping[str, Any]
) -> None:
    made = spec.factory(
        DestinationContext(connection=connection, settings={"audience_id": "5677923948298240"})
    )
    assert isinstance(made, SnapchatAudience)
    assert made.verify().origin == origin(settings)


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("en", "en"),
        ("nl", "nl"),
        ("da_DK.UTF-8", "da"),
        ("nl-BE", "nl"),
        ("fr", "en"),
        ("C", "en"),
        ("", "en"),
    ],
)
def test_the_consent_prompt_speaks_the_persons_language(
    manager: pluggy.PluginManager, locale: str, language: str
) -> None:
    ((prompt,),) = manager.hook.cdp_consent_prompts(connection_type="snapchat", locale=locale)
    assert prompt.language == language
    assert "Snapchat" in prompt.text
    assert (prompt.key, prompt.version) == (consent.KEY, consent.VERSION)


def test_other_connection_types_get_no_prompt_of_ours(manager: pluggy.PluginManager) -> None:
    assert manager.hook.cdp_consent_prompts(connection_type="other", locale="en") == [[]]


def test_a_consent_text_does_not_change_by_accident() -> None:
    """Whoever changes a text asks every Administrator again: then change the version and this, too."""
    digests = {language: consent.prompts(language)[0].digest[:16] for language in ("en", "nl", "da")}
    assert digests == {"en": "ca5bc9d16799b918", "nl": "8e5e49608e478978", "da": "06008b71690c751a"}


def test_the_simulator_is_a_command_of_a_shared_noun(manager: pluggy.PluginManager) -> None:
    cli = click.Group("cdp")
    manager.hook.cdp_commands(cli=cli)
    shown = CliRunner().invoke(cli, ["simulate", "snapchat", "--help"])
    assert shown.exit_code == 0
    assert "--port" in shown.output


def test_a_noun_that_is_there_is_shared(manager: pluggy.PluginManager) -> None:
    simulate = click.Group("simulate", commands=[click.Command("acme")])
    manager.hook.cdp_commands(cli=click.Group("cdp", commands=[simulate]))
    assert set(simulate.commands) == {"acme", "snapchat"}


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    heavy = "{'requests', 'requests_oauthlib', 'marshmallow', 'oauthlib', 'urllib3', 'click', 'http.server'}"
    code = f"import sys, cdp_snapchat.plugin; print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    assert answer.stdout.strip() == "[]"
