"""What becomes of the members that an export put into its audience when it lets go of it: taken out or left.

The facade asks where there are any; the answer comes from the options, from `--yes` (they stay), or from
whoever sits at the terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import rich_click

from cdp_core.cli.ask import ask_one, can_ask
from cdp_core.cli.language import _
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import count, quoted
from cdp_core.errors import Code, UsageFault

if TYPE_CHECKING:
    from cdp_core.app.exports import Leaving

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")


def leaving_options(function: F) -> F:
    take_out = rich_click.option(
        "--take-members-out",
        is_flag=True,
        help="Remove from the audience the members that only this export put there.",
    )
    leave = rich_click.option(
        "--leave-members", is_flag=True, help="Leave in the audience the members that this export put there."
    )
    return take_out(leave(function))


def deciding(
    deed: Callable[[Leaving | None], T],
    *,
    name: str,
    claims: int,
    take_members_out: bool,
    leave_members: bool,
    yes: bool,
) -> T:
    """Do it with what the options say; where that leaves it open and members are concerned, ask. `claims` are
    the members that the export `name` has put into its audience."""
    from cdp_core.app.exports import Leaving

    if take_members_out and leave_members:
        raise UsageFault(
            Code.USAGE, "--take-members-out and --leave-members exclude each other", hint="give one of them"
        )
    if take_members_out:
        return deed(Leaving.TAKE_OUT)
    if leave_members or yes:
        return deed(Leaving.LEAVE)
    try:
        return deed(None)
    except UsageFault as fault:
        if fault.code is not Code.NOT_AGREED_TO_ACT or not can_ask():
            raise
        said = _("{name} has put {number} members into its audience: are they taken out or left?")
        remark(said.format(name=quoted(name), number=count(claims)))
    answers = {_("leave them in the audience"): Leaving.LEAVE, _("take them out"): Leaving.TAKE_OUT}
    return deed(answers[ask_one("What now", tuple(answers), option="--leave-members or --take-members-out")])


def members_left(claims: int, *, take_members_out: bool) -> str:
    """What is said of the members afterwards, where the command line decided."""
    if not claims:
        return ""
    if take_members_out:
        said = _(" Of its {number} members there, those that no other export holds are taken out.")
    else:
        said = _(
            " The {number} members that it had put into its audience stay; only another export that holds "
            "one of them, too, takes that one out later."
        )
    return said.format(number=count(claims))
