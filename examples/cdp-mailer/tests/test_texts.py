"""What people read: each setting in each language, and what is said of a wrong one."""

from __future__ import annotations

import marshmallow
import pytest

from cdp_mailer.consent import prompts
from cdp_mailer.settings import ConnectionSettings, ExportSettings


@pytest.mark.parametrize("schema", [ConnectionSettings, ExportSettings])
@pytest.mark.parametrize("language", ["nl", "da"])
def test_every_setting_speaks_every_language(schema: type[marshmallow.Schema], language: str) -> None:
    for name, declared in schema().fields.items():
        told = declared.metadata[language]
        assert isinstance(told, dict), name
        assert set(told) == {"label", "help"}, name
        assert told["help"] != declared.metadata["help"], name


def test_the_consent_text_is_in_every_language_and_else_in_english() -> None:
    given = {locale: prompts(locale)[0] for locale in ("en", "nl-BE", "da_DK.UTF-8", "fr")}
    assert {locale: each.language for locale, each in given.items()} == {
        "en": "en",
        "nl-BE": "nl",
        "da_DK.UTF-8": "da",
        "fr": "en",
    }
    assert len({each.text for each in given.values()}) == 3
    assert len({(each.key, each.version) for each in given.values()}) == 1


@pytest.mark.parametrize("list_id", ["", "two words", "../account", "a/b", "x" * 65])
def test_what_is_no_lists_id_is_refused_in_words(list_id: str) -> None:
    with pytest.raises(marshmallow.ValidationError, match="letters, digits"):
        ExportSettings().load({"list_id": list_id})


@pytest.mark.parametrize("size", [0, 1_001])
def test_a_batch_is_no_larger_than_the_service_takes(size: int) -> None:
    with pytest.raises(marshmallow.ValidationError):
        ExportSettings().load({"list_id": "newsletter", "batch_size": size})
