"""Discovery as it happens, with distributions that are not installed but on the path like any other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.manager import (
    DISABLED_VARIABLE,
    CdpPluginManager,
    PluginReport,
    PluginStatus,
    create_plugin_manager,
)

DATA = Path(__file__).with_name("data")
ASSORTED = "cdp-assorted-plugins"


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DATA)
    for module in DATA.glob("assorted_*.py"):
        monkeypatch.delitem(sys.modules, module.stem, raising=False)


def found(manager: CdpPluginManager, name: str, distribution: str = ASSORTED) -> PluginReport:
    return next(
        report for report in manager.reports if (report.name, report.distribution) == (name, distribution)
    )


def test_a_good_plugin_is_loaded_with_its_hooks_named() -> None:
    manager = create_plugin_manager()
    report = found(manager, "good")
    assert (report.status, report.version, report.hooks) == (PluginStatus.LOADED, "1.0", ("cdp_run_event",))
    assert manager.has_plugin("good")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("import-error", "ModuleNotFoundError: No module named 'a_library_that_nobody_has'"),
        ("no-module", "ModuleNotFoundError: No module named 'assorted_that_is_not_there'"),
        ("exits", "SystemExit: this plugin wants a licence key"),
        ("mute", "Mute: ValueError while it was said why"),
        ("misspelt", "unknown hook 'cdp_conection_types'"),
        ("no-hook", "it implements no hook: is @cdp_core.hookimpl missing?"),
    ],
)
def test_a_broken_plugin_is_named_with_its_reason_and_skipped(name: str, reason: str) -> None:
    manager = create_plugin_manager()
    report = found(manager, name)
    assert report.status == PluginStatus.BROKEN
    assert reason in report.reason
    assert not manager.has_plugin(name)


def test_a_broken_plugin_takes_no_other_down() -> None:
    loaded = {report.name for report in create_plugin_manager().reports if report.status == "loaded"}
    assert loaded == {"files", "good", "snapchat", "webhook"}


def test_the_second_bringer_of_a_name_is_told_from_the_first() -> None:
    manager = create_plugin_manager()
    assert found(manager, "good", "cdp-second-bringer").status == PluginStatus.DUPLICATE
    assert found(manager, "good").status == PluginStatus.LOADED


def test_a_name_stays_with_the_first_distribution_in_the_alphabet() -> None:
    manager = create_plugin_manager()
    assert found(manager, "snapchat", "cdp-second-bringer").status == PluginStatus.DUPLICATE
    assert found(manager, "snapchat", "cdp-core").status == PluginStatus.LOADED


def test_of_one_key_our_own_wins_whatever_another_plugin_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "aaa.py").write_text(
        "import cdp_core\n"
        "import cdp_snapchat.plugin as theirs\n"
        "@cdp_core.hookimpl\n"
        "def cdp_connection_types():\n"
        "    import dataclasses\n"
        "    return [dataclasses.replace(each, label='Evil') for each in theirs.cdp_connection_types()]\n"
    )
    about = tmp_path / "aaa-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: aaa\nVersion: 1.0\n")
    for group in ("cdp", "cdp.access"):
        (about / "entry_points.txt").write_text(f"[{group}]\naaa = aaa\n\u202e\x1b[2J = aaa\n")
        monkeypatch.syspath_prepend(tmp_path)
        manager = create_plugin_manager()
        assert found(manager, "aaa", "aaa").status == PluginStatus.LOADED
        assert Catalog(manager).connection_type("snapchat").label == "Snapchat"


def test_a_guard_that_cannot_be_loaded_is_remembered_as_one() -> None:
    assert [report.name for report in create_plugin_manager().broken_guards] == ["guard"]


def test_a_disabled_plugin_is_not_even_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DISABLED_VARIABLE, "exits, good")
    manager = create_plugin_manager(disabled=["misspelt"])
    assert {report.name for report in manager.reports if report.status == PluginStatus.DISABLED} == {
        "exits",
        "good",
        "misspelt",
    }
    assert "assorted_good" not in sys.modules


def test_the_environment_cannot_disable_a_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DISABLED_VARIABLE, "guard")
    assert create_plugin_manager().broken_guards
    assert not create_plugin_manager(disabled=["guard"]).broken_guards


def test_a_manager_without_entry_points_knows_no_plugin() -> None:
    assert create_plugin_manager(entry_points=False).reports == []
