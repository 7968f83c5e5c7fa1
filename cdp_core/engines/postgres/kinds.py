"""The built-in kinds in PostgreSQL's SQL: the same bytes as the kind's Python rule, or a value to ask about.

Decided here is what is ASCII, and of phones what begins with its calling code. Tests hold each against its
rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from cdp_core.engines.postgres.text import SPACE, in_utf8, is_ascii, literal, matches, texts, trimmed
from cdp_core.engines.verdicts import DIGEST, VERDICTS
from cdp_core.model.accounting import Reason
from cdp_core.rules.identifiers import email, mobile_ad_id, phone
from cdp_core.rules.identifiers.numbering import plan

# Columns added step by step to `value<n>` (text, of collation C) and `region<n>` (text), up to `verdict<n>`
# and `digest<n>` (bytea); n tells matches of one query apart. The second argument is the verdict of what
# cannot be decided here.
Steps = tuple[Mapping[str, str], ...]

_MISSING, _PLACEHOLDER = VERDICTS[Reason.MISSING], VERDICTS[Reason.PLACEHOLDER]
_MALFORMED, _UNSUPPORTED = VERDICTS[Reason.MALFORMED], VERDICTS[Reason.UNSUPPORTED]

_ADDRESS = rf"[^@{SPACE}]+@(?:[^@.{SPACE}]+\.)+[^@.{SPACE}]+"
_SHA256 = "[0-9a-f]{64}"
_OTHER_HASH = "[0-9a-f]{32}|[0-9a-f]{40}"

# Digits, and what the library takes for punctuation between them.
_LONGEST = 20
_NUMBER = rf"[{SPACE}]*\(?\+?[0-9][0-9 ().\-/]*[{SPACE}]*"
_TRUNK_ZERO = r"\( *0 *\)"
_NOBODY = "|".join(
    [f"{digit}{{{phone.SAME_DIGIT_LEAST},}}" for digit in "123456789"]
    + ["0+", *sorted(phone.PLACEHOLDER_NUMBERS)]
)


def steps(kind: str, n: int, undecided: int) -> Steps:
    """A kind that stands not here has its rule asked for every value."""
    return _KNOWN.get(kind, _rule_alone)(n, undecided)


def _email(n: int, undecided: int) -> Steps:
    return (
        _plain(n),
        {
            f"verdict{n}": f"""CASE
                WHEN value{n} IS NULL OR plain{n} = '' THEN {_MISSING}
                WHEN plain{n} IS NULL THEN {undecided}
                WHEN {matches(f"plain{n}", _ADDRESS)} THEN {DIGEST}
                WHEN plain{n} IN {texts(email.PLACEHOLDER_WORDS)} THEN {_PLACEHOLDER}
                WHEN {matches(f"plain{n}", _SHA256)} THEN {DIGEST}
                WHEN {matches(f"plain{n}", _OTHER_HASH)} THEN {_UNSUPPORTED}
                ELSE {_MALFORMED}
            END"""
        },
        _digest(n, f"position('@' IN plain{n}) > 0", f"plain{n}"),
    )


def _mobile_ad_id(n: int, undecided: int) -> Steps:
    return (
        _plain(n),
        {
            f"verdict{n}": f"""CASE
                WHEN value{n} IS NULL OR plain{n} = '' THEN {_MISSING}
                WHEN plain{n} IS NULL THEN {undecided}
                WHEN {matches(f"plain{n}", f"{mobile_ad_id.UUID}|{_SHA256}")} THEN {DIGEST}
                WHEN plain{n} IN {texts(mobile_ad_id.PLACEHOLDER_WORDS)} THEN {_PLACEHOLDER}
                WHEN {matches(f"plain{n}", _OTHER_HASH)} THEN {_UNSUPPORTED}
                ELSE {_MALFORMED}
            END"""
        },
        _digest(n, f"position('-' IN plain{n}) > 0", f"plain{n}"),
    )


def _phone(n: int, undecided: int) -> Steps:
    found, lengths = plan(), _possible_lengths()
    codes = frozenset(each.split()[0] for each in lengths)
    return (
        {
            **_plain(n),
            # A zero in brackets may or may not be part of the number.
            f"compact{n}": f"""CASE
                WHEN length(value{n}) < 64 AND {matches(f"value{n}", _NUMBER)}
                    AND (position('(' IN value{n}) = 0 OR NOT value{n} ~ {literal(_TRUNK_ZERO)})
                THEN translate({trimmed(f"value{n}")}, ' ().-/', '')
            END""",
        },
        {
            f"abroad{n}": f"""CASE
                WHEN left(compact{n}, 1) = '+' THEN substr(compact{n}, 2)
                WHEN left(compact{n}, 2) = '00'
                    AND (region{n} IS NULL OR {matches(f"region{n}", found.double_zero)})
                THEN substr(compact{n}, 3)
            END""",
            # Without a region nothing can be made of it; what is as long as a hash may be one.
            f"nowhere{n}": f"""region{n} IS NULL AND length(compact{n}) <= {_LONGEST}
                AND left(compact{n}, 1) <> '+' AND left(compact{n}, 2) <> '00'
                AND NOT {matches(f"compact{n}", _NOBODY)}""",
        },
        # No calling code begins with another.
        {f"code{n}": f"CASE {' '.join(_when_begun(f'abroad{n}', codes, size) for size in (1, 2, 3))} END"},
        {
            f"verdict{n}": f"""CASE
                WHEN code{n} || ' ' || length(abroad{n}) IN {texts(lengths)}
                    AND substr(abroad{n}, length(code{n}) + 1, 1) <> '0'
                    AND NOT abroad{n} ~ {literal("^" + found.prefixed)} THEN {DIGEST}
                WHEN value{n} IS NULL OR plain{n} = '' THEN {_MISSING}
                WHEN plain{n} IN {texts(phone.PLACEHOLDER_WORDS)} THEN {_PLACEHOLDER}
                WHEN {matches(f"plain{n}", _SHA256)} THEN {DIGEST}
                WHEN {matches(f"plain{n}", _OTHER_HASH)} THEN {_UNSUPPORTED}
                WHEN nowhere{n} THEN {_MALFORMED}
                ELSE {undecided}
            END"""
        },
        _digest(n, f"abroad{n} IS NOT NULL", f"abroad{n}"),
    )


def _plain(n: int) -> Mapping[str, str]:
    return {f"plain{n}": f"CASE WHEN {is_ascii(f'value{n}')} THEN lower({trimmed(f'value{n}')}) END"}


def _digest(n: int, is_to_hash: str, normalised: str) -> Mapping[str, str]:
    """What was not hashed here came hashed."""
    return {
        f"digest{n}": f"""CASE WHEN verdict{n} = {DIGEST} THEN
            CASE WHEN {is_to_hash} THEN sha256({in_utf8(normalised)}) ELSE decode(plain{n}, 'hex') END
        END"""
    }


def _rule_alone(n: int, undecided: int) -> Steps:
    return ({f"verdict{n}": str(undecided), f"digest{n}": "NULL::bytea"},)


def _when_begun(digits: str, codes: frozenset[str], size: int) -> str:
    begun, listed = f"left({digits}, {size})", frozenset(code for code in codes if len(code) == size)
    return f"WHEN {begun} IN {texts(listed)} THEN {begun}"


@cache
def _possible_lengths() -> frozenset[str]:
    """`31 11`: a calling code, and how many digits a possible number has with it, as the plan says.

    PostgreSQL takes twenty times as long for the plan's own expression as for a look at this list.
    """
    import phonenumbers

    found = plan()
    return frozenset(
        f"{code} {length}"
        for code in map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
        for length in range(len(code) + 1, _LONGEST)
        if re.fullmatch(found.possible, code.ljust(length, "1"))
    )


_KNOWN: Mapping[str, Callable[[int, int], Steps]] = {
    "EMAIL": _email,
    "PHONE": _phone,
    "MOBILE_AD_ID": _mobile_ad_id,
}
