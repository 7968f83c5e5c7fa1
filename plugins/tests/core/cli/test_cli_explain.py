"""`cdp explain` as it is typed: by standard input or a prompt, and what a person sees."""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from .conftest import Keyboard, Typed

REGIONAL = ("--match", "EMAIL=email", "--match", "PHONE=email", "--default-region")
PHONE = ("explain", "--kind", "PHONE")
ANN = hashlib.sha256(b"ann@example.org").hexdigest()


@pytest.fixture
def typing(cdp: Keyboard, export: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Type a command with something on standard input."""

    def type_with(stdin: str, *words: str, status: int = 0) -> Typed:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        return cdp(*words, status=status)

    return type_with


def test_a_member_is_told_in_words(cdp: Keyboard, typing: Any, export: str) -> None:
    assert "not there yet: the next run adds it" in typing("ann@example.org", "explain").out
    run = cdp("export", "run", export, "--json").document["run"]
    said = typing("ann@example.org", "explain").out
    for part in (ANN, "a***@e***.org", "in the audience", "Loyal", "1, 5", run, "accepted"):
        assert part in said
    assert "ann@" not in said
    cdp("segment", "add", "Nobody", "--where", "false")
    cdp("export", "edit", export, "--segment", "Nobody")
    said = typing("ann@example.org", "explain", "--export", export).out
    assert "the next run takes it out: in none of the export's segments today" in said


def test_what_the_service_refused_is_told_in_its_words(
    cdp: Keyboard, typing: Any, export: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_REFUSES", "yes")
    cdp("export", "run", export, status=8)
    said = typing("ann@example.org", "explain").out
    assert "not in the audience: the service refuses it" in said
    assert "today" in said
    assert "\x1b" not in said


def test_an_export_that_does_not_match_the_kind_says_so(typing: Any) -> None:
    found = typing("+31612345678", "explain", "--json").document
    assert (found["kind"], found["exports"][0]["why"]) == ("PHONE", "not_matched")
    assert found["exports"][0]["keys"] == []


def test_a_national_number_is_read_as_the_exports_read_it(cdp: Keyboard, typing: Any, export: str) -> None:
    assert "yields no digest" in typing("0612345678", *PHONE).out
    cdp("export", "edit", export, *REGIONAL, "NL")
    found = typing("0612345678", *PHONE, "--json").document
    assert found["digest"] == hashlib.sha256(b"31612345678").hexdigest()
    cdp.add_export("Of others", *REGIONAL[2:], "FR")
    assert "another one in each of FR, NL" in typing("0612345678", *PHONE, status=3).err
    assert typing("0612345678", *PHONE, "--export", export, "--json").document == found


@pytest.mark.parametrize(
    ("stdin", "words", "status", "says"),
    [
        (ANN, (), 3, "may be of each kind"),
        ("ann@example.org", ("--kind", "SHOE"), 3, "no kind of identifier 'SHOE'"),
        ("ann@example.org", ("--export", "Gone"), 3, "Gone"),
        ("ann@example.org\nben@example.org\n", (), 2, "it takes one"),
        ("", ("ann@example.org",), 2, "history"),
    ],
)
def test_what_cannot_be_explained_is_refused_without_being_repeated(
    *, typing: Any, stdin: str, words: tuple[str, ...], status: int, says: str
) -> None:
    said = typing(stdin, "explain", *words, status=status)
    assert says in said.err
    assert "ann@" not in said.out + said.err


def test_on_a_terminal_the_person_is_asked_for(export: str, environ: dict[str, str], home: Path) -> None:
    process = pexpect.spawn(
        sys.executable,
        ["-m", "cdp_core.cli.main", "explain"],
        env=environ,
        cwd=home,
        encoding="utf-8",
        timeout=30,
    )
    process.expect("Person: ")
    process.sendline("ann@example.org")
    process.expect("a\\*\\*\\*@e\\*\\*\\*.org")
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0
