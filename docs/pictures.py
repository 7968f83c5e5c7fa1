"""Pictures of the terminal, of real commands: typed in a throwaway workspace, at the stand-in for Snapchat.

    python docs/pictures.py [FOLDER]     draw them, into docs/_static/terminal if nowhere else

`make docs` draws them anew into what it builds; those that are kept are for who reads the pages as files.
What differs from run to run stands still here: the clock goes on by a minute from one command to the next,
ids come from a seeded source or are always the same, a run takes as long as `SECONDS` says, and the person is
`ann`. All else is what `cdp` says.
"""

from __future__ import annotations

import html
import io
import os
import pwd
import random
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

import duckdb
import time_machine
from rich.console import Console
from rich.text import Text

from cdp_core.cli.main import run
from cdp_core.cli.render import console as consoles
from cdp_core.runner.record import Record
from cdp_snapchat.simulator import AUDIENCE_ID, snapchat_simulator

ROOT = Path(__file__).parents[1]
KEPT = Path(__file__).with_name("_static") / "terminal"
SAMPLE = ROOT / "examples" / "demo" / "sample.py"
PROFILES = 20_000
PERSON = "ann"
BEGAN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
WIDTH = 110
SECONDS = 0.4
HOME, PORT = f"/home/{PERSON}/customers", ":8181"
_PORT = re.compile(r"(?<=127\.0\.0\.1):\d+")
# The service's ids of requests: several are under way at once, and come in any order.
UUID = "98e2a602-1ec5-41b0-84fa-a0e296258dcd"
_UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_TEXT = re.compile(r'(?P<before><text [^>]*textLength=")[\d.]+(?P<after>"[^>]*>)(?P<words>[^<]*)<')
# How wide rich draws one, in the picture's own unit.
_LETTER = 12.2
_FETCHED_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


class Clock(Protocol):
    def shift(self, delta: float, /) -> None: ...


class _Recorder(Console):
    """A terminal of the picture's width; what a real one wraps by itself is wrapped here."""

    def __init__(self) -> None:
        super().__init__(
            record=True,
            width=WIDTH,
            file=io.StringIO(),
            force_terminal=True,
            color_system="truecolor",
            highlight=False,
            markup=False,
            emoji=False,
        )

    def print(self, *pieces: Any, soft_wrap: bool | None = None, **looks: Any) -> None:
        super().print(*pieces, **looks)


class Studio:
    """A terminal whose commands run here, and whose clock goes on by a minute before each."""

    def __init__(self, clock: Clock, drawn: Path) -> None:
        self._clock = clock
        self._drawn = drawn
        self.console = _Recorder()

    def type(
        self, command: str, *, picture: str = "", status: int = 0, stdin: str = "", typed: str = ""
    ) -> None:
        """Run a command line to its end, and draw it where a name is given; `typed` is what is shown for it.
        Raises where it ends with another status."""
        self._clock.shift(60)
        self.console = _Recorder()
        self.console.print(Text.assemble(("$ ", "dim"), typed or command))
        aside = io.StringIO()
        with (
            mock.patch.object(sys, "stdin", io.StringIO(stdin)),
            redirect_stdout(aside),
            redirect_stderr(aside),
        ):
            ended = run(shlex.split(command)[1:])
        if ended != status:
            raise RuntimeError(f"{command}: exit {ended}\n{self.console.export_text()}\n{aside.getvalue()}")
        if picture:
            svg = self.console.export_svg(title=" ", unique_id=picture)
            drawn = _TEXT.sub(_elsewhere, _FETCHED_FONTS.sub("", svg))
            (self._drawn / f"{picture}.svg").write_text(drawn, encoding="utf-8")


def _elsewhere(found: re.Match[str]) -> str:
    """A piece of text without this machine's folder and port; it is as long as its letters are."""
    words = found["words"].replace(str(Path.cwd()), HOME)
    words = _UUID.sub(UUID, _PORT.sub(PORT, words))
    length = round(len(html.unescape(words)) * _LETTER, 1)
    return found[0] if words == found["words"] else f"{found['before']}{length:g}{found['after']}{words}<"


def draw(folder: Path) -> None:
    """Draw every picture into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cdp-pictures-") as home, _still(Path(home)) as clock:
        studio = Studio(clock, folder)
        with (
            mock.patch.object(consoles, "console", side_effect=lambda stream: studio.console),
            snapchat_simulator(rate_limit=False) as simulator,
        ):
            _play(studio, simulator.api_url, simulator.accounts_url)


def _play(studio: Studio, api_url: str, accounts_url: str) -> None:
    _customers(1)
    studio.type("cdp init --profiles profiles.parquet --key customer_id --vault file")
    studio.type("cdp profiles lint", picture="profiles-lint")
    studio.type('cdp segment add "Loyal customers" --where "lifetime_value > 500"')
    studio.type(
        'cdp connection add snapchat --name "Snapchat EU" --set client_id=demo-client '
        f"--secret client_secret=env:SNAP_SECRET --set api_url={api_url} --set accounts_url={accounts_url} "
        "--set redirect_uri=http://127.0.0.1:0/callback --share-with contributor --agree"
    )
    studio.type('cdp connection authenticate "Snapchat EU"')
    studio.type(
        'cdp export add "Loyal to Snapchat" --connection "Snapchat EU" '
        f'--set audience_id={AUDIENCE_ID} --match EMAIL=email --segment "Loyal customers"'
    )
    studio.type('cdp export plan "Loyal to Snapchat"', picture="export-plan")
    studio.type('cdp export run "Loyal to Snapchat"')
    _customers(2)
    studio.type('cdp export run "Loyal to Snapchat"', picture="export-run")
    studio.type("cdp explain", typed="cdp explain < person.txt", stdin=_somebody(), picture="explain")
    studio.type("cdp schedule set --daily 02:00 --timezone Europe/Amsterdam")
    studio.type('cdp export edit "Loyal to Snapchat" --max-shrink 1%')
    _customers(1)
    studio.type('cdp export run "Loyal to Snapchat"', status=7, picture="gate")
    studio.type("cdp status", picture="status")


def _somebody() -> str:
    """The first loyal customer with an address, as the table has it."""
    query = "SELECT email FROM 'profiles.parquet' WHERE lifetime_value > 500 AND email LIKE '%_@_%.example'"
    with duckdb.connect() as connection:
        row = connection.execute(f"{query} ORDER BY customer_id LIMIT 1").fetchone()
    return f"{row[0]}\n" if row else ""


def _customers(day: int) -> None:
    command = [
        sys.executable,
        str(SAMPLE),
        "profiles.parquet",
        "--profiles",
        str(PROFILES),
        "--day",
        str(day),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _still(home: Path) -> Iterator[Clock]:
    """A home of its own, with a clock, ids, a person and a browser that are the same each time."""
    seeded = random.Random(7)  # noqa: S311 (ids of a picture)
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("CDP_", "XDG_", "LC_"))
    }
    environ |= {
        "HOME": str(home),
        "SNAP_SECRET": "demo-secret",
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "BROWSER": "anything",
    }
    user = mock.Mock(pw_name=PERSON, pw_dir=str(home))
    with ExitStack() as still:
        still.enter_context(mock.patch.dict(os.environ, environ, clear=True))
        still.callback(os.chdir, Path.cwd())
        os.chdir(home)
        still.callback(time.tzset)
        time.tzset()
        still.enter_context(
            mock.patch.object(
                uuid, "uuid4", side_effect=lambda: uuid.UUID(int=seeded.getrandbits(128), version=4)
            )
        )
        still.enter_context(mock.patch.object(pwd, "getpwuid", return_value=user))
        still.enter_context(mock.patch.object(Record, "_seconds", return_value=SECONDS))
        still.enter_context(mock.patch.object(webbrowser, "open", _agree))
        yield still.enter_context(time_machine.travel(BEGAN, tick=False))


def _agree(url: str) -> bool:
    """The person at the browser, who comes back when the sign-in listens."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    threading.Thread(target=lambda: opener.open(url, timeout=30).close(), daemon=True).start()
    return True


if __name__ == "__main__":
    draw(Path(sys.argv[1]).resolve() if sys.argv[1:] else KEPT)
