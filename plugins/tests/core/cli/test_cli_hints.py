"""Commands that a fault tells to type: a shell takes a name in them for nothing else."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cdp_core

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard

SETTINGS = ("--set", "audience_id=42", "--match", "EMAIL=email")
AWKWARD = 'Ben\'s "EU" $HOME `id`'


def told(said: str) -> list[str]:
    """The words of the command that the fault's last line tells to type."""
    mend = said.partition("mend: ")[2]
    return shlex.split(mend[mend.index("cdp ") :])


def test_the_command_for_a_missing_consent_names_the_connection_as_it_is(
    cdp: Keyboard, connection: str
) -> None:
    cdp.add_connection(name=AWKWARD)
    cdp("export", "add", "E", "--connection", AWKWARD, "--segment", "Loyal", *SETTINGS)
    said = cdp("export", "run", "E", status=5)
    assert told(said.err)[-4:] == ["cdp", "connection", "agree", AWKWARD]


def test_the_commands_about_an_export_name_it_as_it_is(cdp: Keyboard, export: str) -> None:
    cdp.add_export(AWKWARD)
    attached = cdp("export", "attach", AWKWARD, "--connection", "Acme EU", status=3)
    assert told(attached.err)[:4] == ["cdp", "export", "detach", AWKWARD]
    cdp("export", "detach", AWKWARD)
    detached = cdp("export", "run", AWKWARD, status=3)
    assert told(detached.err)[:4] == ["cdp", "export", "attach", AWKWARD]


def test_the_command_for_a_missing_sign_in_names_the_connection_as_it_is(
    cdp: Keyboard, workspace: Path
) -> None:
    cdp(
        *("connection", "add", "acme-login", "--name", AWKWARD, "--agree"),
        *("--secret", "client_secret=env:ACME_KEY"),
    )
    cdp("export", "add", "E", "--connection", AWKWARD, "--segment", "Loyal", *SETTINGS)
    said = cdp("export", "run", "E", status=6)
    assert told(said.err) == ["cdp", "connection", "authenticate", AWKWARD]


@pytest.mark.parametrize("there", ["a file", "a folder that holds something", ".cdp"])
def test_where_something_is_already_a_backup_is_restored_into_a_new_folder(
    cdp: Keyboard, workspace: Path, home: Path, there: str
) -> None:
    cdp("workspace", "backup", "crm 2026.zip")
    (home / "a key").write_bytes(bytes(32))
    (home / "a file").touch()
    (home / "a folder that holds something").mkdir()
    (home / "a folder that holds something" / "else").touch()
    said = cdp("workspace", "restore", "crm 2026.zip", there, "--vault-key", "a key", status=3)
    assert "error CDP-302" in said.err
    words = told(said.err)
    assert words == [
        *("cdp", "workspace", "restore", "crm 2026.zip", "NEWFOLDER"),
        *("--vault-key", "a key"),
    ]
    cdp(*words[1:])
    assert "Loyal" in cdp("--workspace", "NEWFOLDER", "segment", "list").out


def test_no_command_is_built_with_quotes_of_its_own_around_a_name() -> None:
    room = Path(cdp_core.__file__).parent
    by_hand = re.compile(r"""cdp [a-z -]+ \\?["']\{""")
    assert by_hand.search("f'cdp export run \"{name}\"'")
    assert [str(path) for path in room.rglob("*.py") if by_hand.search(path.read_text())] == []
