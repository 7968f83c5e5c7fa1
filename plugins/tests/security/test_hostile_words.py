"""Words that would act on a terminal: wherever they stand, they are shown as words."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing

from fork_server import cdp as forked_cdp
from main_job import Cdp, Job

NAME = "Loyal to Snapchat"
# A window's title, a cleared screen, a colour, writing from right to left, a link; and markup of rich's.
HOSTILE = "\x1b]0;evil\x07\x1b[2J\x9b31m\u202e\x1b]8;;https://evil.example\x07[red]x[/red][link=https://a]y"
UNFORESEEN = "an unexpected fault"
ACTING = ("\x1b", "\x07", "\x9b", "\u202e")
WRITTEN_BY_OTHERS = frozenset(
    {
        *(
            "name",
            "export_name",
            "error",
            "error_hint",
            "message",
            "reason",
            "request_id",
            "created_by",
            "actor",
        ),
        *(
            "real_actor",
            "person",
            "granted_by",
            "where_text",
            "audience_name",
            "held_by",
            "host",
            "agreed_by",
        ),
    }
)


def harmless(said: str) -> None:
    assert not [sign for sign in ACTING if sign in said], repr(said)


def typed(cdp: Cdp, *words: str) -> subprocess.CompletedProcess[str]:
    """However it ends."""
    return forked_cdp(words, folder=cdp.folder, environ=cdp.environ, stdin="")


def poisoned(job: Job) -> Iterator[tuple[str, str]]:
    """Put it into every column of the state that may hold what somebody wrote; each (table, column)."""
    with closing(sqlite3.connect(job.cdp.folder / ".cdp" / "state.db")) as state, state:
        tables = [row[0] for row in state.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in (
            each for each in tables if each not in ("audit", "alembic_version", "role_grants", "grants")
        ):
            for column in (row[1] for row in state.execute(f"PRAGMA table_info({table})")):
                if column in WRITTEN_BY_OTHERS:
                    # Each row its own, where they must differ.
                    state.execute(f"UPDATE OR IGNORE {table} SET {column} = ? || {column}", [HOSTILE])
                    yield table, column


def test_whatever_the_state_holds_is_shown_as_words(job: Job) -> None:
    job.cdp("export", "run", NAME)
    job.simulator.fault("status:route=add-users,status=400,count=100")
    job.write([("c1", "new@example.org", 900)])
    job.cdp("export", "run", NAME, "--allow-shrink", status=8)
    touched = set(poisoned(job))
    assert {("segments", "name"), ("exports", "name"), ("connections", "name"), ("runs", "error")} <= touched
    run = json.loads(job.cdp("export", "history", HOSTILE + NAME, "--json").stdout)[0]["run"]
    for words in (
        *(("segment", "list"), ("segment", "show", HOSTILE + "Loyal customers"), ("connection", "list")),
        *(
            ("connection", "show", HOSTILE + "Snapchat EU"),
            ("connection", "audiences", HOSTILE + "Snapchat EU"),
        ),
        *(("export", "list"), ("export", "show", HOSTILE + NAME), ("export", "history", HOSTILE + NAME)),
        *(
            ("export", "show-run", run),
            ("export", "status", HOSTILE + NAME),
            ("export", "approvals"),
            ("status",),
        ),
        *(
            ("role", "list"),
            ("ledger", "status"),
            ("suppress", "list"),
            ("schedule", "show"),
            ("audit", "list"),
        ),
    ):
        for more in ((), ("--json",)):
            done = typed(job.cdp, *words, *more)
            harmless(done.stdout + done.stderr)
            assert UNFORESEEN not in done.stderr, (words, done.stderr)


def test_what_a_command_is_given_is_shown_as_words(job: Job) -> None:
    (job.cdp.folder / "hostile.csv").write_text(f'customer_id,"{HOSTILE}"\n1,a@b.de\n')
    for words in (
        ("segment", "add", HOSTILE, "--where", "true"),
        ("segment", "add", "S", "--where", f"'{HOSTILE}' = gone"),
        ("segment", "show", HOSTILE),
        ("export", "run", HOSTILE),
        (HOSTILE,),
        ("export", "run", NAME, f"--{HOSTILE}"),
        ("init", "other", "--profiles", "hostile.csv", "--key", HOSTILE + "z"),
        ("init", HOSTILE, "--profiles", HOSTILE, "--key", "customer_id"),
        ("connection", "add", HOSTILE, "--name", "x"),
        ("connection", "add", "snapchat", "--name", "x", "--set", f"{HOSTILE}=1"),
        ("export", "edit", NAME, "--match", f"EMAIL={HOSTILE}"),
        ("export", "show-run", HOSTILE),
        ("export", "approve", HOSTILE, "--yes"),
        ("plugins", "disable", HOSTILE),
        ("workspace", "restore", HOSTILE),
    ):
        done = typed(job.cdp, *words)
        assert done.returncode != 0, words
        harmless(done.stdout + done.stderr)
        assert UNFORESEEN not in done.stderr, (words, done.stderr)


def test_a_settings_file_is_quoted_as_words(cdp: Cdp) -> None:
    (cdp.folder / "p.csv").write_text("id,email\n1,a@b.de\n")
    cdp("init", "--profiles", "p.csv", "--key", "id")
    settings = cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(settings.read_text() + '\n["\\u001b]0;evil\\u0007"]\n"\\u202e" = 1\n')
    done = cdp("segment", "list", status=3)
    harmless(done.stdout + done.stderr)
