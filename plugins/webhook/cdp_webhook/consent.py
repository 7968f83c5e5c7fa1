"""What an Administrator agrees to before data goes to a service that was set up by hand.

A changed text asks everybody again: change one only when its meaning changes, and its version with it.
"""

from __future__ import annotations

from cdp_core import ConsentPrompt

KEY = "webhook.data-sharing"
VERSION = "1"

_TEXTS = {
    "en": (
        "Data privacy and compliance: a service over HTTP",
        "This connection sends data to the service at the address in its settings, outside the compliance "
        "boundary of this system. Nobody but you has checked who runs that service and what it does with "
        "the data. The members of your segments are sent as hashed e-mail addresses, phone numbers and "
        "mobile advertising ids, in the form that the settings say; hashed, they are still personal data. "
        "The data is transferred on your instruction. You are responsible for the service meeting any "
        "privacy or security obligations that you have, and for the consent of the people whose data you "
        "send. An Administrator can remove this connection and its exports at any time, to stop the "
        "transfer.",
    ),
    "nl": (
        "Gegevensprivacy en naleving: een service via HTTP",
        "Deze verbinding verzendt gegevens naar de service op het adres in de instellingen, buiten de "
        "nalevingsgrens van dit systeem. Niemand behalve u heeft gecontroleerd wie die service beheert en "
        "wat die met de gegevens doet. De leden van uw segmenten worden verzonden als gehashte "
        "e-mailadressen, telefoonnummers en mobiele advertentie-id's, in de vorm die de instellingen "
        "zeggen; ook gehasht zijn het persoonsgegevens. De gegevens worden op uw instructie overgedragen. U "
        "bent er verantwoordelijk voor dat de service voldoet aan mogelijke privacy- of "
        "beveiligingsverplichtingen die u hebt, en voor de toestemming van de mensen van wie u gegevens "
        "verzendt. Een beheerder kan deze verbinding en de exports ervan op elk moment verwijderen om de "
        "overdracht te stoppen.",
    ),
    "da": (
        "Beskyttelse af personlige oplysninger og overholdelse: en tjeneste over HTTP",
        "Denne forbindelse sender data til tjenesten på adressen i dens indstillinger, uden for dette "
        "systems grænse for overholdelse. Ingen andre end du har undersøgt, hvem der driver den tjeneste, "
        "og hvad den gør med dataene. Medlemmerne af dine segmenter sendes som hashede e-mailadresser, "
        "telefonnumre og mobile annonce-id'er i den form, som indstillingerne siger; også hashet er de "
        "personlige data. Dataene overføres efter din instruktion. Du er ansvarlig for, at tjenesten "
        "overholder eventuelle forpligtelser til beskyttelse af personlige oplysninger eller sikkerhed, som "
        "du måtte have, og for samtykket fra de personer, hvis data du sender. En administrator kan til "
        "enhver tid fjerne denne forbindelse og dens eksporter for at stoppe overførslen.",
    ),
}


def prompts(locale: str) -> tuple[ConsentPrompt, ...]:
    return (ConsentPrompt.in_language(locale, _TEXTS, key=KEY, version=VERSION),)
