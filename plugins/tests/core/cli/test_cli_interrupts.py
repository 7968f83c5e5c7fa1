"""Ctrl-C and SIGTERM during a run: once to end tidily, twice to end at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard


@pytest.fixture
def run(cdp: Keyboard, export: str, home: Path, environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A run of forty batches of one, half a second each, that has begun to deliver."""
    rows = (f"{number},person{number}@example.org,900\n" for number in range(40))
    (home / "profiles.csv").write_text("customer_id,email,lifetime_value\n" + "".join(rows))
    cdp("export", "edit", export, "--set", "batch_size=1")
    with subprocess.Popen(
        [sys.executable, "-m", "cdp_core.cli.main", "export", "run", export, "--json"],
        env=environ | {"ACME_SECONDS": "0.5"},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Delivering"):
                break
        while not (home / "add.txt").exists():
            time.sleep(0.02)
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_the_run_after_the_batches_in_flight(
    run: subprocess.Popen[str], number: signal.Signals, cdp: Keyboard, export: str
) -> None:
    run.send_signal(number)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 9
    assert "Finishing the batches in flight" in err
    assert "error CDP-903" in err
    document = json.loads(out)
    assert document["status"] == "canceled"
    assert document["error"]["code"] == "CDP-903"
    counts = document["delivered"]
    assert 0 < counts["not_sent"] < counts["planned"]
    assert counts["unknown"] == 0
    again = cdp("export", "run", export, "--json").document
    assert again["kinds"]["EMAIL"]["unchanged"] == counts["accepted"]


def test_a_second_signal_stops_at_once_and_the_next_run_settles(
    run: subprocess.Popen[str], cdp: Keyboard, export: str
) -> None:
    assert run.stderr is not None
    run.send_signal(signal.SIGINT)
    for line in run.stderr:
        if "Finishing" in line:
            break
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert out == ""
    assert "Stopped at once" in err
    settled = cdp("export", "run", export)
    assert "Settled what run" in settled.out
    assert cdp("export", "run", export, "--json").document["kinds"]["EMAIL"]["unchanged"] == 40


def test_a_run_goes_on_when_who_read_its_progress_has_gone(
    run: subprocess.Popen[str], cdp: Keyboard, export: str
) -> None:
    assert run.stderr is not None
    run.stderr.close()
    assert run.stdout is not None
    document = json.loads(run.stdout.read())
    assert run.wait(timeout=60) == 0
    assert document["status"] == "committed"
    assert document["delivered"]["accepted"] == 40


def test_a_signal_ends_a_run_tidily_when_nobody_reads_what_it_says(
    run: subprocess.Popen[str], cdp: Keyboard, export: str
) -> None:
    assert run.stderr is not None
    run.stderr.close()
    run.send_signal(signal.SIGTERM)
    assert run.stdout is not None
    document = json.loads(run.stdout.read())
    assert run.wait(timeout=60) == 9
    assert document["error"]["code"] == "CDP-903"


# In the order in which they are imported: at one of them somebody presses Ctrl-C.
EARLY = (
    "cdp_core.cli.streams",
    "cdp_core.errors",
    "click",
    "cdp_core.cli.root",
    "rich_click.rich_help_configuration",
    "cdp_core.cli.session",
    "cdp_core.cli.init",
)

PRESSES = """
import os, signal, sys


class Presses:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == os.environ["PRESS_AT"]:
            sys.meta_path.remove(Presses)
            os.kill(os.getpid(), signal.SIGINT)


sys.meta_path.insert(0, Presses)
"""


@pytest.mark.parametrize("module", EARLY)
@pytest.mark.parametrize(
    ("language", "said"), [("C.UTF-8", "Interrupted.\n"), ("nl_NL.UTF-8", "Onderbroken.\n")]
)
def test_ctrl_c_while_modules_are_imported_ends_tidily(
    home: Path, environ: dict[str, str], module: str, language: str, said: str
) -> None:
    (home / "presses").mkdir()
    (home / "presses" / "sitecustomize.py").write_text(PRESSES)
    path = os.pathsep.join((str(home / "presses"), environ["PYTHONPATH"]))
    done = subprocess.run(
        [Path(sys.executable).with_name("cdp"), "init", "--help"],
        env=environ | {"PYTHONPATH": path, "PRESS_AT": module, "LC_ALL": language},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == said


def test_next_to_nothing_is_imported_before_an_interrupt_can_be_said(environ: dict[str, str]) -> None:
    code = "import re, sys; had = {*sys.modules}; import cdp_core.cli.main; print(*({*sys.modules} - had))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    ours = {"cdp_core", "cdp_core.cli", "cdp_core.cli.main"}
    assert set(done.stdout.split()) <= ours | {"__future__", "atexit", "gc"}
