"""The examples for orchestrators type commands that there are. Their libraries are not installed here."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from cdp_core.cli.root import cli
from cdp_core.errors import ExitStatus

FOLDER = Path(__file__).parents[3] / "examples" / "orchestrators"
# Comes with the docs' own tools.
yaml = importlib.import_module("yaml")
MODULES = sorted(FOLDER.glob("*.py"))


def is_typed_right(words: list[str]) -> bool:
    """Whether click takes the command line; nothing runs."""
    command: click.Command = cli
    with cli.make_context("cdp", list(words)) as root:
        context, left = root, [*root._protected_args, *root.args]
        while isinstance(command, click.Group):
            found = command.get_command(context, left[0])
            assert found is not None, left
            command, left = found, left[1:]
            context = command.make_context(command.name, left, parent=context)
            left = [*context._protected_args, *context.args]
    return not left


def containers(found: Any) -> Iterator[dict[str, Any]]:
    if isinstance(found, dict):
        yield from found.get("containers", ())
        for each in found.values():
            yield from containers(each)
    elif isinstance(found, list):
        for each in found:
            yield from containers(each)


def test_what_kubernetes_starts_is_a_command() -> None:
    documents = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()))
    started = [each["args"] for document in documents for each in containers(document)]
    assert [words[:2] for words in started] == [["scheduler", "start"]] * 2
    assert all(map(is_typed_right, started))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_runs_an_export_and_knows_every_status(path: Path) -> None:
    tree = ast.parse(path.read_text())
    (listed,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.List)
        and any(isinstance(each, ast.Name) and each.id == "CDP" for each in node.elts)
    )
    words = [each.value if isinstance(each, ast.Constant) else "x" for each in listed.elts[1:]]
    assert is_typed_right([str(word) for word in words])
    named = {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in ("DONE", "AGAIN")
    }
    assert named == {
        "DONE": (int(ExitStatus.DONE), int(ExitStatus.REFUSALS)),
        "AGAIN": (int(ExitStatus.TEMPORARY), int(ExitStatus.HELD)),
    }
