"""A plugin with a slip in its hook's name, which pluggy alone would pass over in silence."""

from collections.abc import Sequence

import cdp_core


@cdp_core.hookimpl
def cdp_conection_types() -> Sequence[cdp_core.ConnectionType]:
    return []
