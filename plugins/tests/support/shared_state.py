"""Workspaces whose state is in PostgreSQL, set up by typing commands."""

from __future__ import annotations

from dataclasses import replace

from main_job import Cdp
from postgres_server import Postgres

PHRASE = "correct horse battery staple"


def sharing(cdp: Cdp, postgres: Postgres) -> Cdp:
    """The same folder, with a state of its own in the server for every workspace that is made from here."""
    more = {"CDP_STATE_URL": postgres.state_place().url, "CDP_VAULT_KEY": PHRASE}
    without = {name: value for name, value in cdp.environ.items() if name != "CDP_VAULT"}
    return replace(cdp, environ=without | more)
