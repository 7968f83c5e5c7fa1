"""`cdp consent`: what members have agreed to, and what came of it when they withdrew."""

from __future__ import annotations

from cdp_core.cli.command import noun
from cdp_core.cli.withdrawals import withdrawals

consent = noun(
    "consent",
    help="The consent of members: who withdrew, and when each audience confirmed it.",
    example="cdp consent withdrawals",
)
consent.add_command(withdrawals)
