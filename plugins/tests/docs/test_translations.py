"""The catalogues hold exactly the texts of the code, each translated, with its braces, and compiled."""

from __future__ import annotations

import gettext
import importlib.util
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType

import pytest

from cdp_core.cli.language import paragraphs
from cdp_core.contract.schemas import settings_of
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.manager import create_plugin_manager
from cdp_core.plugins.prompts import core_prompts

ROOT = Path(__file__).parents[3]
OTHERS = ("nl", "da")
BRACES = re.compile(r"\{\w*\}")
# What is typed is the same in every language.
TYPED = re.compile(r"--[a-z-]+|\bcdp(?: [a-z-]+)+|\b[A-Z]{2,}\b|\b\d\d:\d\d\b|\.[a-z]{3,}\b")
# Words that are written the same in another language, and words in capitals that are not typed.
SPELT_ALIKE = {"HTTP", "JSON", "EU"}


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("translations", ROOT / "docs" / "translations.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


translations = _loaded()


def pairs(language: str) -> Iterator[tuple[str, str]]:
    """Each text with its translation, one and many apart."""
    for message in translations.catalogue(language):
        if isinstance(message.id, tuple):
            yield from zip(message.id, message.string, strict=True)
        elif message.id:
            yield message.id, message.string


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_the_texts_of_the_code_and_no_other(language: str) -> None:
    kept = {message.id for message in translations.catalogue(language) if message.id}
    wanted = set(translations.texts())
    assert sorted(map(str, wanted - kept)) == [], "make translations, then translate these"
    assert sorted(map(str, kept - wanted)) == [], "make translations takes these out"


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_is_written_as_make_translations_writes_it(language: str) -> None:
    kept = translations.po_of(language).read_bytes()
    assert translations.written(translations.renewed(language)) == kept, "make translations"


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language: str) -> None:
    assert translations.waiting(language) == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_braces_of_its_text_and_what_is_typed(language: str) -> None:
    for text, said in pairs(language):
        assert sorted(BRACES.findall(said)) == sorted(BRACES.findall(text)), text
        typed = set(TYPED.findall(text)) - SPELT_ALIKE
        assert typed - set(TYPED.findall(said)) == set(), text
        assert len(text) - len(text.lstrip()) == len(said) - len(said.lstrip()), text
        assert len(text) - len(text.rstrip()) == len(said) - len(said.rstrip()), text
        assert text.count("\n\n") == said.count("\n\n"), text


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_catalogue_says_what_the_written_one_says(language: str) -> None:
    compiled = translations.po_of(language).with_suffix(".mo").read_bytes()
    assert compiled == translations.compiled(language), "make translations"
    read = gettext.GNUTranslations(BytesIO(compiled))
    for message in translations.catalogue(language):
        if isinstance(message.id, tuple):
            assert (
                tuple(read.ngettext(message.id[0], message.id[1], number) for number in (1, 2))
                == message.string
            )
        elif message.id:
            assert read.gettext(message.id) == message.string


def test_the_help_of_every_connection_and_export_command_is_among_the_texts() -> None:
    helps = list(translations.help_texts())
    paths = {path for path, _ in helps}
    assert {"cdp", "cdp-connection-add", "cdp-connection-audiences", "cdp-export-resync"} <= paths
    assert len([path for path in paths if path.startswith(("cdp-connection-", "cdp-export-"))]) >= 24
    assert {paragraphs(said) for _, said in helps} <= set(translations.texts())


@pytest.mark.parametrize("language", OTHERS)
def test_every_setting_of_snapchat_is_labelled_and_explained(language: str) -> None:
    catalog = Catalog(create_plugin_manager())
    kinds = (catalog.connection_type("snapchat"), catalog.destination("snapchat"))
    for info in (info for kind in kinds for info in settings_of(kind.settings_schema)):
        metadata = info.declared.metadata.get(language)
        assert isinstance(metadata, dict), f"{info.name} has no {language!r} in its metadata"
        assert metadata["label"], info.name
        assert metadata["help"].endswith("."), info.name


@pytest.mark.parametrize("language", OTHERS)
def test_every_consent_text_is_written_in_the_language(language: str) -> None:
    asked = Catalog(create_plugin_manager()).prompts("snapchat", language)
    assert [prompt.key for prompt in asked] == ["core.data-leaves", "snapchat.data-sharing"]
    assert {prompt.language for prompt in asked} == {language}
    english = core_prompts("en")[0]
    assert asked[0].version == english.version
    assert asked[0].text != english.text
