"""From a file to the form that is compared: read by its schema, checked against what plugins know, each
complaint with its line. What only the workspace can tell is found by the rehearsal."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import marshmallow

from cdp_core.app.configuration import grants
from cdp_core.app.configuration.forms import (
    REFRESH,
    Entry,
    Form,
    absolute,
    policy_form,
    policy_of,
    recurrence_of,
    schedule_form,
    secret_form,
    settings_form,
)
from cdp_core.app.configuration.schemas import IN_THE_VAULT, NAMED, FilePart, GrantPart
from cdp_core.contract.schemas import SettingInfo, settings_of
from cdp_core.errors import CdpError, Code, InvalidFault, UsageFault
from cdp_core.model.names import checked_name
from cdp_core.model.schedule import Schedule
from cdp_core.model.secret import Secret
from cdp_core.plugins.catalog import Catalog
from cdp_core.vault.references import FORMS, parse

if TYPE_CHECKING:
    from cdp_core.app.configuration.reading import Marked, Path_

MOST_SHOWN = 20
_NOTHING: Mapping[str, Any] = MappingProxyType({})

Complaint = tuple[tuple[str | int, ...], str]


def meaning(marked: Marked, catalog: Catalog, present: Form) -> Form:
    """The form that a file has; `present` is the workspace's, to which a file may refer.

    Raises `InvalidFault` with every complaint and its line.
    """
    try:
        loaded: dict[str, Any] = FilePart().load(marked.value)
    except marshmallow.ValidationError as fault:
        raise _invalid(marked, _flat(fault.messages_dict, marked.value)) from None
    return _Meaning(marked, catalog, present, loaded).form()


class _Meaning:
    def __init__(self, marked: Marked, catalog: Catalog, present: Form, loaded: dict[str, Any]) -> None:
        self._marked = marked
        self._catalog = catalog
        self._present = present
        self._loaded = loaded
        self._complaints: list[Complaint] = []

    def form(self) -> Form:
        form: Form = {}
        makers: dict[str, Callable[[str, Any, Path_], Entry]] = {
            **dict.fromkeys(grants.KINDS, self._granted),
            "segments": self._segment,
            "connections": self._connection,
            "exports": self._export,
        }
        for section, make in makers.items():
            if section in self._loaded:
                form[section] = self._section(section, make)
        if "schedule" in self._loaded:
            form["schedule"] = {REFRESH: self._schedule(self._loaded["schedule"], ("schedule",))}
            if not form["schedule"][REFRESH]["cron"]:
                self._complain(("schedule",), "The refresh needs `cron` and `timezone`.")
        if self._complaints:
            raise _invalid(self._marked, self._complaints)
        return form

    def _section(self, section: str, make: Callable[[str, Any, Path_], Entry]) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for name, loaded in self._loaded[section].items():
            path: Path_ = (section, name)
            tidy = name
            with _Heard(self, path):
                tidy = checked_name(name, "person" if section == "roles" else section.removesuffix("s"))
            if tidy in found:
                self._complain(path, f"{tidy!r} stands here twice.")
            found[tidy] = make(tidy, loaded, path)
        return found

    def _granted(self, holder: str, loaded: Any, path: Path_) -> Entry:
        return grants.meant(
            holder, loaded, path, known=self._grantable, complain=self._complain, unknown=self._unknown
        )

    @cached_property
    def _grantable(self) -> Mapping[str, Collection[str]]:
        """What a grant may name. What the workspace has granted already is known, too: a plugin that declared
        the role may not be loaded."""
        known = {"role": {*self._catalog.roles, *grants.roles_of(self._present)}}
        for scope in grants.SCOPES:
            said = map(grants.tidy, self._loaded.get(f"{scope}s", {}))
            there = self._present.get(f"{scope}s", {})
            known[scope] = {*said, *there, *grants.named(self._present, scope)}
        return known

    def _segment(self, _name: str, loaded: Entry, _path: Path_) -> Entry:
        return {key: value.strip() if isinstance(value, str) else value for key, value in loaded.items()}

    def _connection(self, name: str, loaded: Entry, path: Path_) -> Entry:
        found = self._catalog.connection_types.get(loaded["type"])
        if found is None:
            self._unknown((*path, "type"), "connection type", loaded["type"], self._catalog.connection_types)
            return {**loaded, "share_with": sorted(set(loaded["share_with"]))}
        schema = found.settings_schema
        hidden = {info.name for info in settings_of(schema) if info.secret}
        for each in sorted(hidden & set(loaded["settings"])):
            self._complain((*path, "settings", each), "That is a secret: it stands under `secrets`.")
        settings = {each: value for each, value in loaded["settings"].items() if each not in hidden}
        there = self._present.get("connections", {}).get(name, {})
        self._check_settings(
            schema,
            settings,
            (*path, "settings"),
            there=there.get("settings", {}) if there.get("type") == loaded["type"] else {},
            secrets=hidden & set(loaded["secrets"]),
        )
        secrets = {
            each: self._secret(reference, (*path, "secrets", each), there.get("secrets", {}).get(each))
            for each, reference in sorted(loaded["secrets"].items())
        }
        for each in sorted(set(secrets) - hidden):
            self._unknown((*path, "secrets", each), "secret setting", each, hidden)
        needed = {info.name for info in settings_of(schema) if info.secret and info.required}
        for each in sorted(needed - set(secrets)):
            self._complain((*path, "secrets"), f"The secret {each!r} is missing: {FORMS}.")
        return {
            "type": loaded["type"],
            # Of a connection, null takes a setting away: one that is left out may be what signing in chose.
            "settings": absolute(schema, settings_form(schema, settings))
            | {each: None for each, value in settings.items() if value is None},
            "secrets": secrets,
            "share_with": sorted(set(loaded["share_with"])),
        }

    def _secret(self, reference: str, path: Path_, there: str | None) -> str:
        """What stands there may be the secret itself: it is not repeated."""
        if reference == IN_THE_VAULT:
            if there != IN_THE_VAULT:
                self._complain(
                    path,
                    f"No secret was typed for this connection here; give {FORMS}, or add the connection by "
                    "hand first.",
                )
            return reference
        try:
            found = str(parse(reference, setting=str(path[-1])))
        except UsageFault:
            self._complain(path, f"A secret is given by reference: {FORMS}.")
            return ""
        if secret_form(found) == IN_THE_VAULT:
            self._complain(path, f"A place in the vault is nobody's to name; write `{IN_THE_VAULT}`.")
        return found

    def _export(self, _name: str, loaded: Entry, path: Path_) -> Entry:
        chosen = [{**each, "column": each["column"] or each["field"]} for each in loaded.pop("chosen")]
        entry = {**loaded, "fields": chosen, "segments": list(dict.fromkeys(loaded["segments"]))}
        for place, segment in enumerate(loaded["segments"]):
            self._refer("segments", segment, (*path, "segments", place))
        entry["destination"] = self._destination(loaded, path)
        spec = self._catalog.destinations.get(entry["destination"])
        if spec is not None:
            self._check_settings(spec.settings_schema, loaded["settings"], (*path, "settings"))
            entry["settings"] = absolute(
                spec.settings_schema, settings_form(spec.settings_schema, loaded["settings"])
            )
            taken = {rule.kind for rule in spec.matching}
            for place, match in enumerate(loaded["matching"]):
                if match["kind"] not in taken:
                    self._unknown((*path, "matching", place, "kind"), "kind", match["kind"], taken)
        region = entry["region"]
        entry["region"] = {**region, "default": region["default"] and region["default"].strip().upper()}
        entry["schedule"] = self._schedule(loaded["schedule"], (*path, "schedule"))
        with _Heard(self, (*path, "consent")):
            entry |= policy_form(policy_of(entry))
        return entry

    def _destination(self, loaded: Entry, path: Path_) -> str:
        given: str | None = loaded["destination"]
        if given is not None and given not in self._catalog.destinations:
            self._unknown((*path, "destination"), "destination", given, self._catalog.destinations)
        over: str | None = loaded["connection"]
        if over is None:
            if given is None:
                self._complain(path, "Without a connection an export needs its `destination`.")
            return given or ""
        self._refer("connections", over, (*path, "connection"))
        asked = self._loaded.get("connections", {}).get(over) or self._present.get("connections", {}).get(
            over
        )
        if asked is None:
            return given or ""
        with _Heard(self, (*path, "connection")):
            found = self._catalog.destination_for(asked["type"]).key
            if given not in (None, found):
                self._complain((*path, "destination"), f"Over {over!r} goes {found!r}, not {given!r}.")
            return found
        return given or ""

    def _schedule(self, loaded: Entry, path: Path_) -> Entry:
        with _Heard(self, path):
            return schedule_form(Schedule(recurrence=recurrence_of(loaded), active=loaded["active"]))
        return loaded

    def _refer(self, section: str, name: str, path: Path_) -> None:
        there = {**self._loaded.get(section, {}), **self._present.get(section, {})}
        if name not in there:
            self._unknown(path, section.removesuffix("s"), name, there)

    def _check_settings(
        self,
        schema: type[marshmallow.Schema],
        settings: Mapping[str, Any],
        path: Path_,
        *,
        there: Mapping[str, Any] = _NOTHING,
        secrets: Iterable[str] = (),
    ) -> None:
        """By the plugin's own schema; `there` is what is set already, and secrets are taken to be right: they
        are read by the rehearsal."""
        known = {info.name: info for info in settings_of(schema)}
        given = {name: value for name, value in {**there, **settings}.items() if value is not None}
        try:
            schema().load({**given, **dict.fromkeys(secrets, Secret("-"))})
        except marshmallow.ValidationError as fault:
            for name, wrong in fault.messages_dict.items():
                self._wrong_setting(name, wrong, path, known, is_said=name in settings)

    def _wrong_setting(
        self, name: str, wrong: Any, path: Path_, known: Mapping[str, SettingInfo], *, is_said: bool
    ) -> None:
        if name in known and known[name].secret:
            return
        sentences = wrong if isinstance(wrong, list) else [wrong]
        if name == "_schema":
            for each in sentences:
                self._complain(path, str(each))
        elif name not in known:
            self._unknown((*path, name), "setting", name, known)
        elif is_said:
            for each in sentences:
                self._complain((*path, name), str(each))
        else:
            self._complain(path, f"{name} ({known[name].label}): {' '.join(map(str, sentences))}")

    def _unknown(self, path: Path_, what: str, name: str, known: Any) -> None:
        near = difflib.get_close_matches(name, list(known), n=3)
        meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        listed = f" There are: {', '.join(sorted(known))}." if known and not near else ""
        self._complain(path, f"There is no {what} {name!r}.{meant}{listed}")

    def _complain(self, path: Path_, sentence: str) -> None:
        self._complaints.append((path, sentence))


class _Heard:
    """A fault of ours within becomes a complaint about that place."""

    def __init__(self, of: _Meaning, path: Path_) -> None:
        self._of, self._path = of, path

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> bool:
        if not isinstance(fault, CdpError):
            return False
        mend = f" ({fault.hint})" if fault.hint else ""
        self._of._complain(self._path, f"{fault.message[:1].upper()}{fault.message[1:]}{mend}.")
        return True


def _flat(messages: Any, value: Any, path: Path_ = ()) -> Iterator[Complaint]:
    """marshmallow's messages by the way that leads to each in the file."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            within = isinstance(value, Mapping) and key in value
            if key == "_schema" or (key in ("key", "value") and len(path) == 2 and not within):
                yield from _flat(inner, value, path)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                yield from _flat(inner, value[key], (*path, key))
            else:
                yield from _flat(inner, value[key] if within else None, (*path, key))
        return
    for each in messages if isinstance(messages, list) else [messages]:
        yield path, _with_known(str(each), path)


def _with_known(sentence: str, path: Path_) -> str:
    """Of a field that there is not, which there are."""
    if not sentence.startswith("Unknown field"):
        return sentence
    schema: type[marshmallow.Schema] | None = None
    if len(path) == 1:
        schema = FilePart
    elif len(path) == 4 and path[0] in grants.KINDS:
        schema = GrantPart
    elif len(path) == 3:
        schema = NAMED.get(str(path[0]))
    names = [each.data_key or name for name, each in schema().fields.items()] if schema else []
    return f"There is no such field.{' There are: ' + ', '.join(names) + '.' if names else ''}"


def _invalid(marked: Marked, complaints: Any) -> InvalidFault:
    found = sorted(complaints, key=lambda each: (marked.line(each[0]), str(each[0])))
    if len(found) == 1:
        path, sentence = found[0]
        return InvalidFault(
            Code.CONFIG_INVALID,
            sentence[:1].lower() + sentence[1:].removesuffix("."),
            where=marked.where(path),
            hint="mend the line; nothing was changed",
        )
    shown = [f"{marked.where(path)}: {sentence}" for path, sentence in found[:MOST_SHOWN]]
    more = [f"… and {len(found) - MOST_SHOWN} more"] if len(found) > MOST_SHOWN else []
    return InvalidFault(
        Code.CONFIG_INVALID,
        "\n  ".join([f"{len(found)} places are wrong:", *shown, *more]),
        where=f"{marked.file}:{marked.line(found[0][0])}",
        hint="mend the lines; nothing was changed",
    )
