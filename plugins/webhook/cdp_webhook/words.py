"""What people read of each setting: label and help in English, Dutch and Danish, and an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class _Words:
    en: tuple[str, str]
    nl: tuple[str, str]
    da: tuple[str, str]
    example: str = ""
    asked: bool = False
    only_where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def of(name: str) -> dict[str, Any]:
    """A field's metadata, for the setting of that name."""
    words = _WORDS[name]
    return {
        "label": words.en[0],
        "help": words.en[1],
        "nl": {"label": words.nl[0], "help": words.nl[1]},
        "da": {"label": words.da[0], "help": words.da[1]},
        "example": words.example,
        "advanced": not words.asked,
        **({"only_where": words.only_where} if words.only_where else {}),
    }


def _where(*auth: str) -> Mapping[str, tuple[str, ...]]:
    return {"auth": auth}


_WORDS = {
    "api_url": _Words(
        (
            "API URL",
            "Base of the service's addresses. Requests, and credentials with them, go to no other host.",
        ),
        (
            "API-URL",
            "Basis van de adressen van de service. Aanvragen en referenties gaan naar geen andere host.",
        ),
        (
            "API-URL",
            "Basis for tjenestens adresser. Anmodninger og legitimation går til ingen anden vært.",
        ),
        "https://api.acme.example/v1",
        asked=True,
    ),
    "auth": _Words(
        (
            "Authentication",
            "How requests say who you are: none, basic, bearer, api-key or client-credentials (OAuth 2).",
        ),
        (
            "Verificatie",
            "Hoe aanvragen zeggen wie u bent: none, basic, bearer, api-key of client-credentials (OAuth 2).",
        ),
        (
            "Godkendelse",
            "Hvordan anmodninger siger, hvem du er: none, basic, bearer, api-key eller client-credentials "
            "(OAuth 2).",
        ),
        "api-key",
        asked=True,
    ),
    "username": _Words(
        ("User name", "Of basic authentication."),
        ("Gebruikersnaam", "Van basisverificatie."),
        ("Brugernavn", "Til grundlæggende godkendelse."),
        "exporter",
        asked=True,
        only_where=_where("basic"),
    ),
    "password": _Words(
        ("Password", "Of basic authentication."),
        ("Wachtwoord", "Van basisverificatie."),
        ("Adgangskode", "Til grundlæggende godkendelse."),
        "env:ACME_PASSWORD",
        asked=True,
        only_where=_where("basic"),
    ),
    "token": _Words(
        ("Bearer token", "A token that the service has given for good."),
        ("Bearer-token", "Een token dat de service blijvend heeft gegeven."),
        ("Bearer-token", "Et token, som tjenesten har givet for altid."),
        "env:ACME_TOKEN",
        asked=True,
        only_where=_where("bearer"),
    ),
    "api_key": _Words(
        ("API key", "The key that the service has given you."),
        ("API-sleutel", "De sleutel die de service u heeft gegeven."),
        ("API-nøgle", "Nøglen, som tjenesten har givet dig."),
        "env:ACME_KEY",
        asked=True,
        only_where=_where("api-key"),
    ),
    "token_url": _Words(
        ("Token URL", "Where a token is asked for with client id and secret. Only these go there."),
        ("Token-URL", "Waar met client-id en -geheim om een token wordt gevraagd. Alleen die gaan daarheen."),
        ("Token-URL", "Hvor der bedes om et token med klient-id og -hemmelighed. Kun de sendes dertil."),
        "https://auth.acme.example/oauth/token",
        asked=True,
        only_where=_where("client-credentials"),
    ),
    "client_id": _Words(
        ("Client ID", "Of the app that the service has registered for you."),
        ("Client-id", "Van de app die de service voor u heeft geregistreerd."),
        ("Klient-id", "For den app, som tjenesten har registreret til dig."),
        "cdp-exporter",
        asked=True,
        only_where=_where("client-credentials"),
    ),
    "client_secret": _Words(
        ("Client secret", "Of the same app."),
        ("Clientgeheim", "Van dezelfde app."),
        ("Klienthemmelighed", "For samme app."),
        "env:ACME_CLIENT_SECRET",
        asked=True,
        only_where=_where("client-credentials"),
    ),
    "scope": _Words(
        ("Scope", "What the token is asked for, where the service wants that said; spaces between several."),
        ("Scope", "Waarvoor het token wordt gevraagd, als de service dat wil weten; spaties ertussen."),
        ("Scope", "Hvad der bedes om et token til, hvis tjenesten vil vide det; mellemrum mellem flere."),
        "audiences.write",
    ),
    "client_in_body": _Words(
        ("Client in the form", "Client id and secret go into the form, not into the Authorization header."),
        ("Client in het formulier", "Client-id en -geheim gaan in het formulier, niet in de header."),
        ("Klient i formularen", "Klient-id og -hemmelighed går i formularen, ikke i headeren."),
        "true",
    ),
    "api_key_name": _Words(
        ("Name of the API key", "The header, or the query's parameter, that holds the key."),
        ("Naam van de API-sleutel", "De header, of de queryparameter, met de sleutel."),
        ("API-nøglens navn", "Headeren, eller forespørgslens parameter, som holder nøglen."),
        "X-Api-Key",
    ),
    "api_key_place": _Words(
        (
            "Place of the API key",
            "header or query. What is on the way may log a query; a header is better where the service takes "
            "one.",
        ),
        (
            "Plaats van de API-sleutel",
            "header of query. Een query kan onderweg worden gelogd; een header is beter als de service die "
            "leest.",
        ),
        (
            "API-nøglens plads",
            "header eller query. En query kan blive logget undervejs; en header er bedre, hvor tjenesten "
            "læser den.",
        ),
        "header",
    ),
    "add_path": _Words(
        (
            "Path to add members",
            "After the API URL, with $audience_id, $kind and $operation where they belong.",
        ),
        (
            "Pad om leden toe te voegen",
            "Na de API-URL, met $audience_id, $kind en $operation waar ze horen.",
        ),
        (
            "Sti til at tilføje medlemmer",
            "Efter API-URL'en, med $audience_id, $kind og $operation, hvor de hører til.",
        ),
        "/audiences/$audience_id/members",
        asked=True,
    ),
    "add_body": _Words(
        (
            "Body to add members",
            'JSON: "$digests" becomes the list of digests, {"$each": …} a list with its content for each '
            "$digest; besides $kind, $operation, $audience_id and $count.",
        ),
        (
            "Inhoud om leden toe te voegen",
            'JSON: "$digests" wordt de lijst met digests, {"$each": …} een lijst met de inhoud voor elke '
            "$digest; verder $kind, $operation, $audience_id en $count.",
        ),
        (
            "Indhold til at tilføje medlemmer",
            'JSON: "$digests" bliver listen over digests, {"$each": …} en liste med dens indhold for hver '
            "$digest; desuden $kind, $operation, $audience_id og $count.",
        ),
        '{"type": "$kind", "hashes": "$digests"}',
        asked=True,
    ),
    "add_method": _Words(
        ("Method to add", "POST, PUT, PATCH or DELETE."),
        ("Methode om toe te voegen", "POST, PUT, PATCH of DELETE."),
        ("Metode til at tilføje", "POST, PUT, PATCH eller DELETE."),
        "POST",
    ),
    "remove_method": _Words(
        ("Method to remove", "POST, PUT, PATCH or DELETE."),
        ("Methode om te verwijderen", "POST, PUT, PATCH of DELETE."),
        ("Metode til at fjerne", "POST, PUT, PATCH eller DELETE."),
        "DELETE",
    ),
    "remove_path": _Words(
        ("Path to remove members", "Unset: the same as to add them."),
        ("Pad om leden te verwijderen", "Niet ingesteld: hetzelfde als om ze toe te voegen."),
        ("Sti til at fjerne medlemmer", "Ikke angivet: den samme som til at tilføje dem."),
        "/audiences/$audience_id/members/delete",
    ),
    "remove_body": _Words(
        ("Body to remove members", "Unset: the same as to add them."),
        ("Inhoud om leden te verwijderen", "Niet ingesteld: hetzelfde als om ze toe te voegen."),
        ("Indhold til at fjerne medlemmer", "Ikke angivet: det samme som til at tilføje dem."),
        '{"remove": "$digests"}',
    ),
    "kind_names": _Words(
        ("Names of kinds", "What $kind becomes for each kind of identifier. Unset: the kind itself."),
        (
            "Namen van soorten",
            "Wat $kind voor elke soort identificatie wordt. Niet ingesteld: de soort zelf.",
        ),
        ("Navne på slags", "Hvad $kind bliver for hver slags identifikator. Ikke angivet: slagsen selv."),
        "EMAIL=email_sha256,PHONE=phone_sha256",
    ),
    "headers": _Words(
        ("Further headers", "A JSON object of headers that every request carries; never a secret."),
        ("Verdere headers", "Een JSON-object met headers van elke aanvraag; nooit een geheim."),
        ("Yderligere headere", "Et JSON-objekt med headere i hver anmodning; aldrig en hemmelighed."),
        '{"Api-Version": "2026-01"}',
    ),
    "verify_path": _Words(
        ("Path to verify", "Asked with GET to see whether the credentials hold. Unset: they are not tried."),
        (
            "Pad om te controleren",
            "Wordt met GET gevraagd om de referenties te proberen. Niet ingesteld: niet.",
        ),
        ("Sti til at kontrollere", "Spørges med GET for at prøve legitimationen. Ikke angivet: slet ikke."),
        "/me",
    ),
    "verify_name_path": _Words(
        ("Path of your name", "Where the answer to that names you or your account."),
        ("Pad van uw naam", "Waar het antwoord daarop u of uw account noemt."),
        ("Sti til dit navn", "Hvor svaret på det nævner dig eller din konto."),
        "account.name",
    ),
    "audience_path": _Words(
        (
            "Path of an audience",
            "Asked with GET before a run, and after it. Unset: whether it is there shows when it is filled.",
        ),
        (
            "Pad van een doelgroep",
            "Wordt voor en na een run met GET gevraagd. Niet ingesteld: of de doelgroep bestaat, blijkt bij "
            "het vullen.",
        ),
        (
            "Sti til en målgruppe",
            "Spørges med GET før og efter en kørsel. Ikke angivet: om målgruppen findes, viser sig, når den "
            "fyldes.",
        ),
        "/audiences/$audience_id",
    ),
    "audience_name_path": _Words(
        ("Path of an audience's name", "Where the answer to that has it."),
        ("Pad van de naam van een doelgroep", "Waar het antwoord daarop die heeft."),
        ("Sti til en målgruppes navn", "Hvor svaret på det har det."),
        "name",
    ),
    "audience_size_path": _Words(
        ("Path of an audience's size", "Where the answer to that has it."),
        ("Pad van de grootte van een doelgroep", "Waar het antwoord daarop die heeft."),
        ("Sti til en målgruppes størrelse", "Hvor svaret på det har den."),
        "size",
    ),
    "success_statuses": _Words(
        ("Statuses of success", "Which HTTP statuses mean that a request succeeded."),
        ("Statussen van succes", "Welke HTTP-statussen betekenen dat een aanvraag is gelukt."),
        ("Statusser for succes", "Hvilke HTTP-statusser der betyder, at en anmodning lykkedes."),
        "200,202",
    ),
    "success_path": _Words(
        (
            "Path of success",
            "Where an answer says whether it succeeded, for services whose 200 may be a failure.",
        ),
        (
            "Pad van succes",
            "Waar een antwoord zegt of het is gelukt, voor services met een 200 bij mislukken.",
        ),
        ("Sti til succes", "Hvor et svar siger, om det lykkedes, til tjenester, hvis 200 kan være en fejl."),
        "status",
    ),
    "success_value": _Words(
        ("Value of success", "What stands there where it succeeded."),
        ("Waarde van succes", "Wat daar staat als het is gelukt."),
        ("Værdi for succes", "Hvad der står, når det lykkedes."),
        "ok",
    ),
    "accepted_path": _Words(
        ("Path of the count", "Where an answer says how many records it took."),
        ("Pad van het aantal", "Waar een antwoord zegt hoeveel records zijn aangenomen."),
        ("Sti til antallet", "Hvor et svar siger, hvor mange poster der blev taget imod."),
        "result.accepted",
    ),
    "refused_path": _Words(
        (
            "Path of refused records",
            "Where an answer lists the records that it did not take, of a batch it took.",
        ),
        ("Pad van geweigerde records", "Waar een antwoord de records noemt die het niet heeft aangenomen."),
        ("Sti til afviste poster", "Hvor et svar nævner de poster, det ikke tog imod."),
        "result.errors",
    ),
    "refused_key": _Words(
        (
            "Path within a refused record",
            "To its digest, or its place from 0. Unset: the entry is that itself.",
        ),
        (
            "Pad in een geweigerd record",
            "Naar de digest, of de plaats vanaf 0. Niet ingesteld: het item zelf.",
        ),
        ("Sti i en afvist post", "Til dens digest, eller pladsen fra 0. Ikke angivet: punktet selv."),
        "hash",
    ),
    "refused_reason": _Words(
        ("Path of a record's reason", "Within an entry of the refused records."),
        ("Pad van de reden van een record", "In een item van de geweigerde records."),
        ("Sti til en posts grund", "I et punkt af de afviste poster."),
        "reason",
    ),
    "message_path": _Words(
        ("Path of the message", "Where an answer says in words what was wrong."),
        ("Pad van de melding", "Waar een antwoord in woorden zegt wat er mis was."),
        ("Sti til beskeden", "Hvor et svar i ord siger, hvad der var galt."),
        "error.message",
    ),
    "request_id_path": _Words(
        ("Path of the request's id", "Where an answer has the id that the service's support asks for."),
        ("Pad van het aanvraag-id", "Waar een antwoord het id heeft waar de ondersteuning naar vraagt."),
        ("Sti til anmodningens id", "Hvor et svar har det id, som tjenestens support spørger om."),
        "request_id",
    ),
    "requests_per_second": _Words(
        ("Requests a second", "The most that go to the service, from all exports over the connection."),
        (
            "Aanvragen per seconde",
            "Het meeste dat naar de service gaat, van alle exports over de verbinding.",
        ),
        ("Anmodninger i sekundet", "Det meste, der går til tjenesten, fra alle eksporter over forbindelsen."),
        "5",
    ),
    "timeout": _Words(
        ("Time-out", "Seconds without a sign of the service's answer before a request counts as lost."),
        (
            "Time-out",
            "Seconden zonder teken van antwoord van de service waarna een aanvraag als verloren geldt.",
        ),
        ("Timeout", "Sekunder uden tegn på svar fra tjenesten, før en anmodning regnes for tabt."),
        "300",
    ),
    "audience_id": _Words(
        ("Audience ID", "What the service calls the audience: it stands where the paths say $audience_id."),
        ("Doelgroep-id", "Hoe de service de doelgroep noemt: het staat waar de paden $audience_id zeggen."),
        ("Målgruppe-id", "Hvad tjenesten kalder målgruppen: det står, hvor stierne siger $audience_id."),
        "loyal-customers",
        asked=True,
    ),
    "batch_size": _Words(
        ("Batch size", "Digests in one request, at most 100,000: as many as the service takes."),
        ("Batchgrootte", "Digests in één aanvraag, hoogstens 100.000: zoveel als de service aanneemt."),
        ("Batchstørrelse", "Digests i én anmodning, højst 100.000: så mange som tjenesten tager imod."),
        "10000",
    ),
    "requests_at_once": _Words(
        ("Requests at once", "How many requests are under way at once, 1 to 8."),
        ("Aanvragen tegelijk", "Hoeveel aanvragen tegelijk onderweg zijn, 1 tot 8."),
        ("Anmodninger ad gangen", "Hvor mange anmodninger der er undervejs ad gangen, 1 til 8."),
        "4",
    ),
}
