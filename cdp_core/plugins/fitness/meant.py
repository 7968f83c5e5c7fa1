"""Which plugins are meant: those of a distribution, or the one of an entry point's name; and their files."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from packaging.utils import canonicalize_name

from cdp_core.errors import Code, InvalidFault
from cdp_core.plugins.manager import OWN_DISTRIBUTION, points_of_plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """A distribution, and its entry points to look at, each with whether it is one that guards access."""

    found: Distribution
    points: tuple[tuple[EntryPoint, bool], ...]

    @property
    def is_own(self) -> bool:
        """Whether it is the core's own, whose plugins have its version."""
        return canonicalize_name(self.found.name) == OWN_DISTRIBUTION


def meant(package: str) -> Meant:
    """Raises `InvalidFault` where nothing of that name is installed, or several things are."""
    points = points_of_plugins()
    try:
        found = distribution(package)
    except (PackageNotFoundError, ValueError):
        return _of_plugin(package, points)
    its = [each for each in points if _brings(each[0], canonicalize_name(found.name))]
    if not its and any(point.name == package for point, _guards in points):
        # A distribution of the plugin's name that has nothing to do with it.
        return _of_plugin(package, points)
    return Meant(found=found, points=tuple(its))


def _of_plugin(name: str, points: Sequence[tuple[EntryPoint, bool]]) -> Meant:
    named = [each for each in points if each[0].name == name]
    bringers = {each[0].dist.name: each[0].dist for each in named if each[0].dist is not None}
    if len(bringers) > 1:
        raise InvalidFault(
            Code.PLUGIN_UNKNOWN,
            f"several distributions bring a plugin {name!r}: {', '.join(sorted(bringers))}",
            hint="name the distribution",
        )
    if not bringers:
        raise _unknown(name, points)
    (found,) = bringers.values()
    return Meant(found=found, points=tuple(named))


def _unknown(name: str, points: Sequence[tuple[EntryPoint, bool]]) -> InvalidFault:
    if name and ("/" in name or "\\" in name or name.endswith(".whl") or os.path.isdir(name)):  # noqa: PTH112 (a name may be too long for a path)
        return InvalidFault(
            Code.PLUGIN_UNKNOWN,
            f"{name!r} is a file or folder; only what is installed is looked at",
            hint=f"pip install {'' if name.endswith('.whl') else '-e '}{name}, then give its name",
        )
    known = {point.name for point, _guards in points}
    known |= {point.dist.name for point, _guards in points if point.dist is not None}
    near = difflib.get_close_matches(name, sorted(known), n=3)
    return InvalidFault(
        Code.PLUGIN_UNKNOWN,
        f"no distribution and no plugin {name!r} is installed",
        hint=f"did you mean {' or '.join(near)}?"
        if near
        else "your own is installed by pip install --editable . in its project's folder; "
        f"installed: {', '.join(sorted(known))}",
    )


def _brings(point: EntryPoint, name: str) -> bool:
    return point.dist is not None and canonicalize_name(point.dist.name) == name


def package_of(point: EntryPoint) -> Path | None:
    """The folder of an entry point's package, or the file of its module; nothing is imported for it."""
    top, *below = point.module.split(".")
    try:
        spec = find_spec(top)
    except ValueError:
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations is None:
        return Path(spec.origin) if spec.origin else None
    found = (_with_code(Path(place), below) for place in spec.submodule_search_locations)
    return next(filter(None, found), None)


def _with_code(folder: Path, below: Sequence[str]) -> Path | None:
    """Of a namespace, which others may share, the package or module in it that the names below lead to."""
    if (folder / "__init__.py").is_file():
        return folder
    if not below:
        return None
    module = folder / f"{below[0]}.py"
    return module if module.is_file() else _with_code(folder / below[0], below[1:])


def sources_of(what: Meant) -> Iterator[tuple[str, Path]]:
    """The Python files of the plugins' packages and, but for the core's own, whatever else the distribution
    has installed; each once, by the name under which it lies in its own folder."""
    seen: set[Path] = set()
    roots = [root for point, _guards in what.points if (root := package_of(point)) is not None]
    for root in dict.fromkeys(roots):
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path.relative_to(root.parent).as_posix(), path
    for listed in () if what.is_own else what.found.files or ():
        path = Path(str(listed.locate()))
        if path.suffix == ".py" and path.is_file() and path.resolve() not in seen:
            seen.add(path.resolve())
            yield listed.as_posix(), path
