"""Ledger and plans in a folder that a URL names: what is swept there, and when they move meanwhile."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

import pytest

from cdp_core.app.facade import CDP
from cdp_core.errors import Code, TemporaryFault
from main_job import Job, customers, wanted

NAME = "Loyal to Snapchat"
DAY = 24 * 3600


@pytest.fixture
def there(job: Job, tmp_path: Path) -> Path:
    folder = tmp_path / "a share"
    job.cdp("ledger", "move", "--to", f"file://{folder}")
    return folder


def test_what_nobody_names_is_swept_after_a_day(job: Job, there: Path) -> None:
    job.cdp("export", "run", NAME)
    (held,) = (there / "ledger").rglob("*.parquet")
    old, young = (held.with_name(f"EMAIL.base.{uuid.uuid4().hex}.parquet") for _ in range(2))
    stranger = held.with_name("of last year.parquet")
    for path in (old, young, stranger):
        path.write_bytes(b"left by a crash")
    for path in (held, old, stranger):
        os.utime(path, (time.time() - 2 * DAY,) * 2)
    job.write(customers(range(10, 1010)))
    job.cdp("export", "run", NAME)
    assert not old.exists()
    assert held.exists()
    assert young.exists()
    assert stranger.exists()


def test_the_plan_of_a_run_that_died_before_it_was_named_is_swept(job: Job, there: Path) -> None:
    job.killed("cdp_core.store.plans:Plans.record:before:1", "export", "run", NAME)
    (orphan,) = (there / "plans").iterdir()
    job.cdp("export", "run", NAME)
    assert orphan not in {path.parent for path in (there / "plans").rglob("plan.json")}
    assert len(list((there / "plans").rglob("plan.json"))) == 1
    assert job.members() == wanted(range(1000))


def test_a_command_that_began_before_they_moved_is_told(job: Job, there: Path) -> None:
    with CDP.open(job.cdp.folder / ".cdp") as cdp:
        job.cdp("ledger", "move", "--to", "workspace")
        with pytest.raises(TemporaryFault) as moved:
            cdp.exports.plan(NAME)
    assert moved.value.code is Code.LEDGER_MOVED
    job.cdp("export", "run", NAME)


def test_a_local_ledger_loads_nothing_of_it(job: Job) -> None:
    script = job.cdp.folder / "plugin" / "cdp_loaded.py"
    script.parent.mkdir()
    script.write_text(
        "import sys, atexit\n"
        "atexit.register(lambda: print([n for n in sys.modules if n.startswith(('fsspec', 's3fs', "
        "'cdp_core.remote'))], file=sys.stderr))\n"
    )
    (script.parent / "sitecustomize.py").write_text("import cdp_loaded\n")
    done = job.cdp("export", "run", NAME, environ={"PYTHONPATH": str(script.parent)})
    assert done.stderr.strip().endswith("[]")


@pytest.mark.state_in_a_file
def test_another_workspace_that_is_pointed_there_by_hand_takes_nothing_away(job: Job, there: Path) -> None:
    job.cdp("export", "run", NAME)
    before = sorted(there.rglob("*"))
    job.cdp("init", "other", "--profiles", "profiles.parquet", "--key", "customer_id")
    settings = job.cdp.folder / "other" / "cdp.toml"
    settings.write_text(f'{settings.read_text()}\n[ledger]\nurl = "file://{there}"\n')
    for words in (("ledger", "encrypt"), ("doctor",)):
        done = job.cdp("--workspace", "other", *words, status=3)
        assert "CDP-341" in done.stdout + done.stderr
    assert sorted(there.rglob("*")) == before
