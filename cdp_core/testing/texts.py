"""Texts at the corners of the rules on identifiers, as profiles hold them."""

# ruff: noqa: RUF001 - letters that look like others are the point
from __future__ import annotations

import hashlib
from collections.abc import Mapping

from hypothesis import strategies as st

from cdp_core.rules.identifiers.email import PLACEHOLDER_ADDRESSES, PLACEHOLDER_WORDS
from cdp_core.rules.identifiers.mobile_ad_id import PLACEHOLDER_IDS
from cdp_core.rules.identifiers.phone import PLACEHOLDER_NUMBERS

EDGES = [
    *("", " ", "\t", "\n", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f", "\x7f"),
    *("\x85", "\u00a0", "\u1680", "\u2000", "\u2009", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"),
    *("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u0301"),
]
LETTERS = [
    *("İ", "ı", "I", "\u212a", "\u212b", "ẞ", "ß", "Σ", "ΑΣ", "ΑΣΑ", "ΌΣ", "σ", "ς"),
    *("é", "e\u0301", "É", "E\u0301", "Ǆ", "ǅ", "ﬁ", "Ⅷ", "𐐀", "\uff21", "Ꭰ", "\U0001f600"),
]
ID = "6D92078A-8246-4BA4-AE5B-76104861E7DC"
CORNERS: Mapping[str, list[str | None]] = {
    "EMAIL": [
        *(f"{edge}Anna@Example.ORG{other}" for edge in EDGES for other in (edge, "")),
        *(f"an{edge}na@example.org" for edge in EDGES),
        *(f"a@exa{edge}mple.org" for edge in EDGES),
        *(f"{letter}@Example.org" for letter in LETTERS),
        *(f"x{letter}x@{letter}.org" for letter in LETTERS),
        *("a@b", "@b.de", "a@@b.de", "a@.de", "a@b.", "a@b..de", "a@b@c.de", "a b@c.de"),
        *("\"a'b\"@c.de", "\\@b.c"),
        *map(str.upper, sorted(PLACEHOLDER_WORDS | PLACEHOLDER_ADDRESSES)),
    ],
    "PHONE": [
        *(f"{edge}+31 6 12345678{edge}" for edge in EDGES),
        *(f"06{edge}12345678" for edge in EDGES),
        *("+31612345678", "0031612345678", "+31 (0)6 12345678", "tel:+31612345678", "06-12345678"),
        *("٠٦١٢٣٤٥٦٧٨", "\uff0b31612345678", "+39 06 698 12345", "+1 706 767 5127 ext. 5", "+800 1234 5678"),
        *("+31 0612345678", "(+31) 6 12345678", "001612345678", "no phone", "+0", "000000", "+1111111111"),
        "+3161234",
        *sorted(PLACEHOLDER_NUMBERS),
    ],
    "MOBILE_AD_ID": [
        *(f"{edge}{ID}{edge}" for edge in EDGES),
        *(ID.replace("A", letter, 1) for letter in LETTERS),
        *(ID.replace("-", ""), f"{{{ID}}}", f"{ID}0", ID[:-1], *sorted(PLACEHOLDER_IDS), "LIMITED"),
    ],
}  # fmt: skip
HASHES: list[str | None] = [
    *(None, "", "0" * 64, hashlib.sha256(b"a@b.de").hexdigest(), "Ef" * 32),
    *(f"\u00a0{'aB' * 32}\n", f" {'cD' * 32}\t", "f" * 63, "f" * 65, "g" * 64, "Ab" * 16, "12" * 20),
    *(hashlib.sha256(b"").hexdigest(), hashlib.sha256(b"test@test.com").hexdigest(), "1" * 64, "\uff11" * 64),
]  # fmt: skip
PLACES: list[str | None] = [
    None,
    "",
    "NL",
    "nl",
    " Gb\n",
    "XX",
    "N",
    "Germany",
    "\u00a0NL",
    "\u0131t",
    "\ufb01",
    "US",
]

anything = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10),
    st.builds(
        "{}{}@{}.{}{}".format,
        *(st.sampled_from(each) for each in (EDGES, LETTERS, LETTERS, LETTERS, EDGES)),
    ),
    st.text("+0123456789 ().-/\u00a0", max_size=18),
    st.uuids().map(str),
    *(st.sampled_from([*each, *HASHES]) for each in CORNERS.values()),
)
