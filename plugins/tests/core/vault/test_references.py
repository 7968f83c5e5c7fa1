"""References to secrets: read at each use, refused where they lead nowhere, silent about what was typed."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.secret import Secret
from cdp_core.vault.file_vault import FileVault
from cdp_core.vault.references import parse, resolve


class NoVault:
    def get(self, name: str, /) -> Secret | None:
        return None

    def put(self, name: str, secret: Secret, /) -> None: ...

    def delete(self, name: str, /) -> None: ...


def private(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def unreadable(reference: str, environ: dict[str, str] | None = None) -> InvalidFault:
    with pytest.raises(InvalidFault) as caught:
        resolve(reference, NoVault(), environ=environ or {})
    assert caught.value.code is Code.SECRET_UNREADABLE
    return caught.value


@pytest.mark.parametrize(
    "text", ["env:SNAP_SECRET", "file:/run/secret", "keyring:a/b", "keyring:a/b/c", "vault:x/y"]
)
def test_a_reference_is_written_as_it_is_read(text: str) -> None:
    assert str(parse(text)) == text


def test_a_file_is_named_absolutely_so_that_a_later_command_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert str(parse("file:secret.txt")) == f"file:{tmp_path}/secret.txt"
    assert str(parse("file:~/secret.txt")) == "file:/home/me/secret.txt"


@pytest.mark.parametrize(
    "literal",
    ["s3cr3t", "", "env:", "env:has space", "env:1X", "file:", "keyring:x", "keyring:/x", "vault:", "ENV:X"],
)
def test_a_literal_is_refused_and_not_repeated(literal: str) -> None:
    with pytest.raises(UsageFault) as caught:
        parse(literal, setting="client_secret")
    fault = caught.value
    assert fault.code is Code.SECRET_ON_COMMAND_LINE
    assert fault.where == "client_secret"
    assert literal not in (fault.message, fault.hint) or not literal
    if len(literal) > 3 and not literal.endswith(":"):
        assert literal not in f"{fault} {fault.hint}"


@given(st.text(min_size=4))
def test_no_literal_of_any_shape_comes_back_in_the_fault(literal: str) -> None:
    marked = f"#{literal}#"
    with pytest.raises(UsageFault) as caught:
        parse(marked)
    assert marked not in f"{caught.value!r} {caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_every_kind_of_reference_leads_to_its_secret_and_is_read_anew_each_time(tmp_path: Path) -> None:
    vault = FileVault(tmp_path / "v", {})
    vault.put("a/b", Secret("from the vault"))
    path = private(tmp_path / "secret", b"from a file\n")
    environ = {"X": "from the environment"}
    assert resolve("vault:a/b", vault) == Secret("from the vault")
    assert resolve(f"file:{path}", vault) == Secret("from a file")
    assert resolve("env:X", vault, environ=environ) == Secret("from the environment")
    environ["X"] = "rotated"
    path.write_bytes(b"rotated too")
    assert resolve("env:X", vault, environ=environ) == Secret("rotated")
    assert resolve(parse(f"file:{path}"), vault) == Secret("rotated too")


def test_a_variable_that_is_unset_or_blank_is_named() -> None:
    assert "env:GONE" in unreadable("env:GONE").message
    assert "empty" in unreadable("env:BLANK", {"BLANK": " \n"}).message


def test_a_file_that_cannot_be_a_secret_is_refused_with_the_reason(tmp_path: Path) -> None:
    assert "no such file" in unreadable(f"file:{tmp_path}/gone").message
    assert "no regular file" in unreadable("file:/dev/null").message
    assert "directory" in unreadable(f"file:{tmp_path}").message
    assert "empty" in unreadable(f"file:{private(tmp_path / 'empty', b'')}").message
    assert "UTF-8" in unreadable(f"file:{private(tmp_path / 'binary', b'x' * 9 + bytes([255]))}").message
    assert "longer" in unreadable(f"file:{private(tmp_path / 'long', b'x' * 70_000)}").message


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_could_read_is_refused_with_the_command_that_closes_it(
    tmp_path: Path, mode: int
) -> None:
    path = private(tmp_path / "my secret", b"x")
    path.chmod(mode)
    fault = unreadable(f"file:{path}")
    assert f"{mode:03o}" in fault.message
    assert fault.hint == f"chmod 600 '{path}'"


def test_a_keyring_that_is_not_there_is_a_locked_vault() -> None:
    with pytest.raises(InvalidFault) as caught:
        resolve("keyring:my service/me", NoVault(), environ=os.environ)
    assert caught.value.code is Code.VAULT_LOCKED
    assert "env:NAME" in caught.value.hint
    assert "[vault]" not in caught.value.hint


def test_nothing_is_logged_while_a_secret_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    resolve(f"file:{private(tmp_path / 's', b'plainly-secret')}", NoVault())
    assert "plainly-secret" not in caplog.text
