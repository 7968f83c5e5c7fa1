"""Links within the repository's pages lead somewhere, and no page names where packages come from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)]
)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^(`{3,}|:{3,}).*?^\1$", re.DOTALL | re.MULTILINE)
# Spelt so that this file does not name one either.
PACKAGE_HOST = re.compile(r"py(pi|thonhosted)\.[a-z]|simple/?\s*--(extra-)?index-url", re.IGNORECASE)


def anchors(page: Path) -> set[str]:
    """The slugs of a page's headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_holds(page: Path) -> None:
    for found in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target, _, anchor = found["target"].partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        leads_to = (page.parent / target).resolve() if target else page
        assert leads_to.exists(), found[0]
        if anchor:
            assert anchor in anchors(leads_to), found[0]


def test_every_page_of_the_docs_is_reached_from_the_contents() -> None:
    listed = set()
    for page in PAGES:
        for tree in re.findall(r"```\{toctree\}(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            names = [line.strip() for line in tree.splitlines() if line.strip() and line[0] != ":"]
            listed |= {(page.parent / f"{name}.md").resolve() for name in names}
    docs = {page.resolve() for page in PAGES if ROOT / "docs" in page.parents}
    assert docs - listed == {(ROOT / "docs" / "index.md").resolve()}


def test_every_page_of_the_docs_is_linked_from_the_first_one() -> None:
    first = ROOT / "docs" / "index.md"
    linked = {
        (first.parent / found["target"]).resolve()
        for found in LINK.finditer(FENCE.sub("", first.read_text(encoding="utf-8")))
    }
    assert {page.resolve() for page in PAGES if ROOT / "docs" in page.parents} - linked == {first.resolve()}


def test_no_file_names_a_host_of_packages() -> None:
    suffixes = {".py", ".md", ".toml", ".sh", ".yaml", ".yml", ".cfg", ".txt", ""}
    places = ("cdp_core", "plugins", "docs", "examples", "benchmarks", ".ci")
    files = [path for place in places for path in (ROOT / place).rglob("*") if path.suffix in suffixes]
    files += [path for path in ROOT.iterdir() if path.suffix in suffixes]
    for path in files:
        if path.is_file() and not {"_build", ".data", "__pycache__"} & set(path.parts):
            found = PACKAGE_HOST.search(path.read_text(encoding="utf-8", errors="replace"))
            assert found is None, f"{path}: {found}"
