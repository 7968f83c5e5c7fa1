"""`python -m cdp_snapchat.simulator`: the simulator without the rest of the framework's commands."""

from __future__ import annotations

from cdp_snapchat.simulator.command import snapchat

if __name__ == "__main__":
    snapchat()
