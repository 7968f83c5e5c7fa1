"""Who has withdrawn since a plan was made: found among its additions when the plan is delivered later."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from cdp_core.pipeline.digest_file import DigestFile
from cdp_core.pipeline.digest_sets import part, same_rows
from cdp_core.pipeline.plan import Plan, PlanPart
from cdp_core.pipeline.prepare import Prepared
from cdp_core.pipeline.seal import Seal
from cdp_core.rules.records import RECORD


def withdrawn_since(plan: Plan, prepared: Prepared, seal: Seal) -> Mapping[str, pa.Array]:
    """By kind, the digests that the plan adds and that a row of today's profiles withholds; of whole rows
    those that a row of the same key does."""
    found: dict[str, pa.Array] = {}
    for kind, share in prepared.kinds.items():
        if share.withheld is None:
            continue
        withheld = DigestFile(share.withheld.path, seal)
        for which in (PlanPart.ADD, PlanPart.ADD_AGAIN):
            if added := plan.digests(which, kind):
                ranges = max(added.ranges, withheld.ranges)
                both = [
                    mine.filter(same_rows(mine, theirs)) if kind == RECORD else part(mine, theirs).both
                    for mine, theirs in zip(added.read(ranges), withheld.read(ranges), strict=True)
                ]
                found[kind] = pa.concat_arrays([*both, *([found[kind]] if kind in found else [])])
    return found
