"""Each noun through the real facade: what its commands print for people, and as JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from plugins.tests.core.cli.conftest import Keyboard


def test_init_makes_the_workspace_and_says_what_comes_next(cdp: Keyboard, home: Path) -> None:
    said = cdp("init", "--profiles", "profiles.csv", "--key", "customer_id", "--vault", "file")
    assert str(home / ".cdp") in said.out
    assert "Next: cdp segment add" in said.out
    assert "--workspace" not in said.out


def test_init_in_another_folder_says_how_later_commands_find_it(cdp: Keyboard, home: Path) -> None:
    said = cdp("init", "my work", "--profiles", "profiles.csv", "--key", "customer_id", "--vault", "file")
    assert f"cdp --workspace '{home / 'my work'}'" in said.out
    assert cdp("--workspace", "my work", "whoami", "--json").document["workspace"] == str(home / "my work")


@pytest.mark.parametrize(
    ("folder", "profiles", "refused"),
    [
        ("data/ws", "data", True),
        ("data/deep/er", "data", True),
        ("data/ws", "data/**", True),
        ("data/_ws", "data/**", True),
        ("data/_ws", "data", False),
        ("data/ws", "data/**/*.csv", True),
        ("data/.ws", "data", False),
        ("data/ws", "data/*.csv", False),
        ("database", "data", False),
    ],
)
def test_a_workspace_among_its_own_profiles_is_refused(
    cdp: Keyboard, home: Path, folder: str, profiles: str, refused: bool
) -> None:
    (home / "data").mkdir()
    (home / "profiles.csv").rename(home / "data" / "p.csv")
    words = ("init", folder, "--profiles", profiles, "--key", "customer_id", "--vault", "file")
    said = cdp(*words, status=3 if refused else 0)
    assert ("among its own profiles" in said.err) is refused
    assert (home / folder).exists() is not refused


def test_init_as_json_is_one_document(cdp: Keyboard, home: Path) -> None:
    document = cdp(
        *("init", "--profiles", "profiles.csv", "--key", "customer_id", "--vault", "file", "--json")
    ).document
    assert document["workspace"] == str(home / ".cdp")
    assert document["profiles"] == str(home / "profiles.csv")
    assert (document["key"], document["vault"]) == ("customer_id", "file")


def test_init_takes_the_workspace_option_and_the_environment_for_the_folder(
    cdp: Keyboard, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("init", "--profiles", "profiles.csv", "--key", "customer_id", "--vault", "file")
    cdp("--workspace", "one", *words)
    assert (home / "one" / "cdp.toml").is_file()
    monkeypatch.setenv("CDP_WORKSPACE", str(home / "two"))
    cdp(*words)
    assert (home / "two" / "cdp.toml").is_file()
    cdp(*words, "three")
    assert (home / "three" / "cdp.toml").is_file()
    assert "both name the workspace" in cdp("--workspace", "four", *words, "five", status=2).err


def test_init_hands_the_readers_options_on(cdp: Keyboard, home: Path) -> None:
    (home / "semicolons.csv").write_text("id;email\n1;ann@example.org\n")
    cdp("init", "--profiles", "semicolons.csv", "--key", "id", "--option", "delimiter=;", "--vault", "file")
    cdp("segment", "add", "All", "--where", "id = 1")


def test_init_without_a_terminal_names_what_is_missing(cdp: Keyboard) -> None:
    assert "--profiles PATH" in cdp("init", status=2).err
    said = cdp("init", "--profiles", "profiles.csv", "--json", status=2)
    assert said.document["error"]["code"] == "CDP-201"
    assert said.document["error"]["hint"] == "--key COLUMN"
    assert "leave out --as" in cdp("--as", "ann", "init", status=2).err


def test_segments_are_listed_shown_and_removed(cdp: Keyboard, workspace: Path) -> None:
    listed = cdp("segment", "list").out
    assert "Loyal" in listed
    assert "lifetime_value > 500" in listed
    assert cdp("segment", "show", "Loyal", "--json").document["members"] == 5
    assert "Members" in cdp("segment", "show", "Loyal").out
    assert cdp("segment", "remove", "Loyal", status=2).err.startswith("error CDP-204")
    assert cdp("segment", "remove", "Loyal", "--yes").out == 'Segment "Loyal" is removed.\n'
    assert "No segments yet" in cdp("segment", "list").out
    assert cdp("segment", "list", "--json").document == []


def test_a_segment_comes_from_a_file_or_from_standard_input(
    cdp: Keyboard, workspace: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    query = "SELECT customer_id FROM profiles WHERE lifetime_value > 750"
    (home / "query.sql").write_text(query)
    assert cdp("segment", "add", "File", "--sql", "query.sql", "--json").document["members"] == 2
    monkeypatch.setattr("sys.stdin", io.StringIO(query))
    assert cdp("segment", "add", "Input", "--sql", "-", "--json").document["sql"] == query
    assert "cannot be read" in cdp("segment", "add", "None", "--sql", "no.sql", status=2).err
    both = cdp("segment", "add", "Both", "--sql", "query.sql", "--where", "1=1", status=2)
    assert "exclude each other" in both.err


def test_a_faulty_condition_shows_its_place(cdp: Keyboard, workspace: Path) -> None:
    said = cdp("segment", "add", "Odd", "--where", "no_such_column > 1", status=3)
    assert said.err.startswith("error CDP-306")
    assert "no_such_column" in said.err


def test_adding_a_connection_shows_the_consent_texts_and_keeps_it_without_agreement(
    cdp: Keyboard, workspace: Path
) -> None:
    said = cdp.add_connection()
    assert "Data leaves your company" in said.out
    assert "Acme keeps it for [a year]." in said.out
    assert "nothing is sent" in said.out
    assert 'cdp connection agree "Acme EU"' in said.out
    assert "a-key-that-nobody-may-see" not in said.out + said.err


def test_as_json_the_texts_go_to_standard_error(cdp: Keyboard, workspace: Path) -> None:
    said = cdp.add_connection("--agree", "--json")
    assert "Acme's terms" in said.err
    assert said.document["consent_missing"] == []
    assert said.document["name"] == "Acme EU"


def test_agreement_is_given_later(cdp: Keyboard, workspace: Path) -> None:
    cdp.add_connection()
    refused = cdp("connection", "agree", "Acme EU", status=2)
    assert refused.err.startswith("error CDP-204")
    assert "--agree" in refused.err
    said = cdp("connection", "agree", "Acme EU", "--agree")
    assert "Acme's terms" in said.out
    assert "is agreed to" in said.out
    again = cdp("connection", "agree", "Acme EU")
    assert "Acme's terms" not in again.out


def test_secrets_on_the_command_line_are_refused_and_never_repeated(cdp: Keyboard, workspace: Path) -> None:
    start = ("connection", "add", "acme", "--name", "Acme EU", "--set", "account=A-7")
    for words in (("--secret", "api_key=l1teral"), ("--set", "api_key=l1teral")):
        for more in ((), ("--json",)):
            said = cdp(*start, *words, *more, status=2)
            assert "error CDP-202" in said.err
            assert "l1teral" not in said.out + said.err
    assert cdp("connection", "list", "--json").document == []


def test_a_missing_setting_is_named_and_an_unknown_one_refused(cdp: Keyboard, workspace: Path) -> None:
    missing = cdp("connection", "add", "acme", "--name", "Acme EU", status=2)
    assert "--set account=A-7 --secret api_key=env:NAME" in missing.err
    unknown = cdp(
        *("connection", "add", "acme", "--name", "Acme EU", "--set", "account=A", "--set", "nonsense=1"),
        *("--secret", "api_key=env:ACME_KEY"),
        status=3,
    )
    assert "CDP-308" in unknown.err
    assert "nonsense" in unknown.err
    assert "CDP-317" in cdp("connection", "add", "nosuch", "--name", "x", status=3).err


def test_a_connection_is_authenticated_shown_verified_edited_and_shared(
    cdp: Keyboard, connection: str
) -> None:
    shown = cdp("connection", "show", connection).out
    assert "Ann [31mof Acme" in shown
    assert "[bold]Marketing[/]" in shown
    assert "\x1b" not in shown
    assert "connected" in cdp("connection", "list").out
    assert "Acme answers." in cdp("connection", "verify", connection).out
    edited = cdp(*("connection", "edit", connection, "--name", "Acme", "--set", "region=us"), "--json")
    assert edited.document["settings"]["region"] == "us"
    assert "nothing to change" in cdp("connection", "edit", "Acme", status=2).err
    assert "contributor" in cdp("connection", "share", "Acme", "--with", "contributor").out
    assert "Administrators only" in cdp("connection", "share", "Acme", "--stop-with", "contributor").out
    assert "nobody was named" in cdp("connection", "share", "Acme", status=2).err
    assert "export user of" in cdp("connection", "export-user", "Acme").out
    assert cdp("connection", "remove", "Acme", "--yes", "--json").document == {"removed": "Acme"}
    assert "No connections" in cdp("connection", "list").out


@pytest.mark.usefixtures("workspace")
def test_what_has_a_key_is_asked_and_nobody_signs_in(cdp: Keyboard) -> None:
    added = cdp.add_connection("--agree").out
    assert "not asked yet" in added
    assert "not signed in" not in added + cdp("connection", "list").out
    said = cdp("connection", "authenticate", "Acme EU").out
    assert "Acme answers. Export user: " in said
    assert "Signed in to" not in said
    assert cdp("connection", "show", "Acme EU", "--json").document["signs_in"] is False


def test_a_connection_is_looked_at_where_its_secret_is_out_of_reach(
    cdp: Keyboard, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cdp(*("connection", "add", "acme-login", "--name", "Login", "--secret", "client_secret=env:ACME_KEY"))
    monkeypatch.delenv("ACME_KEY")
    assert "Login" in cdp("connection", "list").out
    assert "there is no secret at env:ACME_KEY" in cdp("connection", "show", "Login").out
    assert cdp("connection", "agree", "Login", "--agree", "--json").document["consent_missing"] == []


def test_an_export_is_planned_run_and_looked_back_on(cdp: Keyboard, export: str, home: Path) -> None:
    plan = cdp("export", "plan", export)
    assert "Planned" in plan.out
    assert "nothing was sent" in plan.out
    assert not (home / "add.txt").exists()
    run = cdp("export", "run", export)
    assert "Successful" in run.out
    assert "Delivering…" in run.err
    assert "Best [31mcustomers (42)" in run.out
    assert len((home / "add.txt").read_text().split()) == 2
    history = cdp("export", "history", export)
    assert history.out.count("Successful") == 1
    assert history.out.count("Planned") == 1
    assert len(cdp("export", "history", export, "--limit", "1", "--json").document) == 1


def test_a_run_as_json_is_the_document_alone(cdp: Keyboard, export: str) -> None:
    document = cdp("export", "run", export, "--json").document
    assert document["status"] == "committed"
    assert document["kinds"]["EMAIL"]["read"] == 5
    assert document["kinds"]["EMAIL"]["added"] == 2
    assert document["kinds"]["EMAIL"]["duplicate"] == 1
    assert document["delivered"]["accepted"] == 2
    assert (document["profiles"], document["members"]) == (6, 5)


def test_a_member_that_was_removed_counts_no_more(cdp: Keyboard, export: str, home: Path) -> None:
    cdp("export", "run", export)
    assert cdp("export", "show", export, "--json").document["claims"] == 2
    (home / "profiles.csv").write_text("customer_id,email,lifetime_value\n1,ann@example.org,900\n")
    assert cdp("export", "run", export, "--json").document["kinds"]["EMAIL"]["removed"] == 1
    assert cdp("export", "show", export, "--json").document["claims"] == 1
    assert "audiences: 1, claims: 1;" in cdp("doctor").out


def test_a_plan_is_delivered_by_its_id(cdp: Keyboard, export: str, home: Path) -> None:
    plan = cdp("export", "plan", export, "--json").document
    assert (plan["status"], plan["dry_run"]) == ("planned", True)
    assert Path(plan["plan_folder"]).is_dir()
    assert (
        cdp("export", "run", export, "--plan", plan["plan"], "--json").document["delivered"]["accepted"] == 2
    )
    assert "CDP-321" in cdp("export", "run", export, "--plan", "no-such", status=3).err


def test_refusals_exit_8_with_the_services_own_words(
    cdp: Keyboard, export: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_REFUSES", "1")
    said = cdp("export", "run", export, status=8)
    assert "refused" in said.out
    assert "\x1b" not in said.out + said.err
    assert cdp("export", "run", export, "--json", status=8).document["delivered"]["refused"] == 2


def test_exports_are_listed_shown_edited_and_duplicated(cdp: Keyboard, export: str) -> None:
    assert "never run" in cdp("export", "list").out
    assert "EMAIL from email" in cdp("export", "show", export).out
    edited = cdp("export", "edit", export, "--name", "Renamed", "--set", "batch_size=7", "--json").document
    assert (edited["name"], edited["settings"]["batch_size"]) == ("Renamed", "7")
    assert "nothing to change" in cdp("export", "edit", "Renamed", status=2).err
    copy = cdp("export", "duplicate", "Renamed", "Copy", "--json").document
    assert copy["segments"] == ["Loyal"]
    assert [view["name"] for view in cdp("export", "list", "--json").document] == ["Copy", "Renamed"]


def test_a_refusal_says_in_words_what_may_not_be_done(cdp: Keyboard, connection: str) -> None:
    cdp("role", "grant", "bob", "contributor")
    said = cdp("--as", "bob", "connection", "agree", connection, "--agree", status=4)
    assert "bob may not agree to a connection's consent texts: " in said.err
    assert "that is not part of the role Contributor" in said.err
    cdp("role", "grant", "bob", "administrator")
    said = cdp("--as", "bob", "connection", "export-user", connection, status=4)
    assert "only the real person may become a connection's export user" in said.err
    assert "connection." not in said.err


def test_the_name_of_a_connection_is_for_those_whom_it_is_shared_with(cdp: Keyboard, export: str) -> None:
    for person, role in (("vic", "viewer"), ("con", "contributor")):
        cdp("role", "grant", person, role)
        for words in (("list",), ("show", export)):
            said = cdp("--as", person, "export", *words)
            assert "not shared with you" in said.out
            document = cdp("--as", person, "export", *words, "--json")
            assert "Acme EU" not in said.out + said.err + document.out
            view = document.document[0] if words == ("list",) else document.document
            assert (view["connection"], view["attached"]) == (None, True)
    assert "Acme EU" in cdp("export", "list").out
    cdp("connection", "share", "Acme EU", "--with", "contributor")
    assert "Acme EU" in cdp("--as", "con", "export", "list").out
    assert cdp("--as", "con", "export", "show", export, "--json").document["connection"] == "Acme EU"
    # A Viewer has no list of connections at all.
    assert "not shared with you" in cdp("--as", "vic", "export", "list").out


def test_members_are_left_or_taken_out_as_the_options_say(cdp: Keyboard, export: str, home: Path) -> None:
    cdp("export", "run", export)
    undecided = cdp("export", "detach", export, status=2)
    assert undecided.err.startswith("error CDP-204")
    assert "--take-members-out" in undecided.err
    left = cdp("export", "detach", export, "--yes")
    assert "2 members" in left.out
    assert "stay" in left.out
    assert not (home / "remove.txt").exists()
    detached = cdp("export", "show", export, "--json").document
    assert (detached["connection"], detached["attached"]) == (None, False)
    released, first = cdp("export", "history", export, "--json").document
    assert released["notes"] == ["Gave up 2 claims and left the members in the audience; nothing was sent."]
    assert (released["plan"], released["delivered"]["requests"], first["notes"]) == (None, 0, [])
    assert "gave up 2 claims, members left: nothing was sent" in cdp("export", "history", export).out
    assert "No connection" in cdp("export", "list").out
    cdp("export", "attach", export, "--connection", "Acme EU")
    cdp("export", "run", export)
    assert "CDP-204" in cdp("export", "remove", export, "--take-members-out", status=2).err
    gone = cdp("export", "remove", export, "--take-members-out", "--yes")
    assert "is removed" in gone.out
    assert len((home / "remove.txt").read_text().split()) == 2


def test_another_audience_asks_what_becomes_of_the_members(cdp: Keyboard, export: str) -> None:
    cdp("export", "run", export)
    assert "CDP-204" in cdp("export", "edit", export, "--set", "audience_id=43", status=2).err
    edited = cdp("export", "edit", export, "--set", "audience_id=43", "--yes")
    assert "2 members" in edited.out
    both = cdp(
        "export", "edit", export, "--set", "audience_id=44", "--leave-members", "--take-members-out", status=2
    )
    assert "exclude each other" in both.err


def test_a_kind_that_is_not_taken_is_named_before_what_is_missing(cdp: Keyboard, connection: str) -> None:
    typed = cdp("export", "add", "X", "--connection", connection, "--match", "FAX=email", status=3)
    assert "CDP-313" in typed.err
    assert "FAX" in typed.err


def test_a_name_in_use_is_said_in_good_english(cdp: Keyboard, export: str, home: Path) -> None:
    typed = cdp("export", "duplicate", export, export, status=3)
    assert f'an export named "{export}" is there already' in typed.err
    typed = cdp("segment", "add", "Loyal", "--where", "true", status=3)
    assert 'a segment named "Loyal" is there already' in typed.err


def test_a_language_without_texts_is_refused(cdp: Keyboard, workspace: Path) -> None:
    assert "'nl'" in cdp("--language", "xx", "whoami", status=2).err
    cdp("--language", "da", "whoami")


def test_an_export_without_its_pieces_names_them(cdp: Keyboard, connection: str) -> None:
    start = ("export", "add", "New", "--connection", connection)
    assert "--connection NAME" in cdp("export", "add", "New", status=2).err
    assert "--set audience_id=42" in cdp(*start, status=2).err
    assert "--match EMAIL=FIELD" in cdp(*start, "--set", "audience_id=42", status=2).err
    words = (*start, "--set", "audience_id=42", "--match", "EMAIL=email")
    assert "--segment NAME" in cdp(*words, status=2).err
    assert (
        "CDP-308"
        in cdp(*start, "--set", "audience_id=x", "--match", "EMAIL=email", "--segment", "Loyal", status=3).err
    )


def test_roles_are_granted_listed_and_revoked(cdp: Keyboard, workspace: Path) -> None:
    granted = cdp("role", "grant", "zoe", "viewer")
    assert "viewer" in granted.out
    assert "no login zoe" in granted.err
    (listed,) = (view for view in cdp("role", "list", "--json").document if view["person"] == "zoe")
    assert (listed["kind"], listed["roles"], listed["can_act"]) == ("person", ["viewer"], False)
    assert "zoe" in cdp("role", "list").out
    assert "run an export" in cdp("role", "list", "--known").out
    assert "run an export" not in cdp("--as", "zoe", "whoami").out
    assert cdp("--as", "zoe", "whoami", "--json").document["roles"] == ["viewer"]
    assert "in truth" in cdp("--as", "zoe", "whoami").out
    refused = cdp("--as", "zoe", "segment", "add", "No", "--where", "1=1", status=4)
    assert refused.err.startswith("error CDP-401")
    assert "without a role" in cdp("role", "revoke", "zoe", "viewer").out


def test_who_may_do_what_is_explained_with_every_opinion(cdp: Keyboard, export: str) -> None:
    cdp("role", "grant", "con", "contributor")
    asked = ("role", "explain", "con", "export.run", export)
    denied = cdp(*asked)
    assert f'con may not do this: export.run "{export}"' in denied.out
    assert "the connection behind it is not shared with con" in denied.out
    cdp("connection", "share", "Acme EU", "--with", "con")
    document = cdp(*asked, "--json").document
    assert (document["allowed"], document["roles"]) == (True, ["contributor"])
    assert document["roles_with_it"] == ["administrator", "contributor"]
    assert document["opinions"][0] == {"verdict": "allow", "reason": "the connection is shared", "by": "core"}
    assert "con may do this" in cdp(*asked).out
    assert "that is not part of the role" in cdp("role", "explain", "con", "connection.agree", "Acme EU").out
    assert "a person's own" in cdp("role", "explain", "con", "export.approve", export).out
    assert "has no role in this workspace" in cdp("role", "explain", "zoe", "segment.add").out
    near = cdp("role", "explain", "con", "export.runn", status=3).err
    assert "did you mean export.run" in near
    cdp("role", "explain", "con", "export.run", "No such export", status=3)
    cdp("--as", "con", *asked, status=4)


def test_plugins_are_listed_with_what_became_of_them(cdp: Keyboard, workspace: Path) -> None:
    listed = cdp("plugins", "list").out
    assert "cdp-acme-cli" in listed
    assert "connection_types" in listed
    assert cdp("plugins", "disable", "acme").out == 'Plugin "acme" is disabled.\n'
    states = {row["name"]: row["status"] for row in cdp("plugins", "list", "--json").document}
    assert states["acme"] == "disabled"
    assert cdp("plugins", "enable", "acme", "--json").document == {"enabled": "acme"}


def test_plugins_are_listed_before_there_is_a_workspace(
    cdp: Keyboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CDP_WORKSPACE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    listed = cdp("plugins", "list")
    assert "cdp-acme-cli" in listed.out
    assert "There is no workspace here" in listed.err
    assert cdp("plugins", "list", "--json").document[0]["status"] == "loaded"
    assert "CDP-301" in cdp("--workspace", str(elsewhere), "plugins", "list", status=3).err


def test_the_audit_log_is_listed_and_verified(cdp: Keyboard, workspace: Path) -> None:
    entries = cdp("audit", "list", "--action", "segment.add", "--json").document
    assert [entry["outcome"] for entry in entries] == ["done", "begun"]
    assert "segment.add" in cdp("audit", "list").out
    assert cdp("audit", "verify", "--json").document["ok"] is True
    assert "holds together" in cdp("audit", "verify").out


def test_the_audit_log_is_found_in_exported_and_held_against_a_head(
    cdp: Keyboard, workspace: Path, tmp_path: Path
) -> None:
    cdp("segment", "remove", "No such segment", "--yes", status=3)
    failed = cdp("audit", "list", "--object", "No such segment", "--outcome", "failed", "--json").document
    assert [each["action"] for each in failed] == ["segment.remove"]
    assert cdp("audit", "list", "--until", "2020-01-01", "--json").document == []
    head = cdp("audit", "head").out.strip()
    assert cdp("audit", "verify", "--head", head, "--json").document["ok"] is True
    output = tmp_path / "audit.ndjson"
    cdp("audit", "export", "--output", str(output))
    assert output.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    entries, _, digest = head.partition(":")
    assert lines[int(entries) - 1]["digest"] == digest
    # Anybody can follow the chain by what the help says.
    for before, line in zip([{"digest": ""}, *lines], lines, strict=False):
        said = {name: value for name, value in line.items() if name != "digest"}
        canonical = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        assert (hashlib.sha256(canonical).hexdigest(), line["previous"]) == (line["digest"], before["digest"])
    assert cdp("audit", "export").out.splitlines()[: len(lines)] == output.read_text().splitlines()
    assert "already" in cdp("audit", "export", "--output", str(output), status=2).err
    other = cdp("audit", "verify", "--head", f"2:{'0' * 64}", status=3)
    assert "entry 2 is not the one whose digest was kept" in other.out
    cut = cdp("audit", "verify", "--head", f"9999:{digest}", status=3)
    assert "the log had 9999 entries" in cut.out
    assert "is no head of an audit log" in cdp("audit", "verify", "--head", "x", status=2).err


def test_an_audit_log_that_was_tampered_with_exits_3(cdp: Keyboard, workspace: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(workspace / "state.db")) as state, state:
        for (trigger,) in state.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            state.execute(f'DROP TRIGGER "{trigger}"')
        state.execute("UPDATE audit SET actor = 'mallory' WHERE seq = 2")
    said = cdp("audit", "verify", status=3)
    assert "does not hold together" in said.out
    assert "Holds up to      entry 1" in said.out
    assert "Entries" not in said.out


def test_the_doctor_looks_at_every_room(cdp: Keyboard, connection: str, workspace: Path) -> None:
    checks = cdp("doctor", "--json").document
    assert {check["state"] for check in checks} == {"ok"}
    assert "Acme EU is signed in" in cdp("doctor").out


def test_the_doctor_exits_3_where_something_is_wrong(cdp: Keyboard, workspace: Path, home: Path) -> None:
    (home / "profiles.csv").unlink()
    assert "CDP-304" in cdp("doctor", status=3).out


def test_names_with_markup_and_quotes_are_shown_as_they_are(cdp: Keyboard, workspace: Path) -> None:
    name = '[bold]a[/] "b" $c'
    said = cdp("segment", "add", name, "--where", "lifetime_value > 1")
    assert f"'{name}'" in said.out
    assert name in cdp("segment", "list").out
    assert json.loads(cdp("segment", "show", name, "--json").out)["name"] == name


def test_a_pasted_sign_in_is_read_from_standard_input(
    cdp: Keyboard, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    cdp(
        *(
            "connection",
            "add",
            "acme-login",
            "--name",
            "Login",
            "--secret",
            "client_secret=env:ACME_KEY",
            "--agree",
        )
    )
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    nothing = cdp("connection", "authenticate", "Login", "--paste", "--no-browser", status=2)
    assert "CDP-201" in nothing.err
    assert nothing.out.startswith("https://acme.example/")
    monkeypatch.setattr("sys.stdin", io.StringIO("http://127.0.0.1/callback?code=x&state=wrong\n"))
    wrong = cdp("connection", "authenticate", "Login", "--paste", "--no-browser", "--json", status=6)
    assert wrong.document["error"]["code"] == "CDP-605"
    assert "https://acme.example/" in wrong.err


def test_nobody_signing_in_is_said_after_the_timeout(cdp: Keyboard, workspace: Path) -> None:
    cdp(
        *(
            "connection",
            "add",
            "acme-login",
            "--name",
            "Login",
            "--secret",
            "client_secret=env:ACME_KEY",
            "--agree",
        )
    )
    said = cdp("connection", "authenticate", "Login", "--no-browser", "--timeout", "1", status=6)
    assert "CDP-606" in said.err


@pytest.mark.parametrize("rows", [1, 3])
def test_a_column_of_which_nothing_can_be_sent_is_said(
    cdp: Keyboard, export: str, home: Path, rows: int
) -> None:
    people = [f"p{n}@example.org".encode() for n in range(rows)]
    hashed = [hashlib.md5(each, usedforsecurity=False).hexdigest() for each in people]
    written = "".join(f"{n},{each},900\n" for n, each in enumerate([*hashed, ""]))
    (home / "profiles.csv").write_text(f"customer_id,email,lifetime_value\n{written}")
    for words in (("plan",), ("run",)):
        (note,) = cdp("export", *words, export, "--json").document["notes"]
        begins = "The one value" if rows == 1 else "None of the 3 values"
        assert note.startswith(f"{begins} of EMAIL can")
        asked = note.partition("cdp ")[2].rstrip(".").replace("FIELD", "email").split()
        assert "MD5" in cdp(*asked).out
        assert "up to date" not in cdp("export", "plan", export).out
    (home / "profiles.csv").write_text(f"customer_id,email,lifetime_value\n{written}9,p9@example.org,900\n")
    assert cdp("export", "run", export, "--json").document["notes"] == []
