"""A sentence for people, which keeps what it was made from, so that it can be said in their language.

It is a text in English like any other: compared, joined, logged and written as JSON as such. Only who speaks
to people asks it for its parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

# What may stand in a sentence's braces: several sentences are set apart by commas.
Value = str | int | float | tuple[str, ...]


class Sentence(str):
    """`text` in English, with names in braces for the `values`; `one` is the text where the value called
    `number` is 1. Whole numbers are shown with their thousands apart, others with three digits. A sentence
    that is not the core's own brings itself `in_language`: the text by a language's code (`nl`)."""

    text: str
    one: str
    in_language: Mapping[str, str]
    values: Mapping[str, Value]

    def __new__(
        cls, text: str, /, *, one: str = "", in_language: Mapping[str, str] | None = None, **values: Value
    ) -> Self:
        chosen = one if one and values.get("number") == 1 else text
        made = super().__new__(
            cls, chosen.format(**{name: _english(value) for name, value in values.items()})
        )
        made.text, made.one = text, one
        made.in_language, made.values = dict(in_language or {}), values
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return from_kept, (self.kept(),)

    def kept(self) -> dict[str, Any]:
        """What JSON can hold of it; see `from_kept`."""
        return {
            "text": self.text,
            "one": self.one,
            "in_language": dict(self.in_language),
            "values": {name: _kept(value) for name, value in self.values.items()},
        }


def kept(text: str) -> str | dict[str, Any]:
    """A text, which may be a `Sentence`, as JSON can hold it."""
    return text.kept() if isinstance(text, Sentence) else text


def from_kept(found: str | Mapping[str, Any]) -> str:
    """The inverse of `kept`."""
    if isinstance(found, str):
        return found
    values = {name: _value(value) for name, value in found["values"].items()}
    return Sentence(found["text"], one=found["one"], in_language=found["in_language"], **values)


def _kept(value: Value) -> Any:
    return (
        [kept(each) for each in value]
        if isinstance(value, tuple)
        else kept(value)
        if isinstance(value, str)
        else value
    )


def _value(found: Any) -> Value:
    if isinstance(found, list):
        return tuple(from_kept(each) for each in found)
    return from_kept(found) if isinstance(found, str | Mapping) else found


def _english(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, str):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
