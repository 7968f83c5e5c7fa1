"""Hooks that a plugin means and that there are not: misspelt, unmarked, or of an argument that is not."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator
from typing import Any

from cdp_core.contract import hookspecs
from cdp_core.plugins.fitness.findings import Finding
from cdp_core.plugins.manager import GROUP, CdpPluginManager

_GATHERING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def mistakes(plugin: object, name: str) -> Iterator[Finding]:
    """`plugin` is what its entry point loads."""
    manager = CdpPluginManager()
    known = [each for each in dir(manager.hook) if each.startswith(f"{GROUP}_")]
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is not None and not options.get("optionalhook"):
            hook = options.get("specname") or attribute
            if hook not in known:
                hint = _near(hook, known) or f"hooks: {', '.join(known)}"
                yield _error(name, f"there is no hook {hook}", hint, getattr(plugin, attribute))
            else:
                yield from _arguments(name, hook, getattr(plugin, attribute))
        elif options is None and attribute in known and inspect.isroutine(getattr(plugin, attribute)):
            yield Finding(
                plugin=name,
                check="hooks",
                state="warning",
                message=f"{attribute} has a hook's name and is not marked: nothing calls it",
                where=place_of(getattr(plugin, attribute)),
                hint="mark it @cdp_core.hookimpl",
            )


def _arguments(name: str, hook: str, function: Any) -> Iterator[Finding]:
    handed = list(inspect.signature(getattr(hookspecs, hook)).parameters)
    for argument in inspect.signature(function).parameters.values():
        if argument.kind in _GATHERING or argument.default is not argument.empty or argument.name in handed:
            continue
        known = f"{hook} is handed: {', '.join(handed)}" if handed else f"{hook} is handed nothing"
        hint = _near(argument.name, handed) or known
        yield _error(name, f"{hook} has no argument {argument.name}", hint, function)


def _error(name: str, message: str, hint: str, function: Any) -> Finding:
    return Finding(
        plugin=name, check="hooks", state="error", message=message, where=place_of(function), hint=hint
    )


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else ""


def place_of(function: Any) -> str:
    """`cdp_acme.plugin:12`: the module and line of a function."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{function.__module__}:{code.co_firstlineno}" if code is not None else ""
