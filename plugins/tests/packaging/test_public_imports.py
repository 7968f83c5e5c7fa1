"""What counts as taking from the core what is not promised; and that our own plugins take nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdp_core.contract.deprecation import NAMES, Deprecation
from cdp_core.plugins.fitness.imports import Use, uses

PLUGINS = Path(__file__).parents[2]


def found(tmp_path: Path, source: str) -> list[Use]:
    path = tmp_path / "plugin.py"
    path.write_text(source)
    return list(uses([("acme/plugin.py", path)]))


@pytest.mark.parametrize(
    "source",
    [
        "import cdp_core\n@cdp_core.hookimpl\ndef cdp_roles(): return [cdp_core.Role]",
        "import cdp_core as cdp\ncdp.Batch",
        "from cdp_core import Batch, Receipt as Answer, simulate",
        "from cdp_core import *",
        "from cdp_core.simulate import App\nfrom cdp_core.testing import StandIn",
        "import cdp_core.simulate\ncdp_core.simulate.App, cdp_core.Batch, cdp_core.__version__",
        "import cdp_core.testing as kit\nkit.StandIn",
        "from .contract import anything\nfrom . import cdp_core",
        "import cdp_corelli\nfrom cdp_corelli.contract import x",
        "import other\nother.cdp_core.contract",
    ],
)
def test_what_is_promised_is_nobodys_fault(tmp_path: Path, source: str) -> None:
    assert found(tmp_path, source) == []


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("import cdp_core.contract", "cdp_core.contract is not public", "only the names of cdp_core, "),
        ("import cdp_core.app.facade as f", "cdp_core.app.facade is not public", "only the names of "),
        ("f = 1; import cdp_core.app as f; f.CDP", "cdp_core.app is not public", "only the names of "),
        ("import cdp_core.nowhere as n; n.It", "cdp_core.nowhere is not public", "only the names of "),
        (
            "from cdp_core.model.run import RunEvent",
            "cdp_core.model.run is not",
            "from cdp_core import RunEvent",
        ),
        ("from cdp_core.model.run import Run", "cdp_core.model.run is not public", "only the names of "),
        ("from cdp_core import contract", "cdp_core.contract is not public", "only the names of "),
        ("from cdp_core import Batches", "cdp_core.Batches is not public", "did you mean cdp_core.Batch?"),
        ("import cdp_core\ncdp_core.Batches", "cdp_core.Batches is not", "did you mean cdp_core.Batch?"),
        ("import cdp_core as c\nc.store.open()", "cdp_core.store is not public", "only the names of "),
        (
            "from cdp_core.simulate.app import App",
            "cdp_core.simulate.app is not public",
            "only the names of ",
        ),
        (
            "from cdp_core.simulate import Apps",
            "cdp_core.simulate.Apps is not",
            "did you mean cdp_core.simulate.App?",
        ),
        (
            "from cdp_core import simulate as s\ns.Apps",
            "cdp_core.simulate.Apps is not public",
            "did you mean ",
        ),
        (
            "import cdp_core\ncdp_core.testing.Stage",
            "cdp_core.testing.Stage is not public",
            "only the names of ",
        ),
        (
            "def f():\n    from cdp_core.testing import Stage",
            "cdp_core.testing.Stage is not public",
            "only the ",
        ),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cdp_core.app.facade import CDP",
            "cdp_core.app.facade is not public",
            "only the names of ",
        ),
        ("def f(:", "cannot be read as Python: ", "mend the file"),
    ],
)
def test_what_is_private_is_found_wherever_it_stands(
    tmp_path: Path, source: str, message: str, hint: str
) -> None:
    (use,) = found(tmp_path, source)
    assert use.message.startswith(message)
    assert use.hint.startswith(hint)
    line = len(source.splitlines())
    assert use.where == ("acme/plugin.py" if hint == "mend the file" else f"acme/plugin.py:{line}")
    assert not use.deprecated


def test_a_deprecated_name_is_found_with_its_place_and_the_new_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(NAMES, dict)
    old = Deprecation(since="0.9", goes="0.10", instead="use Receipt")
    monkeypatch.setitem(NAMES, ("cdp_core", "Batch"), old)
    (use,) = found(tmp_path, "import cdp_core\n\ncdp_core.Batch")
    assert (use.deprecated, use.where, use.hint) == (True, "acme/plugin.py:3", "use Receipt")
    assert use.message == "cdp_core.Batch is deprecated since 0.9 and goes in 0.10: use Receipt"


def test_our_own_plugins_take_only_what_is_public_and_stays() -> None:
    sources = sorted(PLUGINS.glob("*/cdp_*/**/*.py"))
    assert {path.relative_to(PLUGINS).parts[0] for path in sources} == {"files", "snapchat", "webhook"}
    assert list(uses((str(path.relative_to(PLUGINS)), path) for path in sources)) == []
