"""What a mode asks of the destination, of the audience and of who runs it, before anything is planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cdp_core.contract.destination import DestinationSpec
from cdp_core.errors import Code, GateFault, InvalidFault, UsageFault
from cdp_core.model.configuration import Export
from cdp_core.model.delivery import Operation
from cdp_core.model.ledger import LedgerFile
from cdp_core.model.names import as_typed
from cdp_core.model.policy import Mode
from cdp_core.model.sentence import Sentence
from cdp_core.runner.services import Services

_NEEDS: Mapping[Mode, frozenset[Operation]] = {
    # Also who only adds must be able to take out who withdraws.
    Mode.MIRROR: frozenset({Operation.ADD, Operation.REMOVE}),
    Mode.ADD_ONLY: frozenset({Operation.ADD, Operation.REMOVE}),
    Mode.REMOVE: frozenset({Operation.REMOVE}),
    Mode.REPLACE: frozenset({Operation.ADD, Operation.REMOVE, Operation.REMOVE_ALL}),
}

# Of a row that has left the profiles nobody can tell any more whose it was: it must not stay for that.
OF_ROWS = (Mode.MIRROR, Mode.REPLACE)


def check_mode(export: Export, spec: DestinationSpec) -> None:
    """Raise `InvalidFault` where the destination cannot do what the mode needs, or nothing can be kept
    alive in it."""
    mode = export.policy.mode
    if spec.capabilities.payload == "records" and mode not in OF_ROWS:
        raise InvalidFault(
            Code.MODE_INVALID,
            f"{spec.label} takes whole rows, which the mode {mode} is not for",
            where=f"export {export.name!r}",
            hint=f"modes for {spec.label}: {', '.join(map(str, OF_ROWS))}",
        )
    lacking = sorted(_NEEDS[mode] - spec.capabilities.operations)
    if lacking:
        possible = [str(each) for each, needed in _NEEDS.items() if needed <= spec.capabilities.operations]
        raise InvalidFault(
            Code.MODE_INVALID,
            f"the mode {mode} needs {', '.join(lacking)}, which {spec.label} does not do",
            where=f"export {export.name!r}",
            hint=f"modes for {spec.label}: {', '.join(possible) or 'none'}",
        )
    if export.policy.keep_alive_days is not None and mode in (Mode.REMOVE, Mode.REPLACE):
        raise InvalidFault(
            Code.MODE_INVALID,
            f"in the mode {mode} there is nothing to keep alive: every run sends everything",
            where=f"export {export.name!r}",
            hint="--no-keep-alive",
        )


def require_alone(services: Services, export: Export, files: Iterable[LedgerFile]) -> None:
    """Raise `GateFault`, naming them, where other exports have claims on the audience: emptying it would
    take their members out. `files` are the audience's ledger."""
    others = {file.export_id for file in files} - {export.id}
    if not others:
        return
    names = {each.id: each.name for each in services.state.exports.all()}
    named = ", ".join(sorted(repr(names.get(each, each)) for each in others))
    raise GateFault(
        Code.AUDIENCE_SHARED,
        f"the audience is not emptied, since it holds members of {named}, too",
        where=f"export {export.name!r}",
        hint=f"cdp export edit {as_typed(export.name)} --mode mirror (or give it an audience of its own)",
    )


def require_agreed(services: Services, export: Export, *, agreed: bool) -> None:
    """Raise `UsageFault` with what is lost meanwhile where a run would empty the audience and nobody has
    said yes to that."""
    if export.policy.mode is not Mode.REPLACE or agreed:
        return
    spec = services.catalog.destination(export.destination)
    audience = export.settings.get(spec.audience_setting, "")
    raise UsageFault(
        Code.NOT_AGREED_TO_ACT,
        Sentence(
            "{export} empties the audience {audience}, whoever put members there, and fills it again. {lost}",
            export=as_typed(export.name),
            audience=str(audience),
            lost=spec.capabilities.while_emptied,
        ),
        hint="add --yes",
    )


def require_claims(export: Export) -> None:
    """Raise `InvalidFault` where there can be nothing to send again."""
    if export.policy.mode is Mode.REMOVE:
        raise InvalidFault(
            Code.MODE_INVALID,
            "an export that takes members out puts none there, so that there are none to send again",
            where=f"export {export.name!r}",
            hint=f"cdp export run {as_typed(export.name)} takes them out once more",
        )
