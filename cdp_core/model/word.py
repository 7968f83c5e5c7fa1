"""Words that a program may stand on, each with what it means: the reference pages are made of them."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """The value is the word alone; `meaning` is for people."""

    meaning: str

    def __new__(cls, word: str, meaning: str = "") -> Self:
        made = str.__new__(cls, word)
        made._value_ = word
        made.meaning = meaning
        return made
