"""A member's own consent: which values of a profile field mean yes, and what an export may ask for.

Values are compared as text, without white space at their ends and in lower case. Whatever is not a
listed value means no: nothing there, an unknown word, a number in another spelling.
"""

from __future__ import annotations

from collections.abc import Iterable

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.policy import MemberConsent


def folded(value: str) -> str:
    """A value as it is compared."""
    return value.strip().lower()


def member_consent(field: str, granted: Iterable[str]) -> MemberConsent:
    """A field with its yes-values; raises `InvalidFault` where either is missing."""
    values = tuple(dict.fromkeys(filter(None, map(folded, granted))))
    if not field.strip() or not values:
        raise InvalidFault(
            Code.SETTING_INVALID,
            "member consent needs a profile field and at least one value that means yes",
            hint="--consent-field ads_consent=granted,true",
        )
    return MemberConsent(field=field.strip(), granted=values)


def says_yes(value: str | None, consent: MemberConsent) -> bool:
    """Whether a member's value is one of those that mean yes."""
    return value is not None and folded(value) in consent.granted


def in_force(
    own: MemberConsent | None, default: MemberConsent | None, *, where: str = ""
) -> MemberConsent | None:
    """What an export asks its members for: its own, else the workspace's.

    Raises `InvalidFault` where its own asks for less than the workspace's: another field, or a value
    that does not mean yes there.
    """
    if own is None or default is None:
        return own or default
    if own.field != default.field:
        raise InvalidFault(
            Code.SETTING_INVALID,
            f"cdp.toml has every export ask for {default.field!r}; {own.field!r} is another field",
            where=where,
            hint=f"an export may only ask for more: --consent-field {_typed(default)}, or fewer values",
        )
    more = [value for value in own.granted if value not in default.granted]
    if more:
        raise InvalidFault(
            Code.SETTING_INVALID,
            f"cdp.toml does not take {', '.join(map(repr, more))} in {default.field!r} for a yes",
            where=where,
            hint=f"an export may only ask for more: --consent-field {_typed(default)}, or fewer values",
        )
    return own


def _typed(consent: MemberConsent) -> str:
    return f"{consent.field}={','.join(consent.granted)}"
