"""How much memory queries may take where nobody says: a share of the machine's, or of its container's.

Select and identify stream and take a fraction of it; a segment's own sorts and joins spill beyond it.
"""

from __future__ import annotations

import os
from pathlib import Path

SHARE = 16
LEAST = 128 << 20
# Where the machine does not say how much it has.
UNTOLD = 256 << 20

_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def share_of_memory(limits: tuple[Path, ...] = _CGROUP_LIMITS) -> int:
    """A sixteenth of the memory there is, in bytes, and at least 128 MiB."""
    told = [size for size in (_machine(), *map(_container, limits)) if size is not None]
    return max(LEAST, min(told) // SHARE) if told else UNTOLD


def _machine() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None


def _container(limit: Path) -> int | None:
    """What a container is held to; None where it is to nothing (`max`), or there is none."""
    try:
        text = limit.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
