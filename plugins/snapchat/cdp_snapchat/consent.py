"""What an Administrator agrees to before data goes to Snapchat, in the languages of the interface.

A changed text asks everybody again: change one only when its meaning changes, and its version with it.
"""

from __future__ import annotations

from cdp_core import ConsentPrompt

KEY = "snapchat.data-sharing"
VERSION = "2"

_TEXTS = {
    "en": (
        "Data privacy and compliance: Snapchat",
        "When you enable this connection, you allow data to be transferred to Snapchat, outside the "
        "compliance boundary of this system. This can include sensitive data such as personal data: the "
        "members of your segments are sent as hashed e-mail addresses, phone numbers and mobile "
        "advertising ids, which Snapchat matches with the people who use it. The data is transferred on "
        "your instruction. You are responsible for Snapchat "
        "meeting any privacy or security obligations that you have, and for the consent of the people whose"
        " data you send. An Administrator can remove this connection and its exports at any time, to stop "
        "the transfer.",
    ),
    "nl": (
        "Gegevensprivacy en naleving: Snapchat",
        "Wanneer u deze verbinding inschakelt, staat u toe dat gegevens worden overgedragen aan Snapchat, "
        "buiten de nalevingsgrens van dit systeem. Dat kunnen gevoelige gegevens zijn, zoals "
        "persoonsgegevens: de leden van uw segmenten worden verzonden als gehashte e-mailadressen, "
        "telefoonnummers en mobiele advertentie-id's, die Snapchat vergelijkt met de mensen die Snapchat "
        "gebruiken. De gegevens worden op uw instructie "
        "overgedragen. U bent er verantwoordelijk voor dat Snapchat voldoet aan mogelijke privacy- of "
        "beveiligingsverplichtingen die u hebt, en voor de toestemming van de mensen van wie u gegevens "
        "verzendt. Een beheerder kan deze verbinding en de exports ervan op elk moment verwijderen om de "
        "overdracht te stoppen.",
    ),
    "da": (
        "Beskyttelse af personlige oplysninger og overholdelse af angivne standarder: Snapchat",
        "Når du aktiverer denne forbindelse, tillader du, at data overføres til Snapchat uden for dette "
        "systems grænse for overholdelse. Det kan omfatte følsomme data, f.eks. personlige data: "
        "Medlemmerne af dine segmenter sendes som hashede e-mailadresser, telefonnumre og mobile "
        "annonce-id'er, som Snapchat sammenligner med de personer, der bruger Snapchat. Dataene overføres "
        "efter din instruktion. Du er ansvarlig for, at "
        "Snapchat overholder eventuelle forpligtelser til beskyttelse af personlige oplysninger eller "
        "sikkerhed, som du måtte have, og for samtykket fra de personer, hvis data du sender. En "
        "administrator kan til enhver tid fjerne denne forbindelse og dens eksporter for at stoppe "
        "overførslen.",
    ),
}


def prompts(locale: str) -> tuple[ConsentPrompt, ...]:
    return (ConsentPrompt.in_language(locale, _TEXTS, key=KEY, version=VERSION),)
