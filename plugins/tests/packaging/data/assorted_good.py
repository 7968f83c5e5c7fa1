"""A plugin as it should be."""

import cdp_core


@cdp_core.hookimpl
def cdp_run_event(event: cdp_core.RunEvent) -> None:
    """Sees every moment and keeps none."""
