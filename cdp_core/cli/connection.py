"""`cdp connection`: where data may go. Added, agreed to, signed in and shared by an Administrator."""

from __future__ import annotations

import click
import rich_click

from cdp_core.cli.agreement import agreement
from cdp_core.cli.ask import settled
from cdp_core.cli.command import json_option, noun, yes_option
from cdp_core.cli.connection_audiences import audiences
from cdp_core.cli.forms import (
    asked_name,
    complete_settings,
    one_of,
    require_settings,
    typed_secrets,
    typed_settings,
)
from cdp_core.cli.language import _, marked
from cdp_core.cli.page import give
from cdp_core.cli.render import connections
from cdp_core.cli.render.words import plain, quoted
from cdp_core.cli.session import Session
from cdp_core.cli.sign_in import dialogue
from cdp_core.errors import Code, UsageFault
from cdp_core.model.secret import Secret

SECRET = "client_secret=env:SNAP_SECRET"  # noqa: S105 (a reference, for the help's examples)

connection = noun(
    "connection",
    help="Services that data may go to: consent, sign-in and sharing.",
    example=f'cdp connection add snapchat --name "Snapchat EU" --set client_id=… --secret {SECRET}',
)

set_option = rich_click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the service. Repeatable."
)
secret_option = rich_click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="NAME[=REFERENCE]",
    help="A secret by reference: env:NAME, file:PATH or keyring:SERVICE/NAME; NAME alone asks, hidden.",
)
name_argument = rich_click.argument("name", required=False)


def _named(session: Session, name: str | None) -> str:
    return one_of(
        name, "Connection", lambda: (view.name for view in session.cdp().connections.list()), option="NAME"
    )


@connection.verb(
    "add",
    example=f'cdp connection add snapchat --name "Snapchat EU" --set client_id=… --secret {SECRET} '
    "--share-with contributor",
)
@rich_click.argument("type_", metavar="TYPE")
@rich_click.option("--name", help="What it is called: purpose and target, for example Snapchat EU.")
@set_option
@secret_option
@rich_click.option(
    "--share-with",
    multiple=True,
    metavar="ROLE|PERSON",
    help="Who else may send through it. Default: Administrators only. Repeatable.",
)
@rich_click.option(
    "--agree",
    "--yes",
    "agree",
    is_flag=True,
    help="Agree to the consent texts, which are shown, without being asked.",
)
@json_option
@click.pass_obj
def add(
    session: Session,
    *,
    type_: str,
    name: str | None,
    settings: tuple[str, ...],
    secrets: tuple[str, ...],
    share_with: tuple[str, ...],
    agree: bool,
    as_json: bool,
) -> None:
    """Add a connection to a service of a TYPE that a plugin brings, such as snapchat.

    On a terminal, settings that are missing are asked for. The consent texts are shown; until somebody has
    agreed to them, nothing is sent.
    """
    rooms = session.cdp().connections
    form = rooms.form(type_)
    plain_values = typed_settings(form.settings, settings)
    hidden = typed_secrets(form.settings, secrets, form.complaint)
    require_settings(
        form.settings, plain_values | hidden, also={} if name else {"Display name": "--name NAME"}
    )
    name = name or asked_name(
        "Display name", lambda: (view.name for view in rooms.list()), option="--name NAME"
    )
    complete_settings(form.settings, plain_values, hidden, form.complaint)
    view = rooms.add(
        name,
        type=type_,
        settings=plain_values,
        secrets=hidden,
        share_with=share_with,
        agree=agreement(agreed=agree, as_json=as_json, required=False),
    )
    give(view, lambda: connections.added_connection(view), as_json=as_json)


@connection.verb("authenticate", example='cdp connection authenticate "Snapchat EU" --no-browser')
@name_argument
@rich_click.option(
    "--no-browser", is_flag=True, help="Only print the address of the sign-in page, then wait."
)
@rich_click.option(
    "--paste",
    is_flag=True,
    help="Paste the address that the browser ends at, where it runs on another machine.",
)
@rich_click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the browser to come back.",
)
@rich_click.option(
    "--redirect-uri",
    metavar="URL",
    default="",
    help="Instead of the connection's own: http://127.0.0.1:PORT/PATH is listened on (port 0: any free one).",
)
@json_option
@click.pass_obj
def authenticate(
    session: Session,
    *,
    name: str | None,
    no_browser: bool,
    paste: bool,
    timeout: float,
    redirect_uri: str,
    as_json: bool,
) -> None:
    """Sign in at the service, and become the person in whose name scheduled runs read the profiles."""
    name = _named(session, name)
    talk = dialogue(
        open_browser=not no_browser,
        paste=paste,
        timeout=timeout,
        redirect_uri=redirect_uri,
        as_json=as_json,
    )
    view = session.cdp().connections.authenticate(name, dialogue=talk)
    told = connections.authenticated(view)
    give(view, lambda: connections.authenticated_connection(view), as_json=as_json, said=told)


@connection.verb("list", example="cdp connection list --json")
@json_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """List the connections; to whom they are shared with, only their names and types."""
    views = session.cdp().connections.list()
    give(views, lambda: connections.connections(views), as_json=as_json)


@connection.verb("show", example='cdp connection show "Snapchat EU"')
@name_argument
@json_option
@click.pass_obj
def show(session: Session, *, name: str | None, as_json: bool) -> None:
    """Show a connection: settings, consent, sign-in, sharing and what uses it. Secrets are masked."""
    view = session.cdp().connections.show(_named(session, name))
    give(view, lambda: connections.connection(view), as_json=as_json)


@connection.verb(
    "edit", example=f'cdp connection edit "Snapchat EU" --name "Snapchat Europe" --secret {SECRET}'
)
@name_argument
@rich_click.option("--name", "new_name", metavar="NEW", help="Another name.")
@set_option
@secret_option
@json_option
@click.pass_obj
def edit(
    session: Session,
    *,
    name: str | None,
    new_name: str | None,
    settings: tuple[str, ...],
    secrets: tuple[str, ...],
    as_json: bool,
) -> None:
    """Change a connection's name or some of its settings; the others stay."""
    name = _named(session, name)
    if new_name is None and not settings and not secrets:
        raise UsageFault(Code.USAGE, "nothing to change was given", hint="--name, --set or --secret")
    rooms = session.cdp().connections
    plain_values: dict[str, str] = {}
    hidden: dict[str, str | Secret] = {}
    if settings or secrets:
        form = rooms.form(rooms.show(name).type)
        plain_values = typed_settings(form.settings, settings)
        hidden = typed_secrets(form.settings, secrets, form.complaint)
    view = rooms.edit(name, settings=plain_values, secrets=hidden, new_name=new_name)
    shown = (
        connections.edited_connection if settings or secrets else lambda view: (connections.connection(view),)
    )
    give(view, lambda: shown(view), as_json=as_json)


@connection.verb("share", example='cdp connection share "Snapchat EU" --with contributor --stop-with anna')
@name_argument
@rich_click.option(
    "--with", "add", multiple=True, metavar="ROLE|PERSON", help="Share it with them. Repeatable."
)
@rich_click.option(
    "--stop-with", "remove", multiple=True, metavar="ROLE|PERSON", help="Take it back. Repeatable."
)
@json_option
@click.pass_obj
def share(
    session: Session, *, name: str | None, add: tuple[str, ...], remove: tuple[str, ...], as_json: bool
) -> None:
    """Say who may send through a connection. Exports that use it keep running when it is taken back."""
    name = _named(session, name)
    if not add and not remove:
        raise UsageFault(
            Code.USAGE, "nobody was named", hint="--with ROLE|PERSON, or --stop-with ROLE|PERSON"
        )
    view = session.cdp().connections.share(name, add=add, remove=remove)
    people = ", ".join(view.shared_with) or _("nobody: Administrators only")
    said = _("{name} is now shared with {people}.").format(name=quoted(view.name), people=people)
    give(view, lambda: (), as_json=as_json, said=said)


@connection.verb("verify", example='cdp connection verify "Snapchat EU"')
@name_argument
@json_option
@click.pass_obj
def verify(session: Session, *, name: str | None, as_json: bool) -> None:
    """Ask the service who one is there, whether the credentials hold, and whether the rights suffice."""
    view = session.cdp().connections.verify(_named(session, name))
    give(view, lambda: connections.asked_connection(view), as_json=as_json, said=connections.answer(view))


@connection.verb("agree", example='cdp connection agree "Snapchat EU"')
@name_argument
@rich_click.option(
    "--agree",
    "--yes",
    "agree_",
    is_flag=True,
    help="Agree to the texts, which are shown, without being asked.",
)
@json_option
@click.pass_obj
def agree(session: Session, *, name: str | None, agree_: bool, as_json: bool) -> None:
    """Read and agree to the consent texts of a connection, or to those that have changed."""
    name = _named(session, name)
    asking = agreement(agreed=agree_, as_json=as_json, required=True)
    view = session.cdp().connections.agree(name, agree=asking)
    give(view, lambda: (), as_json=as_json, said=connections.consent_sentence(view))


@connection.verb("export-user", example='cdp connection export-user "Snapchat EU"')
@name_argument
@json_option
@click.pass_obj
def export_user(session: Session, *, name: str | None, as_json: bool) -> None:
    """Become the person in whose name runs that nobody starts read the profiles."""
    view = session.cdp().connections.export_user(_named(session, name))
    said = _("{person} is the export user of {name}.").format(
        person=plain(view.export_user), name=quoted(view.name)
    )
    give(view, lambda: (), as_json=as_json, said=said)


@connection.verb("remove", example='cdp connection remove "Snapchat EU" --yes')
@name_argument
@yes_option
@json_option
@click.pass_obj
def remove(session: Session, *, name: str | None, yes: bool, as_json: bool) -> None:
    """Remove a connection that no export uses, with its token and the secrets typed for it."""
    name = _named(session, name)
    settled(marked("Remove connection {name}?"), yes=yes, name=quoted(name))
    session.cdp().connections.remove(name)
    said = _("Connection {name} is removed.").format(name=quoted(name))
    give({"removed": name}, lambda: (), as_json=as_json, said=said)


connection.add_command(audiences)
