"""Plans that wait for somebody's approval: listed, approved of, rejected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.app.export_runs import ExportRuns
from cdp_core.app.run_views import ApprovalView
from cdp_core.app.suppressions import require_no_identifier
from cdp_core.errors import InvalidFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.approval import signed_digest
from cdp_core.runner.approval import Approvals as Signing
from cdp_core.runner.approval import Standing


class Approvals:
    def __init__(self, desk: Desk, exports: ExportRuns, signing: Signing) -> None:
        self.desk = desk
        self._exports = exports
        self._signing = signing

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        """An act on a plan is about its export, and its connection."""
        if not name:
            return Resource(kind="export")
        try:
            export = self.desk.state.exports.by_id(self.desk.state.plans.get(name).export_id)
        except InvalidFault:  # which the act itself tells of
            return Resource(kind="export", name=name)
        return self._exports.resource(export.name, {})

    @act(Action.EXPORT_APPROVALS)
    def waiting(self) -> tuple[ApprovalView, ...]:
        """The plans that wait, the oldest first."""
        return tuple(map(self._view, self._signing.waiting()))

    @act(Action.EXPORT_APPROVALS)
    def show(self, plan: str) -> ApprovalView:
        """What there is to be approved of; raises `InvalidFault` where the plan needs nobody's approval."""
        return self._view(self._signing.standing(plan))

    @act(Action.EXPORT_APPROVE)
    def approve(self, plan: str, *, digest: str | None = None) -> ApprovalView:
        """Sign a plan that somebody else has made, with the digest of what it says. Raises `GateFault` where
        that is not the `digest` of what was looked at before, if one is given."""
        return self._signed(plan, approved=True, seen=digest)

    @act(Action.EXPORT_REJECT)
    def reject(self, plan: str, *, reason: str = "") -> ApprovalView:
        """Say that a plan is not to be delivered; whoever made it may reject it too."""
        require_no_identifier(reason, "reason")
        return self._signed(plan, approved=False, reason=reason)

    def _signed(
        self, plan: str, *, approved: bool, reason: str = "", seen: str | None = None
    ) -> ApprovalView:
        signed = self._signing.sign(plan, self.desk.actor, approved=approved, reason=reason, seen=seen)
        view = self._view(signed)
        self.desk.note(plan=plan, digest=view.digest, **({"reason": reason} if reason else {}))
        return view

    def _view(self, found: Standing) -> ApprovalView:
        plan = found.plan
        kinds = plan.summary["kinds"].values()
        return ApprovalView(
            plan=plan.id,
            export=self.desk.state.exports.by_id(plan.export_id).name,
            made_by=found.asked.made_by,
            made_at=plan.created_at,
            lapses_at=found.asked.lapses_at,
            people=found.asked.people,
            approved_by=found.approved_by,
            lacking=found.lacking,
            added=sum(each["added"] for each in kinds),
            removed=sum(each["removed"] for each in kinds),
            digest=signed_digest(plan),
            status=found.run.status.shown,
        )
