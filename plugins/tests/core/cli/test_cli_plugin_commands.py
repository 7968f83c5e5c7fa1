"""Commands that plugins bring: found when they are typed, never in the way of the core's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard


def test_simulate_lists_the_stand_ins_that_plugins_bring(cdp: Keyboard) -> None:
    assert "acme" in cdp("simulate", "--help").out


def test_a_stand_in_is_run(cdp: Keyboard) -> None:
    assert cdp("simulate", "acme").out == "an Acme that answers\n"


def test_a_plain_command_of_a_plugin_has_the_looks_of_the_cores_own(cdp: Keyboard) -> None:
    assert cdp("simulate", "acme", "--help").out == (
        "Usage: cdp simulate acme [OPTIONS]\n"
        "\n"
        "Stand in for Acme.\n"
        "\n"
        "Options:\n"
        "  --help  Show this message and exit.\n"
        "\n"
        "Example:\n"
        "  cdp simulate acme\n"
    )
    said = cdp("acme", "knock", "--help").out
    assert said.startswith("Usage: cdp acme knock [OPTIONS]\n\nKnock at Acme's door.\n\nOptions:\n")
    assert "Example:" not in said


def test_a_group_in_those_looks_does_what_it_did(cdp: Keyboard) -> None:
    assert cdp("acme", "--twice", "knock", "knock").out == "knock knock knock knock\n"
    assert cdp("acme").out == "\n"


def test_a_plugin_gets_the_facade_from_the_context(cdp: Keyboard, workspace: Path) -> None:
    person = cdp("whoami", "--json").document["name"]
    assert cdp("acme-whoami").out.strip() == person


def test_a_noun_of_the_core_cannot_be_taken(cdp: Keyboard) -> None:
    said = cdp("simulate", "acme")
    assert "'export' is a noun of the core" in said.err
    assert "Never reached" not in cdp("export", "--help").out


def test_a_disabled_plugin_brings_no_commands(cdp: Keyboard, workspace: Path) -> None:
    cdp("plugins", "disable", "acme")
    assert "There is no command 'acme-whoami'" in cdp("acme-whoami", status=2).err
    cdp("plugins", "enable", "acme")
    cdp("acme-whoami")


def test_a_plugin_disabled_by_the_environment_brings_none_either(
    cdp: Keyboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDP_DISABLED_PLUGINS", "acme")
    cdp("acme-whoami", status=2)


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two more plugins: one that cannot be imported, one whose commands cannot be added."""
    info = tmp_path / "more" / "cdp_broken-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cdp-broken\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[cdp]\nbroken = cli_broken\nclumsy = cli_clumsy\n")
    (info.parent / "cli_broken.py").write_text("import a_library_that_nobody_has\n")
    (info.parent / "cli_clumsy.py").write_text(
        "import cdp_core\n\n@cdp_core.hookimpl\ndef cdp_commands():\n    raise ValueError('two left hands')\n"
    )
    monkeypatch.syspath_prepend(info.parent)
    for module in ("cli_broken", "cli_clumsy"):
        monkeypatch.delitem(sys.modules, module, raising=False)


@pytest.mark.usefixtures("broken")
def test_a_plugin_that_fails_is_named_and_the_others_still_serve(cdp: Keyboard) -> None:
    said = cdp("simulate", "acme")
    assert "plugin broken (cdp-broken 2.0) was skipped: ModuleNotFoundError" in said.err
    assert "plugin clumsy adds no commands: ValueError: two left hands" in said.err
    assert said.out == "an Acme that answers\n"


@pytest.mark.usefixtures("broken")
def test_the_list_of_plugins_names_a_broken_one_once(cdp: Keyboard, workspace: Path) -> None:
    said = cdp("plugins", "list")
    assert "ModuleNotFoundError" in said.out
    assert "was skipped" not in said.err
    assert "plugin broken (cdp-broken 2.0) was skipped" in cdp("segment", "list").err
