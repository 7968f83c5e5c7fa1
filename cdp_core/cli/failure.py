"""How a command's failure is said: code, what, where and how to mend it on standard error, and under
`--json` also as the one document on standard output."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

import click
from rich.text import Text

from cdp_core.cli.no_such_place import of_typed_path
from cdp_core.cli.render.console import err, show
from cdp_core.cli.render.documents import error_document, print_document
from cdp_core.cli.render.words import plain, plain_lines
from cdp_core.errors import CdpError, Code, InternalFault, UsageFault


def say(fault: BaseException, arguments: Sequence[str]) -> int:
    """Say what went wrong; the exit status."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    error = as_error(fault, arguments)
    if "--debug" in options and not isinstance(fault, click.ClickException):
        _say_trace(fault)
    show_error(str(error.code), error.message, where=error.where, hint=error.hint)
    if "--json" in options:
        with suppress(CdpError):  # where nothing can be written, that has just been said
            print_document(error_document(error))
    return int(error.exit_status)


def show_error(code: str, message: str, *, where: str = "", hint: str = "") -> None:
    """`error CDP-306: …`, then where, then how to mend it."""
    lines = [Text.assemble((f"error {code}", "bold red"), ": ", plain_lines(message))]
    if where:
        lines.append(Text.assemble(("  where: ", "dim"), plain_lines(where)))
    if hint:
        lines.append(Text.assemble(("  mend: ", "dim"), plain_lines(hint)))
    show(*lines, to=err())


def as_error(fault: BaseException, arguments: Sequence[str] = ()) -> CdpError:
    """A fault of click's, of the system's about a path among the arguments, or of nobody's as one of ours,
    with its code."""
    if isinstance(fault, CdpError):
        return fault
    if isinstance(fault, click.ClickException):
        return _usage(fault)
    if (misplaced := of_typed_path(fault, arguments)) is not None:
        return misplaced
    # What an unforeseen exception says may hold a value of the profiles: only its kind is shown.
    return InternalFault(
        Code.UNEXPECTED,
        f"an unexpected fault: {type(fault).__name__}",
        hint="add --debug before the noun to see where it happened, and report it",
    )


def _usage(fault: click.ClickException) -> CdpError:
    context = getattr(fault, "ctx", None)
    path = context.command_path if context else "cdp"
    return UsageFault(Code.USAGE, plain(fault.format_message()), hint=f"{path} --help")


def _say_trace(fault: BaseException) -> None:
    from cdp_core.vault.redaction import redacted

    trace = "".join(traceback.format_exception(fault))
    sys.stderr.write(redacted(trace))
