"""One person: what is known of them here, and what became of them. Only a digest's beginning is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Export
from cdp_core.model.explanation import Explanation
from cdp_core.rules.identifiers.masking import masked
from cdp_core.rules.identifiers.person import identify_person, known_kind
from cdp_core.runner.runner import Runner

PREFIX = 12


class People:
    """Persons are keyword arguments: the first positional one would be written into the audit log."""

    def __init__(self, desk: Desk, runner: Runner) -> None:
        self.desk = desk
        self._runner = runner

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="person")

    @act(Action.EXPLAIN)
    def explain(
        self,
        *,
        person: str,
        kind: str | None = None,
        region: str | None = None,
        export: str | None = None,
        progress: Callable[[int], None] = lambda read: None,
    ) -> Explanation:
        """Where a person belongs today and what became of them at each audience, of one export or of all.

        `person` is an identifier or its digest, which needs `kind`; the profiles are read once for each
        segment. A national phone number is read as the exports read it, where no `region` is given. Raises
        `InvalidFault` where several kinds could be meant, or a number in several regions.
        """
        kinds = self.desk.catalog.kinds
        if kind is not None:
            known_kind(kind, kinds)
        state = self.desk.state
        exports = state.exports.all() if export is None else (state.exports.get(export),)
        region = region or self._region(person, kind, exports)
        reasons = self._reasons(person, kind, region)
        if reasons:
            self.desk.note(kind=kind, export=export)
            return Explanation(kind=kind, digest=None, normalised=None, reasons=reasons)
        found, digest = identify_person(person, kinds, kind=kind, region=region)
        self.desk.note(kind=found, digest=digest.hex()[:PREFIX], export=export)
        suppression = state.suppressions.get(found, digest)
        normalised = kinds[found].identify(person, region).normalised
        search = self._runner.search(kind=found, digest=digest, progress=progress)
        audiences = search.audiences(exports)
        if export is None:
            audiences = tuple(dict.fromkeys((*audiences, *state.runs.audiences())))
        return Explanation(
            kind=found,
            digest=digest,
            normalised=None if normalised is None else masked(normalised),
            suppression=suppression,
            exports=tuple(search.standing(each, suppression) for each in exports),
            audiences=tuple(search.history(audience) for audience in audiences),
        )

    def _region(self, person: str, kind: str | None, exports: Iterable[Export]) -> str | None:
        """The exports' own, where only with one of those the person is of any kind."""
        if not self._reasons(person, kind, None):
            return None
        found: dict[bytes, str] = {}
        for region in dict.fromkeys(export.policy.region.default for export in exports):
            if region is not None and not self._reasons(person, kind, region):
                _, digest = identify_person(person, self.desk.catalog.kinds, kind=kind, region=region)
                found.setdefault(digest, region)
        if len(found) > 1:
            raise InvalidFault(
                Code.PERSON_UNTOLD,
                f"the number is another one in each of {', '.join(sorted(found.values()))}",
                hint="--default-region, or --export",
            )
        return next(iter(found.values()), None)

    def _reasons(self, person: str, kind: str | None, region: str | None) -> Mapping[str, Reason]:
        """Why no kind takes it; nothing where one does."""
        reasons: dict[str, Reason] = {}
        for key, each in self.desk.catalog.kinds.items():
            if kind not in (None, key):
                continue
            identified = each.identify(person, region)
            if identified.digest in each.placeholders:
                reasons[key] = Reason.PLACEHOLDER
            elif identified.reason is None:
                return {}
            else:
                reasons[key] = identified.reason
        return reasons
