"""Whom a text means that somebody typed: an e-mail address, a phone number, a mobile ad id, or a digest."""

from __future__ import annotations

from collections.abc import Mapping

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.identifiers import IdentifierKind

_WHY = {
    Reason.MISSING: "nothing was given",
    Reason.PLACEHOLDER: "what was given stands for nobody: it is a placeholder",
    Reason.MALFORMED: "what was given is not one",
    Reason.UNSUPPORTED: "what was given is another kind of hash; a digest is SHA-256, 64 hexadecimal digits",
}


def identify_person(
    text: str, kinds: Mapping[str, IdentifierKind], *, kind: str | None = None, region: str | None = None
) -> tuple[str, bytes]:
    """(kind, digest) of a person. Without `kind` it is the one whose rule takes the text.

    Raises `InvalidFault`, which never repeats the text, where no rule takes it, or several do.
    """
    if kind is not None:
        return kind, _digest_of(text, known_kind(kind, kinds), region)
    found = {
        key: identified.digest
        for key, each in kinds.items()
        if (identified := each.identify(text, region)).digest is not None
    }
    if len(found) == 1:
        key, digest = found.popitem()
        if digest in kinds[key].placeholders:
            raise _untold(_WHY[Reason.PLACEHOLDER])
        return key, digest
    if found:
        raise InvalidFault(
            Code.PERSON_UNTOLD,
            f"what was given may be of each kind: {', '.join(found)}",
            hint="say which, with --kind; a digest alone does not tell",
        )
    reasons = {each.identify(text, region).reason for each in kinds.values()}
    first = (Reason.MISSING, Reason.PLACEHOLDER, Reason.UNSUPPORTED)
    why = (_WHY[reason] for reason in first if reason in reasons)
    raise _untold(next(why, "what was given is no identifier of any kind"))


def known_kind(kind: str, kinds: Mapping[str, IdentifierKind]) -> IdentifierKind:
    """The kind of that key; raises `InvalidFault` with those there are."""
    if kind not in kinds:
        raise InvalidFault(
            Code.MATCHING_INVALID,
            f"there is no kind of identifier {kind!r}",
            hint="kinds: " + ", ".join(kinds),
        )
    return kinds[kind]


def _digest_of(text: str, kind: IdentifierKind, region: str | None) -> bytes:
    identified = kind.identify(text, region)
    if identified.digest is None:
        why = _WHY.get(identified.reason, "") if identified.reason else ""
        raise _untold(f"{kind.key}: {why}")
    if identified.digest in kind.placeholders:
        raise _untold(f"{kind.key}: {_WHY[Reason.PLACEHOLDER]}")
    return identified.digest


def _untold(why: str) -> InvalidFault:
    return InvalidFault(
        Code.PERSON_UNTOLD,
        why,
        hint="give an e-mail address, a phone number with its country (+31… or --default-region NL), "
        "a mobile ad id, or a digest with --kind",
    )
