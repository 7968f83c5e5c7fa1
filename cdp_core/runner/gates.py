"""Gates: asked when the plan is on disk, before anything is delivered (`docs/explanation/gates.md`).

Each is a pure function of the plan's numbers. Removals that are owed to withdrawal or suppression pass
all of them: they do not count towards the shrink, and are delivered where the rest is stopped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction

from cdp_core.contract.destination import Capabilities
from cdp_core.errors import Code, GateFault
from cdp_core.model.accounting import DeliveryCounts
from cdp_core.model.configuration import Column, Export
from cdp_core.model.gates import FieldChange, Finding, Gate, GateNumbers, Verdict
from cdp_core.model.names import as_typed
from cdp_core.model.policy import Gates
from cdp_core.model.sentence import Sentence
from cdp_core.runner.services import Services

CODES = {
    Gate.EMPTY_SOURCE: Code.PROFILES_EMPTY,
    Gate.SHRINK: Code.SHRINKS,
    Gate.AUDIENCE_SIZE: Code.AUDIENCE_SIZE,
    Gate.DUPLICATE_KEYS: Code.DUPLICATE_KEYS,
    Gate.SCHEMA: Code.SCHEMA_CHANGED,
}
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


def asked(
    numbers: GateNumbers, policy: Gates, capabilities: Capabilities, meant: Collection[Gate] = ()
) -> tuple[Finding, ...]:
    """What the gates say of a plan; `meant` are those whose flag was given."""
    if numbers.profiles == 0:
        # All that the other gates could say follows from this.
        return (
            Finding(
                gate=Gate.EMPTY_SOURCE,
                verdict=Verdict.STOP,
                message=Sentence("the profile source has no rows: {what}", what=_everybody(numbers)),
            ),
        )
    sizes = {"skip": Verdict.SKIP, "warn": Verdict.WARN, "fail": Verdict.STOP}
    objections = (
        (Gate.SHRINK, Verdict.STOP, _shrink(numbers, policy.max_shrink)),
        (Gate.AUDIENCE_SIZE, sizes[policy.on_audience_size], _size(numbers, capabilities)),
        (Gate.DUPLICATE_KEYS, Verdict.STOP, _duplicate_keys(numbers)),
        (Gate.SCHEMA, Verdict.STOP, _schema(numbers)),
    )
    return tuple(
        Finding(gate=gate, verdict=Verdict.ALLOW if gate in meant else verdict, message=message)
        for gate, verdict, message in objections
        if message
    )


def findings(
    services: Services, export: Export, plan_id: str, meant: Collection[Gate] = ()
) -> tuple[Finding, ...]:
    """The same of a plan on disk; a plan that takes everybody out because that was asked for has none."""
    kept = services.state.plans.get(plan_id).summary.get("gates")
    if kept is None:
        return ()
    capabilities = services.catalog.destination(export.destination).capabilities
    return asked(GateNumbers.from_dict(kept), export.policy.gates, capabilities, meant)


def fault_of(
    findings: Sequence[Finding], *, export: str, plan: str, command: str = "run"
) -> GateFault | None:
    """The fault that stops the run, if any gate does; it names every one that would, and the flags of the
    `command` of `cdp export` that say it is meant."""
    stops = [finding for finding in findings if finding.verdict is Verdict.STOP]
    if not stops:
        return None
    flags = [finding.gate.flag for finding in stops]
    again = f"cdp export {command} {as_typed(export)}"
    if None in flags:
        hint = "look at the source; to empty an audience, remove the export and take its members out"
    else:
        hint = f"look into it; if it is meant: {again} {' '.join(map(str, flags))}"
    return GateFault(
        CODES[stops[0].gate],
        "; ".join(finding.message for finding in stops),
        where=f"plan {plan}",
        hint=hint,
    )


def and_yet(fault: GateFault, removals: DeliveryCounts) -> GateFault:
    """The fault of a run that has sent all the same what nothing may hold back."""
    told = f"the {removals.accepted:,} who withdrew or are suppressed were taken out all the same"
    if removals.accepted < removals.planned:
        told = (
            f"of the {removals.planned:,} who withdrew or are suppressed, {removals.accepted:,} were taken "
            "out; the next run tries the others again"
        )
    return GateFault(fault.code, f"{fault.message}; {told}", where=fault.where, hint=fault.hint)


def skips(findings: Sequence[Finding]) -> bool:
    return any(finding.verdict is Verdict.SKIP for finding in findings)


def changed_fields(
    then: Mapping[str, str], columns: Collection[Column], mentioned: Collection[str]
) -> Iterator[FieldChange]:
    """The fields (name and type, as the last run saw them) that are still asked for, by their names in
    lower case in `mentioned`, and are of another type now or gone. Kinds of numbers are one type."""
    now = {column.name: column.type for column in columns}
    for field, before in sorted(then.items()):
        if field.lower() in mentioned and _family(now.get(field)) != _family(before):
            yield FieldChange(field=field, before=before, now=now.get(field))


def _everybody(numbers: GateNumbers) -> str:
    removed = numbers.removed - numbers.owed
    if not removed:
        return Sentence("a load that failed, or a wrong path")
    if numbers.removed == numbers.held:
        return Sentence(
            "all {number} members that {who} put into the audience would be taken out",
            number=numbers.held,
            who=_who(numbers),
        )
    return Sentence(
        "{number} members that {who} put into the audience would be taken out",
        number=removed,
        who=_who(numbers),
    )


def _who(numbers: GateNumbers) -> str:
    return Sentence("exports here") if numbers.of_all else Sentence("this export")


def _shrink(numbers: GateNumbers, max_shrink: float) -> str:
    removed = numbers.removed - numbers.owed
    # A float of 0.29 times 100 is less than 29.
    if removed <= Fraction(str(max_shrink)) * numbers.held:
        return ""
    return Sentence(
        "{removed} of the {held} members that {who} put into the audience would be taken out: {share} %, and "
        "at most {most} % may be",
        removed=removed,
        held=numbers.held,
        who=_who(numbers),
        share=removed / (numbers.held or 1) * 100,
        most=max_shrink * 100,
    )


def _size(numbers: GateNumbers, capabilities: Capabilities) -> str:
    smallest, largest = capabilities.smallest_audience, capabilities.largest_audience
    most, least = numbers.people_at_most, numbers.digests_at_least
    if smallest is not None and most is not None and most < smallest:
        return Sentence(
            "the audience would hold {most} people at most, and the service can use none of fewer than "
            "{smallest}",
            most=most,
            smallest=smallest,
        )
    if largest is not None and least is not None and least > largest:
        return Sentence(
            "the audience would hold at least {least} identifiers, and the service takes no more than "
            "{largest}",
            least=least,
            largest=largest,
        )
    return ""


def _duplicate_keys(numbers: GateNumbers) -> str:
    if not numbers.duplicate_keys:
        return ""
    return Sentence(
        "rows of the profile table that repeat the key of another: {repeated} of {profiles}",
        repeated=numbers.duplicate_keys,
        profiles=numbers.profiles,
    )


def _schema(numbers: GateNumbers) -> str:
    told = tuple(map(_change, numbers.changes))
    return Sentence("profile fields have changed since the last run: {changes}", changes=told) if told else ""


def _change(found: FieldChange) -> str:
    if found.now is None:
        return Sentence("{field} was {before} and is gone", field=found.field, before=found.before)
    return Sentence(
        "{field} was {before} and is {now}", field=found.field, before=found.before, now=found.now
    )


def _family(kind: str | None) -> str | None:
    """A file that has no types of its own gives a number another one as soon as a fraction turns up."""
    if kind is None:
        return None
    return "NUMBER" if kind.partition("(")[0].removeprefix("U") in _NUMBERS else kind
