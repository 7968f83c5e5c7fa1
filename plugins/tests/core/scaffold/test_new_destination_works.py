"""What `cdp new-destination` writes installs, lints, has its types, and passes its tests, at once.

Each kind of project is written by the built wheel, in an environment of its own, and checked by the commands
of its README. The suite of destinations takes a minute of the processor for each of them: under `CI=true` all
of them run all of it; elsewhere the two that differ most do, and the others what the way of signing in and
the payload can change.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
from pathlib import Path

import pytest

from cdp_core.scaffold.project import AUTHS
from fresh_environment import FreshEnvironment, fresh_environment

KINDS = list(itertools.product(AUTHS, (False, True)))
WHOLE = set(KINDS) if os.environ.get("CI") == "true" else {("api-key", False), ("oauth2", True)}
# The project's own tests, and of the suite's: declarations, consent, secrets, sign-in, and whole runs.
ESSENTIAL = (
    "not TestAcme or declares or setting or secret or consent or raw or credentials or follows or changes"
)


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> FreshEnvironment:
    return fresh_environment(tmp_path_factory.mktemp("author"))


def chosen(kind: tuple[str, bool]) -> list[str]:
    return [] if kind in WHOLE else ["-k", ESSENTIAL]


def commands(project: Path) -> list[str]:
    """What the project's README says to type, which is what its CI runs."""
    readme = (project / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^## Check\n\n```sh\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    assert block is not None
    jobs = (project / ".github/workflows/checks.yml").read_text(encoding="utf-8")
    typed = block[1].splitlines()
    assert re.findall(r"- run: (.*)", jobs) == typed
    return typed


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[0]}{'-records' if kind[1] else ''}")
def test_a_project_works_as_it_is_written(
    kind: tuple[str, bool], author: FreshEnvironment, tmp_path: Path
) -> None:
    auth, records = kind
    name = f"acme-{auth}{'-rows' if records else ''}"
    written = author.run(
        *("cdp", "new-destination", name, "--auth", auth, "--json"),
        *(["--records"] if records else []),
        cwd=tmp_path,
    )
    project = Path(json.loads(written)["folder"])
    assert project == tmp_path / f"cdp-{name}"
    more = {
        # What is known of the libraries' types is kept from one project to the next.
        "MYPY_CACHE_DIR": str(author.folder / "types"),
        "PYTEST_ADDOPTS": shlex.join(["-p", "no:xdist", *chosen(kind)]),
    }
    said = {line: author.run(*shlex.split(line), cwd=project, more=more) for line in commands(project)}
    assert re.search(r"\d+ passed", said["pytest"])
    assert not re.search(r"skipped|warning", said["pytest"])
