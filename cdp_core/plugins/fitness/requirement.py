"""Whether a distribution asks for a core of this version."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from cdp_core.plugins.fitness.findings import Finding, Weight
from cdp_core.plugins.manager import OWN_DISTRIBUTION


def on_requirement(found: Distribution, core: str) -> Iterator[Finding]:
    """`core` is this version."""
    asked = list(_of_the_core(found))
    if not asked:
        this = Version(core)
        yield _finding(
            "warning",
            f"{found.name} does not say which version of {OWN_DISTRIBUTION} it needs",
            f'dependencies = ["{OWN_DISTRIBUTION}>={this.major}.{this.minor}"] in its pyproject.toml',
        )
    for requirement in asked:
        if requirement.specifier.contains(core, prereleases=True):
            yield _finding("ok", f"{requirement} takes {core}")
        else:
            yield _finding(
                "error",
                f"{found.name} {found.version} needs {requirement}; this is {core}",
                f"pip install '{requirement}', or a version of {found.name} that takes {core}",
            )


def _of_the_core(found: Distribution) -> Iterator[Requirement]:
    for line in found.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            # pip has said so when it installed it.
            continue
        holds = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if holds and canonicalize_name(requirement.name) == OWN_DISTRIBUTION:
            yield requirement


def _finding(state: Weight, message: str, hint: str = "") -> Finding:
    return Finding(plugin="", check="requirement", state=state, message=message, hint=hint)
