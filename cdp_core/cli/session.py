"""One invocation's way to the facade: `context.obj` of every command, of plugins' commands too.

The workspace is opened when a command first asks for it, so that help and usage errors cost nothing.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cdp_core.app.facade import CDP


@dataclass(slots=True, kw_only=True)
class Session:
    """What stood before the noun. `workspace` is None where it is to be found from the current folder;
    `chosen` says that it was typed, not taken from the environment. `names_skipped` is off for a command
    whose result names the plugins that were skipped."""

    workspace: Path | None = None
    chosen: bool = False
    act_as: str | None = None
    language: str = "en"
    debug: bool = False
    names_skipped: bool = True
    _opened: CDP | None = field(default=None, init=False)

    def cdp(self) -> CDP:
        """The facade over the workspace, opened once and closed when the command ends."""
        if self._opened is None:
            self._opened = self.open()
        return self._opened

    def open(self) -> CDP:
        """A facade of its own, for who asks from another thread; the caller closes it."""
        from cdp_core.app.facade import CDP
        from cdp_core.cli.logs import write_logs
        from cdp_core.cli.plugin_commands import warn_of_skipped, warn_of_unknown

        if not gc.isenabled():
            # `main` put it off. What has been imported stays: only what comes after can become garbage.
            gc.freeze()
            gc.enable()
        write_logs(debug=self.debug)
        cdp = CDP.open(self.workspace, act_as=self.act_as, language=self.language)
        manager = cdp.desk.catalog.manager
        if self.names_skipped:
            warn_of_skipped(manager.reports)
        warn_of_unknown(manager.unknown_disabled)
        return cdp

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
