"""The other side of the demo: the Snapchat simulator as a process, and a person at a browser."""

from __future__ import annotations

import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terminal import CommandFailed, Terminal

LOG = "simulator.log"
PORT_FILE = "simulator.port"
COMMAND = f"cdp simulate snapchat --port-file {PORT_FILE}"
SECONDS_TO_START = 20.0

# Everything here is on this machine, and goes past any proxy.
_BROWSER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def simulator(terminal: Terminal) -> Iterator[str]:
    """Snapchat's stand-in on a free port, at the URL that is given, until the end of the block."""
    terminal.show(f"{COMMAND} > {LOG} &")
    log = terminal.folder / LOG
    with log.open("w", encoding="utf-8") as written:
        # A session of its own, so that Ctrl-C ends a run first and its service afterwards.
        process = subprocess.Popen(
            COMMAND.split(),
            cwd=terminal.folder,
            env=dict(terminal.environ),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{_port(process, terminal.folder / PORT_FILE, log)}"
        terminal.say(f"It listens on {url}, and its words are in {LOG}.")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes], file: Path, log: Path) -> int:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and process.poll() is None:
        if file.exists():
            return int(file.read_text(encoding="ascii"))
        time.sleep(0.05)
    raise CommandFailed(f"the simulator did not start:\n{log.read_text(encoding='utf-8')}")


class Browser:
    """Opens the first address that it is shown, and follows it to where the sign-in ends."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._been_there = False

    def see(self, line: str) -> None:
        if not self._been_there and re.fullmatch(r"https?://\S+", line.strip()):
            self._been_there = True
            with _BROWSER.open(line.strip(), timeout=30) as page:
                came_to = page.geturl().partition("?")[0]
            self._terminal.say(f"(The demo plays the browser: it agreed, and was sent back to {came_to}.)")


def members_of(url: str, audience: str) -> set[bytes]:
    """What the service holds, asked of the simulator itself."""
    with _BROWSER.open(f"{url}/__simulator/segments/{audience}/members/EMAIL_SHA256", timeout=120) as answer:
        return {bytes.fromhex(line.decode()) for line in answer}
