"""What runs on the executors: the kinds' own Python rules over batches of rows, and nothing of Spark's.

It is sent by reference: the executors must have the same `cdp-core`, and the plugins whose kinds are matched.
Raw values come in and are forgotten here; digests and counts go out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

import pyarrow as pa

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import DigestSink
from cdp_core.engines.asking import Rule, Withholding, ask
from cdp_core.engines.verdicts import DIGEST, VERDICTS
from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import IdentifierKind
from cdp_core.model.policy import MemberConsent, Region
from cdp_core.rules.member_consent import says_yes

# What a staged row tells of: digests, values of a reason (its verdict's number), digests of rows without
# consent, or, of no kind, members.
WITHHELD, MEMBERS = 100, 101
REASONS = {code: reason for reason, code in VERDICTS.items()}

STAGED = "kind string, what int, values bigint, digests binary"
_STAGED = pa.schema(
    [("kind", pa.string()), ("what", pa.int32()), ("values", pa.int64()), ("digests", pa.binary())]
)
FOUND = "row_key binary, kind string, digest binary"
_FOUND = pa.schema([("row_key", pa.binary()), ("kind", pa.string()), ("digest", pa.binary())])

Texts = Sequence[str | None]


class OtherVersion(Exception):
    """Another release may have another rule: two rules would make two digests of one value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One selection, as it travels. Each match's column is `value0`, `value1` … with `kinds_of_matches` in
    their order; beside them are `region`, and `member` and `said` where consent is asked. Texts are bytes.
    """

    kinds_of_matches: tuple[str, ...]
    kinds: Mapping[str, IdentifierKind]
    region: Region
    consent: MemberConsent | None
    version: str

    def identify(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Rows of `STAGED`, some for each batch."""
        rules = self._rules()
        for batch in batches:
            found = _Found()
            values = self._values(batch)
            members: Sequence[int] = range(batch.num_rows)
            if self.consent is not None:
                refusing = self._refusing(_texts(batch["said"]), self.consent)
                self._ask(values, refusing, rules, Withholding(found))
                members = [n for n, is_member in enumerate(batch["member"].to_pylist()) if is_member]
            self._ask(values, members, rules, found)
            yield found.staged(len(members))

    def find(
        self, sought: Mapping[str, Collection[bytes]], batches: Iterable[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        """Rows of `FOUND`: the keys of the rows that yield one of the digests."""
        rules = self._rules()
        for batch in batches:
            keys, found = batch["row_key"].to_pylist(), []
            for kind, texts, places in self._values(batch):
                for n, (text, place) in enumerate(zip(texts, places, strict=True)):
                    digest = rules[kind].of(text, place).digest
                    if digest is not None and digest in sought.get(kind, ()):
                        found.append({"row_key": keys[n], "kind": kind, "digest": digest})
            yield pa.RecordBatch.from_pylist(found, _FOUND)

    def _rules(self) -> dict[str, Rule]:
        here = metadata.version("cdp-core")
        if here != self.version:
            raise OtherVersion(f"cdp-core {here} there, {self.version} here")
        return {key: Rule(kind) for key, kind in self.kinds.items()}

    def _values(self, batch: pa.RecordBatch) -> list[tuple[str, Texts, Texts]]:
        """For each match its kind, the texts of its column, and the region of each row."""
        nowhere: Texts = [None] * batch.num_rows
        places = nowhere
        if any(self.kinds[kind].regional for kind in self.kinds_of_matches):
            said = _texts(batch["region"])
            known = {text: self.region.of(text) for text in set(said)}
            places = [known[text] for text in said]
        return [
            (kind, _texts(batch[f"value{n}"]), places if self.kinds[kind].regional else nowhere)
            for n, kind in enumerate(self.kinds_of_matches)
        ]

    @staticmethod
    def _ask(
        values: Iterable[tuple[str, Texts, Texts]],
        rows: Sequence[int],
        rules: Mapping[str, Rule],
        sink: DigestSink,
    ) -> None:
        for kind, texts, places in values:
            ask(kind, rules[kind], ((texts[n], places[n]) for n in rows), sink)

    @staticmethod
    def _refusing(said: Texts, consent: MemberConsent) -> list[int]:
        agrees = {text: says_yes(text, consent) for text in set(said)}
        return [n for n, text in enumerate(said) if not agrees[text]]


class _Found(DigestSink):
    """What one batch yields."""

    def __init__(self) -> None:
        self._digests: defaultdict[tuple[str, int], bytearray] = defaultdict(bytearray)
        self._reasons: Counter[tuple[str, int]] = Counter()

    def digests(self, kind: str, digests: bytes | memoryview) -> None:
        self._digests[kind, DIGEST] += digests

    def withheld(self, kind: str, digests: bytes | memoryview) -> None:
        self._digests[kind, WITHHELD] += digests

    def reason(self, kind: str, reason: Reason, values: int) -> None:
        self._reasons[kind, VERDICTS[reason]] += values

    def staged(self, members: int) -> pa.RecordBatch:
        rows = [("", MEMBERS, members, b"")]
        rows += [(*told, values, b"") for told, values in self._reasons.items()]
        rows += [(*told, len(each) // DIGEST_SIZE, bytes(each)) for told, each in self._digests.items()]
        columns = zip(*rows, strict=True)
        return pa.record_batch(
            [pa.array(column, of.type) for column, of in zip(columns, _STAGED, strict=True)], schema=_STAGED
        )


def _texts(column: pa.Array) -> Texts:
    return [None if each is None else each.decode(errors="surrogateescape") for each in column.to_pylist()]
