"""Phone numbers in SQL: those that are nothing but digits, whose plan leaves no doubt; all others are asked.

What is taken for granted here of the library stands beside each step; a law in the tests holds the whole
against the rule. Where a pattern of a country's plan matches, the library's own steps are followed; where
two could match, or a step would depend on more, the rule is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from cdp_core.engines.duckdb.text import literal
from cdp_core.engines.verdicts import ASK, DIGEST, EDGES, SPACE, VERDICTS
from cdp_core.model.accounting import Reason
from cdp_core.rules.identifiers.numbering import plan
from cdp_core.rules.identifiers.phone import PLACEHOLDER_NUMBERS, SAME_DIGIT_LEAST

_LONGEST = 20  # digits; the longest number there is has 17 behind its code
_DIGITS = rf"[0-9][0-9 ().\-/]{{0,{3 * _LONGEST}}}"
_PLAIN = rf"[{SPACE}]*\(?\+?{_DIGITS}[{SPACE}]*"
_ZERO = r"\( *0 *\)"
_PLACEHOLDERS = "|".join(
    [f"{digit}{{{SAME_DIGIT_LEAST},}}" for digit in "123456789"] + ["0+", *sorted(PLACEHOLDER_NUMBERS)]
)
_HASH = rf"[{SPACE}]*[0-9A-Fa-f]{{64}}[{SPACE}]*"


def phone(n: int) -> tuple[Mapping[str, str], ...]:
    """Columns from `value<n>` and `region<n>` to `digest<n>`, `verdict<n>` and `asked<n>`."""
    found, regions = plan(), _regions()
    return (
        {
            # Only what the library takes for punctuation is left out: the digits are what it makes of it.
            f"compact{n}": f"""CASE
                WHEN regexp_full_match(value{n}, '\\+?[0-9]{{1,{_LONGEST}}}') THEN value{n}
                WHEN regexp_full_match(value{n}, {literal(_PLAIN)})
                    AND (NOT contains(value{n}, '(') OR NOT regexp_matches(value{n}, '{_ZERO}')
                        OR {_trunk_in_brackets(n)})
                THEN regexp_replace(value{n}, '[^+0-9]+', '', 'g')
            END"""
        },
        {
            f"abroad{n}": f"""CASE
                WHEN starts_with(compact{n}, '+') THEN compact{n}[2:]
                WHEN starts_with(compact{n}, '00')
                    AND (region{n} IS NULL OR regexp_full_match(region{n}, {literal(found.double_zero)}))
                THEN compact{n}[3:]
            END""",
            # Without a region nothing can be made of it; what is as long as a hash may be one.
            f"home{n}": f"""CASE
                WHEN NOT starts_with(compact{n}, '+') AND NOT starts_with(compact{n}, '00')
                    AND strlen(compact{n}) <= {_LONGEST}
                    AND NOT regexp_full_match(compact{n}, {literal(_PLACEHOLDERS)})
                THEN compact{n}
            END""",
        },
        {
            f"code{n}": f"CASE WHEN home{n} IS NOT NULL THEN {regions}[{_place(f'region{n}')}] END",
        },
        {
            f"national{n}": f"""CASE
                WHEN code{n} <> ''
                    AND NOT regexp_matches(region{n} || home{n}, {literal("^" + found.dialled_out)})
                THEN region{n} || home{n}
            END""",
            # A number of the region's one length would be too long with its code: the code goes.
            f"coded{n}": f"""CASE
                WHEN code{n} <> '' AND regexp_full_match(region{n} || home{n}, {literal(found.with_code)})
                THEN region{n} || home{n}[strlen(code{n}) + 1:]
            END""",
        },
        {
            f"prefix{n}": f"""CASE WHEN coalesce(national{n}, coded{n}) IS NOT NULL THEN
                strlen(regexp_extract(coalesce(national{n}, coded{n}), {literal("^" + found.prefix)}))
            END"""
        },
        {
            # A prefix of one digit is stripped where a number of the plan is left. What is longer may
            # be a carrier's, or be put differently, as mobiles in Argentina are.
            f"stripped{n}": f"""CASE
                WHEN prefix{n} <= 2 THEN coalesce(national{n}, coded{n})
                WHEN prefix{n} = 3 THEN region{n} || national{n}[4:]
            END"""
        },
        {
            f"digits{n}": f"""CASE
                WHEN abroad{n} IS NOT NULL THEN
                    CASE WHEN regexp_full_match(abroad{n}, {literal(found.trunk_zero)})
                    THEN regexp_replace(abroad{n}, {literal(f"^({found.trunk_codes})0")}, '\\1')
                    ELSE abroad{n} END
                WHEN regexp_full_match(stripped{n}, {literal(found.national)})
                THEN code{n} || stripped{n}[3:]
            END"""
        },
        {
            f"verdict{n}": f"""CASE
                WHEN (regexp_full_match(digits{n}, {literal(found.possible)})
                        OR regexp_full_match(digits{n}, {literal(found.with_zero)})
                        AND NOT regexp_full_match(digits{n}, {literal(found.without_zero)}))
                    AND NOT regexp_matches(digits{n}, {literal("^" + found.prefixed)}) THEN {DIGEST}
                WHEN value{n} IS NULL THEN {VERDICTS[Reason.MISSING]}
                WHEN home{n} IS NOT NULL AND region{n} IS NULL THEN {VERDICTS[Reason.MALFORMED]}
                WHEN regexp_full_match(value{n}, {literal(_HASH)}) THEN {DIGEST}
                ELSE {ASK}
            END::UTINYINT"""
        },
        {
            f"digest{n}": f"""CASE WHEN verdict{n} = {DIGEST} THEN
                coalesce(sha256(digits{n}), regexp_replace(value{n}, {literal(EDGES)}, '', 'g'))
            END""",
            f"asked{n}": f"CASE WHEN verdict{n} = {ASK} THEN value{n} END",
        },
    )


def _trunk_in_brackets(n: int) -> str:
    """One zero in brackets, right behind the calling code: without it the number would be the same."""
    behind = rf"[{SPACE}]*\(?(?:\+|00){plan().trunk_codes}[ .)\-/]*{_ZERO}[0-9 .)\-/]*[{SPACE}]*"
    return f"regexp_full_match(value{n}, {literal(behind)})"


def _place(region: str) -> str:
    """A region's place in the list of codes, from 1 (`AA`) to 676 (`ZZ`)."""
    return f"(26 * (ascii({region}[1]) - 65) + ascii({region}[2]) - 64)"


@cache
def _regions() -> str:
    """Calling codes by the place of their region; empty where there is no such region."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    codes = plan().codes
    listed = (codes.get(first + second, "") for first in letters for second in letters)
    return f"[{', '.join(map(literal, listed))}]"
