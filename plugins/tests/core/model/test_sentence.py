"""Sentences are English texts that remember what they were made from."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.cli import language
from cdp_core.cli.language import said
from cdp_core.model.sentence import Sentence, from_kept, kept

VALUES = st.one_of(
    st.text(),
    st.integers(),
    st.floats(allow_nan=False),
    st.tuples(st.builds(Sentence, st.just("a wrong path"))),
)


def parts(text: str) -> tuple[object, ...]:
    assert isinstance(text, Sentence)
    return str(text), text.text, text.one, text.in_language, text.values


def test_it_is_its_english_text() -> None:
    made = Sentence("{number} digests, {share} % of {name}", number=12345, share=12.3456, name="{all}")
    assert made == "12,345 digests, 12.3 % of {all}"
    assert json.dumps({"said": made}) == '{"said": "12,345 digests, 12.3 % of {all}"}'


@pytest.mark.parametrize(("number", "told"), [(1, "1 digest"), (0, "0 digests"), (2, "2 digests")])
def test_one_is_said_as_one(number: int, told: str) -> None:
    assert Sentence("{number} digests", one="{number} digest", number=number) == told


@given(number=st.integers(), value=VALUES, one=st.sampled_from(["", "one: {value}"]))
def test_what_is_kept_of_it_comes_back_whole(number: int, value: object, one: str) -> None:
    made = Sentence("of {number}: {value}", one=one, in_language={"nl": "x"}, number=number, value=value)  # type: ignore[arg-type]
    for again in (from_kept(json.loads(json.dumps(kept(made)))), copy.deepcopy(made)):
        assert parts(again) == parts(made)


def test_a_text_that_earlier_versions_kept_is_taken_as_it_is() -> None:
    assert kept("as it was") == from_kept("as it was") == "as it was"


def test_it_is_said_in_the_language_spoken_with_what_stands_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language._Spoken, "language", "nl")
    made = Sentence(
        "{removed} of the {held} members that {who} put into the audience would be taken out: {share} %, and "
        "at most {most} % may be",
        removed=1200,
        held=1500,
        who=Sentence("this export"),
        share=12.34,
        most=10.0,
    )
    assert said(made) == (
        "1.200 van de 1.500 leden die deze export in de doelgroep heeft gezet, zouden eruit worden gehaald: "
        "12,3 %, en hoogstens 10 % mag"
    )
    changes = Sentence(
        "profile fields have changed since the last run: {changes}",
        changes=(
            Sentence("{field} was {before} and is gone", field="a", before="BIGINT"),
            Sentence("{field} was {before} and is {now}", field="b", before="DATE", now="VARCHAR"),
        ),
    )
    assert said(changes).endswith(": a was BIGINT en is verdwenen, b was DATE en is VARCHAR")
    assert said("what a service says") == "what a service says"


def test_a_plugin_brings_its_sentence_in_other_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Sentence("{number} too many", in_language={"da": "{number} for mange"}, number=1000)
    monkeypatch.setattr(language._Spoken, "language", "da")
    assert said(made) == "1.000 for mange"
    monkeypatch.setattr(language._Spoken, "language", "nl")
    assert said(made) == "1.000 too many"
