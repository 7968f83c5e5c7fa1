"""What a run did, for people: the funnel, the counts behind it, what the service took, what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from cdp_core.cli.language import _, marked, said
from cdp_core.cli.render.funnel import funnel
from cdp_core.cli.render.tables import Details, Listing, coloured
from cdp_core.cli.render.words import (
    STYLES,
    count,
    counted,
    duration,
    moment,
    outcome_word,
    plain,
    quoted,
)
from cdp_core.errors import ExitStatus
from cdp_core.model.accounting import KindCounts
from cdp_core.model.delivery import Audience
from cdp_core.model.gates import Finding, Gate, Verdict
from cdp_core.model.policy import Mode
from cdp_core.model.run import Run, RunStatus

if TYPE_CHECKING:
    from cdp_core.app.run_views import RunReport


def report(found: RunReport) -> Iterator[RenderableType]:
    """Everything about a run that has just ended."""
    run = found.run
    yield Text.assemble(
        (_(outcome_word(run)), f"bold {STYLES[outcome_word(run)]}"),
        f"  {plain(run.export_name)}  ",
        _("in {duration}").format(duration=duration(run.seconds)) + "  ",
        _("mode {mode}").format(mode=found.mode) + "  " if found.mode else "",
        (_("run {run}").format(run=run.id), "dim"),
    )
    if run.kinds:
        yield Text("")
        yield funnel(run)
        yield Text("")
        yield by_kind(run)
    if not run.dry_run and run.delivered.planned:
        yield Text("")
        yield delivery(run)
    if run.audience is not None:
        yield Text("")
        yield audience(run.audience)
    yield Text("")
    for finding in found.gates:
        yield gate(finding)
    for note in found.notes:
        yield Text(f"• {plain(said(note))}")
    if found.plan_folder and run.dry_run:
        plan = _("Plan {plan}").format(plan=run.plan_id)
        yield Text(f"{plan}\n{plain(found.plan_folder)}")
    if step := next_step(found):
        yield Text.assemble((_("Next: "), "bold"), step)


_REASONS = {
    "read": marked("values in the members' matched fields"),
    "added": marked("new to the audience"),
    "unchanged": marked("in the audience already"),
    "named": marked("to be taken out, whoever put it there"),
    "duplicate": marked("another member has the same"),
    "missing": marked("no value"),
    "malformed": marked("not what the identifier looks like"),
    "placeholder": marked("a stand-in such as n/a or test@test.com"),
    "unsupported": marked("cannot be made into a digest, for example another kind of hash"),
    "without_consent": marked("the person has not agreed to be advertised to"),
    "suppressed": marked("on the list of those who are never sent"),
    "removed": marked("in the audience and not wanted any more"),
    "owed": marked("of the removed, without consent or suppressed: no gate holds them back"),
    "released": marked("not wanted by this export, but by another"),
    "kept": marked("not wanted any more, and left there: the export only adds"),
    "unclaimed": marked("of the removed, put there by nobody here"),
    "resent": marked("of those in the audience already, sent again"),
    "held_back": marked("of all profiles, not in the audience: a segment is inactive or fails"),
    "replaced": marked("of the removed, rows that are sent anew since their values have changed"),
}
_COUNTS = {
    "read": marked("read"),
    "added": marked("added"),
    "unchanged": marked("unchanged"),
    "named": marked("named"),
    "duplicate": marked("duplicate"),
    "missing": marked("missing"),
    "malformed": marked("malformed"),
    "placeholder": marked("placeholder"),
    "unsupported": marked("unsupported"),
    "without_consent": marked("without consent"),
    "suppressed": marked("suppressed"),
    "removed": marked("removed"),
    "owed": marked("owed"),
    "released": marked("released"),
    "kept": marked("kept"),
    "unclaimed": marked("unclaimed"),
    "resent": marked("resent"),
    "held_back": marked("held back"),
    "replaced": marked("replaced"),
}
_ALWAYS = ("read", "added", "unchanged", "removed")


def by_kind(run: Run) -> RenderableType:
    """The counts of each identifier kind by reason; reasons that never occurred are left out."""
    counts = {kind: found.as_dict() for kind, found in run.kinds.items()}
    return Listing(
        ("Count", *counts, "Meaning"),
        (
            (_(_COUNTS[reason]), *(count(found[reason]) for found in counts.values()), _(meaning))
            for reason, meaning in _REASONS.items()
            if reason in _ALWAYS or any(found[reason] for found in counts.values())
        ),
        numbers=counts,
        texts=("Meaning",),
    )


def delivery(run: Run) -> RenderableType:
    counts = run.delivered
    sent = counted(counts.requests, "request", "requests")
    if counts.retries:
        sent = _("{requests}, {number} of them again").format(requests=sent, number=count(counts.retries))
    return Details(
        _("Delivery"),
        (
            ("planned", count(counts.planned)),
            ("accepted", Text(count(counts.accepted), style="green")),
            ("refused", Text(count(counts.refused), style="red") if counts.refused else ""),
            ("unknown", Text(count(counts.unknown), style="yellow") if counts.unknown else ""),
            ("not sent", Text(count(counts.not_sent), style="yellow") if counts.not_sent else ""),
            ("sent in", sent),
        ),
    )


def audience(found: Audience) -> RenderableType:
    """The audience in the service's own words."""
    called = f"{found.name} ({found.id})" if found.name else found.id
    return Details(
        _("Audience {audience}").format(audience=called),
        (
            ("upload", found.upload_status or ""),
            ("targetable", found.targetable_status or ""),
            ("users, approximately", count(found.approximate_number_users)),
        ),
    )


_VERDICTS = {
    Verdict.STOP: (marked("would stop"), "red"),
    Verdict.SKIP: (marked("skips"), "yellow"),
    Verdict.WARN: (marked("warns"), "yellow"),
    Verdict.ALLOW: (marked("was let through"), "cyan"),
}


_GATES = {
    Gate.EMPTY_SOURCE: marked("empty source"),
    Gate.SHRINK: marked("shrink"),
    Gate.AUDIENCE_SIZE: marked("audience size"),
    Gate.DUPLICATE_KEYS: marked("duplicate keys"),
    Gate.SCHEMA: marked("schema"),
}


def gate(found: Finding) -> RenderableType:
    """What a gate says, and the flag that says it is meant."""
    word, style = _VERDICTS[found.verdict]
    flag = found.gate.flag if found.verdict in (Verdict.STOP, Verdict.SKIP) else None
    return Text.assemble(
        (_("• the gate “{gate}” {verdict}: ").format(gate=_(_GATES[found.gate]), verdict=_(word)), style),
        plain(said(found.message)),
        _(" ({flag}, if it is meant)").format(flag=flag) if flag else "",
    )


def next_step(found: RunReport) -> str:
    run, name = found.run, quoted(found.run.export_name)
    if run.status is RunStatus.PLANNED:
        return _with_a_plan(found, name)
    if found.exit_status is ExitStatus.TEMPORARY:
        return f"cdp export run {name}   " + _("(it settles what was left)")
    if found.exit_status is ExitStatus.REFUSALS:
        return f"cdp export show-run {run.id}   " + _("(with what the service refused)")
    return ""


def _with_a_plan(found: RunReport, name: str) -> str:
    run, empties = found.run, found.mode is Mode.REPLACE
    if not empties and not run.delivered.planned and not any(map(_changes, run.kinds.values())):
        if run.error_code or not any(map(_means_somebody, run.kinds.values())):
            return ""
        return _("nothing, the audience is up to date.")
    if any(each.verdict is Verdict.STOP for each in found.gates):
        return _("look into what stops it, then plan anew: {command}").format(
            command=f"cdp export plan {name}"
        )
    if found.awaits_approval:
        return _("somebody else: {command}").format(command=f"cdp export approve {run.plan_id}")
    return f"cdp export run {name} --plan {run.plan_id}   " + _("(without --plan it is planned anew)")


def _means_somebody(kind: KindCounts) -> bool:
    """Where no value can be sent, an audience in which nobody changes is not as it was meant."""
    return bool(kind.valid or kind.without_consent or kind.suppressed or not kind.read - kind.missing)


def _changes(kind: KindCounts) -> bool:
    return bool(kind.added or kind.removed)


def history(runs: Iterable[Run], *, of_all: bool = False, chosen: bool = False) -> RenderableType:
    """Runs, one line each: `of_all` exports, or of one; with `chosen`, those alone that were asked for."""
    names = ("Export",) if of_all else ()
    never = _("There are no runs yet.") if of_all else _("This export has never run.")
    return Listing(
        (
            *names,
            "Run",
            "Status",
            "Started",
            "Took",
            "By",
            "Added",
            "Removed",
            "Accepted",
            "Refused",
            "Left",
            "Remarks",
        ),
        ((*([plain(run.export_name)] if of_all else []), *_line(run)) for run in runs),
        numbers=("Took", "Added", "Removed", "Accepted", "Refused", "Left"),
        texts=("Refused", "Left", "Remarks"),
        empty=_("No run is like that.") if chosen else never,
    )


def _line(run: Run) -> tuple[str | Text, ...]:
    remarks = []
    if run.error_code:
        remarks.append(f"{run.error_code}: {run.error}")
    if run.resumed_from:
        remarks.append(_("settled what run {run} had left").format(run=run.resumed_from))
    if run.settled_by:
        remarks.append(_("settled by run {run}").format(run=run.settled_by))
    if run.only_released:
        claims = counted(run.released, "claim", "claims")
        remarks.append(_("gave up {claims}, members left: nothing was sent").format(claims=claims))
    if run.status is RunStatus.SKIPPED:
        because = said(run.skipped_because) or _("the audience's size")
        remarks.append(_("nobody was added because of this: {reason}").format(reason=plain(because)))
    if run.dry_run:
        remarks.append(_("plan only: nothing was sent"))
    sent = run.delivered
    left = sent.unknown + sent.not_sent
    return (
        run.id,
        coloured(outcome_word(run)),
        moment(run.started_at),
        duration(run.seconds) if run.ended_at else "",
        run.actor,
        count(sum(kind.added for kind in run.kinds.values())),
        count(sum(kind.removed for kind in run.kinds.values())),
        *("" if run.dry_run else count(number) for number in (sent.accepted, sent.refused, left)),
        "; ".join(remarks),
    )
