"""What a destination says of itself: settings, consent, and what it can do."""

from __future__ import annotations

from collections.abc import Iterable

import marshmallow
import pytest

from cdp_core.contract import settings_snapshot as snapshots
from cdp_core.contract.schemas import settings_of
from cdp_core.plugins import declared
from cdp_core.testing.stage import NAME, Stage


def _nothing_wrong(found: Iterable[str]) -> None:
    wrong = list(found)
    assert not wrong


class Declarations:
    def test_the_plan_can_be_made_by_what_it_declares(self, stage: Stage) -> None:
        """`Capabilities` and the spec name what there is, in numbers that a batch can be made of."""
        _nothing_wrong(declared.unplannable(stage.spec, stage.kinds))
        assert stage.stand_in.kind in {rule.kind for rule in stage.spec.matching}

    def test_what_it_declares_is_what_it_does(self, stage: Stage) -> None:
        """Emptying, listing and creating are there where they are declared, and said to people."""
        with stage.opened() as found:
            _nothing_wrong(declared.emptying(stage.spec, type(found.destination)))
            audience = found.destination.verify()
            assert audience.id == found.settings[stage.spec.audience_setting]
            assert found.destination.audience_status().id == audience.id
            if stage.spec.capabilities.lists_audiences:
                assert audience.id in [each.id for each in found.destination.audiences()]

    def test_settings_come_back_as_they_were_given(self, stage: Stage) -> None:
        """Loading what was dumped of what was loaded yields the same, for connection and export."""
        with stage.cdp() as cdp, stage.opened() as found:
            kind = cdp.desk.catalog.connection_type(stage.spec.connection_type)
            given = {**stage.stand_in.settings, **stage.stand_in.secrets}
            for schema, values in (
                (kind.settings_schema, given),
                (stage.spec.settings_schema, dict(stage.stand_in.export)),
            ):
                loaded = schema().load(values)
                again = {name: value for name, value in schema().dump(loaded).items() if value is not None}
                hidden = {info.name for info in settings_of(schema) if info.secret}
                again |= {name: values[name] for name in hidden & set(values)}
                assert schema().load(again) == loaded
            assert found.connection.name == NAME

    def test_every_setting_says_what_it_is(self, stage: Stage) -> None:
        """People meet a label and a sentence, not the name of a field."""
        with stage.cdp() as cdp:
            kind = cdp.desk.catalog.connection_type(stage.spec.connection_type)
        for schema in (kind.settings_schema, stage.spec.settings_schema):
            _nothing_wrong(declared.unsaid(schema))

    def test_a_setting_that_there_is_not_is_refused(self, stage: Stage) -> None:
        """A slip in a setting's name is an error, not a setting that does nothing."""
        with stage.cdp() as cdp:
            kind = cdp.desk.catalog.connection_type(stage.spec.connection_type)
        given = {**stage.stand_in.settings, **stage.stand_in.secrets}
        for schema, values in (
            (kind.settings_schema, given),
            (stage.spec.settings_schema, dict(stage.stand_in.export)),
        ):
            with pytest.raises(marshmallow.ValidationError, match=r"no_such_setting|[Uu]nknown"):
                schema().load({**values, "no_such_setting": "1"})

    def test_settings_break_nobody_who_has_set_them(self, stage: Stage) -> None:
        """Beside what the author names as released no setting is gone, newly required, or takes less."""
        released = stage.stand_in.settings_snapshot
        if released is None:
            return
        kept = snapshots.read(released)
        with stage.cdp() as cdp:
            kind = cdp.desk.catalog.connection_type(stage.spec.connection_type)
        for part, key, schema in (
            (snapshots.CONNECTIONS, kind.key, kind.settings_schema),
            (snapshots.DESTINATIONS, stage.spec.key, stage.spec.settings_schema),
        ):
            assert key in kept[part], f"{released.name} does not hold {key}: record it anew"
            found = list(snapshots.changes(kept[part][key], snapshots.shape_of(schema)))
            assert not [str(change) for change in found if change.breaks]
            assert not found, f"{released.name} is behind: record it anew"

    def test_a_secret_is_declared_one(self, stage: Stage) -> None:
        """What the stand-in calls secret is given by reference and shown masked."""
        with stage.cdp() as cdp:
            kind = cdp.desk.catalog.connection_type(stage.spec.connection_type)
        hidden = {info.name for info in settings_of(kind.settings_schema) if info.secret}
        assert set(stage.stand_in.secrets) <= hidden
        for schema in (kind.settings_schema, stage.spec.settings_schema):
            _nothing_wrong(declared.shown_secrets(schema))

    def test_consent_is_asked_for(self, stage: Stage) -> None:
        """Somebody agrees to the service's terms in words before anything is sent, in each language."""
        for locale in declared.LANGUAGES:
            with stage.cdp() as cdp:
                answers = cdp.desk.catalog.manager.hook.cdp_consent_prompts(
                    connection_type=stage.spec.connection_type, locale=locale
                )
            prompts = [prompt for answer in answers for prompt in answer]
            _nothing_wrong(declared.unasked(stage.spec.connection_type, prompts))

    def test_no_raw_identifier_is_asked_for(self, stage: Stage) -> None:
        """To an audience only digests go: what is matched has a rule that makes one, and no setting asks for
        somebody's address."""
        if not stage.takes_rows:
            assert len(stage.digest(1)) == 32
            raw = stage.stand_in.identifier(1)
            assert raw.encode() not in stage.digest(1)
        _nothing_wrong(declared.raw_identifiers(stage.spec.settings_schema))
