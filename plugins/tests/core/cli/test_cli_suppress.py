"""`cdp suppress`: persons come by a prompt, standard input or a file; no trace of them is kept or shown."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import pexpect
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import Keyboard, Typed

ANN = hashlib.sha256(b"ann@example.org").hexdigest()
MOBILE = hashlib.sha256(b"31612345678").hexdigest()
AD_ID = "6D92078A-8246-4BA4-AE5B-76104861E7DC"


@pytest.fixture
def typing(cdp: Keyboard, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Type a command with something on standard input."""

    def type_with(stdin: str, *words: str, status: int = 0) -> Typed:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        return cdp(*words, status=status)

    return type_with


def kept(cdp: Keyboard) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in cdp("suppress", "list", "--limit", "1000", "--json").document["newest"]:
        found.setdefault(each["kind"], set()).add(each["digest"])
    return found


@pytest.mark.parametrize(
    ("person", "words", "kind", "digest"),
    [
        (" Ann@Example.org\n", (), "EMAIL", ANN),
        ("+31 6 12345678", (), "PHONE", MOBILE),
        ("06-12345678", ("--default-region", "NL"), "PHONE", MOBILE),
        (AD_ID, (), "MOBILE_AD_ID", hashlib.sha256(AD_ID.lower().encode()).hexdigest()),
        (ANN.upper(), ("--kind", "EMAIL"), "EMAIL", ANN),
    ],
    ids=["e-mail", "phone", "national phone", "ad id", "digest"],
)
def test_a_person_is_told_by_form(
    typing: Any, person: str, words: tuple[str, ...], kind: str, digest: str
) -> None:
    view = typing(person, "suppress", "add", *words, "--note", "ticket 4711", "--json").document
    assert (view["kind"], view["digest"], view["is_new"]) == (kind, digest[:12], True)
    again = typing(person, "suppress", "add", *words, "--json").document
    assert (again["is_new"], again["note"]) == (False, "ticket 4711")


@pytest.mark.parametrize(
    ("person", "words", "says"),
    [
        (ANN, (), "may be of each kind: EMAIL, PHONE, MOBILE_AD_ID"),
        ("06-12345678", (), "no identifier of any kind"),
        ("nobody-in-particular", (), "no identifier of any kind"),
        ("test@test.com", (), "placeholder"),
        (hashlib.sha256(b"test@test.com").hexdigest(), ("--kind", "EMAIL"), "placeholder"),
        (hashlib.md5(b"x", usedforsecurity=False).hexdigest(), (), "another kind of hash"),
        ("ann@example.org", ("--kind", "PHONE"), "PHONE: what was given is not one"),
        ("ann@example.org", ("--kind", "SHOE"), "no kind of identifier 'SHOE'"),
    ],
)
def test_what_tells_nobody_is_refused_without_being_repeated(
    cdp: Keyboard, typing: Any, person: str, words: tuple[str, ...], says: str
) -> None:
    said = typing(person, "suppress", "add", *words, status=3)
    assert says in said.err
    assert person not in said.err + said.out
    assert kept(cdp) == {}


def test_a_person_on_the_command_line_is_refused_without_being_repeated(typing: Any) -> None:
    for verb in ("add", "remove"):
        said = typing("", "suppress", verb, "ann@example.org", status=2)
        assert "history" in said.err
        assert "ann@" not in said.err + said.out


@pytest.mark.parametrize("stdin", ["", "\n \n", "ann@example.org\nben@example.org\n"])
def test_standard_input_holds_one_person(typing: Any, stdin: str) -> None:
    said = typing(stdin, "suppress", "add", status=2)
    assert "it takes one" in said.err
    assert "ann@" not in said.err


def test_a_note_that_holds_a_person_is_refused(cdp: Keyboard, typing: Any) -> None:
    said = typing("ann@example.org", "suppress", "add", "--note", "as Ben@example.org asked", status=3)
    assert "the note holds an identifier" in said.err
    assert "Ben@" not in said.err
    assert kept(cdp) == {}


def test_who_is_removed_can_be_added_again(cdp: Keyboard, typing: Any) -> None:
    typing("ann@example.org", "suppress", "add")
    refused = typing("ann@example.org", "suppress", "remove", status=2)
    assert "--yes" in refused.err
    said = typing("Ann@example.org", "suppress", "remove", "--yes")
    assert f"EMAIL {ANN[:12]}…" in said.out + said.err
    assert kept(cdp) == {}
    missing = typing("ann@example.org", "suppress", "remove", "--yes", status=3)
    assert "not suppressed" in missing.err
    assert typing("ann@example.org", "suppress", "add", "--json").document["is_new"]


def files(folder: Path) -> dict[str, Path]:
    """The same list in each form: two people, one of them twice, an empty line and two that hold nobody."""
    people = ["ann@example.org", "BEN@example.org", "", "no-at-sign", " ann@example.org", "n/a"]
    found = {form: folder / f"list.{form}" for form in ("txt", "csv", "ndjson", "parquet")}
    found["txt"].write_text("".join(f"{person}\n" for person in people))
    found["csv"].write_text("nr;email\n" + "".join(f'{n};"{person}"\n' for n, person in enumerate(people)))
    found["ndjson"].write_text(
        "".join(json.dumps({"nr": n, "email": person or None}) + "\n" for n, person in enumerate(people))
    )
    pq.write_table(pa.table({"nr": list(range(6)), "email": people}), found["parquet"])
    return found


@pytest.mark.parametrize(
    ("form", "words", "lines"),
    [
        ("txt", (), [4, 6]),
        ("csv", ("--field", "email"), [5, 7]),
        ("ndjson", ("--field", "email"), [4, 6]),
        ("parquet", ("--field", "email", "--kind", "EMAIL"), [4, 6]),
    ],
)
def test_a_list_of_each_form_is_imported_and_its_bad_lines_told_by_number(
    *, cdp: Keyboard, workspace: Path, home: Path, form: str, words: tuple[str, ...], lines: list[int]
) -> None:
    path = str(files(home)[form])
    view = cdp("suppress", "import", path, *words, "--json", status=8).document
    numbers = {name: view[name] for name in ("read", "added", "known", "empty", "malformed")}
    assert numbers == {"read": 6, "added": 2, "known": 1, "empty": 1, "malformed": 2}
    assert [each["line"] for each in view["lines"]] == lines
    assert {kind: len(digests) for kind, digests in kept(cdp).items()} == {"EMAIL": 2}
    shown = cdp("suppress", "import", path, *words, status=8)
    assert "0 added, 3 known already, 1 empty, 2 malformed" in shown.out
    assert "no-at-sign" not in shown.out + shown.err


def test_a_list_of_digests_needs_its_kind_and_may_hold_bytes(
    cdp: Keyboard, workspace: Path, home: Path
) -> None:
    pq.write_table(pa.table({"digest": [bytes.fromhex(ANN)]}), home / "digests.parquet")
    assert cdp("suppress", "import", "digests.parquet", "--json", status=8).document["malformed"] == 1
    assert cdp("suppress", "import", "digests.parquet", "--kind", "EMAIL", "--json").document["added"] == 1


def test_a_list_on_standard_input(cdp: Keyboard, typing: Any) -> None:
    typing("ann@example.org\n+31612345678\n", "suppress", "import", "-")
    assert kept(cdp) == {"EMAIL": {ANN[:12]}, "PHONE": {MOBILE[:12]}}


@pytest.mark.parametrize(
    ("name", "content", "words", "says"),
    [
        ("gone.csv", None, (), "no such file"),
        ("bad.ndjson", '{"email": "ann@example.org"}\n{"email": \n', (), "bad.ndjson, line 2"),
        ("list.ndjson", '{"email": "ann@example.org"}\n[1]\n', (), "not an object"),
        ("two.csv", "nr,email\n1,ann@example.org\n", (), "several fields"),
        ("two.csv", "nr,email\n1,ann@example.org\n", ("--field", "mail"), "no field 'mail'"),
        ("open.csv", 'email\nann@example.org\n"ben@example.org\n', (), "unexpected end of data"),
        ("list.txt", "ann@example.org\n", ("--field", "email"), "plain text has no fields"),
        ("bad.parquet", "PAR1", (), "not a Parquet file"),
        ("list.txt", b"ann@example.org\n\xff\xfe\n", (), "not UTF-8"),
    ],
)
def test_a_list_that_cannot_be_read_to_its_end_changes_nothing(
    *,
    cdp: Keyboard,
    workspace: Path,
    home: Path,
    name: str,
    content: str | bytes | None,
    words: tuple[str, ...],
    says: str,
) -> None:
    if content is not None:
        (home / name).write_bytes(content.encode() if isinstance(content, str) else content)
    said = cdp("suppress", "import", name, *words, status=3)
    assert says in said.err
    assert "ann@" not in said.err
    assert kept(cdp) == {}


def test_a_list_shows_counts_and_beginnings_and_by_whom(cdp: Keyboard, typing: Any) -> None:
    assert "Nobody is suppressed" in cdp("suppress", "list").out
    typing("ann@example.org", "suppress", "add", "--note", "ticket 4711")
    typing("+31612345678", "suppress", "add")
    shown = cdp("suppress", "list", "--limit", "1", "--kind", "EMAIL").out
    assert "1 EMAIL, 1 PHONE" in shown
    assert f"{ANN[:12]}…" in shown
    assert "ticket 4711" in shown
    assert ANN not in shown
    assert MOBILE[:12] not in shown


def test_who_may_add_may_not_remove_or_list(cdp: Keyboard, typing: Any) -> None:
    cdp("role", "grant", "vic", "contributor")
    typing("ann@example.org", "--as", "vic", "suppress", "add")
    for words in (("remove", "--yes"), ("list",)):
        refused = typing("ann@example.org", "--as", "vic", "suppress", *words, status=4)
        assert "CDP-401" in refused.err


def test_the_audit_tells_the_act_and_no_person(cdp: Keyboard, typing: Any) -> None:
    typing("ann@example.org", "suppress", "add")
    entries = cdp("audit", "list", "--limit", "5", "--json").document
    done = next(each for each in entries if each["action"] == "suppression.add" and each["outcome"] == "done")
    assert done["details"] == {"kind": "EMAIL", "digest": ANN[:12], "new": True}
    assert "ann@" not in json.dumps(entries)


def test_on_a_terminal_the_person_is_asked_for(workspace: Path, environ: dict[str, str], home: Path) -> None:
    process = pexpect.spawn(
        sys.executable,
        ["-m", "cdp_core.cli.main", "suppress", "remove"],
        env=environ,
        cwd=home,
        encoding="utf-8",
        timeout=30,
    )
    process.expect("Person: ")
    process.sendline("ann@example.org")
    process.expect(r"sent again\? \[y/N\]: ")
    process.sendline("y")
    process.expect(f"EMAIL {ANN[:12]}")
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 3


@pytest.mark.parametrize(
    ("words", "undone"),
    [
        (("suppress", "import", "{}"), "nothing was added"),
        (("erase", "--yes", "--file", "{}"), "nobody was erased"),
        (("erase", "--dry-run", "--file", "{}"), "nobody was erased"),
    ],
)
@pytest.mark.parametrize(
    ("list_", "why"),
    [
        ("a" * 300, "file name too long"),
        (".", "is a directory"),
        ("latin.txt", "it is not UTF-8 text"),
        ("broken.ndjson", "the line is not JSON"),
    ],
)
def test_a_list_that_cannot_be_read_says_what_was_not_done(
    *, cdp: Keyboard, workspace: Path, home: Path, words: tuple[str, ...], undone: str, list_: str, why: str
) -> None:
    (home / "latin.txt").write_bytes("zoë@example.org".encode("latin-1"))
    (home / "broken.ndjson").write_text("{\n")
    said = cdp(*(word.format(list_) for word in words), status=3)
    assert f"error CDP-326: {why}\n" in said.err
    assert f"mend: {undone}; mend the file, or name another\n" in said.err
