"""What a destination says of itself: settings, consent, and what it can do."""

from __future__ import annotations

import re

import marshmallow
import pytest

from cdp_core.contract.destination import Destination
from cdp_core.contract.schemas import settings_of
from cdp_core.model.delivery import Operation
from cdp_core.testing.stage import NAME, Stage

_RAW = re.compile(r"(^|_)(e?mails?|phones?|(first|last|full)_name|address|birth(day|date)?)($|_)")


class Declarations:
    def test_the_plan_can_be_made_by_what_it_declares(self, stage: Stage) -> None:
        """`Capabilities` and the spec name what there is, in numbers that a batch can be made of."""
        spec, able = stage.spec, stage.spec.capabilities
        assert able.batch_limit >= 1
        assert able.concurrency >= 1
        assert Operation.ADD in able.operations
        for rate in (able.rate, able.app_rate):
            assert rate is None or rate.requests_per_second > 0
        if None not in (able.smallest_audience, able.largest_audience):
            assert able.smallest_audience <= able.largest_audience  # type: ignore[operator]
        known = {info.name for info in settings_of(spec.settings_schema)}
        for named in (spec.audience_setting, spec.batch_size_setting, spec.concurrency_setting):
            assert named is None or named in known, f"there is no setting {named}"
        assert spec.matching, "nothing is matched"
        kinds = {rule.kind for rule in spec.matching}
        assert kinds <= set(stage.kinds), f"nobody declares the kinds {sorted(kinds - set(stage.kinds))}"
        assert stage.stand_in.kind in kinds

    def test_what_it_declares_is_what_it_does(self, stage: Stage) -> None:
        """Emptying, listing and creating are there where they are declared, and said to people."""
        able = stage.spec.capabilities
        with stage.opened() as found:
            own = type(found.destination)
            if Operation.REMOVE_ALL in able.operations:
                assert own.remove_all is not Destination.remove_all, "remove_all is declared, and not there"
                assert able.while_emptied.strip(), "while_emptied does not say what is lost meanwhile"
            else:
                assert own.remove_all is Destination.remove_all, "remove_all is there, and not declared"
            audience = found.destination.verify()
            assert audience.id == found.settings[stage.spec.audience_setting]
            assert found.destination.audience_status().id == audience.id
            if able.lists_audiences:
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
            for info in settings_of(schema):
                assert info.label != info.name, f"{info.name} has no label"
                assert info.help.strip(), f"{info.name} has no help"

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

    def test_a_secret_is_declared_one(self, stage: Stage) -> None:
        """What the stand-in calls secret is given by reference and shown masked."""
        with stage.cdp() as cdp:
            kind = cdp.desk.catalog.connection_type(stage.spec.connection_type)
        hidden = {info.name for info in settings_of(kind.settings_schema) if info.secret}
        assert set(stage.stand_in.secrets) <= hidden
        told = re.compile(r"(^|_)(secret|password|token|api_key)$")
        for schema in (kind.settings_schema, stage.spec.settings_schema):
            for info in settings_of(schema):
                assert info.secret or not told.search(info.name), f"{info.name} looks secret, and is shown"

    def test_consent_is_asked_for(self, stage: Stage) -> None:
        """Somebody agrees to the service's terms in words before anything is sent, in each language."""
        for locale in ("en", "nl", "da"):
            with stage.cdp() as cdp:
                answers = cdp.desk.catalog.manager.hook.cdp_consent_prompts(
                    connection_type=stage.spec.connection_type, locale=locale
                )
            prompts = [prompt for answer in answers for prompt in answer]
            assert prompts, f"connections of type {stage.spec.connection_type} ask for no consent"
            assert len({prompt.key for prompt in prompts}) == len(prompts)
            for prompt in prompts:
                assert prompt.key.strip()
                assert prompt.version.strip()
                assert len(prompt.text.split()) >= 5, f"the text of {prompt.key} says nothing"

    def test_no_raw_identifier_is_asked_for(self, stage: Stage) -> None:
        """To an audience only digests go: what is matched has a rule that makes one, and no setting asks for
        somebody's address."""
        if not stage.takes_rows:
            assert len(stage.digest(1)) == 32
            raw = stage.stand_in.identifier(1)
            assert raw.encode() not in stage.digest(1)
        for info in settings_of(stage.spec.settings_schema):
            assert not _RAW.search(info.name), f"the setting {info.name} asks for a raw identifier"
