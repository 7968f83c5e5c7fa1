"""What an Administrator agrees to before members are written to files, in the languages of the interface.

A changed text asks everybody again: change one only when its meaning changes, and its version with it.
"""

from __future__ import annotations

from cdp_core import ConsentPrompt

KEY = "files.data-sharing"
VERSION = "1"

_TEXTS = {
    "en": (
        "Data privacy and compliance: files",
        "This connection writes the members of your segments into files, in a folder outside this system: "
        "hashed e-mail addresses, phone numbers and mobile advertising ids. Hashed, they are still personal "
        "data. Whoever may read the folder may copy the files, and this system takes no file back: who "
        "withdraws consent or is suppressed later is named in a file of removals, or missing from the next "
        "whole one. You are responsible for who may read the folder, for how long files are kept, and for "
        "the consent of the people whose data is in them. An Administrator can remove this connection and "
        "its exports at any time; the files stay.",
    ),
    "nl": (
        "Gegevensprivacy en naleving: bestanden",
        "Deze verbinding schrijft de leden van uw segmenten in bestanden, in een map buiten dit systeem: "
        "gehashte e-mailadressen, telefoonnummers en mobiele advertentie-id's. Ook gehasht zijn het "
        "persoonsgegevens. Wie de map mag lezen, kan de bestanden kopiëren, en dit systeem neemt geen "
        "bestand terug: wie later toestemming intrekt of wordt uitgesloten, staat in een bestand met "
        "verwijderingen, of ontbreekt in het volgende volledige. U bent verantwoordelijk voor wie de map "
        "mag lezen, voor hoelang bestanden worden bewaard en voor de toestemming van de mensen van wie "
        "gegevens erin staan. Een beheerder kan deze verbinding en de exports ervan op elk moment "
        "verwijderen; de bestanden blijven.",
    ),
    "da": (
        "Beskyttelse af personlige oplysninger og overholdelse: filer",
        "Denne forbindelse skriver medlemmerne af dine segmenter i filer, i en mappe uden for dette system: "
        "hashede e-mailadresser, telefonnumre og mobile annonce-id'er. Også hashet er de personlige data. "
        "Hvem der må læse mappen, kan kopiere filerne, og dette system tager ingen fil tilbage: hvem der "
        "senere trækker sit samtykke tilbage eller udelukkes, står i en fil med fjernelser, eller mangler i "
        "den næste hele. Du er ansvarlig for, hvem der må læse mappen, for hvor længe filer gemmes, og for "
        "samtykket fra de personer, hvis data er i dem. En administrator kan til enhver tid fjerne denne "
        "forbindelse og dens eksporter; filerne bliver.",
    ),
}

ROWS_KEY = "files.whole-rows"
ROWS_VERSION = "1"

_OF_ROWS = {
    "en": (
        "Data privacy and compliance: files of whole rows",
        "This connection writes chosen fields of whole rows of your customer table into files, in a folder "
        "outside this system, readable for whoever may read the folder. The files are not encrypted by this "
        "system. Whoever has read them may copy them, and this system takes no file back: who withdraws "
        "consent or is suppressed later is named in a file of removals, or missing from the next whole one. "
        "You are responsible for who may read the folder, for how long files are kept, and for deleting from "
        "them whom you must delete. An Administrator can remove this connection and its exports at any time; "
        "the files stay.",
    ),
    "nl": (
        "Gegevensprivacy en naleving: bestanden met hele rijen",
        "Deze verbinding schrijft gekozen velden van hele rijen van uw klantentabel in bestanden, in een map "
        "buiten dit systeem, leesbaar voor wie de map mag lezen. De bestanden worden door dit systeem niet "
        "versleuteld. Wie ze heeft gelezen, kan ze kopiëren, en dit systeem neemt geen bestand terug: wie "
        "later toestemming intrekt of wordt uitgesloten, staat in een bestand met verwijderingen, of "
        "ontbreekt in het volgende volledige. U bent verantwoordelijk voor wie de map mag lezen, voor "
        "hoelang bestanden worden bewaard, en voor het wissen van wie u daaruit moet wissen. Een beheerder "
        "kan deze verbinding en de exports ervan op elk moment verwijderen; de bestanden blijven.",
    ),
    "da": (
        "Beskyttelse af personlige oplysninger og overholdelse: filer med hele rækker",
        "Denne forbindelse skriver valgte felter af hele rækker i din kundetabel i filer, i en mappe uden "
        "for dette system, læsbare for hvem der må læse mappen. Filerne krypteres ikke af dette system. Hvem "
        "der har læst dem, kan kopiere dem, og dette system tager ingen fil tilbage: hvem der senere trækker "
        "sit samtykke tilbage eller udelukkes, står i en fil med fjernelser, eller mangler i den næste hele. "
        "Du er ansvarlig for, hvem der må læse mappen, for hvor længe filer gemmes, og for at slette dem, du "
        "skal slette, fra filerne. En administrator kan til enhver tid fjerne denne forbindelse og dens "
        "eksporter; filerne bliver.",
    ),
}


def prompts(locale: str) -> tuple[ConsentPrompt, ...]:
    return (ConsentPrompt.in_language(locale, _TEXTS, key=KEY, version=VERSION),)


def rows_prompts(locale: str) -> tuple[ConsentPrompt, ...]:
    """The same where whole rows are written; who has agreed to the one has not agreed to the other."""
    return (ConsentPrompt.in_language(locale, _OF_ROWS, key=ROWS_KEY, version=ROWS_VERSION),)
