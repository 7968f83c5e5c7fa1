"""From `--set`, `--secret` and `--match` to what the facade takes; what is missing is asked for.

The questions are the plugin's: its settings schema gives label, help, example and which are secret.
"""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from cdp_core.cli.ask import ask_one, ask_secret, ask_several, ask_text, can_ask, is_reference, missing
from cdp_core.cli.language import _, help_of, label_of, said
from cdp_core.cli.render.words import plain
from cdp_core.errors import Code, InvalidFault, UsageFault
from cdp_core.model.configuration import Match
from cdp_core.model.names import name_trouble
from cdp_core.model.policy import ChosenField
from cdp_core.model.secret import Secret

if TYPE_CHECKING:
    from cdp_core.app.views import DestinationForm
    from cdp_core.contract.schemas import SettingInfo

Complaint = Callable[["SettingInfo", str | Secret], str]

_REFERENCES = "env:NAME, file:PATH or keyring:SERVICE/NAME"


def _by_itself(info: SettingInfo, answer: str | Secret) -> str:
    return info.complaint(answer)


def pairs(given: Iterable[str], option: str) -> dict[str, str]:
    """`NAME=VALUE` texts by name. A fault never repeats the value: it may be a secret."""
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        name = name.strip()
        if not sign or not name:
            raise UsageFault(Code.USAGE, f"{option} takes NAME=VALUE", hint=f"{option} NAME=VALUE")
        if name in found:
            raise UsageFault(Code.USAGE, f"{option} gives {plain(name)!r} twice", hint="give it once")
        found[name] = value
    return found


def typed_settings(settings: Sequence[SettingInfo], given: Iterable[str]) -> dict[str, str]:
    """What `--set` says. Raises `UsageFault` where it gives a secret."""
    found = pairs(given, "--set")
    for info in settings:
        if info.secret and info.name in found:
            raise _refused(info.name, "--set")
    return found


def typed_secrets(
    settings: Sequence[SettingInfo], given: Iterable[str], complaint: Complaint = _by_itself
) -> dict[str, str | Secret]:
    """What `--secret` says: references, and the names alone of those to be asked for."""
    known = {info.name: info for info in settings if info.secret}
    found: dict[str, str | Secret] = {}
    for text in given:
        name, sign, reference = text.partition("=")
        if name not in known:
            # What stands there may be the secret itself: it is not repeated.
            raise UsageFault(
                Code.USAGE,
                "--secret takes the name of a secret setting and a reference",
                where="secret settings: " + (", ".join(known) or "none"),
                hint=f"--secret NAME=REFERENCE, with {_REFERENCES}",
            )
        if sign and not is_reference(reference):
            raise _refused(name, "--secret")
        found[name] = reference if sign else _asked_secret(known[name], complaint)
    return found


def _refused(name: str, option: str) -> UsageFault:
    return UsageFault(
        Code.SECRET_ON_COMMAND_LINE,
        f"{name} is a secret and was given literally: a command line is kept in the shell's history, and "
        "other users of this machine can read it",
        where=f"{option} {name}",
        hint=f"--secret {name}=REFERENCE, with {_REFERENCES}; or leave it out to be asked, hidden",
    )


def require_settings(
    settings: Sequence[SettingInfo], given: Container[str], *, also: Mapping[str, str]
) -> None:
    """Where nobody can be asked, raise `UsageFault` naming everything that is missing at once.

    `also` holds, by what they are called, the options for what else is missing.
    """
    if can_ask():
        return
    left = {info.label: _option(info) for info in settings if info.required and info.name not in given}
    needed = {**also, **left}
    if needed:
        raise missing(", ".join(needed), " ".join(needed.values()))


def complete_settings(
    settings: Sequence[SettingInfo],
    typed: dict[str, str],
    secrets: dict[str, str | Secret],
    complaint: Complaint = _by_itself,
) -> None:
    """Ask for what is missing of a new thing's settings, in the schema's order, and add it to the two.

    What is wrong with an answer is said, and it is asked for again; what is wrong with a setting that was
    given is raised before the first question, so that no answer is lost by it.
    """
    if not can_ask():
        return
    for info in settings:
        given = secrets.get(info.name, typed.get(info.name))
        if given is not None and (wrong := complaint(info, given)):
            raise InvalidFault(
                Code.SETTING_INVALID, f"{info.name} ({info.label}): {wrong}", hint=_option(info)
            )
    defaults = {info.name: info.default for info in settings}
    for info in settings:
        if info.name in typed or info.name in secrets or not info.is_asked(typed, defaults):
            continue
        if info.secret:
            secrets[info.name] = _asked_secret(info, complaint)
        elif answer := _asked_text(info, complaint):
            typed[info.name] = answer


def _option(info: SettingInfo) -> str:
    if info.secret:
        return f"--secret {info.name}=env:NAME"
    # As it is typed: an example may hold what a shell would take for its own.
    return "--set " + shlex.quote(f"{info.name}={info.example or 'VALUE'}")


def _asked_secret(info: SettingInfo, complaint: Complaint) -> str | Secret:
    return ask_secret(
        label_of(info),
        option=_option(info),
        hint=help_of(info),
        complaint=lambda answer: complaint(info, answer),
    )


def _asked_text(info: SettingInfo, complaint: Complaint) -> str:
    hint = help_of(info)
    if info.example:
        hint += _(" For example: {example}").format(example=info.example)
    default = None if info.is_needed else str("" if info.default is None else info.default)
    answer = ask_text(
        label_of(info),
        option=_option(info),
        hint=hint,
        default=default,
        complaint=lambda answer: complaint(info, answer),
    )
    return "" if answer == default else answer


def asked_name(what: str, taken: Callable[[], Iterable[str]], *, option: str) -> str:
    """A new thing's name, asked for until it is a valid one that nothing of its kind has."""

    def complaint(answer: str) -> str:
        tidy = unicodedata.normalize("NFC", answer).strip()
        if trouble := name_trouble(tidy)[0]:
            return _("The name {trouble}.").format(trouble=said(trouble))
        return _("That name is in use.") if tidy in taken() else ""

    return ask_text(what, option=option, complaint=complaint)


def typed_matching(given: Iterable[str]) -> tuple[Match, ...]:
    """What `--match KIND=FIELD` says; a kind may be matched with several fields."""
    found = []
    for text in given:
        kind, sign, field = text.partition("=")
        if not sign or not kind.strip() or not field.strip():
            raise UsageFault(Code.USAGE, "--match takes KIND=FIELD", hint="--match EMAIL=email")
        found.append(Match(kind=kind.strip(), field=field.strip()))
    return tuple(found)


def typed_fields(given: Iterable[str]) -> tuple[ChosenField, ...]:
    """What `--field FIELD[=COLUMN]` says; a column is called as its field where nothing else is said."""
    found = []
    for text in given:
        field, sign, column = (part.strip() for part in text.partition("="))
        if not field or (sign and not column):
            raise UsageFault(
                Code.USAGE, "--field takes FIELD or FIELD=COLUMN", hint="--field first_name=given_name"
            )
        found.append(ChosenField(field=field, column=column or field))
    return tuple(found)


def require_payload(form: DestinationForm, fields: tuple[ChosenField, ...]) -> None:
    """Raise `InvalidFault` where fields are given to a destination of digests: said first, since it may be
    what another lacks."""
    if fields and form.payload == "digests":
        raise InvalidFault(
            Code.MATCHING_INVALID,
            f"{form.label} takes digests of identifiers, and no fields of rows",
            where=f"--field {plain(fields[0].field)}",
            hint="leave out --field; --match KIND=FIELD says what digests are made of",
        )


def complete_fields(form: DestinationForm, typed: tuple[ChosenField, ...]) -> tuple[ChosenField, ...]:
    """The chosen fields, asked for where whole rows leave and none is given."""
    if typed or form.payload == "digests":
        return typed
    asked = ask_several("Fields to send", form.fields, option="--field FIELD")
    return tuple(ChosenField(field=field, column=field) for field in asked)


def _unmatched(form: DestinationForm, typed: tuple[Match, ...]) -> tuple[list[str], list[str]]:
    """The kinds that must still be matched, and those of which one must be."""
    matched = {match.kind for match in typed}
    required = [kind for kind, need in form.kinds.items() if need == "required" and kind not in matched]
    choices = [kind for kind, need in form.kinds.items() if need == "at-least-one"]
    return required, [] if matched & set(choices) else choices


def require_known_kinds(form: DestinationForm, typed: tuple[Match, ...]) -> None:
    """Raise `InvalidFault` where a kind is not taken: said first, since it may be what another lacks."""
    for match in typed:
        if match.kind not in form.kinds:
            raise InvalidFault(
                Code.MATCHING_INVALID,
                f"{form.label} does not take {plain(match.kind)!r}",
                where=f"--match {plain(match.kind)}={plain(match.field)}",
                hint="--match KIND=FIELD, with a kind of: " + ", ".join(form.kinds),
            )


def missing_of_export(
    form: DestinationForm,
    matches: tuple[Match, ...],
    segments: tuple[str, ...],
    fields: tuple[ChosenField, ...],
) -> dict[str, str]:
    """The options for what a new export lacks beside its settings, by what they are called."""
    required, choices = _unmatched(form, matches)
    needed = {f"Profile field for {kind}": f"--match {kind}=FIELD" for kind in required}
    if choices:
        needed["Data matching of " + " or ".join(choices)] = f"--match {choices[0]}=FIELD"
    if form.payload == "records" and not fields:
        needed["Fields to send"] = "--field FIELD"
    return needed if segments else {**needed, "Segments": "--segment NAME"}


def complete_matching(form: DestinationForm, typed: tuple[Match, ...]) -> tuple[Match, ...]:
    """The matching, with the field asked for of each kind that must be matched and is not."""
    left, choices = _unmatched(form, typed)
    if choices:
        left.append(ask_one("Identifier to match", choices, option=f"--match {choices[0]}=FIELD"))
    return typed + tuple(
        Match(
            kind=kind,
            field=ask_one(
                _("Profile field for {kind}").format(kind=kind), form.fields, option=f"--match {kind}=FIELD"
            ),
        )
        for kind in left
    )


def complete_segments(form: DestinationForm, typed: tuple[str, ...]) -> tuple[str, ...]:
    if typed:
        return typed
    if not form.segments:
        raise UsageFault(
            Code.MISSING_VALUE,
            "an export needs a segment, and there is none yet",
            hint='cdp segment add "Loyal customers" --where "lifetime_value > 500"',
        )
    return ask_several("Segments", form.segments, option="--segment NAME")


def one_of(given: str | None, what: str, names: Callable[[], Iterable[str]], *, option: str) -> str:
    """The name given, or one chosen from those there are."""
    if given is not None:
        return given
    if not can_ask():
        raise missing(what, option)
    there = tuple(names())
    if not there:
        raise UsageFault(
            Code.MISSING_VALUE, f"{what} is missing, and there is none to choose from", hint=option
        )
    return ask_one(what, there, option=option)
