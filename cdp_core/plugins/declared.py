"""What is wrong with what a destination says of itself, as far as it can be told without asking its service.

Each rule yields sentences. The suite of destinations asserts that there are none; `cdp plugins check` shows
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

import marshmallow

from cdp_core.contract.destination import Capabilities, Destination, DestinationSpec
from cdp_core.contract.schemas import settings_of
from cdp_core.model.configuration import ConsentPrompt
from cdp_core.model.delivery import Operation

LANGUAGES = ("en", "nl", "da")
_UNKNOWN = "no_such_setting"
_RAW = re.compile(r"(^|_)(e?mails?|phones?|(first|last|full)_name|address|birth(day|date)?)($|_)")
_LOOKS_SECRET = re.compile(r"(^|_)(secret|password|token|api_key)$")

Schema = type[marshmallow.Schema]


def unplannable(spec: DestinationSpec, kinds: Collection[str]) -> Iterator[str]:
    """Where no plan can be made by the spec's numbers and names; `kinds` are those that somebody declares."""
    yield from _numbers(spec.capabilities)
    known = {info.name for info in settings_of(spec.settings_schema)}
    for named in (spec.audience_setting, spec.batch_size_setting, spec.concurrency_setting):
        if named is not None and named not in known:
            yield f"there is no setting {named}"
    if not spec.matching:
        yield "nothing is matched"
    if missing := sorted({rule.kind for rule in spec.matching} - set(kinds)):
        yield f"nobody declares the kinds {', '.join(missing)}"


def _numbers(able: Capabilities) -> Iterator[str]:
    for what, number in (("batch_limit", able.batch_limit), ("concurrency", able.concurrency)):
        if number < 1:
            yield f"{what} is {number}"
    if Operation.ADD not in able.operations:
        yield "nobody can be added: `add` is none of its operations"
    for rate in (able.rate, able.app_rate):
        if rate is not None and rate.requests_per_second <= 0:
            yield f"a rate of {rate.requests_per_second} requests a second"
    smallest, largest = able.smallest_audience, able.largest_audience
    if smallest is not None and largest is not None and smallest > largest:
        yield "the smallest audience is larger than the largest"


def emptying(spec: DestinationSpec, own: Callable[..., object]) -> Iterator[str]:
    """Whether emptying is there where it is declared; `own` is the destination's class."""
    able = spec.capabilities
    there = getattr(own, "remove_all", Destination.remove_all) is not Destination.remove_all
    if Operation.REMOVE_ALL in able.operations:
        if isinstance(own, type) and not there:
            yield "remove_all is declared, and not there"
        if not able.while_emptied.strip():
            yield "while_emptied does not say what is lost meanwhile"
    elif there:
        yield "remove_all is there, and not declared"


def unsaid(schema: Schema) -> Iterator[str]:
    """Settings that people meet without a label or a sentence."""
    for info in settings_of(schema):
        if info.label == info.name:
            yield f'{info.name} has no label: metadata={{"label": …}} of its field gives one'
        if not info.help.strip():
            yield f'{info.name} has no help: metadata={{"help": …}} of its field gives it'


def lax(schema: Schema) -> Iterator[str]:
    """Where a slip in a setting's name is taken for a setting that does nothing."""
    found = schema().validate({_UNKNOWN: "1"}, partial=True)
    if _UNKNOWN not in found:
        yield "a setting that there is not is taken: derive the schema from cdp_core.SettingsSchema"


def shown_secrets(schema: Schema) -> Iterator[str]:
    for info in settings_of(schema):
        if not info.secret and _LOOKS_SECRET.search(info.name):
            yield f"{info.name} looks secret, and is shown: make it a cdp_core.SecretField"


def raw_identifiers(schema: Schema) -> Iterator[str]:
    """To an audience only digests go."""
    for info in settings_of(schema):
        if _RAW.search(info.name):
            yield f"the setting {info.name} asks for a raw identifier"


def unasked(connection_type: str, prompts: Sequence[ConsentPrompt]) -> Iterator[str]:
    """Where nobody agrees to the service's terms in words before anything is sent."""
    if not prompts:
        yield f"connections of type {connection_type} ask for no consent: implement cdp_consent_prompts"
    if len({prompt.key for prompt in prompts}) != len(prompts):
        yield "two consent prompts have one key"
    for prompt in prompts:
        if not prompt.key.strip() or not prompt.version.strip():
            yield "a consent prompt has no key, or no version"
        if len(prompt.text.split()) < 5:
            yield f"the text of {prompt.key} says nothing"
