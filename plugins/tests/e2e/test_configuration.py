"""Configuration as code, as a user types it: one workspace made into another, and all that may be wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pexpect
import pytest
import yaml

from by_hand import everything, place_of
from cdp_core.store import copying
from cdp_core.store.logins import login
from cdp_core.store.state import State
from fork_server import CDP
from main_job import AUDIENCE, Cdp, Job, customers, wanted, write_profiles
from postgres_server import Postgres
from shared_state import another

NAME = "Loyal to Snapchat"
SECRET = "s3cret-of-the-app"


def written(job: Job, change: Callable[[dict[str, Any]], None] = lambda document: None) -> Path:
    """The workspace's own file, changed."""
    document = yaml.safe_load(job.cdp("config", "export").stdout)
    change(document)
    file = job.cdp.folder / "cdp.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    return file


def state_of(cdp: Cdp, *, but: tuple[str, ...] = ()) -> dict[str, str]:
    """A digest of every table but the audit log, in which each act leaves its entry; and each file beside."""
    folder = cdp.folder / ".cdp"
    with State.open(place_of(cdp)) as state, state.as_it_is() as connection:
        tables = {
            table.name: copying.content(connection, table).digest
            for table in copying.tables()
            if not table.name.startswith("audit") and table.name not in but
        }
    files = {
        str(file.relative_to(folder)): file.read_bytes().hex()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith("state.db")
    }
    return tables | files


def acts(cdp: Cdp, action: str) -> list[Any]:
    lines = cdp("audit", "export").stdout.splitlines()
    return [
        entry for entry in map(json.loads, lines) if entry["action"] == action and entry["outcome"] == "done"
    ]


def test_a_file_makes_another_workspace_that_runs_after_people_have_signed_in(job: Job) -> None:
    cdp = job.cdp
    cdp("schedule", "set", "--daily", "02:00", "--timezone", "Europe/Amsterdam")
    cdp("export", "schedule", NAME, "--cron", "0 4 * * *", "--timezone", "UTC")
    cdp("export", "edit", NAME, "--max-shrink", "30%", "--require-approval", "2", "--when-added-over", "5000")
    cdp("role", "grant", "anna", "contributor")
    cdp("connection", "share", "Snapchat EU", "--with", "contributor")
    exported = cdp("config", "export").stdout
    assert SECRET not in exported
    assert exported.startswith("# yaml-language-server: $schema=cdp.schema.json\n")
    (cdp.folder / "cdp.yaml").write_text(exported)
    assert cdp("config", "diff").stdout.startswith("Nothing differs")

    copy = another(cdp, "copy")
    copy("init", "copy", "--profiles", "profiles.parquet", "--key", "customer_id")
    assert '+ export "Loyal to Snapchat"' in copy("config", "diff", status=7).stdout
    done = copy("config", "apply", "cdp.yaml", "--yes")
    assert 'cdp connection agree "Snapchat EU"' in done.stdout
    assert 'cdp connection authenticate "Snapchat EU"' in done.stdout
    assert "could not be checked" in done.stdout
    assert 'Added export "Loyal to Snapchat".' in done.stderr
    assert copy("config", "export").stdout == exported
    assert SECRET not in repr(everything(copy))

    # Neither consent nor a token came along.
    assert "CDP-501" in copy("export", "run", NAME, status=5).stderr
    copy("connection", "agree", "Snapchat EU", "--agree")
    assert "CDP-601" in copy("export", "run", NAME, status=6).stderr
    copy.sign_in("Snapchat EU")
    again = copy("config", "apply", "cdp.yaml", "--yes")
    assert again.stdout.startswith("Nothing to change: 6 things as cdp.yaml says.")
    assert "somebody has to type" not in again.stdout
    assert copy.json("export", "run", NAME)["delivered"]["accepted"] == 1000
    assert job.members() == wanted(range(1000))
    assert copy("config", "diff").stdout.startswith("Nothing differs")


def test_a_second_apply_changes_nothing_and_says_so(job: Job) -> None:
    def change(document: dict[str, Any]) -> None:
        document["segments"]["Loyal customers"]["where"] = "lifetime_value > 700"
        document["segments"]["New"] = {"where": "lifetime_value < 20", "static": True}
        document["exports"][NAME]["settings"] = {"audience_id": AUDIENCE}
        document["exports"][NAME] |= {"mode": "add-only", "segments": ["New", "Loyal customers"]}

    written(job, change)
    said = job.cdp("config", "diff", status=7).stdout
    assert "  - where: lifetime_value > 500\n  + where: lifetime_value > 700" in said
    assert "  - settings.batch_size: 100" in said
    first = job.cdp.json("config", "apply", "cdp.yaml", "--yes")
    assert [(each["kind"], each["act"]) for each in first["changes"]] == [
        ("segment", "change"),
        ("segment", "add"),
        ("export", "change"),
    ]
    before = state_of(job.cdp)
    assert job.cdp.json("config", "apply", "cdp.yaml")["changes"] == []
    assert state_of(job.cdp) == before
    assert "batch_size" not in job.cdp.json("export", "show", NAME)["settings"]
    (edited,) = acts(job.cdp, "segment.edit")
    assert edited["details"]["before"]["where"] == "lifetime_value > 500"
    assert edited["details"]["after"]["where"] == "lifetime_value > 700"
    assert acts(job.cdp, "config.apply")[0]["details"]["changes"] == [
        "change segment 'Loyal customers'",
        "add segment 'New'",
        "change export 'Loyal to Snapchat'",
    ]


# That the service was asked is counted for the limits of its rate.
ASKING = ("leases", "rates")


def test_a_dry_run_checks_everything_and_writes_nothing(job: Job) -> None:
    def change(document: dict[str, Any]) -> None:
        document["segments"]["New"] = {"where": "lifetime_value < 20", "static": True}
        document["exports"][NAME]["segments"] = ["New"]
        document["roles"]["anna"] = ["viewer"]

    written(job, change)
    before = state_of(job.cdp)
    said = job.cdp("config", "apply", "cdp.yaml", "--dry-run").stdout
    assert "Everything was checked, and nothing done: 3 changes would be made." in said
    assert state_of(job.cdp) == before

    written(job, lambda document: document["exports"][NAME]["settings"].update(audience_id="1"))
    before = state_of(job.cdp, but=ASKING)
    refused = job.cdp("config", "apply", "cdp.yaml", "--dry-run", status=3).stderr
    # The service was asked, and knows no such audience.
    assert "CDP-315" in refused
    assert "exports > Loyal to Snapchat > settings" in refused
    assert state_of(job.cdp, but=ASKING) == before


def test_nothing_is_done_without_a_yes(job: Job) -> None:
    written(job, lambda document: document["roles"].update(anna=["viewer"]))
    before = state_of(job.cdp)
    assert "CDP-204" in job.cdp("config", "apply", "cdp.yaml", status=2).stderr
    assert state_of(job.cdp) == before


WRONG = """version: 1
segments:
  Good:
    where: lifetime_value > 1
  Bad:
    wher: lifetime_value > 1
exports:
  Mine:
    connection: Snapchat EX
    segments: [Good, Godo]
    matching:
      - {kind: EMAIL, field: email}
      - {kind: E-MAIL, field: email}
    settings:
      audience_id: abc
      batch_sise: 5
    gates: {max_shrink: 2}
    destination: snapchat
"""


def test_every_wrong_place_is_named_with_its_line_and_nothing_changes(job: Job) -> None:
    file = job.cdp.folder / "wrong.yaml"
    file.write_text(WRONG)
    before = state_of(job.cdp)
    said = job.cdp("config", "apply", "wrong.yaml", "--yes", status=3).stderr
    assert "CDP-352" in said
    assert "wrong.yaml:6: segments > Bad > wher: There is no such field. There are: where, sql" in said
    assert "wrong.yaml:17: exports > Mine > gates > max_shrink" in said
    file.write_text(WRONG.replace("wher:", "where:").replace("max_shrink: 2", "max_shrink: 0.2"))
    said = job.cdp("config", "apply", "wrong.yaml", "--yes", status=3).stderr
    for each in (
        "5 places are wrong",
        "wrong.yaml:9: exports > Mine > connection: There is no connection 'Snapchat EX'. Did you mean",
        "wrong.yaml:10: exports > Mine > segments > 1: There is no segment 'Godo'. Did you mean 'Good'",
        "wrong.yaml:13: exports > Mine > matching > 1 > kind: There is no kind 'E-MAIL'",
        "wrong.yaml:15: exports > Mine > settings > audience_id: An audience's id is a number",
        "wrong.yaml:16: exports > Mine > settings > batch_sise: There is no setting",
    ):
        assert each in said, (each, said)
    assert state_of(job.cdp) == before


@pytest.mark.parametrize(
    ("broken", "mended", "code", "where"),
    [
        ("lifetime_value > 1", "lifetme > 1", "CDP-306", "cdp.yaml:8: segments > B > where"),
        ("field: email", "field: emial", "CDP-307", "cdp.yaml:12: exports > E > matching"),
        ("env:SNAP_SECRET", "env:NOT_SET", "CDP-312", "cdp.yaml:5: connections > C > secrets"),
        ("mode: mirror", "default_is: mirror", "CDP-352", "cdp.yaml:14"),
        ('cron: ["0 2 * * *"]', 'cron: ["0 25 * * *"]', "CDP-352", "cdp.yaml:15: exports > E > schedule"),
        ("share_with: []", "share_with: [nobody]", "CDP-310", "cdp.yaml:4: connections > C"),
    ],
)
def test_what_only_the_workspace_can_tell_is_found_before_anything_changes(
    job: Job, broken: str, mended: str, code: str, where: str
) -> None:
    text_ = """version: 1
connections:
  C: {type: snapchat, settings: {client_id: x},
      share_with: [],
      secrets: {client_secret: env:SNAP_SECRET}}
segments:
  A: {where: lifetime_value > 0}
  B: {where: lifetime_value > 1}
exports:
  E: {connection: C, segments: [A],
      settings: {audience_id: '1'},
      matching: [{kind: EMAIL,
      field: email}],
      mode: mirror,
      schedule: {cron: ["0 2 * * *"], timezone: UTC}}
"""
    assert broken in text_
    (job.cdp.folder / "cdp.yaml").write_text(text_)
    before = state_of(job.cdp)
    job.cdp("config", "apply", "cdp.yaml", "--dry-run")
    (job.cdp.folder / "cdp.yaml").write_text(text_.replace(broken, mended))
    said = job.cdp("config", "apply", "cdp.yaml", "--yes", status=3).stderr
    assert code in said
    assert where in said
    assert state_of(job.cdp) == before


def test_a_file_gives_nobody_a_right_that_they_lack(job: Job) -> None:
    job.cdp("role", "grant", "carla", "contributor")
    job.cdp("role", "grant", "vic", "viewer")
    file = written(job)
    whole = yaml.safe_load(file.read_text())
    whole["connections"]["Another"] = whole["connections"]["Snapchat EU"]
    file.write_text(yaml.safe_dump({"version": 1, "connections": whole["connections"]}))
    before = state_of(job.cdp)
    said = job.cdp("--as", "carla", "config", "apply", "cdp.yaml", "--yes", status=4).stderr
    assert "carla may not add a connection" in said
    # What she may add she may add by a file, over what is shared with her.
    file.write_text(
        yaml.safe_dump(
            {
                "version": 1,
                "segments": {"Hers": {"where": "lifetime_value > 1"}},
                "exports": {"Hers": {**whole["exports"][NAME], "segments": ["Hers"]}},
            }
        )
    )
    assert (
        "there is no connection" in job.cdp("--as", "carla", "config", "apply", "cdp.yaml", status=3).stderr
    )
    assert state_of(job.cdp) == before
    job.cdp("connection", "share", "Snapchat EU", "--with", "contributor")
    job.cdp("--as", "carla", "config", "apply", "cdp.yaml", "--yes")
    assert job.cdp.json("export", "show", "Hers")["segments"] == ["Hers"]
    assert {entry["actor"] for entry in acts(job.cdp, "segment.add")} == {login(), "carla"}
    theirs = job.cdp("--as", "carla", "config", "export")
    assert "Connections are left out" in theirs.stdout
    assert "connections" not in yaml.safe_load(theirs.stdout)
    assert "client_secret" not in theirs.stdout
    job.cdp("--as", "vic", "config", "export", status=4)
    job.cdp("--as", "vic", "config", "apply", "cdp.yaml", "--yes", status=4)


def test_who_cannot_approve_does_not_lift_approval_by_a_file(job: Job) -> None:
    job.cdp("role", "grant", "carla", "contributor")
    job.cdp("connection", "share", "Snapchat EU", "--with", "contributor")
    job.cdp("export", "edit", NAME, "--require-approval", "1")
    document = yaml.safe_load(job.cdp("config", "export").stdout)
    del document["exports"][NAME]["approval"]
    (job.cdp.folder / "cdp.yaml").write_text(yaml.safe_dump({"version": 1, "exports": document["exports"]}))
    before = state_of(job.cdp)
    said = job.cdp("--as", "carla", "config", "apply", "cdp.yaml", "--yes", status=4).stderr
    assert "CDP-401" in said
    assert "exports > Loyal to Snapchat" in said
    assert state_of(job.cdp) == before


def test_secrets_are_taken_by_reference_and_never_repeated(job: Job) -> None:
    def literal(document: dict[str, Any]) -> None:
        document["connections"]["Snapchat EU"]["secrets"]["client_secret"] = "hunter2-literal"

    written(job, literal)
    for command in (("diff",), ("apply", "cdp.yaml", "--yes")):
        refused = job.cdp("config", *command, status=3)
        assert "secrets > client_secret" in refused.stderr
        assert "hunter2" not in refused.stdout + refused.stderr + job.cdp("audit", "export").stdout
    for reference in ("vault:token/1", "vault"):
        document = yaml.safe_load(job.cdp("config", "export").stdout)
        document["connections"]["Snapchat EU"]["secrets"]["client_secret"] = reference
        write(job, yaml.safe_dump(document))
        assert "secrets > client_secret" in job.cdp("config", "diff", "said.yaml", status=3).stderr

    def as_a_setting(document: dict[str, Any]) -> None:
        document["connections"]["Snapchat EU"]["settings"]["client_secret"] = "hunter2-literal"

    written(job, as_a_setting)
    refused = job.cdp("config", "diff", status=3)
    assert "stands under `secrets`" in refused.stderr
    assert "hunter2" not in refused.stderr


def test_what_is_not_in_the_file_is_shown_and_goes_with_prune_alone(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.cdp("segment", "add", "Idle", "--where", "lifetime_value = 3")
    job.cdp("segment", "add", "Mine", "--where", "lifetime_value = 4")
    job.cdp("export", "duplicate", NAME, "Empty")
    job.cdp("role", "grant", "anna", "viewer")

    def fewer(document: dict[str, Any]) -> None:
        document["exports"], document["segments"] = {}, {"Mine": {"where": "lifetime_value = 4"}}
        document["roles"] = {}
        del document["connections"]

    written(job, fewer)
    shown = job.cdp("config", "diff", status=7).stdout
    assert '? export "Empty"  not in the file' in shown
    assert "Snapchat EU" not in shown  # a section that is left out is left alone
    unpruned = job.cdp("config", "apply", "cdp.yaml", "--yes").stdout
    assert "--prune removes it" in unpruned
    assert {each["name"] for each in job.cdp.json("export", "list")} == {NAME, "Empty"}

    done = job.cdp.json("config", "apply", "cdp.yaml", "--prune", "--yes")
    assert {(each["kind"], each["name"]) for each in done["changes"]} == {
        ("export", "Empty"),
        ("segment", "Idle"),
        ("role", "anna: viewer"),
    }
    stays = {each["name"]: each for each in done["not_in_file"]}
    assert "1,000 members" in stays[NAME]["stays"]
    assert "--take-members-out" in stays[NAME]["hint"]
    assert NAME in stays["Loyal customers"]["stays"]
    assert "last Administrator" in stays[f"{login()}: administrator"]["stays"]
    again = job.cdp("config", "apply", "cdp.yaml", "--prune", "--yes").stdout
    assert "Nothing to change" in again
    assert "stays: " in again
    job.cdp("export", "remove", NAME, "--leave-members", "--yes")
    job.cdp("config", "apply", "cdp.yaml", "--prune", "--yes")
    assert [each["name"] for each in job.cdp.json("segment", "list")] == ["Mine"]


GRANTED = """version: 1
roles:
  {me}:
    - administrator
  anna:
    - viewer
    - role: contributor
      connection: Snapchat EU
    - role: contributor
      segment: 'New: for all'
  bob:
    - role: viewer
      connection: Snapchat EU
groups:
  staff:
    - role: viewer
      segment: Loyal customers
"""


def test_roles_of_groups_and_for_one_connection_or_segment_go_through_the_file(job: Job) -> None:
    said = yaml.safe_load(GRANTED.replace("{me}", login()))

    def change(document: dict[str, Any]) -> None:
        document |= said
        # Both are made by the file that grants roles for them; bob has no role elsewhere.
        document["segments"]["New: for all"] = {"where": "true"}
        document["connections"]["Snapchat EU"]["share_with"] = ["bob", "contributor"]

    file = written(job, change)
    shown = job.cdp("config", "diff", status=7).stdout
    assert '+ role "anna: contributor for segment New: for all"  (line 9)' in shown
    done = job.cdp.json("config", "apply", "cdp.yaml", "--yes")
    assert [(each["kind"], each["act"], each["name"]) for each in done["changes"]] == [
        ("role", "add", "anna: viewer"),
        ("segment", "add", "New: for all"),
        ("connection", "change", "Snapchat EU"),
        ("role", "add", "anna: contributor for connection Snapchat EU"),
        ("role", "add", "anna: contributor for segment New: for all"),
        ("role", "add", "bob: viewer for connection Snapchat EU"),
        ("group-role", "add", "staff: viewer for segment Loyal customers"),
        ("connection", "change", "Snapchat EU"),
    ]
    exported = job.cdp("config", "export").stdout
    said_of_people = GRANTED.partition("  anna:")[2].partition("groups:")[0]
    assert said_of_people in exported
    assert yaml.safe_load(exported) == yaml.safe_load(file.read_text())
    held = {each["person"]: each for each in job.cdp.json("role", "list")}
    assert (held["bob"]["roles"], held["bob"]["granted"][0]["about"]) == ([], "Snapchat EU")
    assert held["staff"]["kind"] == "group"

    # Another workspace, from nothing.
    job.cdp("init", "copy", "--profiles", "profiles.parquet", "--key", "customer_id")
    job.cdp("--workspace", "copy", "config", "apply", "cdp.yaml", "--yes")
    assert job.cdp("--workspace", "copy", "config", "export").stdout == exported

    def fewer(document: dict[str, Any]) -> None:
        document["roles"]["anna"] = ["viewer", {"role": "contributor", "connection": "Snapchat EU"}]
        del document["segments"]["New: for all"], document["groups"]["staff"]

    written(job, fewer)
    pruned = job.cdp.json("config", "apply", "cdp.yaml", "--prune", "--yes")
    assert [(each["kind"], each["act"], each["name"]) for each in pruned["changes"]] == [
        ("role", "remove", "anna: contributor for segment New: for all"),
        ("group-role", "remove", "staff: viewer for segment Loyal customers"),
        ("segment", "remove", "New: for all"),
    ]
    assert job.cdp("config", "diff").stdout.startswith("Nothing differs")
    # What the file grants a role for is not taken away by it.
    job.cdp("segment", "add", "Apart", "--where", "true")
    said_apart = "version: 1\nsegments: {Loyal customers: {where: lifetime_value > 500}}\n" + (
        f"roles: {{{login()}: [administrator], anna: [{{role: viewer, segment: Apart}}]}}\n"
    )
    stays = job.cdp.json("config", "apply", str(write(job, said_apart)), "--prune", "--yes")["not_in_file"]
    assert [(each["name"], each["stays"]) for each in stays] == [
        ("Apart", "the file grants a role for the segment 'Apart'")
    ]


def test_a_wrong_grant_is_named_with_its_line(job: Job) -> None:
    said = GRANTED.replace("{me}", login()).replace("Snapchat EU", "Snapchat EX", 1)
    said = said.replace("role: viewer\n      segment", "role: veiwer\n      sement")
    refused = job.cdp("config", "apply", str(write(job, said)), "--yes", status=3).stderr
    assert "there is no such field. There are: role, connection, segment\n" in refused
    assert "said.yaml:17: groups > staff > 0 > sement\n" in refused
    said = said.replace("sement", "segment")
    before = state_of(job.cdp)
    refused = job.cdp("config", "apply", str(write(job, said)), "--yes", status=3).stderr
    for each in (
        "said.yaml:8: roles > anna > 1 > connection: There is no connection 'Snapchat EX'. Did you mean",
        "said.yaml:10: roles > anna > 2 > segment: There is no segment 'New: for all'",
        "said.yaml:16: groups > staff > 0 > role: There is no role 'veiwer'. Did you mean 'viewer'",
    ):
        assert each in refused, (each, refused)
    said = (
        "version: 1\ngroups:\n  staff:\n    - viewer\n    - {role: administrator, segment: Loyal customers}\n"
    )
    refused = job.cdp("config", "apply", str(write(job, said)), "--yes", status=3).stderr
    assert "said.yaml:5: groups > staff > 1" in refused
    assert state_of(job.cdp) == before


def test_members_are_let_go_of_by_hand_alone(job: Job) -> None:
    job.cdp("export", "run", NAME)
    written(job, lambda document: document["exports"][NAME].pop("connection"))
    before = state_of(job.cdp)
    said = job.cdp("config", "apply", "cdp.yaml", "--yes", status=2).stderr
    assert "1,000 members" in said
    assert 'cdp export detach "Loyal to Snapchat" --take-members-out' in said
    assert state_of(job.cdp) == before
    assert job.members() == wanted(range(1000))
    job.cdp("export", "detach", NAME, "--leave-members")
    assert "Nothing to change" in job.cdp("config", "apply", "cdp.yaml").stdout
    # A detached export goes into another workspace as one.
    job.cdp("init", "copy", "--profiles", "profiles.parquet", "--key", "customer_id")
    copy = ("--workspace", "copy")
    job.cdp(*copy, "config", "apply", "cdp.yaml", "--yes")
    assert job.cdp.json(*copy, "export", "show", NAME)["attached"] is False
    assert job.cdp(*copy, "config", "diff").stdout.startswith("Nothing differs")


def test_what_stays_as_it_was_made_is_said(job: Job) -> None:
    def another_type(document: dict[str, Any]) -> None:
        document["connections"]["Snapchat EU"] = {
            "type": "webhook",
            "settings": {"api_url": "https://a.example", "add_path": "/x", "add_body": '{"ids": "$digests"}'},
        }
        del document["exports"]

    written(job, another_type)
    said = job.cdp("config", "apply", "cdp.yaml", "--yes", status=3).stderr
    assert "CDP-353" in said
    assert "connections > Snapchat EU" in said


def test_a_failure_half_way_says_what_was_done_and_the_next_time_finishes(job: Job) -> None:
    def change(document: dict[str, Any]) -> None:
        document["segments"]["New"] = {"where": "lifetime_value < 20"}
        # Over a connection that the file itself changes, the service is asked only once it has changed.
        document["connections"]["Snapchat EU"]["settings"]["timeout"] = 20
        document["exports"]["Second"] = {**document["exports"][NAME], "settings": {"audience_id": "1"}}

    file = written(job, change)
    failed = job.cdp("config", "apply", "cdp.yaml", "--yes", status=3).stderr
    assert "CDP-315" in failed
    assert "done before: add segment 'New'; change connection 'Snapchat EU'" in failed
    assert "goes on with the rest" in failed
    file.write_text(file.read_text().replace("audience_id: '1'", f"audience_id: '{AUDIENCE}'"))
    rest = job.cdp.json("config", "apply", "cdp.yaml", "--yes")
    assert [(each["kind"], each["name"]) for each in rest["changes"]] == [("export", "Second")]
    assert job.cdp("config", "diff").stdout.startswith("Nothing differs")


# The rehearsal calls each once for each thing, before anything is done.
@pytest.mark.parametrize(
    "step",
    [
        "cdp_core.store.segments:Segments.add:after:4",
        "cdp_core.store.segments:Segments.switch:before:2",
        "cdp_core.store.exports:Exports.add:before:3",
        "cdp_core.store.exports:Exports.add:after:3",
        "cdp_core.store.schedules:Schedules.set:before:3",
        "cdp_core.store.schedules:Schedules.set_refresh:after:2",
    ],
)
def test_killed_half_way_the_next_time_finishes(job: Job, step: str) -> None:
    def change(document: dict[str, Any]) -> None:
        document["segments"] |= {
            "One": {"where": "lifetime_value < 20", "static": True},
            "Two": {"where": "lifetime_value < 30", "active": False},
        }
        schedule = {"cron": ["0 3 * * *"], "timezone": "UTC", "active": False}
        for name in ("E1", "E2"):
            document["exports"][name] = {
                **document["exports"][NAME],
                "schedule": schedule,
                "segments": ["One"],
            }
        document["schedule"] = schedule

    written(job, change)
    before = state_of(job.cdp)
    job.killed(step, "config", "apply", "cdp.yaml", "--yes")
    assert state_of(job.cdp) != before
    rest = job.cdp.json("config", "apply", "cdp.yaml", "--yes")
    assert rest["changes"] or "set_refresh" in step
    assert job.cdp("config", "diff").stdout.startswith("Nothing differs")
    assert job.cdp.json("audit", "verify")["ok"]


def test_a_file_comes_through_a_pipe_and_an_editor_knows_its_fields(job: Job) -> None:
    document = job.cdp.json("config", "export")
    schema = json.loads(job.cdp("config", "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    document["segments"]["Piped"] = {"where": "true"}
    done = job.cdp("config", "apply", "-", "--yes", stdin=json.dumps(document))
    assert "1 change made." in done.stdout
    assert job.cdp.json("config", "diff", "missing.yaml", status=3)["error"]["code"] == "CDP-351"
    found = job.cdp.json("config", "diff", str(write(job, "version: 1\nsegments: {}\n")), status=7)
    assert found["differs"]
    assert {each["name"] for each in found["not_in_file"]} == {"Loyal customers", "Piped"}


def write(job: Job, said: str) -> Path:
    file = job.cdp.folder / "said.yaml"
    file.write_text(said)
    return file


def test_a_bomb_does_no_harm(job: Job) -> None:
    lines = ["a: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    for said in ("\n".join(lines), "[" * 100_000, "x: " + "y" * 3_000_000, "version: 1\nversion: 1\n"):
        refused = job.cdp("config", "apply", str(write(job, said)), "--yes", status=3)
        assert "CDP-351" in refused.stderr


def test_a_segment_is_edited_by_hand_too(job: Job) -> None:
    assert "1,000 members" in job.cdp("segment", "edit", "Loyal customers", "--static").stdout
    job.write(customers(range(5)) + customers(range(1000, 1200), value=10))
    said = job.cdp.json("segment", "edit", "Loyal customers", "--where", "lifetime_value < 20")
    assert (said["members"], said["kept"]["members"]) == (200, 200)
    assert job.cdp.json("segment", "edit", "Loyal customers", "--dynamic")["kept"] is None
    job.cdp("segment", "edit", "Loyal customers", "--where", "no_such > 1", status=3)
    job.cdp("segment", "edit", "Loyal customers", status=2)
    job.cdp("segment", "edit", "Nobody", "--where", "true", status=3)
    assert job.cdp.json("segment", "show", "Loyal customers")["where"] == "lifetime_value < 20"
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1000, 1200))


def test_what_signing_in_chose_is_left_alone_until_the_file_says_null(job: Job) -> None:
    def silent(document: dict[str, Any]) -> None:
        del document["connections"]["Snapchat EU"]["settings"]["ad_account_id"]

    written(job, silent)
    assert job.cdp("config", "diff").stdout.startswith("Nothing differs")
    written(
        job, lambda document: document["connections"]["Snapchat EU"]["settings"].update(ad_account_id=None)
    )
    assert "- settings.ad_account_id:" in job.cdp("config", "diff", status=7).stdout
    job.cdp("config", "apply", "cdp.yaml", "--yes")
    assert "ad_account_id" not in job.cdp.json("connection", "show", "Snapchat EU")["settings"]
    assert job.cdp("config", "diff").stdout.startswith("Nothing differs")


def test_what_a_killed_rehearsal_leaves_is_swept_by_a_later_run(job: Job) -> None:
    written(job, lambda document: document["segments"].update(New={"where": "true"}))
    job.killed("cdp_core.store.segments:Segments.add:after:1", "config", "apply", "cdp.yaml", "--yes")
    assert {each["name"] for each in job.cdp.json("segment", "list")} == {"Loyal customers"}
    (left,) = (job.cdp.folder / ".cdp" / "scratch").glob("rehearsal-*")
    assert SECRET.encode() not in (left / "state.db").read_bytes()
    os.utime(left, (0, 0))
    job.cdp("export", "run", NAME)
    assert not left.exists()


def test_a_shared_state_is_rehearsed_in_a_copy_too(cdp: Cdp, postgres: Postgres) -> None:
    cdp.environ |= {"CDP_STATE_URL": postgres.state_place().url, "CDP_VAULT_KEY": "correct horse"}
    write_profiles(cdp.folder / "profiles.parquet", customers(range(5)))
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    said = "version: 1\nsegments:\n  A: {where: lifetime_value > 1, static: true}\n  B: {where: 'true'}\n"
    (cdp.folder / "cdp.yaml").write_text(said.replace("'true'", "no_such > 1"))
    assert "segments > B > where" in cdp("config", "apply", "cdp.yaml", "--yes", status=3).stderr
    assert cdp.json("segment", "list") == []
    (cdp.folder / "cdp.yaml").write_text(said)
    assert "2 changes made." in cdp("config", "apply", "cdp.yaml", "--yes").stdout
    assert cdp("config", "diff").stdout.startswith("Nothing differs")
    (cdp.folder / "cdp.yaml").write_text("version: 1\nsegments: {}\n")
    assert "2 changes made." in cdp("config", "apply", "cdp.yaml", "--prune", "--yes").stdout
    assert cdp.json("segment", "list") == []
    assert list((cdp.folder / ".cdp" / "segments").iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="needs a terminal of POSIX")
def test_on_a_terminal_the_differences_are_shown_before_the_question(job: Job) -> None:
    written(job, lambda document: document["segments"].update(New={"where": "true"}))
    for answer, expected in (("n", "nothing was done"), ("y", "1 change made.")):
        terminal = pexpect.spawn(
            str(CDP),
            ["config", "apply", "cdp.yaml"],
            cwd=str(job.cdp.folder),
            env=job.cdp.environ | {"TERM": "xterm"},
            encoding="utf-8",
            timeout=60,
        )
        terminal.expect_exact('+ segment "New"')
        terminal.expect_exact("Make 1 change?")
        terminal.expect_exact("[y/N]")
        terminal.sendline(answer)
        terminal.expect_exact(expected)
        terminal.expect(pexpect.EOF)
        terminal.close()
    assert {each["name"] for each in job.cdp.json("segment", "list")} == {"Loyal customers", "New"}
