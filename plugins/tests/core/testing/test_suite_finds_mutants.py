"""The suite of destinations finds what it is there for: each faulty destination fails the test that its fault
is against.

They run in a pytest of their own, as an author's would, and its report is read here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

from cdp_core.testing import HttpDestinationSuite

DATA = Path(__file__).parent / "data" / "mutants"

# Found here and not left on the path: a plugin on the path is every test's.
sys.path.append(str(DATA))
from cdp_mutants import MUTANTS  # noqa: E402

sys.path.remove(str(DATA))

Failed = Mapping[str, set[str]]
# The first test waits for all mutants.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Failed:
    """The tests that each mutant fails, of those that have to find it."""
    folder = tmp_path_factory.mktemp("mutants")
    (folder / "test_mutants.py").write_text((DATA / "suites.py").read_text())
    report = folder / "report.xml"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
            *("--timeout=120", f"--junit-xml={report}", "test_mutants.py"),
        ],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(DATA), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=1100,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    failed: dict[str, set[str]] = {name: set() for name in MUTANTS}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        name = case.attrib["classname"].rpartition("Test_")[2].replace("_", "-")
        assert case.find("error") is None, ET.tostring(case, encoding="unicode")
        if case.find("failure") is not None:
            failed[name].add(case.attrib["name"].partition("[")[0])
    return failed


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_is_found_by_its_name(found: Failed, name: str) -> None:
    assert found[name] == set(MUTANTS[name].fails)


def test_every_rule_has_a_fault_that_it_finds() -> None:
    rules = {name for name in dir(HttpDestinationSuite) if name.startswith("test_")}
    assert rules == {name for mutant in MUTANTS.values() for name in mutant.fails}
