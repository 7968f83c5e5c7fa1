"""Commands, options, codes, hooks and files are as they were promised (`docs/reference/stability.md`)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import promises
from cdp_core.errors import Code

Promised = dict[str, Any]

RELEASED: Promised = {
    "named": {
        "code CDP-301": "WORKSPACE_MISSING",
        "command cdp go": "",
        "parameter cdp go --fast": "takes nothing",
        "hook cdp_roles": "gives Sequence[Role]",
        "hands cdp_roles locale": "str",
        "name cdp_core.Batch": "",
        "argument cdp_core.Batch kind": "required, by name",
    },
    "schemas": {"cdp.toml": {"properties": {"vault": {"type": "string"}}}},
}


def test_nothing_that_was_promised_is_gone_and_what_is_new_is_recorded() -> None:
    # In a process of its own: what plugins of other tests add to the commands is not promised.
    script = Path(promises.__file__)
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_two_faults_have_one_number() -> None:
    assert len({code.number for code in Code}) == len(Code)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("code CDP-301", None, "code CDP-301 is gone"),
        ("code CDP-301", "OTHER", "code CDP-301 was 'WORKSPACE_MISSING' and is 'OTHER'"),
        ("command cdp go", None, "command cdp go is gone"),
        ("parameter cdp go --fast", "takes a value", "parameter cdp go --fast was 'takes nothing' and is "),
        ("parameter cdp go --way", "required, takes a value", "parameter cdp go --way is new, and required"),
        ("name cdp_core.Batch", None, "name cdp_core.Batch is gone"),
        ("argument cdp_core.Batch kind", None, "argument cdp_core.Batch kind is gone"),
        ("argument cdp_core.Batch size", "required", "argument cdp_core.Batch size is new, and required"),
        ("method cdp_core.Batch.cut", "required, to be written", "method cdp_core.Batch.cut is new, and req"),
        ("hook cdp_roles", "gives Mapping[str, Role]", "hook cdp_roles was 'gives Sequence[Role]' and is "),
        ("hands cdp_roles locale", None, "hands cdp_roles locale is gone"),
    ],
)
def test_what_breaks_somebody_is_told(name: str, value: str | None, said: str) -> None:
    (found,) = promises.gone(RELEASED, with_named(name, value))
    assert found.startswith(said)


def with_named(name: str, value: str | None) -> Promised:
    kept = {**RELEASED["named"], name: value}
    return {**RELEASED, "named": {each: what for each, what in kept.items() if what is not None}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code CDP-302", "WORKSPACE_EXISTS"),
        ("parameter cdp go --slow", "takes nothing"),
        ("parameter cdp stop NAME", "required, takes a value"),
        ("hands cdp_roles workspace", "str"),
        ("argument cdp_core.Batch rows", "optional, by name"),
        ("method cdp_core.Batch.cut", ""),
        ("argument cdp_core.Rate number", "required"),
    ],
)
def test_what_comes_breaks_nobody_and_is_to_be_recorded(name: str, value: str) -> None:
    now = with_named(name, value)
    assert promises.gone(RELEASED, now) == []
    assert promises.come(RELEASED, now) == [f"{name} is new"]


@pytest.mark.parametrize("eased", ["optional, by name", "required", "optional"])
def test_what_asks_for_less_breaks_nobody(eased: str) -> None:
    now = with_named("argument cdp_core.Batch kind", eased)
    assert promises.gone(RELEASED, now) == []
    (said,) = promises.come(RELEASED, now)
    assert said.endswith(f"is {eased!r}")
    assert promises.gone(now, RELEASED) != []


def test_a_file_that_people_write_is_taken_as_it_was() -> None:
    now = {**RELEASED, "schemas": {"cdp.toml": {"properties": {"group": {"type": "string"}}}}}
    assert promises.gone(RELEASED, now) == ["cdp.toml: vault is gone"]
    assert promises.come(RELEASED, now) == ["cdp.toml: group is new"]


def test_a_code_that_went_is_never_used_again() -> None:
    after = promises.recorded(RELEASED, with_named("code CDP-301", None))
    assert after["retired"] == {"code CDP-301": "WORKSPACE_MISSING"}
    again = with_named("code CDP-301", "SOMETHING_ELSE")
    assert promises.gone(after, again) == [
        "code CDP-301 was 'WORKSPACE_MISSING' once, and means something else now"
    ]
