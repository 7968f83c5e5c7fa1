"""`cdp.toml`: what is accepted, how faults point at the place, and that edits keep a person's comments."""

from __future__ import annotations

import concurrent.futures
import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import ProfileSource
from cdp_core.workspace import files
from cdp_core.workspace.settings import WorkspaceSettings, written
from cdp_core.workspace.workspace import Workspace

TEXT = """\
# ours
[profiles]
url = "/data/p.parquet"   # nightly
key = "customer_id"

[engine]
memory_limit = "1.5GiB"

[vault]
kind = "file"
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    source = ProfileSource(url="/data/p.parquet", key="id")
    made = Workspace.create(tmp_path / "w", WorkspaceSettings(profiles=source, vault="file"))
    made.settings_path.write_text(TEXT)
    return Workspace.open(made.folder)


def opened(workspace: Workspace, old: str, new: str) -> InvalidFault:
    workspace.settings_path.write_text(TEXT.replace(old, new))
    with pytest.raises(InvalidFault) as caught:
        Workspace.open(workspace.folder)
    return caught.value


def test_sizes_are_written_for_people_and_read_as_bytes(workspace: Workspace) -> None:
    assert workspace.settings.memory_limit == 1.5 * 2**30


def test_a_relative_path_counts_from_the_workspace(workspace: Workspace) -> None:
    workspace.settings_path.write_text(TEXT.replace("/data/p.parquet", "../p.parquet"))
    assert Workspace.open(workspace.folder).settings.profiles.url == f"{workspace.folder}/../p.parquet"
    workspace.settings_path.write_text(TEXT.replace("/data/p.parquet", "s3://bucket/p.parquet"))
    assert Workspace.open(workspace.folder).settings.profiles.url == "s3://bucket/p.parquet"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("kind", "kinf", 9, "vault.kin"),
        ('"1.5GiB"', '"much"', 7, "engine.memory_limit: Not a size"),
        ('"1.5GiB"', '"0MB"', 7, "engine.memory_limit: Not a size"),
        ('key = "customer_id"\n', "", 2, "profiles.key: Missing data"),
        ('key = "customer_id"', "key = 7", 4, "profiles.key: Not a valid string"),
        ("[vault]\nkind", "[vault]\nage = 1\nkind", 10, "vault.age: Unknown field"),
        ("[engine]", "[engines]", 6, "engines: Unknown field"),
        ('kind = "file"', 'kind = "shoebox"', 10, "vault.kind: Must be one of: keyring, file"),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(
    workspace: Workspace, old: str, new: str, line: int, says: str
) -> None:
    fault = opened(workspace, old, new)
    assert fault.code is Code.SETTING_INVALID
    assert says in fault.message
    assert fault.where == f"{workspace.settings_path}:{line}"


@pytest.mark.parametrize(
    "told",
    [
        'url = "sftp://me:pa55word@host/folder"',
        'url = "s3://bucket/prefix?sig=pa55word"',
        'url = "zip://pa55word::s3://bucket"',
        'url = "/a/folder"',
        'options = { secret = "pa55word" }',
        'options = { account_key = "pa55word" }',
    ],
)
def test_a_url_of_ledgers_holds_no_secret(workspace: Workspace, told: str) -> None:
    fault = opened(workspace, "[engine]", f"[ledger]\n{told}\n\n[engine]")
    assert fault.code is Code.SETTING_INVALID
    assert "pa55word" not in f"{fault} {fault.hint}"


def test_where_ledgers_lie_the_environment_says_before_the_file(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert workspace.settings.ledger_url is None
    options = {"endpoint_url": "http://127.0.0.1:9000", "secret": "env:SECRET"}
    edited = workspace.edit({"ledger": {"url": "s3://bucket/prefix/", "options": options, "cache": "5GB"}})
    opened_again = Workspace.open(workspace.folder).settings
    assert opened_again == edited.settings
    assert opened_again.ledger_url == "s3://bucket/prefix"
    assert opened_again.ledger_options == options
    assert opened_again.ledger_cache == 5 * 10**9
    monkeypatch.setenv("CDP_LEDGER_URL", "gs://other/")
    assert Workspace.open(workspace.folder).settings.ledger_url == "gs://other"
    monkeypatch.setenv("CDP_LEDGER_URL", "sftp://me:pa55word@host/folder")
    with pytest.raises(InvalidFault) as refused:
        Workspace.open(workspace.folder)
    assert "pa55word" not in f"{refused.value} {refused.value.hint}"


def test_a_new_workspace_says_where_its_ledgers_lie(tmp_path: Path) -> None:
    settings = WorkspaceSettings(
        profiles=ProfileSource(url="/p", key="id"),
        vault="file",
        ledger_url="sftp://team@host/ledgers",
        ledger_options={"key_filename": "/k"},
        ledger_cache=10**9,
        encrypt_ledger=True,
    )
    assert Workspace.create(tmp_path / "w2", settings).settings == settings


def test_an_unknown_setting_is_compared_with_the_known_ones(workspace: Workspace) -> None:
    assert "vault.kind" in opened(workspace, "kind", "knd").hint


def test_what_a_misspelt_required_setting_was_meant_to_be_is_said_once(workspace: Workspace) -> None:
    assert opened(workspace, "key =", "kex =").hint == "did you mean profiles.key?"


@pytest.mark.parametrize(
    ("text", "line"),
    [("[profiles\n", 1), ("[profiles]\nurl = 1\nkey = [\n", 3), ("", 1), ("[tool.ruff]\nx = 1\n", 1)],
)
def test_a_file_that_is_not_ours_is_refused_at_its_line(workspace: Workspace, text: str, line: int) -> None:
    workspace.settings_path.write_text(text)
    with pytest.raises(InvalidFault) as caught:
        Workspace.open(workspace.folder)
    assert caught.value.code is Code.WORKSPACE_BROKEN
    assert caught.value.where.rpartition(":")[0] == str(workspace.settings_path)
    assert abs(int(caught.value.where.rpartition(":")[2]) - line) <= 1


@pytest.mark.parametrize("end", ["[profiles", "profiles = [", "[profiles]\nurl", '[vault]\nkind = """fi\n\n'])
def test_a_file_that_was_cut_off_is_said_to_end_too_early_and_where(workspace: Workspace, end: str) -> None:
    workspace.settings_path.write_text(f"# ours\n{end}")
    with pytest.raises(InvalidFault) as caught:
        Workspace.open(workspace.folder)
    assert caught.value.message.startswith("cdp.toml ends too early")
    assert caught.value.where == f"{workspace.settings_path}:{2 + end.rstrip().count(chr(10))}"


@pytest.mark.parametrize(
    "bomb",
    [
        "\n".join(f"[t{n}]\na = 1" for n in range(3_000)),
        "\n".join(f"a{n}.b = 1" for n in range(3_000)),
        "[x]\n" + "\n".join(f'"a" . b{n} = 1' for n in range(3_000)),
        "[x]\na = " + "[" * 30_000,
        "[x]\na = " + "{a=" * 30_000,
        "[delivery]\n" + "\n".join(f"k{n} = 1" for n in range(3_000)),
        "# " + "x" * 300_000,
        '[x]\na = "' + "x" * 3_000_000 + '"',
        '[engine]\nmemory_limit = "' + "9" * 400 + 'GB"',
        "[delivery]\nattempts = " + "9" * 5_000,
    ],
    ids=["tables", "dotted", "spaced", "lists", "inline", "keys", "long", "longer", "size", "number"],
)
def test_what_would_keep_the_parser_busy_is_refused_at_once(workspace: Workspace, bomb: str) -> None:
    profiles, vault = '[profiles]\nurl = "p"\nkey = "id"\n', '\n[vault]\nkind = "file"\n'
    before = bomb.startswith("a0.")
    workspace.settings_path.write_text(f"{bomb}\n{profiles}{vault}" if before else f"{profiles}{bomb}{vault}")
    began = time.process_time()
    with pytest.raises(InvalidFault) as caught:
        Workspace.open(workspace.folder)
    assert time.process_time() - began < 10
    assert len(caught.value.message) < 5_000


def test_a_character_that_is_in_the_file_is_not_said_to_be_its_end(workspace: Workspace) -> None:
    workspace.settings_path.write_bytes(b"profiles = \x00[")
    with pytest.raises(InvalidFault) as caught:
        Workspace.open(workspace.folder)
    assert caught.value.message.startswith("cdp.toml is not valid TOML")


def test_bytes_that_are_no_text_are_refused_at_their_line(workspace: Workspace) -> None:
    workspace.settings_path.write_bytes(b"# one\n# tw\xff\n")
    with pytest.raises(InvalidFault) as caught:
        Workspace.open(workspace.folder)
    assert caught.value.where == f"{workspace.settings_path}:2"


def test_an_edit_keeps_comments_and_is_seen_by_the_next_one_who_opens(workspace: Workspace) -> None:
    edited = workspace.edit({"plugins": {"disabled": ["acme"]}, "engine": {"memory_limit": None}})
    assert edited.settings.disabled_plugins == ("acme",)
    assert edited.settings.memory_limit is None
    assert Workspace.open(workspace.folder) == edited
    text = workspace.settings_path.read_text()
    assert "# ours\n" in text
    assert "# nightly" in text
    assert workspace.settings_path.stat().st_mode & 0o777 == 0o600


def test_a_plugin_is_disabled_once_and_enabled_again_beside_the_others(workspace: Workspace) -> None:
    workspace.disable_plugin("acme")
    workspace.disable_plugin("broken")
    assert workspace.disable_plugin("acme").settings.disabled_plugins == ("acme", "broken")
    assert workspace.enable_plugin("acme").settings.disabled_plugins == ("broken",)
    assert Workspace.open(workspace.folder).settings.disabled_plugins == ("broken",)


def test_an_edit_that_would_not_be_valid_changes_nothing(workspace: Workspace) -> None:
    with pytest.raises(InvalidFault, match="memory_limit"):
        workspace.edit({"plugins": {"disabled": ["acme"]}, "engine": {"memory_limit": "much"}})
    assert workspace.settings_path.read_text() == TEXT


def test_a_full_disk_is_a_fault_with_its_place_and_leaves_the_old_file(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InvalidFault) as caught:
        workspace.edit({"plugins": {"disabled": ["acme"]}})
    assert caught.value.code is Code.DISK_FULL
    assert caught.value.where == str(workspace.settings_path)
    assert workspace.settings_path.read_text() == TEXT
    assert not [name for name in names(workspace.folder) if name.startswith(".cdp.toml")]


def test_edits_of_several_processes_do_not_lose_each_other(workspace: Workspace) -> None:
    program = (
        "import sys; from pathlib import Path; from cdp_core.workspace.workspace import Workspace\n"
        "folder, table, name, value = sys.argv[1:]\n"
        "Workspace.open(Path(folder)).edit({table: {name: [value] if name == 'disabled' else value}})"
    )
    changes = [
        ("plugins", "disabled", "acme"),
        ("engine", "memory_limit", "7MB"),
        ("vault", "kind", "keyring"),
    ]

    def change(values: tuple[str, str, str]) -> None:
        subprocess.run([sys.executable, "-c", program, str(workspace.folder), *values], check=True)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(change, changes))
    found = Workspace.open(workspace.folder).settings
    assert (found.disabled_plugins, found.memory_limit, found.vault) == (("acme",), 7_000_000, "keyring")


def test_a_private_file_is_created_once_and_its_content_is_whole(tmp_path: Path) -> None:
    assert files.create_private(tmp_path / "key", b"first")
    assert not files.create_private(tmp_path / "key", b"second")
    assert files.read_private(tmp_path / "key") == b"first"
    assert names(tmp_path) == ["key"]
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(InvalidFault, match="mode is 640"):
        files.read_private(tmp_path / "key")


CONSENT = '\n[consent]\nfield = "ads_consent"\ngranted = ["Granted ", "true"]\n'


def test_consent_that_every_export_asks_for_is_read_as_it_is_compared_and_written_back(
    workspace: Workspace,
) -> None:
    assert workspace.settings.consent is None
    workspace.settings_path.write_text(TEXT + CONSENT)
    consent = Workspace.open(workspace.folder).settings.consent
    assert consent is not None
    assert (consent.field, consent.granted) == ("ads_consent", ("granted", "true"))
    workspace.settings_path.write_text(written(Workspace.open(workspace.folder).settings))
    assert Workspace.open(workspace.folder).settings.consent == consent


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('granted = ["Granted ", "true"]', "", "consent.granted"),
        ('granted = ["Granted ", "true"]', 'granted = [" "]', "consent.granted"),
        ('field = "ads_consent"', "", "consent.field"),
        ('field = "ads_consent"', 'field = ""', "consent.field"),
    ],
)
def test_a_consent_field_and_its_yes_values_belong_together(
    workspace: Workspace, old: str, new: str, says: str
) -> None:
    workspace.settings_path.write_text(TEXT + CONSENT.replace(old, new))
    with pytest.raises(InvalidFault, match=says):
        Workspace.open(workspace.folder)
