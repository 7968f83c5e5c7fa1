"""Faster ways for the built-in kinds: SQL that yields the same bytes as the kind's Python rule, or asks it.

A kind that stands not here has its rule asked for every value. What the SQL cannot decide as Python
would (white space and lower case beyond Latin-1) it leaves undecided, and the rule is asked for
those values alone. Tests hold each SQL against its rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cdp_core.engines.duckdb.phones import phone
from cdp_core.engines.duckdb.text import literal
from cdp_core.engines.verdicts import ASK, DIGEST, EDGES, SPACE, VERDICTS
from cdp_core.model.accounting import Reason
from cdp_core.rules.identifiers import email, mobile_ad_id

# Columns added step by step to `value<n>` (text) and `region<n>` (text, of regional kinds), each evaluated
# once for a row, up to `digest<n>` (64 hexadecimal digits), `verdict<n>` and `asked<n>` (text); n tells
# matches of one query apart.
Steps = tuple[Mapping[str, str], ...]


# All but a few addresses are plain: visible ASCII and Latin-1 letters, which DuckDB lowers as Python does,
# in good form. One expression tells them from the rest.
_LETTER = r"\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{FF}"
_LABEL = rf"[\x21-\x2D\x2F-\x3F\x41-\x7E{_LETTER}]+"
_PLAIN = rf"[\x21-\x3F\x41-\x7E{_LETTER}]+@(?:{_LABEL}\.)+{_LABEL}"
_WELL_FORMED = rf"[^@{SPACE}]+@(?:[^@.{SPACE}]+\.)+[^@.{SPACE}]+"
_WORDS = ", ".join(literal(word) for word in sorted(email.PLACEHOLDER_WORDS))
_ID_WORDS = ", ".join(literal(word) for word in sorted(mobile_ad_id.PLACEHOLDER_WORDS))


def _trimmed(n: int, plain: str) -> Steps:
    """Whether a value is plain, as almost all are; and the value without white space at its ends, NULL where
    only the rule can tell."""
    return (
        {f"plain{n}": f"regexp_full_match(value{n}, {literal(plain)})"},
        {
            f"trimmed{n}": f"""CASE
                WHEN plain{n} THEN value{n}
                WHEN strlen(value{n}) = length(value{n})
                THEN regexp_replace(value{n}, {literal(EDGES)}, '', 'g')
            END"""
        },
    )


def _email(n: int) -> Steps:
    return (
        *_trimmed(n, _PLAIN),
        {
            f"verdict{n}": f"""CASE
                WHEN plain{n} THEN {DIGEST}
                WHEN value{n} IS NULL OR trimmed{n} = '' THEN {VERDICTS[Reason.MISSING]}
                WHEN trimmed{n} IS NULL THEN {ASK}
                WHEN regexp_full_match(trimmed{n}, {literal(_WELL_FORMED)}) THEN {DIGEST}
                WHEN lower(trimmed{n}) IN ({_WORDS}) THEN {VERDICTS[Reason.PLACEHOLDER]}
                WHEN NOT regexp_full_match(trimmed{n}, '[0-9A-Fa-f]+') THEN {VERDICTS[Reason.MALFORMED]}
                WHEN strlen(trimmed{n}) = 64 THEN {DIGEST}
                WHEN strlen(trimmed{n}) IN (32, 40) THEN {VERDICTS[Reason.UNSUPPORTED]}
                ELSE {VERDICTS[Reason.MALFORMED]}
            END::UTINYINT"""
        },
        {
            # Not unhexed here: Python does the whole batch at once in a fifth of the time.
            f"digest{n}": f"""CASE WHEN verdict{n} = {DIGEST} THEN
                CASE WHEN plain{n} OR contains(trimmed{n}, '@') THEN sha256(lower(trimmed{n}))
                ELSE trimmed{n} END
            END""",
            f"asked{n}": f"CASE WHEN verdict{n} = {ASK} THEN value{n} END",
        },
    )


def _mobile_ad_id(n: int) -> Steps:
    return (
        *_trimmed(n, f"(?i){mobile_ad_id.UUID}"),
        {
            f"verdict{n}": f"""CASE
                WHEN plain{n} THEN {DIGEST}
                WHEN value{n} IS NULL OR trimmed{n} = '' THEN {VERDICTS[Reason.MISSING]}
                WHEN trimmed{n} IS NULL THEN {ASK}
                WHEN regexp_full_match(trimmed{n}, {literal(f"(?i){mobile_ad_id.UUID}|[0-9a-f]{{64}}")})
                THEN {DIGEST}
                WHEN lower(trimmed{n}) IN ({_ID_WORDS}) THEN {VERDICTS[Reason.PLACEHOLDER]}
                WHEN regexp_full_match(trimmed{n}, '[0-9A-Fa-f]{{32}}|[0-9A-Fa-f]{{40}}')
                THEN {VERDICTS[Reason.UNSUPPORTED]}
                ELSE {VERDICTS[Reason.MALFORMED]}
            END::UTINYINT"""
        },
        {
            f"digest{n}": f"""CASE WHEN verdict{n} = {DIGEST} THEN
                CASE WHEN contains(trimmed{n}, '-') THEN sha256(lower(trimmed{n})) ELSE trimmed{n} END
            END""",
            f"asked{n}": f"CASE WHEN verdict{n} = {ASK} THEN value{n} END",
        },
    )


def _rule_alone(n: int) -> Steps:
    return ({f"digest{n}": "NULL::VARCHAR", f"verdict{n}": f"{ASK}::UTINYINT", f"asked{n}": f"value{n}"},)


_FASTER: Mapping[str, Callable[[int], Steps]] = {
    "EMAIL": _email,
    "PHONE": phone,
    "MOBILE_AD_ID": _mobile_ad_id,
}


def steps(kind: str, n: int) -> Steps:
    return _FASTER.get(kind, _rule_alone)(n)
