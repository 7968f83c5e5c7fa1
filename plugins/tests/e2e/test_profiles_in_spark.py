"""The main job over profiles that Spark reads, beside DuckDB; and what is said where it cannot read them."""

from __future__ import annotations

import re

import pytest

from cdp_snapchat.simulator import SnapchatSimulator
from main_job import Cdp, Job, customers, digest, job_in, wanted
from spark_session import MASTER, SHORT_LIVED, require_spark

NAME = "Loyal to Snapchat"


@pytest.fixture
def with_spark(cdp: Cdp) -> Cdp:
    require_spark()
    cdp.environ["JDK_JAVA_OPTIONS"] = SHORT_LIVED
    return cdp


@pytest.fixture
def job(with_spark: Cdp, simulator: SnapchatSimulator) -> Job:
    return job_in(with_spark, simulator)


def init(cdp: Cdp, *words: str, status: int = 0) -> str:
    done = cdp("init", *words, "--key", "customer_id", status=status)
    return done.stdout + done.stderr


def read_by(job: Job, url: str) -> None:
    """Have the workspace's profiles read from there from now on."""
    settings = job.cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(re.sub(r"(?m)^url = .*$", f"url = '{url}'", settings.read_text(), count=1))


def test_an_audience_that_spark_makes_is_duckdbs_and_follows_the_table(job: Job) -> None:
    odd = [("x", "\u0130nci@Example.org", 900), ("y", "n/a", 900), ("z", None, 900)]
    job.write([*customers(range(1000)), *customers(range(1000, 1200), value=10), *odd])
    by_spark = f"spark://{MASTER}#parquet.`{job.profiles}`"
    read_by(job, by_spark)
    sent = job.cdp.json("export", "run", NAME)["kinds"]["EMAIL"]
    assert job.members() == wanted(range(1000)) | {digest("\u0130nci@Example.org")}

    read_by(job, str(job.profiles))
    planned = job.cdp.json("export", "plan", NAME)["kinds"]["EMAIL"]
    assert (planned["unchanged"], planned["added"], planned["removed"]) == (sent["added"], 0, 0)
    for counted in ("read", "missing", "placeholder", "malformed", "duplicate"):
        assert planned[counted] == sent[counted], counted

    read_by(job, by_spark)
    job.write([*customers(range(1, 1000)), ("new", "\u00c5sa@Example.org", 900)])
    job.cdp("export", "run", NAME)
    assert job.members() == wanted(range(1, 1000)) | {digest("\u00e5sa@example.org")}
    kept = [each for each in (job.cdp.folder / ".cdp").rglob("*") if each.is_file()]
    assert not any(b"person1@example.org" in each.read_bytes().lower() for each in kept)
    assert list((job.cdp.folder / ".cdp" / "scratch").iterdir()) == []
    assert sorted(each.name for each in job.cdp.folder.iterdir()) == [".cdp", "profiles.parquet"]


def test_a_workspace_is_made_over_a_table_of_spark_and_its_segments_are_checked(job: Job) -> None:
    init(job.cdp, "other", "--engine", "spark", "--profiles", f"parquet.`{job.profiles}`")
    words = ("--workspace", "other", "segment", "add", "Wrong", "--where")
    wrong = job.cdp(*words, "lifetime_value > 500\nAND lifetime_valu < 9", status=3)
    assert "line 2, column 5" in wrong.stderr
    # Nothing of Spark's or Java's own comes through.
    assert wrong.stderr.startswith("error CDP-306: ")
    assert len(wrong.stderr.splitlines()) == 5


def test_what_spark_cannot_read_is_told_and_nothing_is_left_behind(with_spark: Cdp) -> None:
    missing = init(with_spark, "--engine", "spark", "--profiles", "crm.nothing", status=3)
    assert "Spark has no table 'crm.nothing'" in missing
    no_master = init(with_spark, "--profiles", "spark://127.0.0.1:1#crm.customers", status=9)
    assert "CDP-901: no Spark master answers there" in no_master
    assert list(with_spark.folder.iterdir()) == []


def test_an_engine_that_there_is_not_and_one_that_does_not_read_that_are_told_apart(cdp: Cdp) -> None:
    assert "engines: duckdb, postgres, spark" in init(cdp, "--engine", "sparc", "--profiles", "t", status=3)
    assert "does not read that" in init(cdp, "--engine", "postgres", "--profiles", "t", status=3)
