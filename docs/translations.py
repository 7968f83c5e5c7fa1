"""Writes the catalogues of the command line's languages anew from the code, and compiles them.

    python docs/translations.py            write them anew; a new text waits in them to be translated
    python docs/translations.py --check    say what is behind the code, and exit 1 if something is

Texts are found where they stand: in calls of `_`, `marked` and `ngettext`, in sentences, in what is asked,
in the labels of the pictures of connections, exports and runs, and in the help of every command of theirs.
A text that the code no longer has leaves the catalogues.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from cdp_core.cli.language import DOMAIN, ENGLISH, LANGUAGES, LOCALE, paragraphs
from cdp_core.cli.root import NOUNS, cli

CLI = LOCALE.parent
CORE = CLI.parent
# Nouns whose commands speak every language.
STEPS = ("connection", "consent", "export")
# Whose tables' labels are translated.
PICTURES = {
    "approvals.py",
    "overview.py",
    "audiences.py",
    "batches.py",
    "connections.py",
    "consents.py",
    "exports.py",
    "run.py",
    "schedules.py",
    "things.py",
}
# Of each function the place of the argument that is a text; of those that count, one and many.
TEXT_AT = {
    "_": 0,
    "marked": 0,
    "ask_text": 0,
    "ask_one": 0,
    "ask_several": 0,
    "ask_yes": 0,
    "asked_name": 0,
    "Sentence": 0,
    "one_of": 1,
}
NUMBER_AT = {"ngettext": 0, "counted": 1}
WRAPPED = 1000

Text = str | tuple[str, str]


def texts() -> dict[Text, set[str]]:
    """Every text that is translated, with the files that it stands in."""
    found: dict[Text, set[str]] = {}
    for path in sorted(CORE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        place = path.relative_to(CLI if path.is_relative_to(CLI) else CORE).as_posix()
        for text in _of_source(tree, labels=path.name in PICTURES and path.parent.name == "render"):
            found.setdefault(text, set()).add(place)
    for command, said in help_texts():
        found.setdefault(paragraphs(said), set()).add(command)
    return found


def help_texts() -> Iterator[tuple[str, str]]:
    """The help of `cdp` itself and of every command of the steps, each with the command's path."""
    root = click.Context(cli, info_name="cdp")
    yield from _help(cli, root)
    for name, (_place, summary) in NOUNS.items():
        yield "cdp", summary
        if name in STEPS:
            command = cli.get_command(root, name)
            if isinstance(command, click.Group):
                yield from _below(command, click.Context(command, info_name=name, parent=root))


def _below(group: click.Group, context: click.Context) -> Iterator[tuple[str, str]]:
    yield from _help(group, context)
    for name, command in group.commands.items():
        inner = click.Context(command, info_name=name, parent=context)
        yield from _below(command, inner) if isinstance(command, click.Group) else _help(command, inner)


def _help(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    path = context.command_path.replace(" ", "-")
    for each in (command, *command.get_params(context)):
        if said := getattr(each, "help", None):
            yield path, said


def _of_source(tree: ast.AST, *, labels: bool) -> Iterator[Text]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node, getattr(node.func, "id", getattr(node.func, "attr", "")))
            if labels:
                yield from _labels(node, getattr(node.func, "id", ""))


def _of_call(call: ast.Call, name: str) -> Iterator[Text]:
    one = next((each.value for each in call.keywords if name == "Sentence" and each.arg == "one"), None)
    if isinstance(one, ast.Constant) and isinstance(one.value, str):
        yield from ((one.value, text) for text in _constants(call.args[:1]))
    elif name in TEXT_AT:
        yield from _constants(call.args[TEXT_AT[name] : TEXT_AT[name] + 1])
    if name in NUMBER_AT:
        both = tuple(_constants(call.args[NUMBER_AT[name] : NUMBER_AT[name] + 2]))
        if len(both) == 2:
            yield both


def _labels(call: ast.Call, name: str) -> Iterator[str]:
    """The headings of a listing and what it says when it is empty; the labels of details."""
    if name == "Listing":
        yield from _constants(getattr(call.args[0], "elts", ()))
        yield from _constants(each.value for each in call.keywords if each.arg == "empty")
    elif name == "Details":
        for pair in getattr(call.args[1], "elts", ()):
            yield from _constants(getattr(pair, "elts", ())[:1])


def _constants(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            yield node.value


def template() -> Catalog:
    made = Catalog(domain=DOMAIN)
    for text, places in sorted(texts().items(), key=lambda found: (min(found[1]), str(found[0]))):
        made.add(text, auto_comments=sorted(places))
    return made


def catalogue(language: str) -> Catalog:
    """The catalogue as it is kept."""
    path = po_of(language)
    if not path.exists():
        return Catalog(locale=language, domain=DOMAIN)
    with path.open("rb") as kept:
        return read_po(kept, locale=language, domain=DOMAIN)


def po_of(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def renewed(language: str) -> Catalog:
    """The kept translations of the texts that there are today."""
    now, before = template(), catalogue(language)
    made = Catalog(locale=language, domain=DOMAIN)
    for message in now:
        if message.id:
            kept = before.get(message.id[0] if isinstance(message.id, tuple) else message.id)
            string = kept.string if kept is not None and kept.id == message.id else None
            made.add(message.id, string, auto_comments=message.auto_comments)
    return made


def written(made: Catalog) -> bytes:
    """The catalogue as a file, without what differs at each writing."""
    into = BytesIO()
    write_po(into, made, width=WRAPPED, omit_header=True)
    head = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Language: {made.locale}\\n"\n"Plural-Forms: {made.plural_forms}\\n"\n\n'
    )
    return head.encode() + into.getvalue()


def compiled(language: str) -> bytes:
    """The catalogue as gettext reads it; its head is the same whenever and by whatever it is compiled."""
    made, into = _Compiled(locale=language), BytesIO()
    for message in catalogue(language):
        if message.id:
            made.add(message.id, message.string)
    write_mo(into, made)
    return into.getvalue()


class _Compiled(Catalog):
    """A catalogue whose head says no more than gettext asks for."""

    mime_headers = property(
        lambda self: [("Content-Type", "text/plain; charset=utf-8"), ("Plural-Forms", self.plural_forms)]
    )


def waiting(language: str) -> list[str]:
    """The texts of a catalogue that are not translated, or that nobody has looked at."""
    return [
        str(message.id)
        for message in catalogue(language)
        if message.id and (message.fuzzy or not all(_strings(message.string)))
    ]


def _strings(string: object) -> tuple[object, ...]:
    return tuple(string) if isinstance(string, tuple | list) else (string,)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    status = 0
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        po, now = po_of(language), written(renewed(language))
        if not po.exists() or po.read_bytes() != now:
            print(f"{language}: the catalogue is {'behind the code' if check else 'written anew'}")
            status = int(check)
        if not check:
            po.parent.mkdir(parents=True, exist_ok=True)
            po.write_bytes(now)
            po.with_suffix(".mo").write_bytes(compiled(language))
        for text in waiting(language):
            print(f"{language}: to be translated in {po.name}: {text}")
            status = int(check)
    return status


if __name__ == "__main__":
    sys.exit(main())
