"""What a plugin's source takes from the core: names that are not promised, or are on their way out.

Read, not run. What is asked for by a text (`importlib.import_module("cdp_core.…")`) is not seen.
"""

from __future__ import annotations

import ast
import difflib
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cdp_core.contract.deprecation import NAMES

CORE = "cdp_core"
PUBLIC_MODULES = (CORE, f"{CORE}.simulate", f"{CORE}.testing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One place of a source where something is wrong; `deprecated` where it still works."""

    where: str
    message: str
    hint: str
    deprecated: bool = False


@cache
def public_names(module: str) -> frozenset[str]:
    """What a module promises, the public modules below it among them."""
    below = {each.removeprefix(f"{module}.") for each in PUBLIC_MODULES if each.startswith(f"{module}.")}
    return frozenset(importlib.import_module(module).__all__) | below


def uses(sources: Iterable[tuple[str, Path]]) -> Iterator[Use]:
    """Of files, each with the name that people know it by."""
    for shown, path in sources:
        try:
            tree = ast.parse(path.read_bytes(), filename=shown)
        except (SyntaxError, ValueError) as fault:
            yield Use(where=shown, message=f"cannot be read as Python: {fault}", hint="mend the file")
            continue
        found = _Found(shown)
        found.visit(tree)
        yield from found.uses


class _Found(ast.NodeVisitor):
    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.uses: list[Use] = []
        # The public modules by what they are called in this file.
        self._called: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if not _is_ours(alias.name):
                continue
            if alias.name not in PUBLIC_MODULES:
                self._private(node, alias.name)
            if alias.asname is None:
                self._called[CORE] = CORE
            elif alias.name in PUBLIC_MODULES:
                self._called[alias.asname] = alias.name

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level or not _is_ours(module):
            return
        if module not in PUBLIC_MODULES:
            self._private(node, module)
            return
        for alias in node.names:
            if alias.name != "*":
                self._taken(node, module, alias.name)
            if f"{module}.{alias.name}" in PUBLIC_MODULES:
                self._called[alias.asname or alias.name] = f"{module}.{alias.name}"

    def visit_Attribute(self, node: ast.Attribute) -> None:
        module = self._module(node.value)
        if module is None:
            self.generic_visit(node)
        elif not node.attr.startswith("__"):
            self._taken(node, module, node.attr)

    def _module(self, node: ast.expr) -> str | None:
        """The public module that an expression stands for."""
        if isinstance(node, ast.Name):
            return self._called.get(node.id)
        if isinstance(node, ast.Attribute) and (outer := self._module(node.value)):
            inner = f"{outer}.{node.attr}"
            return inner if inner in PUBLIC_MODULES else None
        return None

    def _taken(self, node: ast.stmt | ast.expr, module: str, name: str) -> None:
        if name not in public_names(module):
            near = difflib.get_close_matches(name, public_names(module), n=1, cutoff=0.75)
            self._say(
                node,
                f"{module}.{name} is not public",
                hint=f"did you mean {module}.{near[0]}?" if near else _PROMISED,
            )
        elif found := NAMES.get((module, name)):
            self._say(node, found.of(f"{module}.{name}"), hint=found.instead, deprecated=True)

    def _private(self, node: ast.stmt, module: str) -> None:
        names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        promised = [name for name in names if name in public_names(CORE)]
        hint = f"from {CORE} import {', '.join(promised)}" if names and promised == names else _PROMISED
        self._say(node, f"{module} is not public", hint=hint)

    def _say(self, node: ast.stmt | ast.expr, message: str, *, hint: str, deprecated: bool = False) -> None:
        where = f"{self.shown}:{node.lineno}"
        self.uses.append(Use(where=where, message=message, hint=hint, deprecated=deprecated))


_PROMISED = f"only the names of {', '.join(PUBLIC_MODULES)} are promised"


def _is_ours(module: str) -> bool:
    return module == CORE or module.startswith(f"{CORE}.")
