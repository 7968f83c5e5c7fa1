"""The core's own consent prompt: it stands before every connection, and cannot be disabled."""

from __future__ import annotations

from cdp_core.model.configuration import ConsentPrompt

KEY = "core.data-leaves"
VERSION = "1"

_TEXTS = {
    "en": (
        "Data leaves your company",
        "With this connection you let customer data, possibly personal data, be transferred to a service "
        "outside your company's own systems. It is transferred on your instruction. You are responsible "
        "for the service meeting the privacy and security obligations that you have, and for having the "
        "consent of the people whose data is sent. An Administrator can remove the connection at any time.",
    ),
    "nl": (
        "Gegevens verlaten uw bedrijf",
        "Met deze verbinding staat u toe dat klantgegevens, mogelijk persoonsgegevens, worden overgedragen "
        "aan een service buiten de eigen systemen van uw bedrijf. De gegevens worden op uw instructie "
        "overgedragen. U bent er verantwoordelijk voor dat de service voldoet aan de privacy- en "
        "beveiligingsverplichtingen die u hebt, en dat de mensen van wie gegevens worden verzonden "
        "toestemming hebben gegeven. Een beheerder kan de verbinding op elk moment verwijderen.",
    ),
    "da": (
        "Data forlader din virksomhed",
        "Med denne forbindelse tillader du, at kundedata, muligvis personlige data, overføres til en "
        "tjeneste uden for din virksomheds egne systemer. Dataene overføres efter din instruktion. Du er "
        "ansvarlig for, at tjenesten overholder de forpligtelser til beskyttelse af personlige oplysninger "
        "og sikkerhed, som du har, og for at have samtykke fra de personer, hvis data sendes. En "
        "administrator kan til enhver tid fjerne forbindelsen.",
    ),
}


def core_prompts(locale: str) -> tuple[ConsentPrompt, ...]:
    """The core's prompt in the language of `locale`, or in English where it is not written in it."""
    language = locale if locale in _TEXTS else "en"
    title, text = _TEXTS[language]
    return (ConsentPrompt(key=KEY, version=VERSION, title=title, text=text, language=language),)
