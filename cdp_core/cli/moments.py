"""Moments as they are typed: a date, and a time where one is given, by this machine's clock."""

from __future__ import annotations

import click

MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"])
