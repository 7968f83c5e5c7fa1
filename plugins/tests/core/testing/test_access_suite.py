"""The suite of access plugins: one that does as it should passes, and each fault is found."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

import cdp_core
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.manager import create_plugin_manager
from cdp_core.testing import AccessSuite

AUDITOR = cdp_core.Role(
    key="auditor",
    label="Auditor",
    actions=frozenset({cdp_core.Action.AUDIT_LIST}),
    includes=frozenset({"viewer"}),
)


def drafts(actor: Any, action: Any, resource: Any) -> cdp_core.Opinion | None:
    if action == cdp_core.Action.EXPORT_RUN and resource.name.startswith("Draft"):
        return cdp_core.Opinion(verdict="deny", reason="drafts are not run", by="house")
    return None


def with_plugin(*roles: cdp_core.Role, authorize: Any = drafts) -> Catalog:
    @cdp_core.hookimpl
    def cdp_roles() -> Sequence[cdp_core.Role]:
        return roles

    @cdp_core.hookimpl
    def cdp_authorize(actor: Any, action: Any, resource: Any) -> Any:
        return authorize(actor, action, resource)

    manager = create_plugin_manager()
    manager.register(SimpleNamespace(cdp_roles=cdp_roles, cdp_authorize=cdp_authorize), name="house")
    return Catalog(manager)


class TestHouse(AccessSuite):
    @pytest.fixture
    def plugin(self) -> str:
        return "house"

    @pytest.fixture
    def catalog(self) -> Catalog:
        return with_plugin(AUDITOR)


def test_roles_that_are_not_new_or_of_no_action_are_found() -> None:
    for wrong in (
        dataclasses.replace(AUDITOR, key="viewer"),
        dataclasses.replace(AUDITOR, label=" "),
        dataclasses.replace(AUDITOR, actions=cast(Any, frozenset({"audit.everything"}))),
        dataclasses.replace(AUDITOR, includes=frozenset({"nobody"})),
    ):
        with pytest.raises(AssertionError):
            AccessSuite().test_its_roles_are_new_and_of_actions_that_there_are("house", with_plugin(wrong))


def test_opinions_that_fail_change_or_say_nothing_are_found() -> None:
    turns = iter(range(10_000))

    def fails(*_: Any) -> None:
        raise RuntimeError("no opinion today")

    def changes(*_: Any) -> Any:
        return cdp_core.Opinion(verdict="allow", reason=f"the {next(turns)}-th time", by="house")

    def says_nothing(*_: Any) -> Any:
        return cdp_core.Opinion(verdict="deny", reason="", by="house")

    for wrong in (fails, changes, says_nothing):
        with pytest.raises((AssertionError, RuntimeError)):
            AccessSuite().test_an_opinion_is_had_on_everything_and_says_why(
                "house", with_plugin(authorize=wrong)
            )


def test_one_who_keeps_the_administrators_out_is_found() -> None:
    def nobody(*_: Any) -> Any:
        return cdp_core.Opinion(verdict="deny", reason="nobody may", by="house")

    with pytest.raises(AssertionError):
        AccessSuite().test_an_administrator_is_left("house", with_plugin(authorize=nobody))
