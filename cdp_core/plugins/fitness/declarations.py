"""What a plugin declares, looked at while it rests: destinations, connection types, consent prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from cdp_core.contract.connection import ConnectionType
from cdp_core.contract.destination import DestinationSpec
from cdp_core.plugins import declared
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.fitness.findings import Finding
from cdp_core.plugins.manager import CdpPluginManager, said_of

_TO_THE_LETTER = "the page “Test a destination” says more of each rule"


def on_declarations(alone: CdpPluginManager, around: CdpPluginManager, name: str) -> Iterator[Finding]:
    """`alone` has this plugin and no other; `around` all that are installed."""
    own, everybody = Catalog(alone), Catalog(around)
    try:
        types, destinations = own.connection_types, own.destinations
        known, kinds = {*everybody.connection_types, *types}, {*everybody.kinds, *own.kinds}
    except Exception as fault:  # noqa: BLE001 - a hook may raise anything
        yield _wrong(name, "", f"a hook that declares things fails: {said_of(fault)}")
        return
    for hook, mine in (("cdp_connection_types", types), ("cdp_export_destinations", destinations)):
        for other, key in keys_by_plugin(around, hook, but=name):
            if key in mine:
                yield _wrong(name, key, f"the plugin {other} has that key, too", hint="choose another key")
    for key, found in types.items():
        yield from _rows(name, f"connection type {key}", _of_connection_type(found), found.label)
    for key, spec in destinations.items():
        asks = _of_destination(spec, own.manager, known, kinds)
        yield from _rows(name, f"destination {key}", asks, _able(spec))


Asks = Iterable[Callable[[], Iterable[str]]]


def _rows(name: str, where: str, asks: Asks, able: str) -> Iterator[Finding]:
    """A row for each thing that is wrong, or one on what there is."""
    sentences = [sentence for ask in asks for sentence in _answers(ask)]
    yield from (_wrong(name, where, sentence, hint=_TO_THE_LETTER) for sentence in sentences)
    if not sentences:
        yield Finding(plugin=name, check="declares", state="ok", message=able, where=where)


def _answers(ask: Callable[[], Iterable[str]]) -> Iterator[str]:
    """What is asked may be the plugin's own code, and fail."""
    try:
        yield from ask()
    except Exception as fault:  # noqa: BLE001
        yield f"it cannot be looked at: {said_of(fault)}"


def _of_connection_type(found: ConnectionType) -> Asks:
    for rule in (declared.unsaid, declared.lax, declared.shown_secrets):
        yield partial(rule, found.settings_schema)


def _of_destination(
    spec: DestinationSpec, manager: CdpPluginManager, types: Iterable[str], kinds: Iterable[str]
) -> Asks:
    yield partial(_unconnected, spec, types)
    yield partial(declared.unplannable, spec, frozenset(kinds))
    yield partial(declared.emptying, spec, spec.factory)
    for rule in (declared.unsaid, declared.lax, declared.shown_secrets, declared.raw_identifiers):
        yield partial(rule, spec.settings_schema)
    yield partial(_unasked, spec.connection_type, manager)


def _unconnected(spec: DestinationSpec, types: Iterable[str]) -> Iterator[str]:
    if spec.connection_type not in types:
        yield f"nobody declares its connection type {spec.connection_type!r}"


def _unasked(connection_type: str, manager: CdpPluginManager) -> Iterator[str]:
    """Once for all languages where it is the same in each."""
    said: dict[str, list[str]] = {}
    for locale in declared.LANGUAGES:
        answers = manager.hook.cdp_consent_prompts(connection_type=connection_type, locale=locale)
        prompts = [prompt for answer in answers for prompt in answer]
        for sentence in declared.unasked(connection_type, prompts):
            said.setdefault(sentence, []).append(locale)
    for sentence, locales in said.items():
        yield sentence if len(locales) == len(declared.LANGUAGES) else f"{sentence} ({', '.join(locales)})"


def keys_by_plugin(around: CdpPluginManager, hook: str, *, but: str = "") -> Iterator[tuple[str, str]]:
    """Keys that plugins declare by a hook, each with its plugin; not of `but`, nor where that fails."""
    for caller in getattr(around.hook, hook).get_hookimpls():
        if caller.plugin_name != but:
            try:
                yield from ((caller.plugin_name, each.key) for each in caller.function() or ())
            except Exception:  # noqa: BLE001, S112 - another plugin's fault is not this one's
                continue


def _able(spec: DestinationSpec) -> str:
    """What it says of itself, for whoever wonders whether it is meant so."""
    able = spec.capabilities
    needs: Mapping[str, Any] = {rule.kind: rule.need for rule in spec.matching}
    matched = ", ".join(f"{kind} ({need})" for kind, need in needs.items())
    does = ", ".join(sorted(able.operations))
    return f"{spec.label}: {does}; batches of {able.batch_limit:,} {able.payload}; matches {matched}"


def _wrong(name: str, where: str, message: str, *, hint: str = "") -> Finding:
    return Finding(plugin=name, check="declares", state="error", message=message, where=where, hint=hint)
