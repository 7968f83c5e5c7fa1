"""`docs/how-to/test-a-destination.md` names every rule of the suite of destinations, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from cdp_core.testing import DestinationSuite, HttpDestinationSuite

PAGE = Path(__file__).parents[3] / "docs/how-to/test-a-destination.md"


def rules(suite: type) -> set[str]:
    return {name for name in dir(suite) if name.startswith("test_")}


def test_every_rule_is_on_the_page_and_no_other() -> None:
    everywhere, _, over_http = PAGE.read_text(encoding="utf-8").partition("Over HTTP besides:")
    named = re.compile(r"^\| `(test_\w+)` \|", re.MULTILINE)
    assert set(named.findall(everywhere)) == rules(DestinationSuite)
    assert set(named.findall(over_http)) == rules(HttpDestinationSuite) - rules(DestinationSuite)
