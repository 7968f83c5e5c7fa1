"""Every tutorial is typed as it stands, and what it shows is what comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutorials import Block, PageFault, Typed, blocks_of, is_as_shown, stands_in, type_page

TESTS = Path(__file__).parents[1]
TUTORIALS = sorted((TESTS.parents[1] / "docs/tutorial").glob("*.md"))


def typed_elsewhere(path: Path) -> list[Path]:
    """Tests that type a page in surroundings of its own, an environment that it installs into, say."""
    tests = (test for test in TESTS.rglob("test_*.py") if test != Path(__file__))
    return [test for test in tests if f"tutorial/{path.name}" in test.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_every_block_runs_as_written_and_shows_what_comes(path: Path, tmp_path: Path) -> None:
    """A page that no other test types is typed here, so that a new one is typed from its first day."""
    if others := typed_elsewhere(path):
        assert any("is_as_shown" in other.read_text(encoding="utf-8") for other in others)
        return
    typed = type_page(path.read_text(encoding="utf-8"), tmp_path / "tutorial", seconds=290)
    assert len(typed) > 5
    for each in typed:
        assert is_as_shown(each), f"{each.block.body}\n{each.came}"


def test_the_first_tutorial_is_typed_here() -> None:
    assert [path.stem for path in TUTORIALS if not typed_elsewhere(path)] == ["first-export"]


def page(*blocks: tuple[str, str]) -> str:
    return "\n\nWords.\n\n".join(f"```{language}\n{body}\n```" for language, body in blocks)


def test_a_block_that_fails_is_told_with_its_output(tmp_path: Path) -> None:
    with pytest.raises(PageFault, match=r"(?s)ls nonesuch.*nonesuch"):
        type_page(page(("sh", "true"), ("sh", "ls nonesuch"), ("sh", "true")), tmp_path / "t", seconds=60)


def test_code_that_stands_in_no_file_is_a_fault(tmp_path: Path) -> None:
    made = ("sh", "printf 'a = 1\\nb = 2\\nc = 3\\n' > made.py")
    type_page(page(made, ("python", "a = 1\n# …\nc = 3")), tmp_path / "right", seconds=60)
    with pytest.raises(PageFault, match=r"(?s)b = 3.*no file here"):
        type_page(page(made, ("python", "b = 3")), tmp_path / "wrong", seconds=60)


@pytest.mark.parametrize("language", ["", "{code-block} python"])
def test_a_block_that_nothing_checks_is_a_fault(language: str) -> None:
    with pytest.raises(PageFault, match="without a language"):
        blocks_of(page((language, "anything")))


def test_what_comes_stands_right_after_what_is_typed() -> None:
    assert blocks_of("```sh\nls\n```\n\n```text\na\n```\n") == [Block("sh", "ls\n", "a\n")]
    with pytest.raises(PageFault, match="right before"):
        blocks_of(page(("sh", "ls"), ("text", "a")))


def test_an_ellipsis_stands_for_what_differs() -> None:
    block = Block("sh", "ls\n", "Run … ended\n…\nSums\n")
    assert is_as_shown(Typed(block, "Run 7 ended\nin 3 s\nSums\n"))
    assert not is_as_shown(Typed(block, "Run 7 ended\nin 3 s\n"))


def test_a_file_is_looked_for_below_the_folder(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/made.toml").write_text("[a]\nb = 1\n")
    assert stands_in("[a]\nb = 1\n", tmp_path)
    assert not stands_in("[a]\nb = 2\n", tmp_path)
