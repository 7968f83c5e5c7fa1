"""Moments as they are typed: a date, and a time where one is given, by this machine's clock."""

from __future__ import annotations

from typing import Any

import click

from cdp_core.cli.language import _


class _Moment(click.DateTime):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            told = _("{value} is no date such as 2026-11-25, or 2026-11-25T13:30")
            self.fail(told.format(value=repr(value)), param, ctx)


MOMENT = _Moment(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"])
