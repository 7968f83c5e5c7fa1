"""The folder in which everything of one installation lies, its settings, and the rules for its files."""

from __future__ import annotations

from cdp_core.workspace.settings import WorkspaceSettings
from cdp_core.workspace.workspace import Workspace

__all__ = ["Workspace", "WorkspaceSettings"]
