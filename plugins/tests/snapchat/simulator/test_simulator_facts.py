from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path
from typing import get_args

import cdp_snapchat.simulator.facts as facts_module
from cdp_snapchat.simulator import Options, SnapchatSimulator
from cdp_snapchat.simulator.facts import BEHAVIOURS, Evidence


def service_routes() -> set[str]:
    return {name for name in SnapchatSimulator().app.routes.names if not name.startswith("control ")}


def test_every_route_has_its_facts_and_every_fact_its_routes() -> None:
    named = {route for one in BEHAVIOURS for route in one.routes}
    assert named == service_routes()
    assert all(one.evidence in get_args(Evidence) and one.does and one.fact for one in BEHAVIOURS)


def test_every_option_that_a_fact_names_is_there_and_every_choice_is_named() -> None:
    names = {field.name for field in fields(Options)}
    told = {one.option for one in BEHAVIOURS} - {""}
    # Not behaviour of the service: who the app is, how fast this machine answers, and chance.
    outside = {"client_id", "client_secret", "latency", "seed", "new_audience_status"}
    assert told == names - outside


def test_the_simulator_imports_no_client_and_of_the_core_only_the_kit() -> None:
    folder = Path(facts_module.__file__).parent
    imported = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    ours = {name for name in imported if name.startswith("cdp_")}
    assert {name for name in ours if not name.startswith("cdp_snapchat.simulator.")} == {"cdp_core.simulate"}
