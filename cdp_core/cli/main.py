"""Where `cdp` begins and ends: runs the command, says how it failed, and gives the exit status.

Everything that can go wrong comes to `run`, so that no command prints a traceback and each way of ending
has one place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

INTERRUPTED = 130
BROKEN_PIPE = 141


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit status."""
    _tolerate_every_letter()
    try:
        status = _invoke(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read our output has gone; the interpreter must not fail on flushing it at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return status


def _invoke(arguments: Sequence[str]) -> int:
    import click

    from cdp_core.cli.root import cli
    from cdp_core.errors import CdpError

    try:
        status = cli.main(list(arguments), prog_name="cdp", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("Interrupted.\n")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except (click.ClickException, CdpError, Exception) as fault:  # noqa: BLE001 (whatever comes is said, not thrown)
        from cdp_core.cli.failure import say

        return say(fault, arguments)
    return status if isinstance(status, int) else 0


def _tolerate_every_letter() -> None:
    """A name that the terminal's encoding lacks is shown with a replacement, and stops nothing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


if __name__ == "__main__":
    main()
