"""Templates of paths and bodies. They are data: placeholders stand for values, and nothing is ever evaluated.

A body is a JSON document. In its strings `$audience_id`, `$kind` and `$operation` stand for those values; the
string `"$digests"` alone becomes the list of all digests and `"$count"` alone their number; and
`{"$each": …}` becomes a list with its content once for each `$digest`. `$$` is a dollar sign. Values are put
in after parsing, and never looked through for placeholders: no value can change a document's structure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from cdp_webhook.complaints import complaint

PLAIN = frozenset({"audience_id", "kind", "operation"})
LIST = "$digests"
COUNT = "$count"
EACH = "$each"
_PLACE = re.compile(r"\$(\$|[a-z_]+)?")
_DEEPEST = 20
_LEADS_ELSEWHERE = complaint(
    "A path may not hold . or .. between its slashes.",
    nl="Een pad mag geen . of .. tussen de schuine strepen hebben.",
    da="En sti må ikke have . eller .. mellem sine skråstreger.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What the placeholders stand for in one request; digests are lower-case hexadecimal."""

    audience_id: str
    kind: str = ""
    operation: str = ""
    digests: tuple[str, ...] = field(default=(), repr=False)

    @property
    def plain(self) -> Mapping[str, str]:
        return {"audience_id": self.audience_id, "kind": self.kind, "operation": self.operation}


def body_of(text: str) -> Any:
    """The document of a body's template; raises `ValueError` with a sentence on what is wrong with it."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(
            complaint(
                "It is not a JSON document.",
                nl="Het is geen JSON-document.",
                da="Det er ikke et JSON-dokument.",
            )
        ) from None
    found = set(_checked(document, within_each=False, depth=0))
    if not found & {LIST, EACH}:
        raise ValueError(
            complaint(
                'It holds no digests: put "$digests" or {{"$each": …}} where they belong.',
                nl='Er staan geen digests in: zet "$digests" of {{"$each": …}} waar ze horen.',
                da='Der er ingen digests i det: sæt "$digests" eller {{"$each": …}}, hvor de hører til.',
            )
        )
    return document


def filled(document: Any, values: Values) -> bytes:
    """The body with its values, as UTF-8."""
    return json.dumps(_filled(document, values, values.plain), separators=(",", ":")).encode()


def checked_path(text: str, *, placeholders: frozenset[str] = PLAIN) -> None:
    """Raise `ValueError` with a sentence where a path's template is none."""
    if not text.startswith("/") or text.startswith("//"):
        raise ValueError(
            complaint(
                "A path begins with one slash; the host is the connection's alone.",
                nl="Een pad begint met één schuine streep; de host is die van de verbinding.",
                da="En sti begynder med én skråstreg; værten er forbindelsens alene.",
            )
        )
    if any(sign.isspace() or not sign.isprintable() or sign in "\\#" for sign in text):
        raise ValueError(
            complaint(
                "A path holds no white space, backslash or fragment.",
                nl="Een pad heeft geen witruimte, backslash of fragment.",
                da="En sti har ingen mellemrum, omvendt skråstreg eller fragment.",
            )
        )
    for name in _names(text):
        if name not in placeholders:
            raise ValueError(_unknown(name, placeholders))
    if _leads_elsewhere(text):
        raise ValueError(_LEADS_ELSEWHERE)


def _leads_elsewhere(path: str) -> bool:
    """Libraries write `%2e` as a dot before they take a path's dots away."""
    return any(unquote(part) in (".", "..") for part in path.partition("?")[0].split("/"))


def path(text: str, values: Values) -> str:
    """The path with its values, each of them quoted whole. Raises `ValueError` where a value would lead
    elsewhere."""
    plain = values.plain
    made = _substituted(text, {name: quote(value, safe="") for name, value in plain.items()})
    if _leads_elsewhere(made):
        raise ValueError(_LEADS_ELSEWHERE)
    return made


def _checked(value: Any, *, within_each: bool, depth: int) -> Iterator[str]:
    """The list-like placeholders of a template; raises `ValueError` at the first that is wrong."""
    if depth > _DEEPEST:
        raise ValueError(
            complaint(
                "It is nested more than {depth} deep.",
                nl="Het is meer dan {depth} diep genest.",
                da="Det er indlejret mere end {depth} dybt.",
                depth=_DEEPEST,
            )
        )
    deeper = depth + 1
    if isinstance(value, dict):
        yield from _checked_object(value, within_each=within_each, depth=deeper)
    elif isinstance(value, list):
        for each in value:
            yield from _checked(each, within_each=within_each, depth=deeper)
    elif isinstance(value, str) and value in (LIST, COUNT):
        if within_each:
            raise ValueError(
                complaint(
                    '"{name}" cannot stand within "$each".',
                    nl='"{name}" kan niet in "$each" staan.',
                    da='"{name}" kan ikke stå i "$each".',
                    name=value,
                )
            )
        yield value
    elif isinstance(value, str):
        _check_text(value, PLAIN | {"digest"} if within_each else PLAIN)
        if "digest" in _names(value):
            yield "$digest"


def _checked_object(value: Mapping[str, Any], *, within_each: bool, depth: int) -> Iterator[str]:
    if EACH not in value:
        for key, each in value.items():
            _check_text(key, PLAIN)
            yield from _checked(each, within_each=within_each, depth=depth)
        return
    if within_each or len(value) != 1:
        raise ValueError(
            complaint(
                '"$each" stands alone in its object, and not within another one.',
                nl='"$each" staat alleen in zijn object, en niet in een ander.',
                da='"$each" står alene i sit objekt, og ikke i et andet.',
            )
        )
    if "$digest" not in set(_checked(value[EACH], within_each=True, depth=depth)):
        raise ValueError(
            complaint(
                'Within "$each" there is no "$digest".',
                nl='In "$each" staat geen "$digest".',
                da='I "$each" er der ingen "$digest".',
            )
        )
    yield EACH


def _check_text(text: str, allowed: frozenset[str]) -> None:
    for name in _names(text):
        if name not in allowed:
            raise ValueError(_unknown(name, allowed))


def _unknown(name: str, allowed: frozenset[str]) -> str:
    known = ", ".join(f"${each}" for each in sorted(allowed))
    if not name:
        return complaint(
            "A dollar sign that begins no placeholder is written $$.",
            nl="Een dollarteken dat geen plaatshouder begint, wordt als $$ geschreven.",
            da="Et dollartegn, der ikke begynder en pladsholder, skrives $$.",
        )
    return complaint(
        "${name} cannot stand here; what can: {known}.",
        nl="${name} kan hier niet staan; wel: {known}.",
        da="${name} kan ikke stå her; det kan: {known}.",
        name=name,
        known=known,
    )


def _names(text: str) -> Iterator[str]:
    for found in _PLACE.finditer(text):
        if found[1] != "$":
            yield found[1] or ""


def _filled(value: Any, values: Values, plain: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        if EACH in value:
            inner = value[EACH]
            return [_filled(inner, values, {**plain, "digest": digest}) for digest in values.digests]
        return {_substituted(key, plain): _filled(each, values, plain) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, values, plain) for each in value]
    if value == LIST:
        return values.digests
    if value == COUNT:
        return len(values.digests)
    return _substituted(value, plain) if isinstance(value, str) else value


def _substituted(text: str, plain: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: "$" if found[1] == "$" else plain[found[1]], text)
