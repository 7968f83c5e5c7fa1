"""The core's own consent prompts: one stands before every connection, and one before each that whole rows
leave by. They cannot be disabled."""

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

WHOLE_ROWS_KEY = "core.whole-rows-leave"
WHOLE_ROWS_VERSION = "1"

_WHOLE_ROWS = {
    "en": (
        "Whole rows leave in the clear",
        "By exports over this connection whole rows of your customer table leave, with the fields that an "
        "Administrator chooses, as they are: nothing is hashed. Whoever receives them can read names, "
        "addresses and whatever else is chosen. Members without consent, where that is asked for, and people "
        "who are suppressed are left out as far as the identifiers that the export matches tell them. You "
        "are responsible for choosing no more fields than the purpose needs, and for the consent of the "
        "people whose data is sent. Only an Administrator may add, change and run such exports.",
    ),
    "nl": (
        "Hele rijen vertrekken leesbaar",
        "Met exports over deze verbinding vertrekken hele rijen van uw klantentabel, met de velden die een "
        "beheerder kiest, zoals ze zijn: er wordt niets gehasht. Wie ze ontvangt, kan namen, adressen en wat "
        "er verder gekozen is, lezen. Leden zonder toestemming, waar daarnaar wordt gevraagd, en mensen die "
        "zijn uitgesloten, worden weggelaten voor zover de identificatoren die de export koppelt, hen "
        "aanwijzen. U bent er verantwoordelijk voor dat niet meer velden worden gekozen dan voor het doel "
        "nodig zijn, en voor de toestemming van de mensen van wie gegevens worden verzonden. Alleen een "
        "beheerder mag zulke exports toevoegen, wijzigen en uitvoeren.",
    ),
    "da": (
        "Hele rækker forlader systemet i klartekst",
        "Med eksporter over denne forbindelse forlader hele rækker af din kundetabel systemet, med de "
        "felter, som en administrator vælger, som de er: intet hashes. Hvem der modtager dem, kan læse "
        "navne, adresser og hvad der ellers er valgt. Medlemmer uden samtykke, hvor der spørges om det, og "
        "personer, der er udelukket, udelades, så vidt de identifikatorer, som eksporten matcher, udpeger "
        "dem. Du er ansvarlig for ikke at vælge flere felter, end formålet kræver, og for samtykket fra de "
        "personer, hvis data sendes. Kun en administrator må tilføje, ændre og køre sådanne eksporter.",
    ),
}


def whole_rows_prompts(locale: str) -> tuple[ConsentPrompt, ...]:
    """The core's prompt about whole rows."""
    prompt = ConsentPrompt.in_language(locale, _WHOLE_ROWS, key=WHOLE_ROWS_KEY, version=WHOLE_ROWS_VERSION)
    return (prompt,)


def core_prompts(locale: str) -> tuple[ConsentPrompt, ...]:
    """The core's prompt before every connection."""
    return (ConsentPrompt.in_language(locale, _TEXTS, key=KEY, version=VERSION),)
