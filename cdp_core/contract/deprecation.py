"""What is on its way out, declared once: since when, the version in which it is gone, and the new way.

Whoever still uses it is warned by the mechanism at hand: of a public name in `NAMES` by the module that hands
it on, of a hook or its argument by pluggy (`warn_on_impl`, `warn_on_impl_args`), of an option or a command by
click (`deprecated=`), of a setting by its metadata (`"deprecated"`) when it is loaded. The command line shows
each as one line. A test fails when something outlives the version in which it was to go.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass


class DeprecatedUse(DeprecationWarning):
    """Ours, to be told from a library's, which only its author can mend."""

    def __init__(self, message: str, deprecation: Deprecation) -> None:
        super().__init__(message)
        self.deprecation = deprecation


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecation:
    """`since` and `goes` are versions of the distribution that declares it: from `since` on its use is warned
    of, in `goes` it is gone. `instead` is the new way, as one tells somebody what to do."""

    since: str
    goes: str
    instead: str

    def of(self, what: str) -> str:
        """The sentence on it; `what` is what it is called."""
        return f"{what} is deprecated since {self.since} and goes in {self.goes}: {self.instead}"

    def warning(self, what: str) -> DeprecatedUse:
        """For pluggy, which raises it where a plugin implements the hook."""
        return DeprecatedUse(self.of(what), self)


# Public names that still work, by the module that they are imported from; none at present. Of those of
# `cdp_core.simulate`, which imports no other room, `cdp plugins check` alone tells.
NAMES: Mapping[tuple[str, str], Deprecation] = {}


def warn_of_name(module: str, name: str) -> None:
    """Called by a module's `__getattr__`: the warning points to who has asked for the name."""
    if found := NAMES.get((module, name)):
        warnings.warn(found.warning(f"{module}.{name}"), stacklevel=3)
