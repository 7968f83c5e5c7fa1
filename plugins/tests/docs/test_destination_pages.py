"""The pages on webhooks and files are typed as they stand: every `sh` block of each in one shell."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest

from reading_files import members

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```sh\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
LISTENING = "for n in $(seq 100); do (: < /dev/tcp/127.0.0.1/8900) 2>/dev/null && break; sleep 0.1; done\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def typed(page: str, folder: Path) -> str:
    """What the page's commands print, typed in a folder."""
    text = (ROOT / "docs/how-to" / page).read_text(encoding="utf-8")
    between = LISTENING if page == "webhook.md" else ""
    script = between.join(BLOCK.findall(text)).replace("8900", str(free_port()))
    (folder / "examples").symlink_to(ROOT / "examples")
    said = folder / "said"
    with said.open("w") as output:
        # The stand-in would keep a pipe open where the shell does not come to its end.
        done = _run(script, folder, output)
    assert done == 0, said.read_text()
    return said.read_text()


def _run(script: str, folder: Path, output: TextIO) -> int:
    process = subprocess.Popen(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    with process:
        try:
            return process.wait(timeout=120)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_the_page_on_webhooks_can_be_typed(tmp_path: Path) -> None:
    said = typed("webhook.md", tmp_path)
    assert "Loyal customers" in said


def test_the_page_on_files_can_be_typed(tmp_path: Path) -> None:
    typed("files.md", tmp_path)

    def names(path: str) -> tuple[str, ...]:
        return tuple(each.name for each in (tmp_path / "exports" / path).iterdir())

    held = members(names, lambda path: (tmp_path / "exports" / path).read_bytes(), "everybody")
    assert len(held) == 3


@pytest.mark.parametrize("page", ["webhook.md", "files.md"])
def test_every_setting_that_a_page_names_is_one(page: str) -> None:
    from cdp_core.contract.schemas import settings_of
    from cdp_core.plugins.catalog import Catalog
    from cdp_core.plugins.manager import create_plugin_manager

    key = page.removesuffix(".md")
    catalog = Catalog(create_plugin_manager())
    schemas = (catalog.connection_type(key).settings_schema, catalog.destination(key).settings_schema)
    known = {info.name for schema in schemas for info in settings_of(schema)}
    text = (ROOT / "docs/how-to" / page).read_text(encoding="utf-8")
    named = set(re.findall(r"--(?:set|secret) [\"']?([a-z_]+)=", text))
    assert named - known == set()
