"""What a mode needs is known when the export is kept, and said with the modes that there are."""

from __future__ import annotations

import pytest

from cdp_core.contract.destination import Capabilities, Destination, DestinationContext, DestinationSpec
from cdp_core.contract.schemas import SettingsSchema
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.configuration import Export
from cdp_core.model.delivery import Operation
from cdp_core.model.policy import Mode, Policy
from cdp_core.runner.modes import check_mode

BOTH = frozenset({Operation.ADD, Operation.REMOVE})


def no_factory(_context: DestinationContext) -> Destination:
    raise AssertionError("nothing is opened to check a mode")


def check(policy: Policy, operations: frozenset[Operation]) -> None:
    spec = DestinationSpec(
        key="acme",
        label="Acme",
        connection_type="acme",
        settings_schema=SettingsSchema,
        matching=(),
        capabilities=Capabilities(operations=operations),
        factory=no_factory,
    )
    export = Export(
        id="e",
        name="Out",
        destination="acme",
        connection_id="c",
        settings={},
        matching=(),
        segment_ids=(),
        policy=policy,
    )
    check_mode(export, spec)


@pytest.mark.parametrize(
    ("operations", "possible"),
    [
        (frozenset(Operation), set(Mode)),
        (BOTH, {Mode.MIRROR, Mode.ADD_ONLY, Mode.REMOVE}),
        (frozenset({Operation.REMOVE}), {Mode.REMOVE}),
        # Who withdraws must be taken out in every mode.
        (frozenset({Operation.ADD}), set()),
    ],
)
def test_a_destination_refuses_the_modes_that_it_cannot_do(
    operations: frozenset[Operation], possible: set[Mode]
) -> None:
    for mode in Mode:
        if mode in possible:
            check(Policy(mode=mode), operations)
            continue
        with pytest.raises(InvalidFault) as refused:
            check(Policy(mode=mode), operations)
        assert refused.value.code is Code.MODE_INVALID
        named = refused.value.hint.removeprefix("modes for Acme: ").split(", ")
        assert set(named) == ({str(each) for each in possible} or {"none"})


@pytest.mark.parametrize("mode", Mode)
def test_only_what_stays_can_be_kept_alive(mode: Mode) -> None:
    kept = Policy(mode=mode, keep_alive_days=300)
    if mode in (Mode.MIRROR, Mode.ADD_ONLY):
        check(kept, frozenset(Operation))
    else:
        with pytest.raises(InvalidFault, match="nothing to keep alive"):
            check(kept, frozenset(Operation))
