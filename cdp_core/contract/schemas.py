"""Settings, declared once: flags, prompts, help, JSON and the reference page are made from the schema.

A field's `metadata` says how people meet it: `label`, `help`, `example`, `secret` (given by reference
only, loaded as a `Secret`), `advanced` (not prompted for), `only_where` (prompted for, and needed, only
where another setting has one of some values: `{"auth": ["basic"]}`), `deprecated` (a `Deprecation`: not
prompted for, and warned of where it is set); and, under a language's code, label and help in that language:
`"nl": {"label": …, "help": …}`.
"""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import marshmallow
from marshmallow import fields, validate

from cdp_core.contract.deprecation import Deprecation
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.secret import Secret
from cdp_core.model.sentence import Sentence

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class SettingsSchema(marshmallow.Schema):
    """The base of every settings schema: an unknown setting is an error, and names itself."""

    class Meta:
        unknown = marshmallow.RAISE


class SecretField(fields.Field[Secret]):
    """A credential: loaded from the text that its reference led to, shown masked."""

    def __init__(self, **options: Any) -> None:
        metadata = {**options.pop("metadata", {}), "secret": True}
        super().__init__(metadata=metadata, **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Secret:
        if isinstance(value, Secret):
            return value
        if not isinstance(value, str) or not value.strip():
            raise marshmallow.ValidationError(Sentence("The secret is empty."))
        return Secret(value.strip())

    def _serialize(self, value: Secret | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    return host in LOOPBACK_HOSTS


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL, the port left out where it is the scheme's own."""
    parts = urlsplit(url.strip())
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{shown}{port}"


class ServiceUrl(validate.Validator):
    """`https` everywhere; `http` for loopback addresses only; no user, query or fragment."""

    def __call__(self, value: str) -> str:
        try:
            # Of what is within, `urlsplit` leaves out line breaks, and others take them as they are.
            parts = urlsplit(value if value.strip().isprintable() else "")
        except ValueError:
            raise marshmallow.ValidationError(Sentence("Not a URL that begins with https://.")) from None
        try:
            parts.port  # noqa: B018 (the property is what checks it)
        except ValueError:
            raise marshmallow.ValidationError(
                Sentence("The URL's port is not a number up to 65535.")
            ) from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise marshmallow.ValidationError(Sentence("Not a URL that begins with https://."))
        if parts.scheme == "http" and not is_loopback(value):
            raise marshmallow.ValidationError(
                Sentence("http is accepted for loopback addresses only; use https.")
            )
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise marshmallow.ValidationError(Sentence("The URL may hold no user name, query or fragment."))
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInfo:
    """One setting as people meet it."""

    name: str
    label: str
    help: str
    example: str
    required: bool
    secret: bool
    advanced: bool
    default: Any
    declared: fields.Field[Any] = field(repr=False, compare=False)

    @property
    def deprecated(self) -> Deprecation | None:
        """How it goes out of use, where it does."""
        found = self.declared.metadata.get("deprecated")
        return found if isinstance(found, Deprecation) else None

    @property
    def is_path(self) -> bool:
        """Whether it names a file here: it is kept absolute, since commands are typed in any folder."""
        return bool(self.declared.metadata.get("path", False))

    @property
    def is_needed(self) -> bool:
        """Whether an empty answer is none: where another setting's value is what it is asked for."""
        return self.required or "only_where" in self.declared.metadata

    def is_asked(self, answers: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
        """Whether a terminal is asked for it, in the light of the answers so far."""
        only_where: Mapping[str, Collection[Any]] = self.declared.metadata.get("only_where", {})
        fits = all(answers.get(name, defaults.get(name)) in values for name, values in only_where.items())
        return fits and (self.required or not (self.advanced or self.deprecated))

    def label_in(self, language: str) -> str:
        """The label in a language (`nl`), where the field's metadata has it; else in English."""
        return self._in(language, "label") or self.label

    def help_in(self, language: str) -> str:
        return self._in(language, "help") or self.help

    def _in(self, language: str, what: str) -> str:
        translated = self.declared.metadata.get(language)
        return str(translated.get(what, "")) if isinstance(translated, Mapping) else ""

    def complaint(self, value: Any) -> str:
        """What the schema has against a value of this setting by itself; empty where it takes it."""
        try:
            self.declared.deserialize(value)
        except marshmallow.ValidationError as fault:
            return _sentence(fault.messages)
        return ""


def settings_of(schema: type[marshmallow.Schema]) -> tuple[SettingInfo, ...]:
    """The settings that a schema declares, in its order, the advanced ones last."""
    declared_ones = [
        SettingInfo(
            name=name,
            label=str(declared.metadata.get("label", name)),
            help=str(declared.metadata.get("help", "")),
            example=str(declared.metadata.get("example", "")),
            required=declared.required,
            secret=bool(declared.metadata.get("secret", False)),
            advanced=bool(declared.metadata.get("advanced", False)),
            default=None if declared.load_default is marshmallow.missing else declared.load_default,
            declared=declared,
        )
        for name, declared in schema().fields.items()
    ]
    return tuple(sorted(declared_ones, key=lambda info: info.advanced))


def load_settings(
    schema: type[marshmallow.Schema], values: Mapping[str, Any], *, what: str, without: Collection[str] = ()
) -> dict[str, Any]:
    """Validated settings of `what`; raises `InvalidFault` naming every one that is wrong. Those in `without`
    may be missing."""
    try:
        loaded: dict[str, Any] = schema().load(dict(values), partial=tuple(without))
    except marshmallow.ValidationError as fault:
        raise InvalidFault(
            Code.SETTING_INVALID,
            "; ".join(each.removesuffix(".") for each in _complaints(schema, fault.messages_dict)),
            where=what,
            hint=_mend(schema, fault.messages_dict),
        ) from None
    warn_of_deprecated(schema, loaded, what=what)
    return loaded


def warn_of_deprecated(schema: type[marshmallow.Schema], loaded: Mapping[str, Any], *, what: str) -> None:
    """Of each setting of `what` that goes and has another value than its default."""
    for info in settings_of(schema):
        if info.deprecated is not None and loaded.get(info.name) not in (None, info.default):
            # From this line whoever asks, so that it is said once.
            warnings.warn(info.deprecated.warning(f"the setting {info.name} of {what}"), stacklevel=1)


def _complaints(schema: type[marshmallow.Schema], messages: Mapping[str, Any]) -> list[str]:
    labels = {info.name: info.label for info in settings_of(schema)}
    return [
        f"{name} ({labels[name]}): {_sentence(wrong)}" if name in labels else f"{name}: {_sentence(wrong)}"
        for name, wrong in messages.items()
    ]


def _mend(schema: type[marshmallow.Schema], messages: Mapping[str, Any]) -> str:
    """Of a setting there is, how it may look; of one there is not, which there are."""
    known = {info.name: info for info in settings_of(schema)}
    if any(name not in known for name in messages):
        return "known settings: " + ", ".join(known)
    return " ".join(_typed(known[name]) for name in messages)


def _typed(info: SettingInfo) -> str:
    """The setting with its example as one types it: a shell takes what is in it for nothing else."""
    given = shlex.quote(f"{info.name}={info.example}") if info.example else f"{info.name}=…"
    return f"--{'secret' if info.secret else 'set'} {given}"


def _sentence(wrong: Any) -> str:
    if isinstance(wrong, Mapping):
        return " ".join(f"{key}: {_sentence(inner)}" for key, inner in wrong.items())
    if isinstance(wrong, list):
        # One alone stays what it is: it may be a `Sentence`.
        return wrong[0] if len(wrong) == 1 and isinstance(wrong[0], str) else " ".join(map(str, wrong))
    return str(wrong)
