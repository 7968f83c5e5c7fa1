"""The language in which the command line speaks to people: English, Dutch or Danish.

English stands in the code and needs no catalogue; the others' are read when the first sentence is asked
for. Errors, `--json`, and what is stored are English in every language, so that scripts, support and
another reader find what they look for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import TYPE_CHECKING

from cdp_core.model.sentence import Sentence, Value

if TYPE_CHECKING:
    from cdp_core.contract.schemas import SettingInfo

ENGLISH = "en"
LANGUAGES = (ENGLISH, "nl", "da")
LOCALE = Path(__file__).with_name("locale")
DOMAIN = "cdp"

# Where a dot groups digits, `1,000` would be read as one.
_DIGITS_ASIDE = str.maketrans(",.", ".,")


class _Spoken:
    """The language of this process; who chooses none gets the environment's."""

    language: str | None = None


def use(language: str | None) -> None:
    """Speak `language` from now on; None stands for what the environment says."""
    _Spoken.language = language


def spoken() -> str:
    if _Spoken.language is None:
        _Spoken.language = of_environment(os.environ)
    return _Spoken.language


def of_environment(environment: Mapping[str, str]) -> str:
    """The first language that we speak of those wished for, as gettext reads the variables; else English.

    A list in `LANGUAGE` goes before the locale, but not where the locale is none (`C`).
    """
    locale = next(filter(None, map(environment.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    wishes = [] if _code(locale) in ("c", "posix") else environment.get("LANGUAGE", "").split(":")
    codes = (_code(wish) for wish in (*wishes, locale))
    return next((code for code in codes if code in LANGUAGES), ENGLISH)


def _code(locale: str) -> str:
    """`nl` of `nl_NL.UTF-8`, `nl-BE` or `nl@euro`."""
    return locale.replace("-", "_").partition("_")[0].partition(".")[0].partition("@")[0].lower()


def marked(text: str) -> str:
    """The same text; it goes into the catalogues, and is translated where it is shown."""
    return text


def _(text: str) -> str:
    """A text in the language spoken; itself where the catalogue does not have it."""
    found = _catalogue(spoken())
    # The empty text is where a catalogue keeps its head.
    return found.gettext(text) if found and text else text


def ngettext(one: str, many: str, number: int) -> str:
    found = _catalogue(spoken())
    return found.ngettext(one, many, number) if found else one if number == 1 else many


def help_in_language(text: str) -> str:
    """A command's or option's help, whose lines may be broken anywhere."""
    return text if spoken() == ENGLISH else _(paragraphs(text))


def paragraphs(text: str) -> str:
    """A help text with each paragraph on one line: as the catalogues have it."""
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


def numerals(text: str) -> str:
    """A number's digits, grouped with commas, as the language spoken groups them."""
    return text if spoken() == ENGLISH else text.translate(_DIGITS_ASIDE)


def said(text: str) -> str:
    """A sentence of the core's or of a plugin's in the language spoken; any other text as it is."""
    if not isinstance(text, Sentence) or spoken() == ENGLISH:
        return text
    number = text.values.get("number")
    if spoken() in text.in_language:
        found = text.in_language[spoken()]
    elif text.one and isinstance(number, int):
        found = ngettext(text.one, text.text, number)
    else:
        found = _(text.text)
    return found.format(**{name: _shown(value) for name, value in text.values.items()})


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(said, value))
    if isinstance(value, str):
        return said(value)
    return numerals(f"{value:,}" if isinstance(value, int) else f"{value:.3g}")


def label_of(setting: SettingInfo) -> str:
    return setting.label_in(spoken())


def help_of(setting: SettingInfo) -> str:
    return setting.help_in(spoken())


@cache
def _catalogue(language: str) -> GNUTranslations | None:
    if language == ENGLISH:
        return None
    with (LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as compiled:
        return GNUTranslations(compiled)
