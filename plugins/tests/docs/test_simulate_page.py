"""`docs/how-to/simulate-a-service.md` is run as it stands, and has every fault and every name of the kit."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import cdp_core.simulate
from cdp_core.simulate import FAULT_KINDS

PAGE = (Path(__file__).parents[3] / "docs/how-to/simulate-a-service.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```\n", PAGE, re.DOTALL | re.MULTILINE)


def section(heading: str) -> str:
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def rows(text: str) -> list[tuple[str, ...]]:
    """The cells of a table's rows, without what sets them apart."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What is there once the page was read to its end: each block goes on where the last one ended."""
    acme = ModuleType("acme")
    monkeypatch.setitem(sys.modules, "acme", acme)
    exec(compile(BLOCKS[0], "<acme.py>", "exec"), acme.__dict__)  # noqa: S102
    reader = ModuleType("reader")
    reader.__dict__.update(acme.__dict__, __name__="reader")
    for number, block in enumerate(BLOCKS[1:], 2):
        exec(compile(block, f"<block {number} of the page>", "exec"), reader.__dict__)  # noqa: S102
    return reader


def test_every_block_does_what_it_says(page: ModuleType) -> None:
    assert sum(block.count("assert ") for block in BLOCKS) > 20
    assert page.acme.lists["loyal"] == {"0" * 64, "1" * 64}


def test_by_hand_it_is_served_until_ctrl_c(page: ModuleType, tmp_path: Path) -> None:
    assert "```sh\npython acme.py 8900\n```" in PAGE
    (tmp_path / "acme.py").write_text(BLOCKS[0], encoding="utf-8")
    command = [sys.executable, "acme.py", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            page.by_hand(process.stdout.readline().strip())
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0


def test_every_kind_of_fault_is_on_the_page_as_it_is() -> None:
    listed = [(*row, "")[:3] for row in rows(section("Faults"))]
    assert listed == [
        (f"`{kind.name}`", kind.about, ", ".join(f"`{option}`" for option in kind.options))
        for kind in FAULT_KINDS
    ]


def test_every_name_of_the_kit_is_on_the_page_and_no_other() -> None:
    named = [row[0].strip("`") for row in rows(section("Every name"))]
    assert sorted(named) == sorted(cdp_core.simulate.__all__)
