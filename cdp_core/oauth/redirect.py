"""Reads what a browser brings back from a service's sign-in page.

Both ways of bringing it back, the loopback listener and a pasted URL, come through here, so that the
state is checked and a denial told apart in one place.
"""

from __future__ import annotations

import hmac
import re
from urllib.parse import parse_qs, urlsplit

from cdp_core.contract.schemas import is_loopback
from cdp_core.errors import Code, ReconnectFault
from cdp_core.model.secret import Secret

_LONGEST_QUOTE = 200


def can_listen(redirect_uri: str) -> bool:
    """Whether the redirect comes to this machine in the clear, where a listener can take it."""
    return urlsplit(redirect_uri).scheme == "http" and is_loopback(redirect_uri)


def with_port(redirect_uri: str, port: int) -> str:
    """The redirect URI with its port 0 replaced by the one that was found free."""
    return re.sub(r"(?<=:)0(?=/|$)", str(port), redirect_uri, count=1)


def wants_free_port(redirect_uri: str) -> bool:
    return urlsplit(redirect_uri).port == 0


def is_answer(url: str) -> bool:
    """Whether a URL carries a sign-in's answer at all; a browser also asks for icons and the like."""
    answered = _parameters(url)
    return "code" in answered or "error" in answered


def code_of(url: str, *, state: str, where: str, hint: str) -> Secret:
    """The authorization code in a redirect's URL (or in its query alone).

    Raises `ReconnectFault`: SIGN_IN_STATE where the answer is not to the request that sent `state`,
    SIGN_IN_DENIED where the user said no, SIGN_IN_REFUSED where the service reports another error.
    """
    answered = _parameters(url)
    if "code" not in answered and "error" not in answered:
        raise ReconnectFault(
            Code.SIGN_IN_STATE,
            "that is no sign-in's answer: it has neither a code nor an error",
            where=where,
            hint=f"{hint}, and give the whole address that the browser ends at",
        )
    given = answered.get("state")
    # RFC 6749, 4.1.2.1 asks for the state beside an error too, but a service that leaves it out
    # gives nothing away, and "denied" helps more than "does not belong".
    nameless_error = given is None and "error" in answered
    if not nameless_error and not hmac.compare_digest((given or "").encode(), state.encode()):
        raise ReconnectFault(
            Code.SIGN_IN_STATE,
            "the answer does not carry this sign-in's state: it belongs to another one, or was forged",
            where=where,
            hint=hint,
        )
    if "error" in answered:
        raise _error(answered, where, hint)
    return Secret(answered["code"])


def _error(answered: dict[str, str], where: str, hint: str) -> ReconnectFault:
    error = quoted(answered["error"])
    detail = quoted(answered.get("error_description", ""))
    said = f"{error}: {detail}" if detail else error
    if error == "access_denied":
        return ReconnectFault(Code.SIGN_IN_DENIED, f"the sign-in was denied ({said})", where=where, hint=hint)
    return ReconnectFault(
        Code.SIGN_IN_REFUSED, f"the service refused the sign-in ({said})", where=where, hint=hint
    )


def quoted(text: str) -> str:
    """A service's words fit for a terminal: one line, no control characters, no more than needed."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(plain.split())
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1] + "…"


def _parameters(url: str) -> dict[str, str]:
    # A terminal may have wrapped the pasted URL, and some services append a fragment of their own.
    compact = "".join(url.split()).strip("\"'<>").partition("#")[0]
    _, asked, query = compact.partition("?")
    try:
        fields = parse_qs(query if asked else compact, keep_blank_values=False, max_num_fields=50)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}
