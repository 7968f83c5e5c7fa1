"""Where people are who may be erased, looked for without changing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cdp_core.errors import CdpError
from cdp_core.model.delivery import AudienceKey
from cdp_core.model.erasure import Erasure
from cdp_core.model.explanation import Held
from cdp_core.runner.erased import Places, Sought, is_in_plan
from cdp_core.runner.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAt:
    """An audience, the export that claims somebody there, and by which kinds."""

    audience: str
    export: str
    kinds: tuple[str, ...]
    held: Held


@dataclass(slots=True, kw_only=True)
class Whereabouts:
    """Of one person, the claims that would end, how many ledger files, plans, dead letters and results of
    static segments hold them, and the audiences that could not be looked at, with why."""

    erasure: Erasure
    claims: list[HeldAt] = field(default_factory=list)
    ledger_files: int = 0
    plans: int = 0
    dead_letters: int = 0
    results: int = 0
    under_way: int = 0
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        kept = self.ledger_files + self.plans + self.dead_letters + self.results + self.under_way
        return not (self.claims or kept or self.unread)


def whereabouts(services: Services, erasures: Sequence[Erasure]) -> tuple[Whereabouts, ...]:
    """One for each, in their order."""
    found = tuple(Whereabouts(erasure=erasure) for erasure in erasures)
    places = Places(services)
    names = {export.id: export.name for export in services.state.exports.all()}
    for audience in places.audiences():
        try:
            _look(services, places, audience, found, names)
        except CdpError as fault:
            for person in found:
                person.unread[str(audience)] = f"{fault.code}: {fault.message}"
    for segment in services.state.segments.all():
        for person in found if segment.kept is not None else ():
            if segment.kept is not None and person.erasure.keys:
                keys = person.erasure.keys
                try:
                    person.results += services.profiles.results.holds(segment, segment.kept, keys)
                except CdpError as fault:
                    person.unread[f"segment {segment.name}"] = f"{fault.code}: {fault.message}"
    return found


def _look(
    services: Services,
    places: Places,
    audience: AudienceKey,
    people: Sequence[Whereabouts],
    names: Mapping[str, str],
) -> None:
    """At one audience, whose files are read once for all."""
    everybody = Sought([person.erasure for person in people])
    claims = places.claims(audience, [person.erasure for person in people])
    plans = [plan for _, _, plan in places.plans(audience, everybody)]
    under_way = [places.plan(str(run.plan_id)) for run in places.unsettled(audience, everybody)]
    for person in people:
        sought = Sought([person.erasure])
        person.ledger_files += len(places.traces(audience, sought))
        person.plans += sum(is_in_plan(plan, sought) for plan in plans)
        person.under_way += sum(is_in_plan(plan, sought) for plan in under_way if plan)
        by_export: dict[str, list[tuple[str, Held]]] = {}
        for claim in claims:
            if claim.erasure_id == person.erasure.id:
                by_export.setdefault(claim.export_id, []).append((claim.kind, claim.held))
        person.claims += [
            HeldAt(
                audience=str(audience),
                export=names.get(export_id, "an export that was removed"),
                kinds=tuple(sorted({kind for kind, _ in each})),
                held=Held.YES if any(held is Held.YES for _, held in each) else Held.PERHAPS,
            )
            for export_id, each in by_export.items()
        ]
        person.dead_letters += sum(
            services.state.dead_letters.number(audience, each.kind, each.digest)
            for each in person.erasure.identifiers
        )
