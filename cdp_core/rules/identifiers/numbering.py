"""Every country's numbering plan as regular expressions, made from the metadata of `phonenumbers`.

With them an engine tells, of a number that is nothing but digits, what the library would make of it, and
need not ask. They are plain enough for RE2: no look-ahead, no reference back. The keys are texts such
as `NL0612345678`: the region where the number was written down, and its digits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata

_NOTHING = "[^0-9]"


@dataclass(frozen=True, slots=True)
class Plan:
    """What numbers look like. All but `codes` are regular expressions.

    `possible`: the digits of E.164: a calling code, and a number of a possible length that begins with no
    zero.
    `with_zero`: the same with one zero before the number, as in Italy.
    `without_zero`: such digits, where the number may be a valid one without its zero.
    `prefixed`: a calling code, and after it what the library may take for a national prefix.
    `trunk_codes`: a calling code whose numbers have the national prefix 0, and no other with a zero first.
    `trunk_zero`: such a code, the zero that does not belong there, and a number.
    `double_zero`: a region from which 00 is dialled before any calling code.
    `dialled_out`: a region, and then what is dialled before a calling code, or the region's own code.
    `with_code`: a region whose numbers are all of one length, its own code, and as many digits.
    `prefix`: a region, and its national prefix as the library strips it.
    `national`: a region, and one of its numbers without the prefix.
    `codes`: calling codes by region.
    """

    possible: str
    with_zero: str
    without_zero: str
    prefixed: str
    trunk_codes: str
    trunk_zero: str
    double_zero: str
    dialled_out: str
    with_code: str
    prefix: str
    national: str
    codes: dict[str, str]


@cache
def plan() -> Plan:
    regions = dict(_regions())
    main = dict(_codes())
    trunk = {code: found for code, found in main.items() if _has_trunk_zero(found)}
    return Plan(
        possible=_possible(main, "[1-9]"),
        with_zero=_possible(main, "0[1-9]"),
        without_zero=_any(f"{found.country_code}0(?:{_pattern(found)})" for found in regions.values()),
        prefixed=_any(
            f"{code}(?:{found.national_prefix_for_parsing})"
            for code, found in main.items()
            if found.national_prefix_for_parsing
        ),
        trunk_codes=_any(trunk),
        trunk_zero=_any(f"{code}0(?:{_pattern(found)})" for code, found in trunk.items()),
        double_zero=_any(region for region, found in regions.items() if found.international_prefix == "00"),
        dialled_out=_any(
            f"{region}(?:{found.country_code}|{found.international_prefix or found.country_code})"
            for region, found in regions.items()
        ),
        with_code=_any(
            f"{region}{found.country_code}[0-9]{{{_lengths(found)[0]}}}"
            for region, found in regions.items()
            if len(_lengths(found)) == 1
        ),
        prefix=_any(
            f"{region}(?:{found.national_prefix_for_parsing})"
            for region, found in regions.items()
            if found.national_prefix_for_parsing
        ),
        national=_any(f"{region}(?:{_pattern(found)})" for region, found in regions.items()),
        codes={region: str(found.country_code) for region, found in regions.items()},
    )


def _regions() -> Iterator[tuple[str, PhoneMetadata]]:
    import phonenumbers

    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        found = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
        if found is not None:
            yield region, found


def _codes() -> Iterator[tuple[str, PhoneMetadata]]:
    """Each calling code with the plan that its numbers are checked by: that of its main region."""
    import phonenumbers

    for code, regions in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()):
        found = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
        if found is not None:
            yield str(code), found


def _possible(main: dict[str, PhoneMetadata], first: str) -> str:
    """The calling codes, and numbers of their lengths with these digits first."""
    begun = len(first.replace("[1-9]", "1"))
    codes_of: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for code, found in main.items():
        codes_of[_lengths(found)].append(code)
    return _any(
        f"(?:{'|'.join(codes)}){first}{_any(f'[0-9]{{{length - begun}}}' for length in lengths)}"
        for lengths, codes in codes_of.items()
    )


def _has_trunk_zero(found: PhoneMetadata) -> bool:
    prefixes = (found.national_prefix_for_parsing or "").split("|")
    return all(map(str.isdigit, prefixes)) and [each for each in prefixes if each[0] == "0"] == ["0"]


def _lengths(found: PhoneMetadata) -> tuple[int, ...]:
    return tuple(found.general_desc.possible_length) if found.general_desc else ()


def _pattern(found: PhoneMetadata) -> str:
    """What each number of a plan looks like."""
    pattern = found.general_desc and found.general_desc.national_number_pattern
    return pattern or _NOTHING


def _any(alternatives: Iterable[str]) -> str:
    return f"(?:{'|'.join(alternatives)})"
