"""Where `cdp` begins and ends: runs the command, says how it failed, and gives the exit status.

Everything that can go wrong comes to `run`, so that no command prints a traceback and each way of ending
has one place. So does Ctrl-C while modules are still being imported, which is why this one imports none that
Python has not loaded already.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

COMPLETION = "_CDP_COMPLETE"
INTERRUPTED = 130
BROKEN_PIPE = 141


def main() -> NoReturn:
    """The console script.

    Looking for garbage while modules are imported finds none, and taking the interpreter apart at the end
    frees what the system frees at once; together they are a third of a short command's time.
    """
    try:
        gc.disable()
        status = _with_streams()
    except KeyboardInterrupt:
        status = _interrupted()
    os._exit(status)


def _with_streams() -> int:
    from contextlib import suppress

    from cdp_core.cli.streams import open_what_is_closed, outlive_the_reader

    open_what_is_closed()
    outlive_the_reader()
    status = run(sys.argv[1:])
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # it was said, or nobody is there to hear it
            stream.flush()
    return status


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit status."""
    try:
        from cdp_core.cli.streams import tolerate_every_letter

        tolerate_every_letter()
        status = _invoke(arguments)
        status = _flushed(arguments) or status
    except BrokenPipeError:
        # Who read our output has gone; the interpreter must not fail on flushing it at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return _interrupted()
    return status


def _interrupted() -> int:
    """Say it; who presses the keys once more meanwhile changes nothing."""
    import signal
    from contextlib import suppress

    before = None
    with suppress(ValueError):  # where it is not the process's main thread, no signal arrives
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError, AttributeError):  # standard error may be closed, or have lost its reader
        from cdp_core.cli import language

        sys.stderr.write(f"{language._('Interrupted.')}\n")
        sys.stderr.flush()
    if before is not None:
        signal.signal(signal.SIGINT, before)
    return INTERRUPTED


def _flushed(arguments: Sequence[str]) -> int:
    """The exit status where the last of the result cannot be written, else 0."""
    from cdp_core.errors import CdpError

    try:
        sys.stdout.flush()
    except CdpError as fault:
        from cdp_core.cli.failure import say

        return say(fault, arguments)
    return 0


def _invoke(arguments: Sequence[str]) -> int:
    import click

    from cdp_core.cli import deprecations, language
    from cdp_core.cli.root import cli
    from cdp_core.errors import ExitStatus

    if instruction := os.environ.get(COMPLETION):
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, "cdp", COMPLETION, instruction)
    language.use(None)
    try:
        # click's own `main` would end the process itself, with statuses that are not ours.
        with deprecations.shown(), cli.make_context("cdp", list(arguments)) as context:
            cli.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as asked:
        sys.stdout.write(f"{asked.message}\n")
        return int(ExitStatus.USAGE)
    except click.Abort:
        return _interrupted()
    except BrokenPipeError:
        raise
    except Exception as fault:  # noqa: BLE001 (whatever comes is said, not thrown)
        from cdp_core.cli.failure import say

        return say(fault, arguments)
    return int(ExitStatus.DONE)


if __name__ == "__main__":
    main()
