"""`cdp export approvals`, `approve` and `reject`: plans that wait for somebody else's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import rich_click

from cdp_core.cli.ask import settled
from cdp_core.cli.command import command, json_option, yes_option
from cdp_core.cli.language import _
from cdp_core.cli.page import give
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import count, moment, plain
from cdp_core.cli.session import Session
from cdp_core.model.names import as_typed

if TYPE_CHECKING:
    from cdp_core.app.run_views import ApprovalView

plan_argument = rich_click.argument("plan", metavar="PLAN")


@command("approvals", example="cdp export approvals")
@json_option
@click.pass_obj
def approvals(session: Session, *, as_json: bool) -> None:
    """List the plans that wait for approval, the oldest first."""
    from cdp_core.cli.render.approvals import approvals as picture

    views = session.cdp().approvals.waiting()
    give(views, lambda: picture(views), as_json=as_json)


@command("approve", example="cdp export approve 20261126-0200-7d1fce")
@plan_argument
@yes_option
@json_option
@click.pass_obj
def approve(session: Session, *, plan: str, yes: bool, as_json: bool) -> None:
    """Approve of a plan that somebody else has made. Nothing is sent by that.

    What is signed is the plan's digest: it is delivered as it is, less who has withdrawn or is suppressed by
    then, or not at all. Signing is a person's own: --as cannot.
    """
    desk = session.cdp().approvals
    shown = desk.show(plan)
    remark(_told(shown))
    settled(_("Approve of it?"), yes=yes)
    view = desk.approve(plan, digest=shown.digest)
    if view.lacking:
        said = _("Approved; {number} more must approve of it until {moment}.").format(
            number=count(view.lacking), moment=moment(view.lapses_at)
        )
    else:
        said = _("Approved. To deliver it: cdp export run {export} --plan {plan}").format(
            export=plain(as_typed(view.export)), plan=view.plan
        )
    give(view, lambda: (), as_json=as_json, said=said)


@command("reject", example='cdp export reject 20261126-0200-7d1fce --reason "the wrong segment"')
@plan_argument
@rich_click.option("--reason", default="", metavar="TEXT", help="Why; whoever made the plan reads it.")
@yes_option
@json_option
@click.pass_obj
def reject(session: Session, *, plan: str, reason: str, yes: bool, as_json: bool) -> None:
    """Reject a plan that waits for approval: it is not delivered, whoever else approves of it."""
    desk = session.cdp().approvals
    remark(_told(desk.show(plan)))
    settled(_("Reject it?"), yes=yes)
    view = desk.reject(plan, reason=reason)
    give(
        view, lambda: (), as_json=as_json, said=_("Rejected: plan {plan} is not delivered.").format(plan=plan)
    )


def _told(view: ApprovalView) -> str:
    return _(
        "{person} made plan {plan} of {export} at {moment}: it adds {added} and takes out {removed}. It "
        "still needs the approval of {people}."
    ).format(
        person=plain(" / ".join(view.made_by)),
        plan=view.plan,
        export=plain(as_typed(view.export)),
        moment=moment(view.made_at),
        added=count(view.added),
        removed=count(view.removed),
        people=_("1 other person")
        if view.lacking == 1
        else _("{number} other people").format(number=count(view.lacking)),
    )
