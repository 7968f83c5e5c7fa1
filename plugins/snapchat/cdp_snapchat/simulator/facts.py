"""What the simulator does, and what is known of Snapchat that says so.

`BEHAVIOURS` is the table. The evidence is that of the project's fact sheet:

- `O`: text of the official pages (developers.snap.com); `O2`: such text as quoted by a third party
- `F`: a response fixture in a public repository; `P`: what peers' code or documentation does
- `U`: not verified; the simulator takes the stricter way, or an option chooses
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Literal

Evidence = Literal["O", "O2", "F", "P", "U"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`routes` are the names of those that show it; `option` is the one of `Options` that changes it."""

    routes: tuple[str, ...]
    does: str
    fact: str
    evidence: Evidence
    option: str = ""


_API = ("me", "list-organizations", "list-ad-accounts", "get-ad-account")
_READ = ("get-segment", "list-segments")
_WRITE = ("create-segment", "update-segment", "delete-segment")
_USERS = ("add-users", "remove-users")
_SEGMENTS = (*_READ, *_WRITE, *_USERS, "remove-all-users")

BEHAVIOURS = (
    Behaviour(
        ("authorize",),
        "takes client_id, redirect_uri, response_type=code, scope=snapchat-marketing-api and state",
        "GET /login/oauth2/authorize with these parameters",
        "O",
    ),
    Behaviour(
        ("authorize",),
        "shows a page for a redirect_uri that is not the app's, and sends nobody there",
        "redirect_uri must equal the app's",
        "O",
        "redirect_uris",
    ),
    Behaviour(
        ("authorize",),
        "takes any loopback address and any https one, unless the app's are given",
        "whether plain http://localhost is accepted is not known",
        "U",
        "redirect_uris",
    ),
    Behaviour(
        ("authorize",),
        "sends errors back in the RFC's words, and asks for a state",
        "RFC 6749; a state is among the parameters",
        "U",
    ),
    Behaviour(
        ("token",),
        "takes a form with client_id and client_secret in it, and refuses HTTP Basic",
        "form-encoded, the client in the body",
        "P",
    ),
    Behaviour(
        ("token",),
        "answers with expires_in, token_type, refresh_token, access_token",
        "the fixture's keys",
        "F",
    ),
    Behaviour(
        ("token",),
        "gives tokens for 3600 seconds",
        "3600 today, 1800 in 2020: expires_in alone is to be trusted",
        "O2",
        "expires_in",
    ),
    Behaviour(
        ("token",),
        "gives a new refresh token and ends the old, gives the same, or gives none",
        "the refresh answer may or may not carry a new one",
        "F",
        "refresh_tokens",
    ),
    Behaviour(
        ("token",),
        "takes a code once, for ten minutes, with the redirect_uri of its sign-in",
        "RFC 6749",
        "U",
    ),
    Behaviour(
        ("token",),
        "400 invalid_grant, 401 invalid_client, as JSON",
        "RFC 6749 JSON, 400 for a bad grant, 401 for a bad client",
        "O2",
    ),
    Behaviour(
        (*_API, *_SEGMENTS), "paths and methods are these; 404 and 405 for others", "the endpoints", "O"
    ),
    Behaviour(
        (*_API, *_SEGMENTS),
        "without a good access token: 401 with the bare word unauthorized",
        "a 401 body may be the bare word",
        "F",
    ),
    Behaviour(
        (*_API, *_SEGMENTS),
        "429 above 10 requests a second for a token, 20 for the app; no Retry-After",
        "20 requests/s in an app, 10 for an access token; no Retry-After is documented",
        "O",
        "rate_limit",
    ),
    Behaviour(
        (*_API, *_SEGMENTS),
        "a burst of one second's requests is taken",
        "how the rate is measured is not known",
        "U",
        "rate_limit",
    ),
    Behaviour(
        (*_API, *_SEGMENTS),
        "406 where Accept leaves no JSON",
        "406 is among the statuses; for what is not",
        "U",
    ),
    Behaviour(("me",), "answers {me: …} without request_status", "the official example", "O"),
    Behaviour(
        ("list-organizations", "list-ad-accounts", "get-ad-account", *_READ),
        "one envelope, success in lower case, sub_request_status in each entry",
        "lists share one envelope",
        "F",
    ),
    Behaviour(
        ("list-segments",), "400 for a limit outside 50 to 1000", "GET …/segments?limit=50..1000", "O2"
    ),
    Behaviour(
        ("list-organizations", "list-ad-accounts", "list-segments"),
        "pages with paging.next_link (cursor, limit); paging is {} on the last",
        "the fixture's paging",
        "F",
    ),
    Behaviour(
        ("list-organizations", "list-ad-accounts", "list-segments"),
        "50 to a page where no limit is given; 400 for a cursor of another list",
        "neither is known",
        "U",
    ),
    Behaviour(
        ("list-ad-accounts", "get-ad-account", *_SEGMENTS),
        "ids of organizations and ad accounts are UUIDs, those of segments numeric; else 400",
        "a segment id is a numeric string, the others are UUIDs",
        "O",
    ),
    Behaviour(
        ("list-ad-accounts", "get-ad-account", *_SEGMENTS),
        "403 with E3002 without the right; to write one must be Data Manager of the ad account",
        "the token acts with its user's permissions; the fixture of E3002",
        "F",
    ),
    Behaviour(
        ("list-ad-accounts", "get-ad-account", *_SEGMENTS),
        "404 with E3003 for what is not there, and for a segment that was deleted",
        "E3003 not found; the status that comes with it is not known",
        "U",
    ),
    Behaviour(
        ("create-segment",),
        "name, source_type, retention_in_days, ad_account_id are required; status PENDING, 0 users",
        "the official example; retention_in_days is marked required",
        "O",
    ),
    Behaviour(
        ("create-segment", "update-segment"),
        "a name has at most 375 characters, retention 1 to 9999 days",
        "at most 375 characters; 9999 is lifetime",
        "O",
    ),
    Behaviour(("create-segment",), "at most 1,000 in an ad account", "at most 1,000 custom audiences", "O"),
    Behaviour(
        ("create-segment", "update-segment", *_USERS),
        "400 for a key that is not named in the facts, and for a key given twice",
        "what the service does with unknown keys is not known",
        "U",
    ),
    Behaviour(
        ("update-segment",),
        "PUT to the ad account's segments with the id in the body",
        "update by PUT, id in the body",
        "F",
    ),
    Behaviour(
        ("update-segment",),
        "400 with E2023 for a field that cannot change",
        "E2023 immutable field",
        "F",
    ),
    Behaviour(
        ("update-segment",),
        "retention can change, unless the option says otherwise",
        "whether it can is not known",
        "U",
        "retention_immutable",
    ),
    Behaviour(("delete-segment",), "answers SUCCESS with segments: []", "the fixture", "F"),
    Behaviour(
        _USERS,
        "{users: [{schema: [one], data: [[digest], …]}]}: one schema, one value in each row",
        "the fixture; one schema in a request",
        "F",
    ),
    Behaviour(
        _USERS,
        "EMAIL_SHA256, PHONE_SHA256, MOBILE_AD_ID_SHA256; all may go to one audience",
        "these three, in separate requests",
        "P",
    ),
    Behaviour(_USERS, "64 lower-case hexadecimal digits, else 400", "SHA-256 in lower-case hex", "O"),
    Behaviour(_USERS, "1 to 100,000 identifiers", "at most 100,000 identifiers in a request", "O2"),
    Behaviour(
        _USERS,
        "taken whole or refused whole, and it does not say for which digest",
        "no status per identifier",
        "P",
    ),
    Behaviour(
        _USERS,
        "digests that the service does not like: 400 for the whole request",
        "a request is accepted or refused whole; why it would be is not known",
        "U",
        "bad_digests",
    ),
    Behaviour(
        _USERS,
        "members are a set: adding twice, or removing what is not there, is harmless",
        "every peer relies on it",
        "U",
    ),
    Behaviour(
        (*_USERS, "remove-all-users"),
        "400 for an audience that is no customer list",
        "users go to FIRST_PARTY segments",
        "P",
    ),
    Behaviour(
        _USERS,
        "number_uploaded_users counts the rows; SUCCESS in upper case",
        "the fixture of adding; removal answers with the same keys",
        "F",
    ),
    Behaviour(
        _USERS,
        "a created audience refuses users at first, if the option says so",
        "a new audience may refuse users for several seconds; with what status is not known",
        "P",
        "new_audience_seconds",
    ),
    Behaviour(
        ("remove-all-users",),
        "no body; answers with the segment and approximate_number_users 0",
        "the fixture",
        "F",
    ),
    Behaviour(
        _READ,
        "upload_status NO_UPLOAD, PROCESSING for a day after an upload, COMPLETE",
        "the words, and PROCESSING before COMPLETE; peers speak of 24 to 48 hours",
        "P",
        "processing_seconds",
    ),
    Behaviour(
        _READ,
        "targetable_status NOT_READY, TOO_FEW_USERS below 1,000 matched users, READY",
        "fewer than 1,000 matched users: not targetable",
        "P",
        "match_rate",
    ),
    Behaviour(
        _READ,
        "approximate_number_users has two significant digits, and is 0 below 1,000",
        "rounded, and 0 below the threshold; how it is rounded is not known",
        "P",
        "match_rate",
    ),
    Behaviour(
        (*_API, *_SEGMENTS),
        "bodies are JSON in UTF-8 with content type application/json, else 400; none where none is due",
        "requests are JSON; 415 is not among the statuses",
        "U",
    ),
)


def facts_as_html() -> str:
    """The table for the simulator's page."""
    rows = "".join(
        f"<tr><td>{escape(one.does)}<td>{escape(one.fact)}<td>[{one.evidence}]"
        f"<td>{escape(', '.join(one.routes))}<td>{escape(one.option)}"
        for one in BEHAVIOURS
    )
    head = "<tr><th>it<th>fact<th>evidence<th>routes<th>option"
    return f"<h2>What it does, and why</h2><table>{head}{rows}</table>"
