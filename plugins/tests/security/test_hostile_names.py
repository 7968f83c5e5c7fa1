"""Names that would lead elsewhere: they are kept and shown as names, and no path is made of any of them."""

from __future__ import annotations

from pathlib import Path

from main_job import AUDIENCE, Job

OUT = "../../../escaped"


def lying_in(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*")}


def test_no_name_becomes_a_path(job: Job) -> None:
    home = job.cdp.folder.parent
    job.cdp("segment", "add", OUT, "--where", "lifetime_value > 500", "--static")
    job.cdp(
        *("export", "add", f"/etc/{OUT}", "--connection", "Snapchat EU", "--segment", OUT),
        *("--set", f"audience_id={AUDIENCE}", "--match", "EMAIL=email"),
    )
    job.cdp("export", "run", f"/etc/{OUT}")
    job.cdp("workspace", "backup", "it.backup")
    for words in (
        ("export", "run", f"/etc/{OUT}", "--plan", OUT),
        ("export", "show-run", OUT),
        ("export", "rejected", OUT, "--output", "r.csv"),
        ("export", "approve", OUT, "--yes"),
    ):
        job.cdp(*words, status=3)
    # Outside of the folder that one stands in there is nothing new, and nothing inside has such a name.
    assert not [each for each in lying_in(home) if "escaped" in each or each.startswith("etc")]
    assert not (Path("/etc") / "escaped").exists()
