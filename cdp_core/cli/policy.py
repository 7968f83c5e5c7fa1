"""The options of `cdp export add` and `edit` for an export's own rules, and the policy that they make."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import rich_click

from cdp_core.errors import Code, UsageFault
from cdp_core.model.policy import Approval, Gates, MemberConsent, Mode, Policy, Region
from cdp_core.rules.member_consent import member_consent

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    rich_click.option(
        "--mode",
        type=rich_click.Choice([str(mode) for mode in Mode]),
        help="mirror: add who is new, take out who has left. add-only: take nobody out who only left. "
        "remove: take these members out, whoever put them in. replace: empty the audience, then add. "
        "Default: mirror.",
    ),
    rich_click.option(
        "--keep-alive-days",
        type=rich_click.IntRange(min=1),
        metavar="N",
        help="Where the service has taken no change for N days and there is none, send one batch again, so "
        "that it does not let the audience expire. Default: never.",
    ),
    rich_click.option("--no-keep-alive", is_flag=True, help="Send nothing again for that."),
    rich_click.option(
        "--default-region",
        metavar="CC",
        help="The country of phone numbers that name none, in two letters: NL. Empty for none.",
    ),
    rich_click.option(
        "--region-field",
        metavar="FIELD",
        help="The profile field with the country of a member's phone number; where it holds nothing, "
        "--default-region counts. Empty for none.",
    ),
    rich_click.option(
        "--consent-field",
        metavar="FIELD=YES,…",
        help="The profile field with a member's consent, and its values that mean yes, in any case: all "
        "others mean no, and nobody without a yes is sent.",
    ),
    rich_click.option("--no-consent-field", is_flag=True, help="Ask for no consent but that of cdp.toml."),
    rich_click.option(
        "--max-shrink",
        metavar="SHARE",
        help="The most of what the export has put into its audience that one run may take out: 30%. "
        "Default: 50%.",
    ),
    rich_click.option(
        "--on-audience-size",
        type=rich_click.Choice(["skip", "warn", "fail"]),
        help="What to do where the audience is smaller or larger than the service can use. Default: warn.",
    ),
    rich_click.option(
        "--require-approval",
        type=rich_click.IntRange(min=1),
        is_flag=False,
        flag_value=1,
        metavar="[N]",
        help="Deliver a plan only when N other people (1) have approved of it.",
    ),
    rich_click.option(
        "--when-added-over",
        type=rich_click.IntRange(min=0),
        metavar="N",
        help="… only of a plan that adds more than N.",
    ),
    rich_click.option(
        "--when-removed-over",
        metavar="N|SHARE",
        help="… only of a plan that takes out more than that: 500, or 5% of what the export has put there.",
    ),
    rich_click.option("--no-approval", is_flag=True, help="Ask for nobody's approval."),
)


def policy_options(function: F) -> F:
    """What is not given is None, or False."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def typed_policy(before: Policy, **given: Any) -> Policy:
    """The rules with what was typed taken over; raises `UsageFault` where it is not well-formed."""
    region = _region(before.region, default=given.get("default_region"), field=given.get("region_field"))
    return dataclasses.replace(
        before,
        mode=before.mode if given.get("mode") is None else Mode(given["mode"]),
        region=region,
        consent=_consent(before, given),
        gates=_gates(before, given),
        keep_alive_days=_keep_alive(before, given),
        approval=_approval(before.approval, given),
    )


def _approval(before: Approval | None, given: dict[str, Any]) -> Approval | None:
    people, added, removed = (
        given.get(name) for name in ("require_approval", "when_added_over", "when_removed_over")
    )
    if given.get("no_approval"):
        if people is not None or added is not None or removed is not None:
            raise UsageFault(
                Code.USAGE,
                "--no-approval excludes --require-approval and its conditions",
                hint="leave one of them out",
            )
        return None
    if people is None:
        if added is not None or removed is not None:
            raise UsageFault(
                Code.USAGE,
                "--when-added-over and --when-removed-over are conditions of --require-approval",
                hint="--require-approval 1 --when-added-over 10000",
            )
        return before
    share = removed is not None and "%" in removed
    return Approval(
        people=people,
        added_over=added,
        removed_over=None if removed is None or share else _number(removed, "--when-removed-over"),
        removed_share=_share(str(removed), "--when-removed-over") if share else None,
    )


def _number(text: str, option: str) -> int:
    if not text.strip().isdecimal():
        raise UsageFault(
            Code.USAGE, f"{text!r} is no number", where=option, hint=f"as in: {option} 500, or {option} 5%"
        )
    return int(text)


def _keep_alive(before: Policy, given: dict[str, Any]) -> int | None:
    days: int | None = given.get("keep_alive_days")
    if days is not None and given.get("no_keep_alive"):
        raise UsageFault(
            Code.USAGE,
            "--keep-alive-days and --no-keep-alive exclude each other",
            hint="leave one of them out",
        )
    if given.get("no_keep_alive"):
        return None
    return before.keep_alive_days if days is None else days


def _consent(before: Policy, given: dict[str, Any]) -> MemberConsent | None:
    typed, none = given.get("consent_field"), given.get("no_consent_field")
    if typed is not None and none:
        raise UsageFault(
            Code.USAGE,
            "--consent-field and --no-consent-field exclude each other",
            hint="leave one of them out",
        )
    if none:
        return None
    return before.consent if typed is None else _typed_consent(typed)


def _typed_consent(typed: str) -> MemberConsent:
    field, sign, values = typed.partition("=")
    if not sign or not field.strip() or not values.strip(" ,"):
        raise UsageFault(
            Code.USAGE,
            "--consent-field takes a profile field and the values that mean yes",
            hint="--consent-field ads_consent=granted,true",
        )
    return member_consent(field, values.split(","))


def _gates(before: Policy, given: dict[str, Any]) -> Gates:
    gates = before.gates
    if given.get("max_shrink") is not None:
        gates = dataclasses.replace(gates, max_shrink=_share(given["max_shrink"], "--max-shrink"))
    if given.get("on_audience_size") is not None:
        gates = dataclasses.replace(gates, on_audience_size=given["on_audience_size"])
    return gates


def _region(before: Region, *, default: str | None, field: str | None) -> Region:
    return Region(
        default=before.default if default is None else default.strip().upper() or None,
        field=before.field if field is None else field.strip() or None,
    )


def _share(text: str, option: str) -> float:
    """`30%` is 0.3. Without its sign, 0.5 could be a half or half a hundredth."""
    number, sign, rest = text.strip().partition("%")
    try:
        share = Fraction(number.strip()) / 100
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not sign or rest or not 0 <= share <= 1:
        raise UsageFault(
            Code.USAGE, f"{text!r} is no share", where=option, hint=f"from 0% to 100%, as in: {option} 30%"
        )
    return float(share)
