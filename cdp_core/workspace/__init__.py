"""The folder in which everything of one installation lies, its settings, and the rules for its files."""

from __future__ import annotations

from cdp_core.workspace.folder import Workspace, create, locate
from cdp_core.workspace.settings import Configuration

__all__ = ["Configuration", "Workspace", "create", "locate"]
