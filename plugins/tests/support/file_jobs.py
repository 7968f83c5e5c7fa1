"""Exports to files set up by commands, and what a consumer finds in their folder."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from main_job import KILLER, QUICK, Cdp, customers, write_profiles
from reading_files import in_folder, manifests, members

NAME = "Loyal to files"


@dataclass(frozen=True, slots=True)
class FilesJob:
    """The main job with files in a folder beside the workspace."""

    cdp: Cdp
    folder: Path

    def write(self, rows: Iterable[tuple[str, str | None, int]]) -> None:
        write_profiles(self.cdp.folder / "profiles.parquet", rows)

    def names(self, path: str) -> tuple[str, ...]:
        return in_folder(self.folder)[0](path)

    def read(self, path: str) -> bytes:
        return in_folder(self.folder)[1](path)

    def held(self) -> set[bytes]:
        return members(*in_folder(self.folder), "loyal")

    def manifests(self) -> list[Mapping[str, object]]:
        return [manifest for _, manifest in manifests(*in_folder(self.folder), "loyal")]

    def seen(self) -> list[str]:
        """The files of members that somebody sees who looks into the folders."""
        found = (path.name for path in self.folder.rglob("*") if path.is_file())
        return sorted(name for name in found if name.startswith(("add-", "remove-")))

    def killed(self, step: str, *words: str) -> bool:
        """Type a command whose process is killed at a step (see `cdp_killer`); False where it ends before."""
        process = self.cdp.start(*words, environ={"CDP_TEST_KILL": step, "PYTHONPATH": str(KILLER)})
        said, errors = process.communicate(timeout=60)
        assert process.returncode in (0, -signal.SIGKILL), said + errors
        return process.returncode != 0


def add_files(cdp: Cdp, url: str, *more: str, name: str = NAME, connection: str = "Files") -> None:
    """A connection to a folder and an export over it, 100 rows in a file."""
    cdp("connection", "add", "files", "--name", connection, "--set", f"url={url}", "--agree")
    cdp(
        *("export", "add", name, "--connection", connection, "--set", "folder=loyal"),
        *("--set", "rows_per_file=100", "--set", "format=csv", "--match", "EMAIL=email"),
        *("--segment", "Loyal customers", *more),
    )


def files_job(cdp: Cdp) -> FilesJob:
    """Ready to run over 1,000 loyal customers."""
    made = FilesJob(cdp=cdp, folder=cdp.folder / "exports")
    made.folder.mkdir()
    made.write(customers(range(1000)) + customers(range(1000, 1200), value=10))
    cdp("init", "--profiles", "profiles.parquet", "--key", "customer_id")
    settings = cdp.folder / ".cdp" / "cdp.toml"
    settings.write_text(settings.read_text() + QUICK)
    cdp("segment", "add", "Loyal customers", "--where", "lifetime_value > 500")
    add_files(cdp, made.folder.as_uri())
    return made
