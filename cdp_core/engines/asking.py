"""Values that an engine's own query cannot decide: the kind's Python rule is asked, once for each."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import DigestSink
from cdp_core.errors import Code, InternalFault
from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import Identified, IdentifierKind

# Answers of a rule that are kept for the next time that the same is asked: some 50 MB of them.
_ANSWERS = 131_072


class Rule:
    """A kind's Python rule, asked once for each distinct value, as far as its answers can be kept."""

    def __init__(self, kind: IdentifierKind) -> None:
        self._kind = kind
        self.of = functools.lru_cache(_ANSWERS)(self._identify)

    def _identify(self, text: str | None, region: str | None) -> Identified:
        """The rule may be a plugin's: what it raises could quote the value, and goes no further."""
        try:
            identified = self._kind.identify(text, region)
        except Exception as failure:  # noqa: BLE001
            trouble = type(failure).__name__
        else:
            if identified.reason is not None or len(identified.digest or b"") == DIGEST_SIZE:
                return identified
            trouble = "neither a reason nor a digest of 32 bytes"
        raise InternalFault(
            Code.UNEXPECTED,
            f"the rule of the kind {self._kind.key} failed: {trouble}",
            hint="report it to the author of the plugin that declares the kind",
        )


def ask(kind: str, rule: Rule, values: Iterable[tuple[str | None, str | None]], sink: DigestSink) -> None:
    """Hand what the rule says of each (text, region) to the sink."""
    reasons: Counter[Reason] = Counter()
    found = bytearray()
    for (text, region), times in Counter(values).items():
        identified = rule.of(text, region)
        if identified.reason is not None:
            reasons[identified.reason] += times
        else:
            found += (identified.digest or b"") * times
    if found:
        sink.digests(kind, bytes(found))
    for reason, times in reasons.items():
        sink.reason(kind, reason, times)


class Withholding(DigestSink):
    """Takes the values of rows without consent: their digests are withheld, and nothing is counted."""

    def __init__(self, sink: DigestSink) -> None:
        self._sink = sink

    def digests(self, kind: str, digests: bytes | memoryview) -> None:
        self._sink.withheld(kind, digests)

    def reason(self, kind: str, reason: Reason, values: int) -> None:
        return

    withheld = digests
