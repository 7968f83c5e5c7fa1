"""A YAML file as plain texts, lists and mappings, with the line of each.

Every scalar is a text, or None where nothing or `null` stands: `NO` is a country and `02:00` a time here, and
what is a number is said by the field that it is for. No tag is followed, and so no object made; a file is
bounded in its size, in its depth, and in what its aliases unfold to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cdp_core.errors import Code, InvalidFault

MOST_BYTES = 2**20
MOST_NODES = 50_000
DEEPEST = 20
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """What a file says. `lines` are those of keys and of items in lists, by the way that leads there."""

    file: str
    value: Mapping[str, Any]
    lines: Mapping[Path_, int] = field(default_factory=dict)
    content: bytes = b""

    def line(self, path: Path_) -> int:
        """The line of that place, or of the nearest one around it that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def where(self, path: Path_) -> str:
        """`cdp.yaml:12: exports > Loyal > gates`"""
        way = " > ".join(map(str, path))
        return f"{self.file}:{self.line(path)}" + (f": {way}" if way else "")


def contents(file: str | Path) -> bytes:
    """The bytes of a file of a bearable size."""
    try:
        with Path(file).open("rb") as opened:
            found = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidFault(
            Code.CONFIG_UNREADABLE,
            f"the file cannot be read: {(error.strerror or type(error).__name__).lower()}",
            where=str(file),
            hint="cdp config export > cdp.yaml writes one",
        ) from None
    return found


def read(content: bytes, file: str) -> Marked:
    """Raises `InvalidFault`, with the file and the line, where it is no YAML that can be taken."""
    if len(content) > MOST_BYTES:
        raise _unreadable(file, f"the file is longer than {MOST_BYTES:,} bytes", hint="no configuration is")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _unreadable(f"{file}:{line}", "the file is not a UTF-8 text", hint="save it as UTF-8") from None
    try:
        _look_through(text, file)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise _unreadable(
            f"{file}:{line}", "there is a character that YAML does not know", hint="take it out"
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}:{mark.line + 1}" if mark else file
        hint = "compare the line, and the one before, with what cdp config export writes"
        raise _unreadable(place, f"that is no YAML: {error.problem or error.context}", hint=hint) from None
    if root is None:
        return Marked(file, {}, content=content)
    reader = _Reader(file)
    value = reader.value(root, (), _line(root))
    if not isinstance(value, Mapping):
        raise _unreadable(
            f"{file}:{_line(root)}",
            "the file holds no mapping",
            hint="it begins with `version: 1`; cdp config export shows one",
        )
    return Marked(file, value, reader.lines, content)


def _look_through(text: str, file: str) -> None:
    """Whatever is refused by its looks, before anything is built of it."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = _line(event)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise _too_deep(file, line)
        if getattr(event, "tag", None) is not None:
            raise _unreadable(
                f"{file}:{line}",
                "a tag (!…) stands there: none is read",
                hint="leave it out; put a text into quotes",
            )


class _Reader:
    def __init__(self, file: str) -> None:
        self.lines: dict[Path_, int] = {}
        self._file = file
        self._nodes = 0

    def value(self, node: yaml.Node, path: Path_, line: int) -> Any:
        """`line` is where the file comes to the node: an alias stands below what it is for."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise _unreadable(
                f"{self._file}:{line}",
                f"with its aliases unfolded the file holds more than {MOST_NODES:,} values",
                hint="write it without aliases (*…)",
            )
        if len(path) > DEEPEST:
            raise _too_deep(self._file, line)
        self.lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode):
            return {
                key: self.value(inner, (*path, key), max(line, at)) for key, inner, at in self._pairs(node)
            }
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(inner, (*path, place), max(line, _line(inner)))
                for place, inner in enumerate(node.value)
            ]
        is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
        return None if is_plain and node.value in _NOTHING else node.value

    def _pairs(self, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node, int]]:
        """Key, value and line; raises where a key is no text, or stands there twice."""
        seen: dict[str, int] = {}
        for key, inner in node.value:
            line = _line(key)
            if not isinstance(key, yaml.ScalarNode):
                raise _unreadable(f"{self._file}:{line}", "a key must be a text", hint="take it out")
            if key.value == "<<" and key.style is None:
                raise _unreadable(
                    f"{self._file}:{line}",
                    "mappings are not merged (<<) here",
                    hint="write the fields out; an alias (*…) may stand for a whole value",
                )
            if key.value in seen:
                raise _unreadable(
                    f"{self._file}:{line}",
                    f"{key.value!r} stands here twice: in line {seen[key.value]}, too",
                    hint="leave one of them out",
                )
            seen[key.value] = line
            yield key.value, inner, line


def _line(what: yaml.Event | yaml.Node) -> int:
    return what.start_mark.line + 1 if what.start_mark else 1


def _too_deep(file: str, line: int) -> InvalidFault:
    return _unreadable(
        f"{file}:{line}",
        f"the file is nested more than {DEEPEST} deep, or an alias stands within what it is for",
        hint="cdp config export shows how it is written",
    )


def _unreadable(where: str, message: str, *, hint: str) -> InvalidFault:
    return InvalidFault(Code.CONFIG_UNREADABLE, message, where=where, hint=hint)
