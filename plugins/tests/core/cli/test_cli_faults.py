"""How a command fails: its exit status, what is said where, and what is never said."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest

from cdp_core.cli.failure import as_error
from cdp_core.cli.session import Session
from cdp_core.errors import Code, InvalidFault

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the facade fail to open with the fault given."""

    def fail(fault: BaseException) -> None:
        def open_(self: Session) -> Any:
            raise fault

        monkeypatch.setattr(Session, "open", open_)

    return fail


FAULT = InvalidFault(Code.SEGMENT_INVALID, "no such\x1b[2J column", where="line 1", hint="columns: a, b")


def test_a_fault_says_what_where_and_how_to_mend_it(cdp: Keyboard, failing: Any) -> None:
    failing(FAULT)
    said = cdp("segment", "list", status=3)
    assert said.out == ""
    assert said.err.splitlines() == [
        "error CDP-306: no such [2J column",
        "  where: line 1",
        "  mend: columns: a, b",
    ]


def test_under_json_the_fault_is_the_one_document_too(cdp: Keyboard, failing: Any) -> None:
    failing(FAULT)
    said = cdp("segment", "list", "--json", status=3)
    assert said.document["error"]["code"] == "CDP-306"
    assert said.document["error"]["exit_status"] == 3
    assert said.err.startswith("error CDP-306")


@pytest.mark.parametrize(
    "words",
    [
        ("segment", "list", "--nonsense"),
        ("segment", "nonsense"),
        ("nonsense",),
        ("segment", "list", "too", "much"),
        ("--workspace",),
        ("audit", "list", "--limit", "0"),
    ],
)
def test_a_wrong_command_line_exits_2_with_its_code(cdp: Keyboard, words: tuple[str, ...]) -> None:
    said = cdp(*words, status=2)
    assert "error CDP-203: " in said.err
    assert "  mend: cdp" in said.err
    assert cdp(*words, "--json", status=2).document["error"]["code"] == "CDP-203"


def test_a_slip_of_the_hand_is_guessed(cdp: Keyboard) -> None:
    assert "Did you mean 'segment'?" in cdp("segmnt", "list", status=2).err
    assert "Did you mean 'list'?" in cdp("segment", "lst", status=2).err


def test_json_after_the_double_dash_is_a_name(cdp: Keyboard, failing: Any) -> None:
    failing(FAULT)
    assert cdp("segment", "show", "--", "--json", status=3).out == ""


def test_what_nobody_foresaw_is_a_sentence_with_a_code_and_none_of_its_values(
    cdp: Keyboard, failing: Any
) -> None:
    failing(ValueError("ann@example.org is no number"))
    said = cdp("segment", "list", status=70)
    assert "error CDP-7002: an unexpected fault: ValueError" in said.err
    assert "--debug" in said.err
    assert "ann@example.org" not in said.err
    assert "Traceback" not in said.err


def test_debug_shows_where_it_happened_with_secrets_masked(cdp: Keyboard, failing: Any) -> None:
    failing(ValueError("client_secret=abcdefghijklmnop is wrong"))
    said = cdp("--debug", "segment", "list", status=70)
    assert "Traceback" in said.err
    assert "abcdefghijklmnop" not in said.err


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_ends_tidily(cdp: Keyboard, failing: Any, fault: BaseException) -> None:
    failing(fault)
    said = cdp("segment", "list", status=130)
    assert said.err.strip() == "Interrupted."


def test_a_reader_that_goes_away_is_no_fault(environ: dict[str, str]) -> None:
    typed = f"{shlex.quote(sys.executable)} -m cdp_core.cli.main --help"
    done = subprocess.run(
        [
            "bash",
            "-c",
            f"{typed} | sleep 0; echo ${{PIPESTATUS[0]}}",
        ],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "141"
    assert done.stderr == ""


def in_a_shell(line: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    typed = f"{shlex.quote(sys.executable)} -m cdp_core.cli.main"
    return subprocess.run(
        ["bash", "-c", line.replace("cdp", typed)], env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("more", ["", "--json"])
def test_a_full_disk_under_the_result_is_said_as_any_other_is(environ: dict[str, str], more: str) -> None:
    done = in_a_shell(f"cdp plugins list {more} >/dev/full", environ)
    assert done.returncode == 3
    assert "error CDP-320: the result cannot be written: no space left on device\n" in done.stderr
    assert done.stderr.count("error") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_an_output_that_is_closed_leads_nowhere(environ: dict[str, str], closed: str) -> None:
    done = in_a_shell(f"cdp --version {closed}", environ)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_that_was_closed_is_a_reader_who_has_gone(environ: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    typed = [
        sys.executable,
        "-c",
        "import sys; sys.stdin.readline(); from cdp_core.cli.main import main; main()",
    ]
    with subprocess.Popen(
        [*typed, "plugins", "list"], env=environ, stdin=subprocess.PIPE, stdout=theirs, stderr=subprocess.PIPE
    ) as started:
        os.close(theirs)
        os.close(ours)
        _, said = started.communicate(b"\n", timeout=60)
    assert started.returncode == 141, said
    assert b"rror" not in said


@pytest.mark.parametrize("words", [(), ("segment",)])
def test_a_noun_alone_shows_its_help(cdp: Keyboard, words: tuple[str, ...]) -> None:
    said = cdp(*words, status=2)
    assert "Usage: cdp" in said.out
    assert "Example:" in said.out
    assert said.err == ""


def test_the_shell_completes_nouns(cdp: Keyboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_CDP_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "cdp seg")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert cdp().out.strip() == "plain,segment"


def test_every_click_fault_becomes_a_usage_fault() -> None:
    assert as_error(click.BadParameter("no number")).code is Code.USAGE
    assert as_error(RuntimeError()).code is Code.UNEXPECTED
    assert as_error(FAULT) is FAULT


def test_without_a_workspace_the_command_that_makes_one_is_named(cdp: Keyboard) -> None:
    said = cdp("segment", "list", status=3)
    assert said.err.startswith("error CDP-301")
    assert "cdp init" in said.err


def test_who_lacks_the_role_is_not_sent_to_share_a_connection(cdp: Keyboard, export: str) -> None:
    cdp("role", "grant", "vic", "viewer")
    cdp("role", "grant", "con", "contributor")
    assert 'cdp role grant "vic" ROLE' in cdp("--as", "vic", "export", "run", export, status=4).err
    said = cdp("--as", "con", "export", "run", export, status=4).err
    assert 'cdp connection share NAME --with "con"' in said
