"""What the command line's tests share: profiles, an isolated home, a way to type a command, a test plugin."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cdp_core.cli.main import run

DATA = Path(__file__).with_name("data")
ROOT = Path(__file__).parents[4]

PROFILES = """customer_id,email,lifetime_value
1,ann@example.org,900
2,Ben@example.org,800
3,,700
4,n/a,600
5,ann@example.org,550
6,zoe@example.org,10
"""


@dataclass
class Typed:
    """What a command line gave."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass
class Keyboard:
    """Types `cdp` command lines in this process; there is no terminal."""

    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str, status: int = 0) -> Typed:
        self.capture.readouterr()
        given = run(words)
        said = self.capture.readouterr()
        assert given == status, f"cdp {' '.join(words)}: exit {given}\n{said.out}\n{said.err}"
        return Typed(given, said.out, said.err)

    def add_connection(self, *more: str, name: str = "Acme EU") -> Typed:
        return self(
            *("connection", "add", "acme", "--name", name),
            *("--set", "account=A-7", "--secret", "api_key=env:ACME_KEY", *more),
        )

    def add_export(self, name: str = "Loyal to Acme", *more: str) -> Typed:
        return self(
            *("export", "add", name, "--connection", "Acme EU", "--segment", "Loyal"),
            *("--set", "audience_id=42", "--match", "EMAIL=email", *more),
        )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home that one stands in, with the test's own plugin on the path."""
    for name in list(os.environ):
        if name.startswith(("CDP_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ACME_FOLDER", str(tmp_path))
    monkeypatch.setenv("ACME_KEY", "a-key-that-nobody-may-see")
    monkeypatch.syspath_prepend(DATA)
    monkeypatch.delitem(sys.modules, "acme_cli", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles.csv").write_text(PROFILES)
    return tmp_path


@pytest.fixture
def cdp(home: Path, capsys: pytest.CaptureFixture[str]) -> Keyboard:
    return Keyboard(capsys)


@pytest.fixture
def workspace(cdp: Keyboard, home: Path) -> Path:
    """A workspace with a segment of five."""
    cdp("init", "--profiles", "profiles.csv", "--key", "customer_id", "--vault", "file")
    cdp("segment", "add", "Loyal", "--where", "lifetime_value > 500")
    return home / ".cdp"


@pytest.fixture
def connection(cdp: Keyboard, workspace: Path) -> str:
    """An agreed and authenticated connection."""
    cdp.add_connection("--agree")
    cdp("connection", "authenticate", "Acme EU")
    return "Acme EU"


@pytest.fixture
def export(cdp: Keyboard, connection: str) -> str:
    cdp.add_export()
    return "Loyal to Acme"


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    """For a `cdp` process of its own, in the same home with the same plugin."""
    path = [str(DATA), str(ROOT), str(ROOT / "plugins" / "snapchat"), os.environ.get("PYTHONPATH", "")]
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    return kept | {
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "COLUMNS": "80",
        "LINES": "40",
    }
