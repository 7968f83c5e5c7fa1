"""What an Administrator agrees to before anything goes to the service.

A changed text asks everybody again: change one only when its meaning changes, and its version with it.
"""

from __future__ import annotations

from cdp_core import ConsentPrompt

KEY = "mailer.data-sharing"
VERSION = "1"

_TEXTS = {
    "en": (
        "Data privacy and compliance: Mailer",
        "This connection sends the members of your segments to Mailer, outside the compliance boundary of "
        "this system, as SHA-256 hashes of their e-mail addresses. Hashed, they are still personal data, "
        "and Mailer knows whose they are where it has the address already. The data is transferred on "
        "your instruction. You are responsible for Mailer meeting any privacy or security obligations "
        "that you have, and for the consent of the people whom you put on a list. An Administrator can "
        "remove this connection and its exports at any time, to stop the transfer.",
    ),
    "nl": (
        "Gegevensprivacy en naleving: Mailer",
        "Deze verbinding verzendt de leden van uw segmenten naar Mailer, buiten de nalevingsgrens van dit "
        "systeem, als SHA-256-hashes van hun e-mailadressen. Ook gehasht zijn het persoonsgegevens, en "
        "Mailer weet van wie ze zijn als het adres daar al bekend is. De gegevens worden op uw instructie "
        "overgedragen. U bent er verantwoordelijk voor dat Mailer voldoet aan mogelijke privacy- of "
        "beveiligingsverplichtingen die u hebt, en voor de toestemming van de mensen die u op een lijst "
        "zet. Een beheerder kan deze verbinding en de exports ervan op elk moment verwijderen om de "
        "overdracht te stoppen.",
    ),
    "da": (
        "Beskyttelse af personlige oplysninger og overholdelse: Mailer",
        "Denne forbindelse sender medlemmerne af dine segmenter til Mailer, uden for dette systems grænse "
        "for overholdelse, som SHA-256-hashes af deres e-mailadresser. Også hashet er de personlige data, "
        "og Mailer ved, hvis de er, hvor adressen allerede er kendt der. Dataene overføres efter din "
        "instruktion. Du er ansvarlig for, at Mailer overholder eventuelle forpligtelser til beskyttelse "
        "af personlige oplysninger eller sikkerhed, som du måtte have, og for samtykket fra de personer, "
        "som du sætter på en liste. En administrator kan til enhver tid fjerne denne forbindelse og dens "
        "eksporter for at stoppe overførslen.",
    ),
}


def prompts(locale: str) -> tuple[ConsentPrompt, ...]:
    return (ConsentPrompt.in_language(locale, _TEXTS, key=KEY, version=VERSION),)
