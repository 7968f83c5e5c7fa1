from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from cdp_core.cli.main import run
from cdp_snapchat.simulator.command import snapchat


def wait_for(path: Path) -> int:
    for _ in range(500):
        if path.exists():
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError("no port was written")


@pytest.mark.parametrize("secret", [None, "of-my-own"])
def test_as_a_process_it_writes_its_port_says_how_to_use_it_and_ends_tidily(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str | None
) -> None:
    port_file = tmp_path / "port"
    if secret:
        monkeypatch.setenv("CDP_SIMULATOR_SECRET", secret)
    else:
        monkeypatch.delenv("CDP_SIMULATOR_SECRET", raising=False)
    command = [sys.executable, "-m", "cdp_snapchat.simulator", "--port-file", str(port_file)]
    command += ["--client-id", "mine", "--fault", "throttled:route=token", "--seed", "1", "--no-rate-limit"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        port = wait_for(port_file)
        url = f"http://127.0.0.1:{port}/login/oauth2/access_token"
        who = {"client_id": "mine", "client_secret": secret or "demo-secret"}
        statuses = [requests.post(url, data=who, timeout=5) for _ in range(2)]
        assert [answer.status_code for answer in statuses] == [429, 400]
        assert statuses[1].json()["error"] == "unsupported_grant_type"
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        said = process.stdout.read()
    assert process.returncode == 0
    for words in (f"http://127.0.0.1:{port}/v1", f"http://127.0.0.1:{port}/login/oauth2", "client id  mine"):
        assert words in said
    assert "of-my-own" not in said
    shown = "$CDP_SIMULATOR_SECRET" if secret else "demo-secret"
    assert f"client id  mine   (its secret is {shown})" in said
    assert said.endswith("\\\n    --set redirect_uri=http://127.0.0.1:0/callback\n")
    assert ("\n  export CDP_SIMULATOR_SECRET=demo-secret\n  cdp connection add" in said) is (secret is None)


@pytest.mark.parametrize("fault", ["storm", "throttled:colour=red", "status:status=many"])
def test_a_fault_that_cannot_be_is_a_usage_error(fault: str) -> None:
    result = CliRunner().invoke(snapchat, ["--fault", fault])
    assert result.exit_code == 2
    assert "--fault" in result.output


def test_a_port_in_use_is_told_in_words() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = CliRunner().invoke(snapchat, ["--port", str(taken.getsockname()[1])])
    assert result.exit_code == 1
    assert "cannot serve on port" in result.output


def test_the_example_in_its_help_is_one_line_however_narrow() -> None:
    said = CliRunner().invoke(snapchat, ["--help"], terminal_width=40).output
    assert "cdp simulate snapchat --port 8181 --fault throttled:route=add-users,count=3\n" in said


def test_its_help_looks_like_that_of_every_other_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "snapchat", "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "Usage: cdp simulate snapchat [OPTIONS]\n\nStand in for Snapchat on this machine, until Ctrl-C.\n"
    )
    assert "\nOptions:\n  --port <INTEGER RANGE>   Port on 127.0.0.1; 0 takes a free one." in said
    assert said.endswith(
        "\nExample:\n  cdp simulate snapchat --port 8181 --fault throttled:route=add-users,count=3\n"
    )
