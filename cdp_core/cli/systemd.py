"""`cdp scheduler install`: a systemd unit that keeps the scheduler running."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import rich_click

from cdp_core.cli.ask import settled
from cdp_core.cli.command import command, yes_option
from cdp_core.cli.render.console import show
from cdp_core.cli.session import Session
from cdp_core.errors import Code, UsageFault

if TYPE_CHECKING:
    from cdp_core.workspace import Workspace

_UNIT = """\
[Unit]
Description=cdp scheduler for {folder}
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart={command}
# Secrets that are given as env:NAME, one NAME=value a line; keep that file to yourself (mode 0600).
EnvironmentFile=-{environment}
Restart=on-failure
RestartSec=30
# Batches in flight end; what is left, the next run takes up.
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec={stop}
NoNewPrivileges=true
ProtectSystem=full

[Install]
WantedBy={target}
"""
_GRACE = 60


@command("install", example="cdp scheduler install\ncdp scheduler install --print")
@rich_click.option("--system", is_flag=True, help="For the whole machine; needs root. Default: for you.")
@rich_click.option("--print", "only_print", is_flag=True, help="Print the unit, and write nothing.")
@yes_option
@click.pass_obj
def install(session: Session, *, system: bool, only_print: bool, yes: bool) -> None:
    """Write a systemd unit that starts the scheduler and keeps it running. Nothing is started yet."""
    workspace = session.cdp().workspace
    target = unit_folder(system=system) / "cdp-scheduler.service"
    environment = Path("/etc/cdp.env") if system else Path.home() / ".config" / "cdp.env"
    unit = unit_text(workspace, environment, system=system)
    if only_print:
        sys.stdout.write(unit)
        return
    if target.exists():
        settled(f"{target} is there already. Overwrite it?", yes=yes)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(unit, encoding="utf-8")
    except OSError as failure:
        raise UsageFault(
            Code.USAGE,
            f"the unit cannot be written: {failure.strerror}",
            where=str(target),
            hint="--print, and put it there yourself",
        ) from None
    ctl = "systemctl" if system else "systemctl --user"
    show(f"Written: {target}")
    show(f"Start it now and at every boot:  {ctl} daemon-reload && {ctl} enable --now cdp-scheduler")
    show(f"Read its log:  journalctl {'' if system else '--user '}-u cdp-scheduler")
    if not system:
        show("To run while you are logged out:  loginctl enable-linger")


def unit_folder(*, system: bool) -> Path:
    if system:
        return Path("/etc/systemd/system")
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "systemd" / "user"


def unit_text(workspace: Workspace, environment: Path, *, system: bool) -> str:
    """The unit; paths are quoted as systemd reads them."""
    cdp = shutil.which("cdp", path=str(Path(sys.executable).parent)) or shutil.which("cdp")
    start = [cdp] if cdp else [sys.executable, "-m", "cdp_core.cli.main"]
    words = [*start, "--workspace", str(workspace.folder), "scheduler", "start", "--grace", str(_GRACE)]
    return _UNIT.format(
        folder=_escaped(str(workspace.folder)),
        command=" ".join(_quoted(word) for word in words),
        environment=_escaped(str(environment)),
        stop=_GRACE + 30,
        target="multi-user.target" if system else "default.target",
    )


def _escaped(text: str) -> str:
    """Percent signs stand for something in a unit."""
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    plain = _escaped(word).replace("$", "$$").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"' if any(letter in word for letter in " \t\"'\\;") else plain
