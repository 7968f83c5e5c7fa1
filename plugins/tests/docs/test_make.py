"""The two commands: `make` says what there is, and CI runs what people run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def made(*words: str) -> str:
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_make_alone_lists_every_target_with_what_it_does() -> None:
    listed = set(re.findall(r"^  ([a-z]+)  +[A-Z]", made(), re.MULTILINE))
    declared = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert declared
    assert listed == set(declared[1].split()) - {"dev-venv"}


def test_ci_runs_exactly_make_test() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "make" in line] == ["exec make test"]


def test_the_tests_come_last_so_that_their_summary_closes_the_output() -> None:
    steps = re.findall(r"^echo \"== ([a-z]+)", made("--dry-run", "test"), re.MULTILINE)
    assert steps == ["lint", "format", "types", "layers", "docs", "tests"]
