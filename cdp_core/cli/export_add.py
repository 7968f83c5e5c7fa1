"""`cdp export add`: a new export, with an audience that is there or is made for it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click
import rich_click

from cdp_core.cli.ask import ask_one, ask_text, can_ask
from cdp_core.cli.command import command, json_option
from cdp_core.cli.export_options import (
    field_option,
    match_option,
    name_argument,
    over,
    segment_option,
    set_option,
)
from cdp_core.cli.forms import (
    asked_name,
    complete_fields,
    complete_matching,
    complete_segments,
    complete_settings,
    missing_of_export,
    require_known_kinds,
    require_payload,
    require_settings,
    typed_fields,
    typed_matching,
    typed_settings,
)
from cdp_core.cli.language import _, label_of, marked, said
from cdp_core.cli.page import give
from cdp_core.cli.policy import policy_options, typed_policy
from cdp_core.cli.render import exports
from cdp_core.cli.render.console import remark
from cdp_core.cli.render.words import counted, plain
from cdp_core.cli.session import Session
from cdp_core.errors import Code, UsageFault
from cdp_core.model.policy import Policy

if TYPE_CHECKING:
    from cdp_core.app.facade import CDP
    from cdp_core.app.views import DestinationForm, NewAudienceForm

NEW_AUDIENCE = marked("A new one")


@command(
    "add",
    example='cdp export add "Loyal to Snapchat" --connection "Snapchat EU" '
    '--set audience_id=5677923948298240 --match EMAIL=email --segment "Loyal customers"\n'
    'cdp export add "Loyal to Snapchat" --connection "Snapchat EU" '
    '--create-audience "Loyal customers" --match EMAIL=email --segment "Loyal customers"',
)
@name_argument
@rich_click.option("--connection", metavar="NAME", help="The connection to send through.")
@set_option
@match_option
@field_option
@segment_option
@rich_click.option(
    "--create-audience", "new_audience", metavar="NAME", help="Have a new audience made at the service."
)
@rich_click.option(
    "--audience-per-segment",
    "per_segment",
    is_flag=True,
    help="Have a new audience made for each segment; NAME is the group's then.",
)
@rich_click.option(
    "--retention-days",
    type=click.IntRange(min=1),
    metavar="DAYS",
    help="How long a new audience keeps a member. Default: for good.",
)
@policy_options
@json_option
@click.pass_obj
def add(
    session: Session,
    /,
    *,
    name: str | None,
    connection: str | None,
    settings: tuple[str, ...],
    matching: tuple[str, ...],
    fields: tuple[str, ...],
    segments: tuple[str, ...],
    new_audience: str | None,
    per_segment: bool,
    retention_days: int | None,
    as_json: bool,
    **rules: Any,
) -> None:
    """Add an export. Nothing is sent until it is run. On a terminal, what is missing is asked for.

    The service is asked whether the audience can take members. Where it lists its audiences, they are offered
    to choose from; --create-audience has it make one, and --audience-per-segment one for each segment, with
    an export for each: `cdp export run NAME` runs them all, and adding segments to NAME later adds theirs.

    Over a connection that whole rows leave by, --field chooses what of them leaves, and --match the
    identifiers that tell who is suppressed or has not agreed. That takes an Administrator.
    """
    matches, chosen = typed_matching(matching), typed_fields(fields)
    policy = typed_policy(Policy(), **rules)
    if new_audience is not None and per_segment:
        raise UsageFault(
            Code.USAGE,
            "--create-audience makes one audience, --audience-per-segment several",
            hint="give one of them",
        )
    if retention_days is not None and new_audience is None and not per_segment and not can_ask():
        raise UsageFault(Code.USAGE, "--retention-days is for a new audience", hint="--create-audience NAME")
    cdp = session.cdp()
    rooms = cdp.exports
    name = name or asked_name(
        "Name", lambda: (view.name for view in rooms.list()), option="cdp export add NAME"
    )
    connection = over(session, connection)
    form = rooms.options(name, connection=connection)
    require_payload(form, chosen)
    require_known_kinds(form, matches)
    values = typed_settings(form.settings, settings)
    setting = form.audience_setting
    if (new_audience is not None or per_segment) and setting in values:
        raise UsageFault(
            Code.USAGE,
            f"--set {setting} names an audience that is there; a new one has no id yet",
            hint=f"leave out --set {setting}, or what asks for a new audience",
        )
    is_new = new_audience is not None or per_segment
    asked = tuple(info for info in form.settings if info.name != setting) if is_new else form.settings
    require_settings(asked, values, also=missing_of_export(form, matches, segments, chosen))
    if not is_new and setting not in values and form.lists_audiences and can_ask():
        new_audience = _choose(cdp, connection, form, values)
        asked = tuple(info for info in form.settings if info.name != setting)
    complete_settings(asked, values, {})
    given: dict[str, Any] = {
        "connection": connection,
        "settings": values,
        "matching": complete_matching(form, matches),
        "segments": complete_segments(form, segments),
        "policy": dataclasses.replace(policy, fields=complete_fields(form, chosen)),
    }
    if per_segment:
        views = rooms.add_each(
            name,
            **given,
            retention_in_days=retention_days,
            progress=lambda added: remark(_("Added {export}.").format(export=plain(added))),
        )
        told = "" if views else _("Every segment has its export in the group already.")
        give(views, lambda: exports.added_exports(name, views), as_json=as_json, said=told)
        return
    view = rooms.add(name, **given, new_audience=_form(new_audience, retention_days))
    if view.unchecked:
        remark(_("The audience could not be checked: {why}.").format(why=plain(said(view.unchecked))))
    give(view, lambda: exports.added_export(view), as_json=as_json)


def _form(name: str | None, retention_days: int | None) -> NewAudienceForm | None:
    from cdp_core.app.views import NewAudienceForm

    return None if name is None else NewAudienceForm(name=name, retention_in_days=retention_days)


def _choose(cdp: CDP, connection: str, form: DestinationForm, values: dict[str, str]) -> str | None:
    """Put the chosen audience's id into `values`; or the name of a new one."""
    listed = cdp.audiences.of(connection)
    choices = {
        f"{view.audience.name} ({view.audience.id}"
        + (
            ""
            if view.audience.approximate_number_users is None
            else f", {counted(view.audience.approximate_number_users, 'user', 'users')}"
        )
        + ")": view.audience.id
        for view in listed
    }
    offered = [*choices, *([_(NEW_AUDIENCE)] if form.creates_audiences else [])]
    option = f"--set {form.audience_setting}=…"
    setting = next(info for info in form.settings if info.name == form.audience_setting)
    if not offered:
        raise UsageFault(
            Code.MISSING_VALUE, f"{setting.label} is missing, and there is none to choose from", hint=option
        )
    chosen = ask_one(label_of(setting), offered, option=option)
    if chosen in choices:
        values[form.audience_setting] = choices[chosen]
        return None
    return ask_text("Name of the new audience", option="--create-audience NAME")
