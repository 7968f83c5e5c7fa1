"""Fuzzing: a check that is asked about made-up things until its time is up.

In the ordinary tests each check gets a hundred examples; under `make fuzz` it goes on for
`CDP_FUZZ_SECONDS`, with others each time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECONDS = float(os.environ.get("CDP_FUZZ_SECONDS", "0"))
EXAMPLES = 500 if SECONDS else 100

Check = Callable[..., None]


def fuzzed(*made: st.SearchStrategy[Any], slow: bool = False) -> Callable[[Check], Callable[[], None]]:
    """Makes a test of a check, which takes one of each of the things that are `made`; of a `slow` one it asks
    a fifth as often."""

    def over(check: Check) -> Callable[[], None]:
        asked = settings(
            max_examples=EXAMPLES // 5 if slow else EXAMPLES,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )(given(*made)(check))

        def test() -> None:
            ends = time.monotonic() + SECONDS
            asked()
            while time.monotonic() < ends:
                asked()

        test.__name__, test.__doc__, test.__module__ = check.__name__, check.__doc__, check.__module__
        return test

    return over


# What parsers stumble over: quotes, brackets, escapes, other digits, marks that reverse writing.
_ODD_WORDS = (
    "' \" ` \\ ( ) [ ] { } < > ; -- /* */ # $ $$ ${env:HOME} %2e%2e %00 .. ../ / // @ : :: = == , | -1 1e999 "
    "nan null \0 \x1b[2J \x9b \u202e \ufeff \u0663 \u00e9 \U0001f600 \udcff \u0130"
)
_ODD = st.sampled_from([*_ODD_WORDS.split(" "), "", " ", "\n", "\r\n", "\t", "\u2028", "9" * 5000])


@st.composite
def texts(draw: st.DrawFn, *seeds: str) -> str:
    """Any text, or one of the seeds with pieces taken out, doubled and put in."""
    if not seeds or draw(st.integers(0, 9)) == 0:
        return draw(st.text(max_size=60))
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(text)))
        end = draw(st.integers(at, min(len(text), at + 12)))
        put = draw(st.one_of(_ODD, st.just(text[at:end] * 2), st.text(max_size=3)))
        text = text[:at] + put + text[end:]
    return text


@st.composite
def bytes_like(draw: st.DrawFn, *seeds: bytes) -> bytes:
    """One of the seeds with bytes changed, cut and put in, or anything."""
    content = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(content)))
        end = draw(st.integers(at, min(len(content), at + draw(st.sampled_from([0, 1, 8, 1 << 20])))))
        content[at:end] = draw(st.binary(max_size=8))
    return bytes(content)


def documents(leaves: Sequence[Any] = ()) -> st.SearchStrategy[Any]:
    """Anything that JSON can say, with some of these among it."""
    known = st.sampled_from([*leaves, 0])
    plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _ODD, known, st.text(max_size=8))
    names = st.one_of(st.text(max_size=4), st.sampled_from([str(leaf) for leaf in leaves] or ["a"]))
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    )
