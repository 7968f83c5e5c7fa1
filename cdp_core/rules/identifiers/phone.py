"""The phone rule: the reference that every engine's faster way must agree with, byte for byte.

Normalised are the digits of E.164 without the plus; the digest is SHA-256 of them. How a number is read
(punctuation, national and carrier prefixes, extensions, `tel:`) is the library's business, `phonenumbers`;
three things are added to it. A double zero stands for the plus everywhere, also where another prefix is
dialled. A zero that is left at the beginning of the number, as in `+36 (0)1 …`, is dropped where only that
makes the number valid: in Italy, say, the zero is part of it. And a number without its area code is
malformed, since it is not the number of anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import Identified
from cdp_core.rules.identifiers.screening import WORDS, digests_of, hashed, hashed_now

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

# Numbers that stand for nobody, in the digits that were typed: one digit again and again, whatever the
# country, and these, but where the country makes a valid number of them (01 23 45 67 89 is one in France).
# Extend the list when the accounting shows another one: what stands here is a placeholder, never sent.
PLACEHOLDER_NUMBERS = frozenset(
    {
        *("12345", "123456", "1234567", "12345678", "123456789", "1234567890", "12345678900", "12345678910"),
        *("012345", "0123456", "01234567", "012345678", "0123456789", "01234567890", "11234567890"),
        *("987654321", "9876543210", "0987654321", "1231231234", "1112223333", "15555555555"),
    }
)
PLACEHOLDER_WORDS = WORDS | {"no phone", "nophone", "no number", "no tel", "unlisted", "withheld", "private"}

SAME_DIGIT_LEAST, SAME_DIGIT_MOST = 6, 20
SAME_DIGIT = frozenset(
    digit * times for digit in "0123456789" for times in range(SAME_DIGIT_LEAST, SAME_DIGIT_MOST + 1)
) | {"0" * times for times in range(1, SAME_DIGIT_LEAST)}
PLACEHOLDER_DIGESTS = digests_of(PLACEHOLDER_WORDS | PLACEHOLDER_NUMBERS | SAME_DIGIT)

# A number in nothing but digits and what people write between them.
PUNCTUATION = " ().-/"
_DIGITS_ALONE = re.compile(rf"[+{re.escape(PUNCTUATION)}0-9]+")
_NO_DIGIT = re.compile("[^0-9]+")
_TRUNK_ZERO = re.compile(r"\( *0 *\)")
_DOUBLE_ZERO = re.compile(rf"(?:tel:)?[{re.escape(PUNCTUATION)}]*0[{re.escape(PUNCTUATION)}]*0")


def phone(raw: str | None, region: str | None = None) -> Identified:
    """The digest of a raw phone number, or the first reason why it has none.

    `region` is the country (two capital letters, ISO 3166-1) that a number without one is of.
    """
    text = "" if raw is None else raw.strip().lower()
    if not text or text in PLACEHOLDER_WORDS:
        return Identified(Reason.PLACEHOLDER if text else Reason.MISSING)
    if (found := hashed(text, PLACEHOLDER_DIGESTS)) is not None:
        return found
    digits = _NO_DIGIT.sub("", text) if _DIGITS_ALONE.fullmatch(text) else ""
    if digits in SAME_DIGIT:
        return Identified(Reason.PLACEHOLDER)
    number = _read(text, region)
    if _is_zero(number) or (digits in PLACEHOLDER_NUMBERS and not _is_valid(number)):
        return Identified(Reason.PLACEHOLDER)
    if number is None:
        return Identified(Reason.MALFORMED)
    return hashed_now(_e164(number), PLACEHOLDER_DIGESTS)


def known_regions() -> frozenset[str]:
    """The regions whose national numbers can be read."""
    import phonenumbers

    return frozenset(phonenumbers.SUPPORTED_REGIONS)


def _e164(number: PhoneNumber) -> str:
    from phonenumbers import national_significant_number

    return f"{number.country_code}{national_significant_number(number)}"


def _is_zero(number: PhoneNumber | None) -> bool:
    return number is not None and number.national_number == 0


def _is_valid(number: PhoneNumber | None) -> bool:
    from phonenumbers import is_valid_number

    return number is not None and is_valid_number(number)


def _read(text: str, region: str | None) -> PhoneNumber | None:
    """The first reading that is a valid number, else the first that is a possible one."""
    readings = list(_readings(text, region))
    if len(readings) > 1:
        return next(filter(_is_valid, readings), readings[0])
    return readings[0] if readings else None


def _readings(text: str, region: str | None) -> Iterator[PhoneNumber]:
    if (without_zero := _TRUNK_ZERO.sub("", text)) != text:
        yield from filter(_is_valid, _readings(without_zero, region))
    double_zero = _DOUBLE_ZERO.match(text)
    if double_zero:
        yield from _parsed("+" + text[double_zero.end() :], None)
    if not double_zero or region:
        yield from _parsed(text, region)


def _parsed(text: str, region: str | None) -> Iterator[PhoneNumber]:
    """A number as the library reads it, if it is possible; and without zeros at its beginning, if valid."""
    from phonenumbers import (
        NumberParseException,
        PhoneNumber,
        ValidationResult,
        is_possible_number_with_reason,
        parse,
    )

    try:
        number = parse(text, region)
    except NumberParseException:
        return
    if _is_zero(number) or is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE:
        yield number
    zeros = (number.number_of_leading_zeros or 1) if number.italian_leading_zero else 0
    for left in range(zeros - 1, -1, -1):
        shorter = PhoneNumber(
            country_code=number.country_code,
            national_number=number.national_number,
            italian_leading_zero=left > 0 or None,
            number_of_leading_zeros=left if left > 1 else None,
        )
        if _is_valid(shorter):
            yield shorter
