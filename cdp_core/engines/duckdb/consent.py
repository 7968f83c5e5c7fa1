"""Member consent in the query: what each row says, and each batch parted by it.

SQL decides what is ASCII as the rule does; other texts are asked about, each once.
"""

# ruff: noqa: S608 - names are quoted by `text`, and a segment's text is parsed by `segments` first
from __future__ import annotations

import functools

import pyarrow as pa
import pyarrow.compute as pc

from cdp_core.engines.duckdb.text import literal
from cdp_core.engines.verdicts import EDGES
from cdp_core.model.policy import MemberConsent
from cdp_core.rules.member_consent import says_yes

CONSENT = "text of consent"
COLUMNS = ("member", "agreed", "said")

_NO, _YES, _ASK = 0, 1, 255


def with_consent(query: str, consent: MemberConsent) -> str:
    """A query that has `member` and `said`, with `agreed` besides; rows of others who agree are left out."""
    return (
        f"SELECT * FROM (SELECT *, {agreed_of(consent)} AS agreed FROM ({query})) "
        f"WHERE member OR agreed <> {_YES}"
    )


def agreed_of(consent: MemberConsent | None) -> str:
    """SQL for what a row's `said` means, as `refusing_in` reads it; where nothing is asked, all agree."""
    if consent is None:
        return f"{_YES}::UTINYINT"
    yes = ", ".join(map(literal, consent.granted))
    return f"""CASE
        WHEN said IS NULL THEN {_NO}
        WHEN strlen(said) <> length(said) THEN {_ASK}
        WHEN lower(regexp_replace(said, {literal(EDGES)}, '', 'g')) IN ({yes}) THEN {_YES}
        ELSE {_NO}
    END::UTINYINT"""


def parted(batch: pa.RecordBatch, consent: MemberConsent) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The rows of members, and the rows without consent; a member without it is in both."""
    return batch.filter(batch.column("member")), batch.filter(refusing_in(batch, consent))


def refusing_in(batch: pa.RecordBatch, consent: MemberConsent | None) -> pa.Array:
    """Of each row, whether it has no consent."""
    agreed, said = (batch.column(name) for name in ("agreed", "said"))
    refusing = pc.not_equal(agreed, pa.scalar(_YES, pa.uint8()))
    to_ask = pc.equal(agreed, pa.scalar(_ASK, pa.uint8()))
    if consent is not None and to_ask.true_count:
        of = functools.cache(lambda text: says_yes(text, consent))
        answers = pa.array([not of(text) for text in said.filter(to_ask).to_pylist()], pa.bool_())
        refusing = pc.replace_with_mask(refusing, to_ask, answers)
    return refusing
