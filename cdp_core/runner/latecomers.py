"""Who was suppressed, or has withdrawn, since a plan was made: asked for each batch when it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.contract.digests import DigestBlock
from cdp_core.pipeline.digest_sets import from_bytes
from cdp_core.store.suppressions import Suppressions


class Latecomers:
    """`after` is the number of the newest suppression that the plan knows; `withdrawn` are the digests, by
    kind, that are not to be sent whatever is suppressed. Threads share it."""

    def __init__(
        self, suppressions: Suppressions, after: int, withdrawn: Mapping[str, pa.Array] | None = None
    ) -> None:
        self._suppressions = suppressions
        self._newest = after
        self._kinds: dict[str, pa.Array] = dict(withdrawn or {})
        self._guard = threading.Lock()

    def __call__(self, kind: str, digests: DigestBlock) -> Iterable[int]:
        """The places of those that are not to be sent any more."""
        late = self._late(kind)
        if late is None:
            return ()
        found: list[int] = pc.indices_nonzero(pc.is_in(from_bytes(digests.bytes), value_set=late)).to_pylist()
        return found

    def _late(self, kind: str) -> pa.Array | None:
        with self._guard:
            come = self._suppressions.digests(self._newest)
            self._newest = come.newest
            for each, joined in come.kinds.items():
                more = from_bytes(joined)
                known = self._kinds.get(each)
                self._kinds[each] = more if known is None else pa.concat_arrays([known, more])
            return self._kinds.get(kind)
