"""Select and identify: one query inside PostgreSQL, whose rows come through a cursor, batch by batch.

For each match a row holds what was found (a digest of 32 bytes, or one byte that says why not), and, where
the rule may be asked, the text that it is asked about and its region. Without that (`local_normalising` is
off) the query has no column that could hold a value.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is read by `segments` first
from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from cdp_core.contract.digests import DIGEST_SIZE
from cdp_core.contract.source import DigestSink, KeyFound, Selection
from cdp_core.engines.asking import Rule, Withholding, ask
from cdp_core.engines.postgres.kinds import steps
from cdp_core.engines.postgres.session import Session
from cdp_core.engines.postgres.table import Table
from cdp_core.engines.postgres.text import SPACE, in_utf8, is_ascii, literal, matches, texts, trimmed
from cdp_core.engines.verdicts import ASK, VERDICTS
from cdp_core.model.accounting import Reason
from cdp_core.model.policy import MemberConsent, Region
from cdp_core.rules.member_consent import says_yes

_NO, _YES = 0, 1
_MEMBER, _AGREED = 0, 1
_REASONS = {code: reason for reason, code in VERDICTS.items()}

Row = Sequence[Any]


class Preparation:
    """How one selection is read. `local` is whether undecided values may come to the Python rule."""

    def __init__(self, session: Session, table: Table, selection: Selection, *, local: bool) -> None:
        self._session = session
        self.table = table
        self._selection = selection
        self._local = local
        self._rules = {key: Rule(kind) for key, kind in selection.kinds.items()}

    def identify(self, condition: str, where: str, sink: DigestSink, progress: Callable[[int], None]) -> int:
        """Hand every member's values to the sink; the number of members."""
        consent, members = self._selection.consent, 0
        for batch in self._session.stream(self._query(condition), where=where):
            found: list[Row] = batch
            if consent is not None:
                found = [row for row in batch if row[_MEMBER]]
                refusing = [row for row in batch if not agrees(row[_AGREED:], consent)]
                self._values(refusing, 3, Withholding(sink))
            self._values(found, 3 if consent else 0, sink)
            members += len(found)
            progress(members)
        return members

    def keys_of(self, key: str, digests: Mapping[str, Collection[bytes]]) -> Iterator[KeyFound]:
        """The keys of all rows that yield one of the digests."""
        self._selection = dataclasses.replace(self._selection, segments=(), consent=None)
        query = self._query("true", key=key)
        sought = {kind: frozenset(each) for kind, each in digests.items()}
        for batch in self._session.stream(query, where=self.table.url):
            for row in batch:
                for at, match in enumerate(self._selection.matching):
                    digest = self._digest_in(row, 3 * at, match.kind)
                    if digest is not None and digest in sought.get(match.kind, ()):
                        yield KeyFound(key=row[-1], kind=match.kind, digest=digest)

    def _digest_in(self, row: Row, at: int, kind: str) -> bytes | None:
        found, asked, region = row[at : at + 3]
        if len(found) == DIGEST_SIZE:
            return bytes(found)
        return self._rules[kind].of(text_in(asked), region).digest if found[0] == ASK else None

    def _values(self, rows: Sequence[Row], first: int, sink: DigestSink) -> None:
        for n, match in enumerate(self._selection.matching):
            at = first + 3 * n
            found = [row[at] for row in rows]
            digests = b"".join([each for each in found if len(each) == DIGEST_SIZE])
            if digests:
                sink.digests(match.kind, digests)
            codes = Counter(each[0] for each in found if len(each) == 1)
            for code, reason in _REASONS.items():
                if codes[code]:
                    sink.reason(match.kind, reason, codes[code])
            if codes[ASK]:
                asked = [row for row in rows if row[at] == bytes([ASK])]
                values = ((text_in(row[at + 1]), row[at + 2]) for row in asked)
                ask(match.kind, self._rules[match.kind], values, sink)

    def _query(self, condition: str, *, key: str | None = None) -> str:
        """Rows of: member, agreed and said, where consent is asked; for each match what was found, the text
        to ask about, and its region; and the key's text, where it is named."""
        consent = self._selection.consent
        columns = self.values()
        if key is not None:
            columns.append(f"{self.table.text_of(key)} AS row_key")
        if consent is not None:
            columns += [f"({condition}) AS member", f"{self.table.text_of(consent.field)} AS said"]
        query = f"SELECT {', '.join(columns)} FROM profiles"
        if consent is None:
            query += f" WHERE {condition}"
        else:
            query = step(query, {"agreed": self.agreed(consent)})
            query = f"SELECT * FROM ({query}) AS row WHERE member OR agreed <> {_YES}"
        for n, match in self._matches():
            for added in steps(match.kind, n, self.undecided):
                query = step(query, added)
        wanted = ["member", "agreed", f"{self.asked('said')} AS said"] if consent else []
        wanted += self.found()
        wanted += ["row_key"] if key is not None else []
        return f"{self.table.profiles} SELECT {', '.join(wanted)} FROM ({query} OFFSET 0) AS row"

    @property
    def undecided(self) -> int:
        """The verdict on what SQL cannot decide."""
        return ASK if self._local else VERDICTS[Reason.UNSUPPORTED]

    def values(self) -> list[str]:
        """The matched fields' texts, and the regions that they are read in."""
        values = [f"{self.table.text_of(match.field)} AS value{n}" for n, match in self._matches()]
        return values + [f"{self._region(match.kind)} AS region{n}" for n, match in self._matches()]

    def found(self) -> list[str]:
        """Of each match what was found, the text to ask about, and its region."""
        wanted: list[str] = []
        for n, match in self._matches():
            wanted += [
                f"coalesce(digest{n}, set_byte('\\x00'::bytea, 0, verdict{n})) AS found{n}",
                f"CASE WHEN verdict{n} = {ASK} THEN {in_utf8(f'value{n}')} END AS asked{n}"
                if self._local
                else "NULL::bytea",
                f"region{n}" if self._local and self._selection.kinds[match.kind].regional else "NULL::text",
            ]
        return wanted

    def _matches(self) -> list[tuple[int, Any]]:
        return list(enumerate(self._selection.matching))

    def _region(self, kind: str) -> str:
        if not self._selection.kinds[kind].regional:
            return "NULL::text"
        region = self._selection.region
        return _region_of(region, self.table.text_of(region.field) if region.field else "")

    def agreed(self, consent: MemberConsent) -> str:
        """A text beyond ASCII that is not a listed value letter by letter is asked about, or means no."""
        granted = texts(frozenset(consent.granted))
        return f"""CASE
            WHEN said IS NULL THEN {_NO}
            WHEN said IN {granted} THEN {_YES}
            WHEN NOT {is_ascii("said")} THEN {ASK if self._local else _NO}
            WHEN lower({trimmed("said")}) IN {granted} THEN {_YES}
            ELSE {_NO}
        END"""

    def asked(self, said: str) -> str:
        return f"CASE WHEN agreed = {ASK} THEN {in_utf8(said)} END" if self._local else "NULL::bytea"


def step(query: str, added: Mapping[str, str]) -> str:
    """A query with further columns. OFFSET keeps each evaluated once: PostgreSQL would else copy them into
    every place where they are used."""
    columns = ", ".join(f"{expression} AS {column}" for column, expression in added.items())
    return f"SELECT *, {columns} FROM ({query} OFFSET 0) AS row"


def _region_of(region: Region, column: str) -> str:
    """SQL for `Region.of`: two capital letters, or NULL."""
    default = "NULL::text" if region.default is None else literal(region.default)
    if region.field is None:
        return default
    return f"""CASE
        WHEN {column} IS NULL OR {matches(column, f"[{SPACE}]*")} THEN {default}
        WHEN {matches(column, f"[{SPACE}]*[A-Za-z]{{2}}[{SPACE}]*")} THEN upper({trimmed(column)})
    END"""


def agrees(row: Row, consent: MemberConsent) -> bool:
    """Of a row's `agreed` and `said`, whether that is a yes."""
    return says_yes(text_in(row[1]), consent) if row[0] == ASK else bool(row[0] == _YES)


def text_in(value: bytes | None) -> str | None:
    # A database that knows no encoding hands out whatever bytes were put in.
    return None if value is None else value.decode(errors="surrogateescape")
