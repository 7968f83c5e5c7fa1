"""A project's files as texts, from the templates that lie beside this module.

Jinja2 is imported here alone: it comes with the extra `testing`, which the written project needs anyway.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING

from cdp_core.errors import Code, InvalidFault
from cdp_core.scaffold.project import Project

if TYPE_CHECKING:
    import jinja2

# In the written code; what is wrapped here is the long texts, with the destination's label in them.
_WIDTH = 110


def rendered(project: Project) -> Mapping[str, str]:
    """Each file of the project, by its path in the project's folder, in the order in which one reads them."""
    environment = _environment()
    core_from, core_below = _core_versions(metadata.version("cdp-core"))
    values = {"project": project, "core_from": core_from, "core_below": core_below}
    return {
        path: environment.get_template(f"{template}.jinja").render(values)
        for path, template in _files(project).items()
    }


def _files(project: Project) -> Mapping[str, str]:
    """Which template makes which file."""
    package, suite = project.package, f"test_{project.package.removeprefix('cdp_')}"
    return {
        "README.md": "README.md",
        "pyproject.toml": "pyproject.toml",
        f"{package}/__init__.py": "init.py",
        f"{package}/plugin.py": "plugin.py",
        f"{package}/settings.py": "settings.py",
        f"{package}/consent.py": "consent.py",
        f"{package}/client.py": "client.py",
        f"{package}/destination.py": "destination.py",
        **({f"{package}/sign_in.py": "sign_in.py"} if project.auth == "oauth2" else {}),
        f"{package}/simulator.py": "simulator.py",
        f"{package}/py.typed": "py.typed",
        "tests/conftest.py": "conftest.py",
        "tests/test_conformance.py": "conformance.py",
        f"tests/{suite}.py": "own_tests.py",
        ".github/workflows/checks.yml": "checks.yml",
        ".gitignore": "gitignore",
    }


def _environment() -> jinja2.Environment:
    try:
        import jinja2
    except ImportError:
        raise InvalidFault(
            Code.PLUGIN_UNKNOWN,
            "a new destination is written with Jinja2, which is not installed",
            hint='pip install "cdp-core[testing]"',
        ) from None
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cdp_core.scaffold"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # What is written is Python, TOML and Markdown, and no page.
        autoescape=False,  # noqa: S701
    )
    environment.filters["literal"] = _literal
    environment.filters["wrapped"] = _wrapped
    return environment


def _literal(text: str, indent: int) -> str:
    """A long text as Python's adjacent literals, on as many lines as it needs."""
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH - indent - 4, break_long_words=False)
    spaced = [f"{line} " for line in lines[:-1]] + lines[-1:]
    return f"\n{' ' * indent}".join(json.dumps(line, ensure_ascii=False) for line in spaced)


def _wrapped(text: str, indent: str = "") -> str:
    """A paragraph of Markdown, whose further lines begin with `indent`."""
    return textwrap.fill(
        " ".join(text.split()),
        _WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _core_versions(version: str) -> tuple[str, str]:
    """From which version of the core on the project works, and below which: before 1.0 a second number may
    break something, afterwards a first one."""
    first, second = map(int, re.findall(r"\d+", version)[:2])
    return f"{first}.{second}", f"{first + 1}" if first else f"0.{second + 1}"
