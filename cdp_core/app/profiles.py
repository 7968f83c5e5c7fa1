"""The profile table as a whole: looked through before anything is sent. No raw value comes this far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cdp_core.app.desk import Desk, act
from cdp_core.errors import Code, UsageFault
from cdp_core.model.access import Action, Resource
from cdp_core.model.policy import Region
from cdp_core.rules.identifiers.person import known_kind
from cdp_core.runner.lint import Lint, Linted, pairs
from cdp_core.runner.matching import require_known
from cdp_core.runner.profiles import Profiles


class ProfileTable:
    def __init__(self, desk: Desk, profiles: Profiles) -> None:
        self.desk = desk
        self._profiles = profiles

    def resource(self, name: str, arguments: Mapping[str, Any]) -> Resource:
        return Resource(kind="profiles")

    @act(Action.PROFILES_LINT)
    def lint(
        self,
        *,
        fields: Sequence[str] = (),
        kinds: Sequence[str] = (),
        segment: str | None = None,
        region: Region | None = None,
        progress: Callable[[int], None] = lambda read: None,
    ) -> Linted:
        """What share of each field would match, and why the rest would not; nothing is written.

        With `kinds`, one for all fields or one for each; without, they are guessed, and without `fields`
        in every column of text but the key. `progress` is told how many values have been read.
        """
        if kinds and not fields:
            raise UsageFault(
                Code.USAGE,
                "a kind is given, and no field to read as it",
                hint="--field NAME --kind EMAIL; or neither of them, to go through every column",
            )
        for kind in kinds:
            known_kind(kind, self.desk.catalog.kinds)
        require_known(region or Region(), where="--default-region")
        within = None if segment is None else self.desk.state.segments.get(segment)
        with self._profiles.open(segments=() if within is None else (within,)) as engine:
            lint = Lint(
                engine,
                kinds=self.desk.catalog.kinds,
                segment=within,
                region=region or Region(),
                progress=progress,
            )
            found = (
                lint.chosen(pairs(fields, kinds))
                if kinds
                else lint.guessed(fields, key=self._profiles.settings.profiles.key)
            )
        self.desk.note(fields=[each.field for each in found.fields], segment=segment)
        return found
