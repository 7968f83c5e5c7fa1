"""Workspaces whose state is in PostgreSQL, set up by typing commands."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from main_job import Cdp
from postgres_server import Postgres

PHRASE = "correct horse battery staple"


def in_postgresql() -> bool:
    """Whether the tests' states are to be there."""
    return os.environ.get("CDP_TEST_STATE") == "postgresql"


def sharing(cdp: Cdp, postgres: Postgres) -> Cdp:
    """The same folder, with a state of its own in the server for every workspace that is made from here."""
    more = {"CDP_STATE_URL": postgres.state_place().url, "CDP_VAULT_KEY": PHRASE}
    without = {name: value for name, value in cdp.environ.items() if name != "CDP_VAULT"}
    return replace(cdp, environ=without | more)


def another(cdp: Cdp, name: str) -> Cdp:
    """The same folder, where a workspace of that name is meant, with a state of its own."""
    more = {"CDP_WORKSPACE": str(cdp.folder / name)}
    if url := cdp.environ.get("CDP_STATE_URL"):
        more["CDP_STATE_URL"] = f"{url}_{name}"
    return replace(cdp, environ=cdp.environ | more)


def elsewhere(cdp: Cdp) -> Cdp:
    """The same folder on a machine where nothing names the server, so that a state is a file."""
    return replace(cdp, environ={name: each for name, each in cdp.environ.items() if name != "CDP_STATE_URL"})


def found_within(monkeypatch: pytest.MonkeyPatch, cdp: Cdp) -> None:
    """What a test opens within its own process finds the state that its commands have."""
    for name in ("CDP_STATE_URL", "CDP_VAULT_KEY"):
        if name in cdp.environ:
            monkeypatch.setenv(name, cdp.environ[name])
