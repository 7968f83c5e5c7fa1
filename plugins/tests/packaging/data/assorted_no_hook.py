"""A plugin whose author forgot the mark on the hook."""

from collections.abc import Sequence

import cdp_core


def cdp_connection_types() -> Sequence[cdp_core.ConnectionType]:
    return []
