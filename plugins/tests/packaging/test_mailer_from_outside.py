"""The example of a plugin, `examples/cdp-mailer`: installed by pip beside the core's wheel as anybody's would
be, with nothing of the core but what is public, and unknown to it."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import cdp_core
import cdp_core.simulate
import cdp_core.testing
from fresh_environment import ROOT
from outside import MAILER, Outside, mailer, plain, simulated

PUBLIC = {module.__name__: set(module.__all__) for module in (cdp_core, cdp_core.simulate, cdp_core.testing)}
MODULES = sorted(path for path in MAILER.rglob("*.py") if ".venv" not in path.parts)
README = (MAILER / "README.md").read_text(encoding="utf-8")

__all__ = ["mailer"]


def imports(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Each module that is imported, wherever in the file, and the names of it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, set()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            yield node.module or "", {alias.name for alias in node.names}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(MAILER)))
def test_it_imports_only_what_is_public_and_what_it_declares(path: Path) -> None:
    project = tomllib.loads((MAILER / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = list(project["dependencies"])
    if "tests" in path.parts:
        declared += project["optional-dependencies"]["dev"]
    known = {re.split(r"[\[<>=~!; ]", each)[0].replace("-", "_") for each in declared}
    for module, names in imports(path):
        top = module.partition(".")[0]
        if top == "cdp_core":
            assert module in PUBLIC, f"{module} is not public"
            assert names <= PUBLIC[module], f"{sorted(names - PUBLIC[module])} of {module} is not public"
        else:
            assert top in {*sys.stdlib_module_names, *known, "cdp_mailer", "tests"}, f"{top} is not declared"


def test_what_it_imports_is_looked_at() -> None:
    found = {module for path in MODULES for module, _ in imports(path)}
    assert set(PUBLIC) <= found


def test_the_core_and_its_own_plugins_do_not_know_it() -> None:
    packages = [ROOT / "cdp_core", *(ROOT / "plugins").glob("*/cdp_*")]
    sources = [path for package in packages for path in package.rglob("*.py")]
    assert len(sources) > 300
    assert [path for path in sources if "cdp_mailer" in path.read_text(encoding="utf-8")] == []


@pytest.mark.timeout(900)
def test_its_own_tests_pass_there(mailer: Outside) -> None:
    told = mailer.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    passed = re.search(r"(\d+) passed", told)
    assert passed, told
    assert int(passed[1]) > 80
    assert "skipped" not in told
    # The core that they ran against is the wheel, and no folder of ours.
    where = mailer.run("python", "-c", "import cdp_core; print(cdp_core.__file__)")
    assert Path(where).is_relative_to(mailer.bin.parent)


def test_ruff_and_mypy_find_nothing_there(mailer: Outside) -> None:
    mailer.run("python", "-m", "ruff", "check", "--no-cache", ".")
    mailer.run("python", "-m", "ruff", "format", "--check", "--no-cache", ".")
    assert "Success" in mailer.run("python", "-m", "mypy", "--cache-dir", os.devnull)


def test_the_core_finds_it_by_its_entry_point(mailer: Outside, tmp_path: Path) -> None:
    (tmp_path / "profiles.csv").write_text("customer_id,email\nc1,anna@mail.example\n")
    mailer.run("cdp", "init", "--profiles", "profiles.csv", "--key", "customer_id", cwd=tmp_path)
    found = json.loads(mailer.run("cdp", "plugins", "list", "--json", cwd=tmp_path))
    plugins = {each["name"]: (each["distribution"], each["status"]) for each in found}
    assert plugins["mailer"] == ("cdp-mailer", "loaded")
    assert plugins["snapchat"] == ("cdp-core", "loaded")


def test_its_readme_can_be_typed(mailer: Outside, tmp_path: Path) -> None:
    install, simulate, rest, checks = re.findall(r"^```shell\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert "pip install ./examples/cdp-mailer\n" in install
    assert checks.startswith('pip install -e ".[dev]"\n')
    program, _, words = simulate.strip().partition(" ")
    assert program == "cdp"
    words = words.removeprefix("simulate ").replace("8900", "0")
    environ = plain() | {"PATH": f"{mailer.bin}:{os.environ['PATH']}"}
    with simulated(mailer.bin / program, *words.split(), environ=environ) as url:
        port = url.rpartition(":")[2]
        done = subprocess.run(
            ["bash", "-e", "-c", rest.replace("8900", port)],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 8, done.stdout + done.stderr
