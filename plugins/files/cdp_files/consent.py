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


def prompts(locale: str) -> tuple[ConsentPrompt, ...]:
    """The prompt in the language of `locale` (`nl`, `nl-BE`, `da_DK.UTF-8`), else in English."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    language = language if language in _TEXTS else "en"
    title, text = _TEXTS[language]
    return (ConsentPrompt(key=KEY, version=VERSION, title=title, text=text, language=language),)
