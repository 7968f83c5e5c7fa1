"""Writes a project into a folder: aside first, and renamed when it is whole, so that no half is ever left."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cdp_core.errors import Code, InvalidFault


def require_free(folder: Path) -> None:
    """Raises `InvalidFault` where something of that name is there, or the folder around it is not."""
    if not folder.parent.is_dir():
        raise InvalidFault(
            Code.NOT_FOUND,
            "there is no such folder",
            where=str(folder.parent),
            hint="make it, or name another with --output",
        )
    if os.path.lexists(folder):
        raise InvalidFault(
            Code.NAME_TAKEN,
            f"there is something named {folder.name} already, and nothing is written over it",
            where=str(folder.absolute()),
            hint="move it away, choose another name, or name another folder with --output",
        )


def write(files: Mapping[str, str], folder: Path) -> None:
    """The files, by their paths in `folder`, which must not be there yet. Raises `InvalidFault`."""
    require_free(folder)
    try:
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as fault:
        raise _unwritable(folder.parent, fault) from None
    try:
        made = aside / folder.name
        for path, text in files.items():
            place = made / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8", newline="\n")
        require_free(folder)
        made.rename(folder)
    except OSError as fault:
        require_free(folder)  # somebody else may have been quicker by a moment
        raise _unwritable(folder.parent, fault) from None
    finally:
        # Also where somebody presses Ctrl-C.
        shutil.rmtree(aside, ignore_errors=True)


def _unwritable(folder: Path, fault: OSError) -> InvalidFault:
    return InvalidFault(
        Code.DISK_FULL,
        f"the project cannot be written: {fault.strerror or type(fault).__name__}",
        where=str(folder.absolute()),
        hint="name a folder that you may write to with --output",
    )
