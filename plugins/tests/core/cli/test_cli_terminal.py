"""A real terminal: questions, hidden input, lists to choose from, frames, bars and Ctrl-C."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

Spawn = Callable[..., "pexpect.spawn[str]"]


@pytest.fixture
def spawn(environ: dict[str, str], home: Path) -> Spawn:
    """Types a `cdp` command at a terminal of 80 columns."""

    def start(*words: str, **more: str) -> pexpect.spawn[str]:
        return pexpect.spawn(
            sys.executable,
            ["-m", "cdp_core.cli.main", *words],
            env=environ | more,
            cwd=home,
            encoding="utf-8",
            timeout=30,
            dimensions=(40, 80),
        )

    return start


def ended(process: pexpect.spawn[str]) -> tuple[int | None, str]:
    """Exit status and what was still said, without colours."""
    process.expect(pexpect.EOF)
    process.close()
    return process.exitstatus, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", process.before or "")


def looked_at(environ: dict[str, str], home: Path, *words: str) -> object:
    done = subprocess.run(
        [sys.executable, "-m", "cdp_core.cli.main", *words, "--json"],
        env=environ,
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_init_asks_for_profiles_and_key(spawn: Spawn, home: Path) -> None:
    process = spawn("init", "--vault", "file")
    process.expect(r"Profiles \(a file, folder or glob\): ")
    process.sendline("profiles.csv")
    process.expect("Key column: ")
    process.sendline("customer_id")
    status, said = ended(process)
    assert status == 0
    assert "Next: cdp segment add" in said
    assert (home / ".cdp" / "cdp.toml").is_file()


def test_a_segment_is_asked_for_by_name_and_condition(spawn: Spawn, workspace: Path) -> None:
    process = spawn("segment", "add")
    process.expect("Name: ")
    process.sendline("Big spenders")
    process.expect("Condition: ")
    process.sendline("lifetime_value > 700")
    status, said = ended(process)
    assert status == 0
    assert 'Segment "Big spenders" has 2 members today.' in said


def test_a_connection_is_asked_for_piece_by_piece_with_the_secret_hidden(
    spawn: Spawn, workspace: Path, environ: dict[str, str], home: Path
) -> None:
    process = spawn("connection", "add", "acme")
    process.expect("Display name: ")
    process.sendline("Acme EU")
    process.expect("The account's number. For example: A-7")
    process.expect("Account: ")
    process.sendline("A-9")
    process.expect(r"API key \(hidden\): ")
    process.waitnoecho()
    process.sendline("typed-secret")
    process.expect(r"Region \(eu\): ")
    process.sendline("")
    process.expect("Data leaves your company")
    process.expect("Acme's terms")
    process.expect(r"Acme keeps it for \[a year\]\.")
    process.expect(r"I agree \[y/N\]: ")
    process.sendline("y")
    status, said = ended(process)
    assert status == 0
    assert "typed-secret" not in said
    shown = looked_at(environ, home, "connection", "show", "Acme EU")
    assert isinstance(shown, dict)
    assert shown["settings"]["account"] == "A-9"
    assert "typed-secret" not in json.dumps(shown)
    assert shown["consent_missing"] == []


def test_of_several_ways_to_authenticate_only_what_the_chosen_one_needs_is_asked(
    spawn: Spawn, workspace: Path, environ: dict[str, str], home: Path
) -> None:
    process = spawn("connection", "add", "webhook", "--name", "Lists", "--agree")
    process.expect("API URL: ")
    process.sendline("https://api.acme.example")
    process.expect(r"Authentication \(none\): ")
    process.sendline("basic")
    process.expect("User name: ")
    process.sendline("")
    process.expect("User name: ")
    process.sendline("ann")
    process.expect(r"Password \(hidden\): ")
    process.waitnoecho()
    process.sendline("typed-secret")
    process.expect("Path to add members: ")
    process.sendline("/lists/$audience_id")
    process.expect("Body to add members: ")
    process.sendline("{}")
    process.expect(r"It holds no digests[^\r]*\r\n(?:[^\r]*\r\n)?Body to add members: ")
    process.sendline('["$digests"]')
    status, said = ended(process)
    assert status == 0, said
    shown = looked_at(environ, home, "connection", "show", "Lists")
    assert isinstance(shown, dict)
    assert set(shown["settings"]) == {"api_url", "auth", "username", "password", "add_path", "add_body"}
    assert "typed-secret" not in json.dumps(shown)


def test_a_slip_at_a_question_loses_nothing_that_was_typed(
    spawn: Spawn, workspace: Path, connection: str, environ: dict[str, str], home: Path
) -> None:
    process = spawn("connection", "add", "acme", "--agree")
    process.expect("Display name: ")
    process.sendline(connection)
    process.expect("That name is in use.\r\nDisplay name: ")
    process.sendline("Acme US")
    process.expect("Account: ")
    process.sendline("7")
    process.expect("An account's number begins with A-.\r\nAccount: ")
    process.sendline("A-9")
    process.expect(r"API key \(hidden\): ")
    process.waitnoecho()
    process.sendline("env:NOWHERE")
    process.expect(r"there is no secret at env:NOWHERE: it is not set, or empty\.\r\nAPI key \(hidden\): ")
    process.sendline("env:NO-NAME")
    process.expect(r"A reference reads env:NAME[^\r]*\.\r\nAPI key \(hidden\): ")
    process.sendline("typed-secret")
    process.expect(r"Region \(eu\): ")
    process.sendline("us")
    assert ended(process)[0] == 0
    shown = looked_at(environ, home, "connection", "show", "Acme US")
    assert isinstance(shown, dict)
    assert (shown["settings"]["account"], shown["settings"]["region"]) == ("A-9", "us")


def test_a_setting_that_was_given_wrong_is_said_before_the_first_question(
    spawn: Spawn, workspace: Path
) -> None:
    status, said = ended(spawn("connection", "add", "acme", "--name", "Acme EU", "--set", "account=7"))
    assert status == 3
    assert "An account's number begins with A-." in said
    assert "API key" not in said


def test_a_slip_in_an_exports_settings_is_asked_for_again(spawn: Spawn, export: str) -> None:
    process = spawn(
        *("export", "add", "--connection", "Acme EU", "--match", "EMAIL=email", "--segment", "Loyal")
    )
    process.expect("Name: ")
    process.sendline(export)
    process.expect("That name is in use.\r\nName: ")
    process.sendline("Another")
    process.expect("Audience: ")
    process.sendline("forty-two")
    process.expect("Only digits.\r\nAudience: ")
    process.sendline("42")
    assert ended(process)[0] == 0


def test_without_agreement_the_connection_is_kept_and_it_says_what_that_means(
    spawn: Spawn, workspace: Path
) -> None:
    process = spawn(
        *("connection", "add", "acme", "--name", "Acme EU"),
        *("--set", "account=A-7", "--set", "region=us", "--secret", "api_key=env:ACME_KEY"),
    )
    process.expect(r"I agree \[y/N\]: ")
    process.sendline("")
    status, said = ended(process)
    assert status == 0
    assert "nothing is sent" in said
    assert "cdp connection agree" in said


def test_an_export_is_asked_for_with_lists_to_choose_from(spawn: Spawn, connection: str) -> None:
    process = spawn("export", "add")
    process.expect("Name: ")
    process.sendline("Loyal to Acme")
    process.expect("1  Acme EU")
    process.expect(r"Connection \(number or name\): ")
    process.sendline("1")
    process.expect("Audience: ")
    process.sendline("42")
    process.expect("2  email")
    process.expect(r"Profile field for EMAIL \(number or name\): ")
    process.sendline("9")
    process.expect("Not in the list.")
    process.sendline("email")
    process.expect(r"Segments \(numbers or names, commas between\): ")
    process.sendline("Loyal")
    status, said = ended(process)
    assert status == 0
    assert "EMAIL from email" in said
    assert "cdp export plan" in said


def test_a_removal_asks_and_does_nothing_without_a_yes(spawn: Spawn, workspace: Path) -> None:
    process = spawn("segment", "remove")
    process.expect("1  Loyal")
    process.sendline("Loyal")
    process.expect(r'Remove segment "Loyal"\? \[y/N\]: ')
    process.sendline("")
    status, said = ended(process)
    assert status == 2
    assert "nothing was done" in said
    process = spawn("segment", "remove", "Loyal")
    process.expect(r"\[y/N\]: ")
    process.sendline("yes")
    assert ended(process)[0] == 0


def test_what_becomes_of_the_members_is_asked(spawn: Spawn, export: str) -> None:
    assert ended(spawn("export", "run", export))[0] == 0
    process = spawn("export", "detach", export)
    process.expect("has put 2 members into its audience")
    process.expect("1  leave them in the audience")
    process.sendline("1")
    status, said = ended(process)
    assert status == 0
    assert "has no connection now" in said


def test_a_run_draws_the_funnel_within_the_terminal(spawn: Spawn, export: str) -> None:
    status, said = ended(spawn("export", "run", export, TERM="xterm"))
    assert status == 0
    assert "Delivering" in said
    assert "Successful" in said
    assert "█" in said


def test_ctrl_c_at_a_question_ends_tidily(spawn: Spawn, workspace: Path) -> None:
    process = spawn("segment", "add")
    process.expect("Name: ")
    process.sendintr()
    status, said = ended(process)
    assert status == 130
    assert "Traceback" not in said


def test_the_end_of_input_at_a_question_is_a_missing_value(spawn: Spawn, workspace: Path) -> None:
    process = spawn("segment", "add")
    process.expect("Name: ")
    process.sendeof()
    status, said = ended(process)
    assert status == 2
    assert "CDP-201" in said


def test_the_address_of_the_sign_in_page_is_one_line_however_narrow_the_terminal(
    spawn: Spawn, workspace: Path
) -> None:
    added = spawn(
        *("connection", "add", "acme-login", "--name", "Login", "--agree"),
        *("--secret", "client_secret=env:ACME_KEY"),
    )
    assert ended(added)[0] == 0
    process = spawn("connection", "authenticate", "Login", "--no-browser", "--paste")
    process.expect("Sign in on this page:\r\n(https://acme.example/[^\r\n]*scope=everything)\r\n")
    assert isinstance(process.match, re.Match)
    address = process.match.group(1)
    assert "\x1b" not in address
    state = re.search(r"state=([\w-]+)", address)
    assert state
    process.expect("Redirected address: ")
    process.sendline(f"http://127.0.0.1/callback?code=abc&state={state.group(1)}")
    status, said = ended(process)
    assert status == 0
    assert "Signed in to Acme login." in said
    assert "Ann [31mof Acme" in said
