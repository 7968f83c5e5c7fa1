"""Ways in which people write phone numbers, by which the rule and the engines are tested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType


@dataclass(frozen=True)
class Written:
    """One number as it was written down, in the region where (None: nowhere in particular)."""

    text: str
    region: str | None
    e164: str  # digits alone


REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def examples(region: str) -> Iterator[phonenumbers.PhoneNumber]:
    """The library's examples of a region: a fixed line and a mobile."""
    for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is not None:
            yield number


def ways_to_write(number: phonenumbers.PhoneNumber, region: str) -> Iterator[Written]:
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    code, rest = str(number.country_code), phonenumbers.national_significant_number(number)
    for text in (
        f"+{e164}",
        f" +{e164}\t",
        international,
        f"00{e164}",
        f"00 {international[1:]}",
        f"(+{code}) {rest}",
        phonenumbers.format_number(number, PhoneNumberFormat.RFC3966),
        f"+{code} (0){rest}",
        f"+{code}.(0){rest[:2]}.{rest[2:]}",
        f"00{code} (0) {rest}",
        international.replace(" ", ".").replace("-", "."),
        international.replace(" ", "/"),
        f"{international} ext. 12",
        f"+{e164}x123",
    ):
        for place in (None, region, "US", "AU", "KR"):
            yield Written(text, place, e164)
    for text in (
        national,
        national.replace(" ", ".").replace("-", "."),
        national.replace(" ", "/").replace("-", "/"),
        "".join(filter(str.isdigit, national)),
        f"{national} ext 7",
    ):
        yield Written(text, region, e164)
