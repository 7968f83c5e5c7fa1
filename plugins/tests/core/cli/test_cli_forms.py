"""Settings, secrets and matching from the command line: what is refused, and what is never repeated."""

from __future__ import annotations

import dataclasses

import pytest
from marshmallow import fields

from cdp_core.app.views import DestinationForm
from cdp_core.cli import ask
from cdp_core.cli.ask import chosen, is_reference
from cdp_core.cli.forms import (
    complete_matching,
    complete_segments,
    complete_settings,
    missing_of_export,
    one_of,
    pairs,
    require_known_kinds,
    require_settings,
    typed_matching,
    typed_secrets,
    typed_settings,
)
from cdp_core.contract.schemas import SettingInfo
from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.configuration import Match

LITERAL = "p4ssw0rd-in-clear"


def setting(name: str, **more: object) -> SettingInfo:
    given = {"required": False, "secret": False, "advanced": False, "default": None, "example": "", **more}
    given["declared"] = fields.String()
    return SettingInfo(name=name, label=name.title(), help=f"The {name}.", **given)  # type: ignore[arg-type]


SETTINGS = (
    setting("account", required=True, example="A-7"),
    setting("api_key", required=True, secret=True),
    setting("region", default="eu"),
    setting("url", advanced=True, default="https://acme.example"),
)


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "can_ask", lambda: False)


def test_pairs_are_split_at_the_first_sign() -> None:
    assert pairs(["a=1=2", " b =", "c= x "], "--set") == {"a": "1=2", "b": "", "c": " x "}


@pytest.mark.parametrize("text", [LITERAL, "=x", ""])
def test_what_is_no_pair_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(UsageFault) as fault:
        pairs([text], "--set")
    assert fault.value.code is Code.USAGE
    assert LITERAL not in repr(vars(fault.value))


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(UsageFault, match="twice"):
        pairs(["a=1", "a=2"], "--set")


def test_a_secret_given_as_a_setting_is_refused_without_being_repeated() -> None:
    with pytest.raises(UsageFault) as fault:
        typed_settings(SETTINGS, [f"api_key={LITERAL}"])
    assert fault.value.code is Code.SECRET_ON_COMMAND_LINE
    assert LITERAL not in repr(vars(fault.value))
    assert "env:NAME" in fault.value.hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"api_key={LITERAL}", Code.SECRET_ON_COMMAND_LINE),
        (f"api_key=vault:{LITERAL}", Code.SECRET_ON_COMMAND_LINE),
        (LITERAL, Code.USAGE),
        (f"{LITERAL}=env:NAME", Code.USAGE),
    ],
)
def test_a_literal_secret_is_refused_without_being_repeated(text: str, code: Code) -> None:
    with pytest.raises(UsageFault) as fault:
        typed_secrets(SETTINGS, [text])
    assert fault.value.code is code
    assert LITERAL not in repr(vars(fault.value))
    assert fault.value.exit_status == 2


def test_references_are_taken() -> None:
    assert typed_secrets(SETTINGS, ["api_key=env:ACME"]) == {"api_key": "env:ACME"}
    assert is_reference("file:/run/key")
    assert is_reference("keyring:acme/key")
    assert not is_reference("s3cret")


def test_an_unknown_setting_is_the_facades_to_refuse() -> None:
    assert typed_settings(SETTINGS, ["nonsense=1"]) == {"nonsense": "1"}


def test_without_a_terminal_every_missing_setting_is_named_with_its_option() -> None:
    with pytest.raises(UsageFault) as fault:
        require_settings(SETTINGS, {}, also={"Name": "--name NAME"})
    assert fault.value.code is Code.MISSING_VALUE
    assert fault.value.hint == "--name NAME --set account=A-7 --secret api_key=env:NAME"
    assert "Name, Account, Api_Key" in fault.value.message


def test_what_is_not_required_may_be_missing() -> None:
    typed = {"account": "A-7"}
    require_settings(SETTINGS, {"account", "api_key"}, also={})
    complete_settings(SETTINGS, typed, {"api_key": "env:ACME"})
    assert typed == {"account": "A-7"}


FORM = DestinationForm(
    destination="acme",
    label="Acme",
    settings=(),
    kinds={"EMAIL": "required", "PHONE": "optional"},
    fields=("email", "phone"),
    segments=("Loyal",),
    audience_setting="audience_id",
    lists_audiences=False,
    creates_audiences=False,
)


@pytest.mark.parametrize("text", ["EMAIL", "=email", "EMAIL=", " = "])
def test_a_match_needs_kind_and_field(text: str) -> None:
    with pytest.raises(UsageFault, match="KIND=FIELD"):
        typed_matching([text])


def test_a_kind_may_be_matched_with_several_fields() -> None:
    matches = typed_matching(["EMAIL=email", "EMAIL=work_email"])
    assert [match.field for match in matches] == ["email", "work_email"]
    assert complete_matching(FORM, matches) == matches


def test_a_kind_that_is_not_taken_is_named_with_those_that_are() -> None:
    with pytest.raises(InvalidFault, match="does not take 'FAX'") as fault:
        require_known_kinds(FORM, (Match(kind="FAX", field="email"),))
    assert fault.value.code is Code.MATCHING_INVALID
    assert "EMAIL" in fault.value.hint


def test_a_required_kind_that_is_not_matched_is_named() -> None:
    with pytest.raises(UsageFault) as fault:
        complete_matching(FORM, (Match(kind="PHONE", field="phone"),))
    assert fault.value.hint == "--match EMAIL=FIELD"


def test_everything_that_an_export_lacks_is_named_at_once() -> None:
    assert missing_of_export(FORM, (), (), ()) == {
        "Profile field for EMAIL": "--match EMAIL=FIELD",
        "Segments": "--segment NAME",
    }
    either = dataclasses.replace(FORM, kinds={"EMAIL": "at-least-one", "PHONE": "at-least-one"})
    assert missing_of_export(either, (), ("Loyal",), ()) == {
        "Data matching of EMAIL or PHONE": "--match EMAIL=FIELD"
    }
    assert missing_of_export(either, (Match(kind="PHONE", field="phone"),), ("Loyal",), ()) == {}


def test_a_segment_is_missing_by_its_option_and_by_its_absence() -> None:
    assert complete_segments(FORM, ("Any",)) == ("Any",)
    with pytest.raises(UsageFault) as fault:
        complete_segments(FORM, ())
    assert fault.value.hint == "--segment NAME"
    none = dataclasses.replace(FORM, segments=())
    with pytest.raises(UsageFault) as fault:
        complete_segments(none, ())
    assert "cdp segment add" in fault.value.hint


def test_a_name_that_is_missing_is_asked_for_only_on_a_terminal() -> None:
    assert one_of("Loyal", "Segment", lambda: (), option="NAME") == "Loyal"
    with pytest.raises(UsageFault) as fault:
        one_of(None, "Segment", lambda: ("Loyal",), option="NAME")
    assert fault.value.code is Code.MISSING_VALUE


@pytest.mark.parametrize(
    ("answer", "several", "found"),
    [
        ("2", False, ("Big, tall",)),
        ("Loyal", False, ("Loyal",)),
        ("Big, tall", True, ("Big, tall",)),
        ("1, 3,1", True, ("Loyal", "7")),
        ("7", False, ("7",)),
        ("1,9", True, ()),
        ("0", False, ()),
        ("", True, ()),
        ("nothing", False, ()),
    ],
)
def test_an_answer_names_choices_by_number_or_name(
    answer: str, several: bool, found: tuple[str, ...]
) -> None:
    assert chosen(answer, ("Loyal", "Big, tall", "7"), several=several) == found
