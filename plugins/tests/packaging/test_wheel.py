"""The wheel that people install: what is in it, and that it does the first steps without this folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fresh_environment import ROOT, built_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_fits_every_platform(wheel: Path) -> None:
    assert wheel.name == "cdp_core-0.1.0-py3-none-any.whl"


def test_the_wheel_holds_every_package_whole(names: set[str]) -> None:
    plugins = [(ROOT / "plugins" / name, f"cdp_{name}") for name in ("files", "snapchat", "webhook")]
    for folder, package in ((ROOT, "cdp_core"), *plugins):
        sources = {
            str(path.relative_to(folder)) for path in (folder / package).rglob("*.py") if path.is_file()
        }
        assert sources - names == set()
        assert f"{package}/py.typed" in names


def test_the_wheel_holds_the_migrations_and_the_licence(names: set[str]) -> None:
    assert any("/migrations/versions/" in name for name in names)
    assert "cdp_core-0.1.0.dist-info/licenses/LICENSE" in names


def test_the_wheel_holds_the_settings_that_were_released(names: set[str]) -> None:
    assert {f"cdp_{name}/settings_snapshot.json" for name in ("files", "snapchat", "webhook")} <= names


def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    assert tops == {
        *("cdp_core", "cdp_files", "cdp_snapchat", "cdp_webhook"),
        "cdp_core-0.1.0.dist-info",
    }
    assert not [
        name for name in names if "tests/" in name or "/test_" in name or name.endswith((".pyc", ".parquet"))
    ]


def test_the_unpacked_wheel_makes_a_workspace_and_finds_its_plugin(wheel: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    # What these processes run is a copy, and no part of the coverage.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environment = plain | {"PYTHONPATH": str(library)}
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(library)
    (tmp_path / "profiles.csv").write_text("customer_id,email\nc1,anna@mail.example\n")

    def cdp(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", "from cdp_core.cli.main import main; main()", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    cdp("init", "--profiles", "profiles.csv", "--key", "customer_id")
    assert '"snapchat"' in cdp("plugins", "list", "--json")
    where = [sys.executable, "-c", "import cdp_core; print(cdp_core.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert str(library) in found.stdout.decode()


def test_the_wheel_speaks_every_language(wheel: Path, names: set[str], tmp_path: Path) -> None:
    assert {f"cdp_core/cli/locale/{each}/LC_MESSAGES/cdp.mo" for each in ("nl", "da")} <= names
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    shown = subprocess.run(
        [sys.executable, "-c", "from cdp_core.cli.main import main; main()", "export", "--help"],
        env=plain | {"PYTHONPATH": str(tmp_path), "LANG": "da_DK.UTF-8", "PYTHONUTF8": "1"},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    assert "Tilføj en eksport" in shown
