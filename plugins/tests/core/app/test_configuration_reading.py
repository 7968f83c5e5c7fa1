"""A configuration file is read with its lines, and nothing in it can do harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdp_core.app.configuration.reading import MOST_BYTES, contents, read
from cdp_core.errors import Code, InvalidFault


def refused(text: str | bytes) -> InvalidFault:
    with pytest.raises(InvalidFault) as fault:
        read(text if isinstance(text, bytes) else text.encode(), "cdp.yaml")
    assert fault.value.code is Code.CONFIG_UNREADABLE
    return fault.value


def test_every_scalar_is_the_text_that_stands_there() -> None:
    text = "a: NO\nb: 02:00\nc: 0123\nd: 1e3\ne: true\nf: 2026-11-27\ng:\nh: ~\ni: 'null'\nj: null\n"
    assert read(text.encode(), "f").value == {
        "a": "NO",
        "b": "02:00",
        "c": "0123",
        "d": "1e3",
        "e": "true",
        "f": "2026-11-27",
        "g": None,
        "h": None,
        "i": "null",
        "j": None,
    }


def test_keys_and_items_have_their_lines() -> None:
    marked = read(b"version: 1\n\nexports:\n  One:\n    segments:\n      - A\n      - B\n", "cdp.yaml")
    assert marked.line(("exports", "One")) == 4
    assert marked.line(("exports", "One", "segments", 1)) == 7
    assert marked.where(("exports", "One", "segments")) == "cdp.yaml:5: exports > One > segments"
    # What is not there stands where it would belong.
    assert marked.line(("exports", "One", "mode")) == 4


def test_an_alias_stands_for_a_whole_value_and_has_its_own_line() -> None:
    marked = read(b"a: &x [1, 2]\nb: *x\n", "f")
    assert marked.value == {"a": ["1", "2"], "b": ["1", "2"]}
    assert marked.line(("b",)) == 2


def test_aliases_that_unfold_to_too_much_are_refused_by_line() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    fault = refused("\n".join(lines))
    assert "aliases unfolded" in fault.message
    assert fault.where == "cdp.yaml:5"


def test_an_alias_within_itself_is_refused() -> None:
    assert "within" in refused("a: &a\n  b: *a\n").message


@pytest.mark.parametrize(
    "text", ["[" * 3000, "{a: " * 3000, "- " * 3000, "a:\n" + "".join(" " * n + "b:\n" for n in range(1, 60))]
)
def test_what_is_nested_too_deep_is_refused(text: str) -> None:
    assert "deep" in refused(text).message


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['true']",
        "a: !mine 1",
        "a: !!binary aGVq",
        "!!set {a}",
        "a: !!str 1",
    ],
)
def test_no_tag_is_followed(text: str) -> None:
    fault = refused(text)
    assert "tag" in fault.message
    assert fault.where == "cdp.yaml:1"


def test_a_key_that_stands_there_twice_is_refused_by_line() -> None:
    fault = refused("segments:\n  A: {where: x}\n  B: {where: y}\n  A: {where: z}\n")
    assert fault.where == "cdp.yaml:4"
    assert "line 2" in fault.message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: b: c", 1),
        ("a: 1\n  b: 2", 2),
        ("a: [1, 2", 1),
        ("a: 1\n---\nb: 2", 2),
        ("a: 1\n\tb: 2", 2),
        ("a: *nothing", 1),
        ("base: &b {x: 1}\na:\n  <<: *b\n", 3),
        ("? [a, b]\n: c", 1),
        ("ok: 1\nbad: \x07", 2),
        ("- a\n- b", 1),
        ("just words", 1),
        (b"ok: 1\nbad: \xff\n", 2),
    ],
)
def test_what_is_no_mapping_of_yaml_is_refused_by_line(text: str | bytes, line: int) -> None:
    fault = refused(text)
    assert fault.where == f"cdp.yaml:{line}"
    assert fault.hint


def test_a_file_that_is_too_long_is_not_even_parsed(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_bytes(b"a: " + b"x" * (50 * MOST_BYTES))
    found = contents(file)
    assert len(found) == MOST_BYTES + 1
    assert "longer" in refused(found).message


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidFault, match="no such file"):
        contents(tmp_path / "nothing.yaml")


def test_an_empty_file_says_nothing() -> None:
    assert read(b"# nothing\n", "f").value == {}
