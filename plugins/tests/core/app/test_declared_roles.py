"""Roles that `cdp.toml` declares, beside those of plugins."""

from __future__ import annotations

import pytest

import cdp_core
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.access import Action, Role
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.manager import create_plugin_manager
from cdp_core.rules.access import BUILT_IN_ROLES, actions_of


class Auditing:
    """A plugin with a role."""

    @cdp_core.hookimpl
    def cdp_roles(self) -> list[Role]:
        return [
            Role(key="auditor", label="Auditor", actions=frozenset({Action.AUDIT_LIST})),
            Role(key="viewer", label="Not the viewer", actions=frozenset(Action)),
        ]


def catalog(*own: Role) -> Catalog:
    manager = create_plugin_manager()
    manager.register(Auditing(), name="auditing")
    return Catalog(manager, own_roles=own, where="/w/cdp.toml")


def test_one_may_be_based_on_a_plugins() -> None:
    roles = catalog(Role(key="lead", label="Lead", includes=frozenset({"auditor"}))).roles
    assert actions_of({"lead"}, roles) == {Action.AUDIT_LIST}
    assert roles["auditor"].declared_by == "a plugin"
    assert roles["viewer"] == BUILT_IN_ROLES["viewer"]


def test_one_of_a_plugins_name_is_refused_and_not_guessed_at() -> None:
    with pytest.raises(InvalidFault, match=r"roles\.auditor: a plugin declares a role of that name") as clash:
        assert catalog(Role(key="auditor", label="Mine")).roles
    assert clash.value.code is Code.SETTING_INVALID
    assert clash.value.where == "/w/cdp.toml"


def test_roles_that_are_based_on_each_other_have_what_both_have() -> None:
    one = Role(key="one", label="1", actions=frozenset({Action.WHOAMI}), includes=frozenset({"two"}))
    two = Role(key="two", label="2", actions=frozenset({Action.AUDIT_LIST}), includes=frozenset({"one"}))
    assert actions_of({"one"}, catalog(one, two).roles) == {Action.WHOAMI, Action.AUDIT_LIST}
