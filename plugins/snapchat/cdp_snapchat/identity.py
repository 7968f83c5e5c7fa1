"""Who one is at Snapchat: the user, the organizations, the ad accounts, and what may be done there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdp_core import (
    AudienceGone,
    Choice,
    ConnectionContext,
    NeverSent,
    RightsRefused,
    Sentence,
    ServiceFailed,
    ServiceIdentity,
    Throttled,
    Unanswered,
    quoted,
)
from cdp_snapchat.client import SnapchatClient

Entity = Mapping[str, Any]
# Each is a request, and the service's limit is for all of them.
MOST_LOOKED_AT = 5
_NO_ACCOUNT = {
    "nl": "De aangemelde gebruiker bereikt geen advertentieaccount. Meld u aan als lid van de organisatie "
    "dat minstens Data Manager van het advertentieaccount is, of laat die rol geven.",
    "da": "Den bruger, der er logget ind, har ikke adgang til nogen annoncekonto. Log ind som et medlem af "
    "organisationen, der mindst er Data Manager for annoncekontoen, eller få den rolle tildelt.",
}
_NOT_REACHED = {
    "nl": "De aangemelde gebruiker bereikt het advertentieaccount {account} niet, waarvoor de verbinding is.",
    "da": "Den bruger, der er logget ind, har ikke adgang til annoncekontoen {account}, som forbindelsen er "
    "til.",
}
_NOT_SEEN = {
    "nl": "De aangemelde gebruiker mag de doelgroepen van het advertentieaccount {account} niet zien. Meld u "
    "aan als lid van de organisatie dat minstens Data Manager van het advertentieaccount is, of laat die rol "
    "geven.",
    "da": "Den bruger, der er logget ind, må ikke se annoncekontoen {account}s målgrupper. Log ind som et "
    "medlem af organisationen, der mindst er Data Manager for annoncekontoen, eller få den rolle tildelt.",
}


def who_am_i(connection: ConnectionContext) -> ServiceIdentity:
    """The signed-in user, without the e-mail address: it would be kept with the connection.

    Raises a `DestinationFault` where the credentials do not hold.
    """
    client = SnapchatClient.over(connection)
    me = client.me()
    organizations = list(client.organizations())
    accounts = [account for organization in organizations for account in _accounts(client, organization)]
    shown = {
        "user name": me.get("snapchat_username"),
        "member status": me.get("member_status"),
        "organization": "; ".join(_called(each) for each in organizations) or me.get("organization_id"),
        "ad accounts": "; ".join(_called(each) for each in accounts),
    }
    name = me.get("display_name") or me.get("snapchat_username") or me.get("id") or "an unnamed user"
    return ServiceIdentity(
        name=quoted(str(name)),
        details={label: quoted(str(value)) for label, value in shown.items() if value},
        choices={
            "ad_account_id": tuple(Choice(value=_id(each), label=_described(each)) for each in accounts)
        },
        lacking=tuple(_lacking(client, accounts, str(connection.settings.get("ad_account_id") or ""))),
    )


def _accounts(client: SnapchatClient, organization: Entity) -> list[Entity]:
    """Those that the user may see; none of an organization that does not let them in."""
    try:
        return list(client.ad_accounts(_id(organization)))
    except (RightsRefused, AudienceGone):
        return []


def _lacking(client: SnapchatClient, accounts: list[Entity], chosen: str) -> Iterator[str]:
    """What a look at the audiences shows. Whether members may be added, only adding one does."""
    if not accounts:
        yield Sentence(
            "The signed-in user reaches no ad account. Sign in as a member of the organization who is at "
            "least Data Manager of the ad account, or have that role given.",
            in_language=_NO_ACCOUNT,
        )
    if chosen and accounts and chosen.lower() not in {_id(each).lower() for each in accounts}:
        yield Sentence(
            "The signed-in user does not reach the ad account {account}, which the connection is for.",
            in_language=_NOT_REACHED,
            account=chosen,
        )
    of_interest = [each for each in accounts if not chosen or _id(each).lower() == chosen.lower()]
    for account in of_interest[:MOST_LOOKED_AT]:
        try:
            next(iter(client.segments(_id(account))), None)
        except (Throttled, ServiceFailed, Unanswered, NeverSent):
            return  # what cannot be asked now is not lacking
        except (RightsRefused, AudienceGone):
            yield Sentence(
                "The signed-in user may not see the audiences of the ad account {account}. Sign in as a "
                "member of the organization who is at least Data Manager of the ad account, or have that "
                "role given.",
                in_language=_NOT_SEEN,
                account=_called(account),
            )


def _id(entity: Entity) -> str:
    return str(entity.get("id", ""))


def _called(entity: Entity) -> str:
    return quoted(str(entity.get("name") or _id(entity)))


def _described(account: Entity) -> str:
    further = ", ".join(quoted(str(account[key])) for key in ("currency", "status") if account.get(key))
    return f"{_called(account)} ({further})" if further else _called(account)
