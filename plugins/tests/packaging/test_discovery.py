"""Discovery as it happens, with distributions that are not installed but on the path like any other."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

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
