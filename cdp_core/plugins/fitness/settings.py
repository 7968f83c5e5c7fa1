"""A plugin's settings beside the snapshot that it ships; and how the snapshot is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

from cdp_core.contract import settings_snapshot as snapshots
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.names import as_typed
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.fitness.findings import Finding, Weight
from cdp_core.plugins.fitness.meant import package_of
from cdp_core.plugins.manager import CdpPluginManager, said_of

_ONE_KIND = {snapshots.CONNECTIONS: "connection type", snapshots.DESTINATIONS: "destination"}

Snapshot = Mapping[str, Mapping[str, snapshots.Shape]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """`changes` are what is new beside the snapshot that was there."""

    plugin: str
    file: str
    changes: tuple[str, ...]


def snapshot_of(alone: CdpPluginManager) -> Snapshot:
    """Of all that a plugin declares now."""
    own = Catalog(alone)
    return snapshots.recorded(
        {key: found.settings_schema for key, found in own.connection_types.items()},
        {key: spec.settings_schema for key, spec in own.destinations.items()},
    )


def on_snapshot(alone: CdpPluginManager, point: EntryPoint) -> Iterator[Finding]:
    """Nothing of a plugin that declares no settings, or whose hooks fail, which is told elsewhere."""
    try:
        own = Catalog(alone)
        _ = own.connection_types, own.destinations
    except Exception:  # noqa: BLE001 - a hook may raise anything
        return
    try:
        now = snapshot_of(alone)
    except Exception as fault:  # noqa: BLE001 - a schema is the plugin's own code
        yield _finding(point, "error", f"its settings have no JSON Schema: {said_of(fault)}")
        return
    kept = _kept_of(point)
    if not any(now.values()) and not kept.is_file():
        return
    record = f"cdp plugins record {as_typed(point.name)}"
    if not kept.is_file():
        message = (
            f"{kept.parent.name} ships no {snapshots.FILE_NAME}: nobody sees what a later version breaks"
        )
        yield _finding(point, "ok", message, hint=record)
        return
    try:
        before = snapshots.read(kept)
    except ValueError as fault:
        yield _finding(point, "error", str(fault), hint=f"{record}, once it is deleted")
        return
    found = list(differences(before, now))
    for where, change in found:
        state: Weight = "error" if change.breaks else "warning"
        yield _finding(point, state, str(change), where=where, hint=change.mend)
    if not found:
        yield _finding(point, "ok", "nothing has changed since they were recorded", where=kept.name)


def differences(before: Snapshot, now: Snapshot) -> Iterator[tuple[str, snapshots.SettingChange]]:
    """Each with the connection type or destination whose setting it is."""
    for part, kind in _ONE_KIND.items():
        for key in sorted({*before[part], *now[part]}):
            where = f"{kind} {key}"
            if key not in now[part]:
                mend = "bring it back; what is configured with it stops working"
                what = f"there is no {kind} of that key any more"
                yield where, snapshots.SettingChange(setting="", what=what, breaks=True, mend=mend)
            elif key not in before[part]:
                mend = "record the snapshot anew"
                yield where, snapshots.SettingChange(setting="", what="it is new", breaks=False, mend=mend)
            else:
                for change in snapshots.changes(before[part][key], now[part][key]):
                    yield where, change


def record(alone: CdpPluginManager, point: EntryPoint, into: Path | None = None) -> Recorded:
    """Write down a plugin's settings as they are now: into a file, or where the plugin ships them. Raises
    `InvalidFault` where the file that is there holds what would be broken, or cannot be written."""
    into = into or _kept_of(point)
    now = snapshot_of(alone)
    if not any(now.values()):
        raise InvalidFault(
            Code.PLUGIN_UNFIT,
            f"the plugin {point.name} declares no settings",
            hint="there is nothing to record",
        )
    found = tuple(differences(_kept_in(into), now)) if into.exists() else ()
    if broken := [f"{where}: {change}" for where, change in found if change.breaks]:
        raise InvalidFault(
            Code.PLUGIN_UNFIT,
            f"these would break who has set them, so that nothing is recorded: {'; '.join(broken)}",
            where=str(into),
            hint="take them as before; for a major version, delete the file first",
        )
    try:
        into.write_text(snapshots.text_of(now), encoding="utf-8")
    except OSError as fault:
        message = f"the snapshot cannot be written: {fault.strerror}"
        hint = "name a file in a folder that is there, and yours: --to FILE"
        raise InvalidFault(Code.DISK_FULL, message, where=str(into), hint=hint) from None
    return Recorded(plugin=point.name, file=str(into), changes=tuple(f"{w}: {change}" for w, change in found))


def _kept_in(path: Path) -> Snapshot:
    try:
        return snapshots.read(path)
    except ValueError as fault:
        hint = "name another file with --to, or delete this one"
        raise InvalidFault(Code.CONFIG_INVALID, str(fault), where=str(path), hint=hint) from None


def _kept_of(point: EntryPoint) -> Path:
    """Where it lies: in the package of the entry point's module, beside it where it has none."""
    root = package_of(point)
    if root is None:
        return Path(snapshots.FILE_NAME)
    return (root if root.is_dir() else root.parent) / snapshots.FILE_NAME


def _finding(point: EntryPoint, state: Weight, message: str, *, where: str = "", hint: str = "") -> Finding:
    return Finding(plugin=point.name, check="settings", state=state, message=message, where=where, hint=hint)
