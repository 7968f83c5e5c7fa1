"""A folder of files as an audience: what was added and removed, or, when a run empties it first, the whole.

A run has a folder of its own, each batch is one whole file in it, and the manifest comes last: what has no
manifest yet is not finished. A note of every run that has begun lies aside until then, so that the next run
finds what a killed one has left, and writes down what is there.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from cdp_core import (
    Audience,
    Batch,
    ConnectionContext,
    Destination,
    DestinationContext,
    NewAudience,
    Receipt,
    ServiceFailed,
    ServiceIdentity,
)
from cdp_files.connections import origin
from cdp_files.encoding import encoded, ending
from cdp_files.places import (
    LATEST,
    LATEST_ROWS,
    MANIFEST,
    OPEN,
    OPEN_ROWS,
    file_name,
    is_newer,
    note_name,
    read_name,
    run_folder,
)
from cdp_files.storage import Storage

FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a run, as its manifest names it."""

    name: str
    operation: str
    kind: str
    rows: int
    bytes: int
    sha256: str


class FilesAudience(Destination):
    """One folder, by its name in the export's settings. What it remembers of a run is what it has written."""

    OPEN = OPEN
    LATEST = LATEST

    def __init__(self, context: DestinationContext) -> None:
        self._storage = Storage(context.connection.settings)
        self._origin = origin(context.connection.settings)
        self._settings = context.settings
        self._folder = str(context.settings.get("folder", ""))
        self._run = context.delivering
        self._written: dict[str, File] = {}
        self._contents = "changes"
        self._begun = ""
        self._guard = threading.Lock()

    def verify(self) -> Audience:
        """A probe is written, read and removed: what is lacking is told before anything is prepared."""
        self._storage.probe()
        return self.audience_status()

    def audiences(self) -> Iterator[Audience]:
        raise NotImplementedError("the plugin declares that it lists no audiences")

    def create_audience(self, request: NewAudience) -> Audience:
        raise NotImplementedError("the plugin declares that it makes no audiences")

    def deliver(self, batch: Batch) -> Receipt:
        format_, compression = self._settings["format"], self._settings["compression"]
        content = encoded(
            batch,
            format_=format_,
            compression=compression,
            delimiter=self._settings["delimiter"],
            escape_formulas=self._settings.get("escape_formulas", True),
        )
        of_digests = hashlib.sha256(batch.digests.bytes).hexdigest()
        rows, operation = len(batch.digests), str(batch.operation)
        name = file_name(operation, batch.kind, rows, of_digests, ending(format_, compression))
        self._begin()
        self._storage.write(f"{self._folder}/{self._place}/{name}", content)
        with self._guard:
            self._written[name] = _described(name, operation, batch.kind, rows, content)
        return Receipt(accepted=True, request_id=f"{self._place}/{name}")

    def remove_all(self) -> Receipt:
        """From here on the run's files are the whole: removals that were written before say nothing more."""
        with self._guard:
            self._contents = "full"
            before = list(self._written)
        self._begin()
        for name in before:
            self._storage.remove(f"{self._folder}/{self._place}/{name}")
            # One by one: where it fails in between, the next try goes on with the others.
            with self._guard:
                self._written.pop(name, None)
        return Receipt(accepted=True, request_id=self._place)

    def finish(self, *, whole: bool) -> None:
        """Write the manifests of what earlier runs have left, then this run's own. What a later run has
        open is its own to finish: it may have taken over from this one."""
        for note in self._storage.names(f"{self._folder}/{self.OPEN}"):
            if note == self._note or is_newer(note, self._note):
                continue
            if note.endswith(".part"):
                # Killed before the note was whole: what the run had written, an earlier note tells.
                self._storage.remove(f"{self._folder}/{self.OPEN}/{note}")
            else:
                self._finish_left(f"{self._folder}/{self.OPEN}/{note}")
        if self._begun:
            about = self._about(self._contents)
            self._publish(about, self._written.values(), complete=whole)
            self._storage.remove(f"{self._folder}/{self.OPEN}/{self._note}")

    def audience_status(self) -> Audience:
        return Audience(id=self._folder, name=self._folder, origin=self._origin)

    @property
    def _place(self) -> str:
        """The run's folder, below the audience's."""
        if self._run is None:
            raise ValueError("only a run writes files")
        return run_folder(self._settings["dated_path"], self._run)

    @property
    def _note(self) -> str:
        return note_name(self._place)

    def _begin(self) -> None:
        """Before the first file, and when the run turns out to write the whole: say so aside."""
        with self._guard:
            if self._begun != self._contents:
                content = _json(self._about(self._contents))
                self._storage.write(f"{self._folder}/{self.OPEN}/{self._note}", content)
                self._begun = self._contents

    def _about(self, contents: str) -> dict[str, Any]:
        if self._run is None:
            raise ValueError("only a run writes files")
        return {
            "form": FORM,
            "export": self._run.export,
            "run": self._run.run_id,
            "started_at": self._run.started_at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "contents": contents,
            "folder": self._place,
        }

    def _finish_left(self, note: str) -> None:
        """Of a run that died: changes count as far as they came; a whole that is not whole says so."""
        about = _about_left(self._storage.read(note))
        if about is None:
            raise ServiceFailed(
                f"the note {note} of an earlier run is not one of ours: look at it, and remove it"
            )
        folder = f"{self._folder}/{about['folder']}"
        names = self._storage.names(folder)
        for name in names:
            if name.endswith(".part"):
                self._storage.remove(f"{folder}/{name}")
        if MANIFEST not in names:
            files = [file for name in names if (file := self._found(folder, name))]
            self._publish(about, files, complete=False)
        self._storage.remove(note)

    def _found(self, folder: str, name: str) -> File | None:
        read = read_name(name)
        if read is None:
            return None
        return _described(name, *read, self._storage.read(f"{folder}/{name}"))

    def _publish(self, about: dict[str, Any], files: Iterable[File], *, complete: bool) -> None:
        listed = sorted(files, key=lambda file: file.name)
        rows: Counter[tuple[str, str]] = Counter()
        for file in listed:
            rows[file.operation, file.kind] += file.rows
        manifest = _json(
            {
                **about,
                "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "complete": complete,
                "rows": [
                    {"operation": operation, "kind": kind, "rows": count}
                    for (operation, kind), count in sorted(rows.items())
                ],
                "files": [asdict(file) for file in listed],
            }
        )
        path = f"{about['folder']}/{MANIFEST}"
        self._storage.write(f"{self._folder}/{path}", manifest)
        if about["contents"] == "changes" or complete:
            pointer = {"manifest": path, "sha256": hashlib.sha256(manifest).hexdigest()}
            self._storage.write(f"{self._folder}/{self.LATEST}", _json(pointer))


class RowsAudience(FilesAudience):
    """The same with whole rows in the files."""

    OPEN = OPEN_ROWS
    LATEST = LATEST_ROWS


def who_am_i(connection: ConnectionContext) -> ServiceIdentity:
    """A probe is written, read and removed."""
    Storage(connection.settings).probe()
    return ServiceIdentity(
        name=origin(connection.settings), details={"probe": "a file was written, read and removed"}
    )


def _described(name: str, operation: str, kind: str, rows: int, content: bytes) -> File:
    digest = hashlib.sha256(content).hexdigest()
    return File(name=name, operation=operation, kind=kind, rows=rows, bytes=len(content), sha256=digest)


def _about_left(note: bytes) -> dict[str, Any] | None:
    """What an earlier run wrote aside; None where it is not that, or would lead elsewhere."""
    try:
        about = json.loads(note)
    except (ValueError, RecursionError):
        return None
    if not isinstance(about, dict) or about.get("contents") not in ("changes", "full"):
        return None
    folder = about.get("folder")
    if not isinstance(folder, str) or any(part in ("", ".", "..") for part in folder.split("/")):
        return None
    return about


def _json(document: Any) -> bytes:
    return json.dumps(document, indent=2).encode() + b"\n"
