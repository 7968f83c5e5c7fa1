"""The suite of plugins that have opinions on who may do what, or bring roles."""

from __future__ import annotations

import itertools
from typing import get_args, get_type_hints

import pytest

from cdp_core.model.access import Action, Actor, Opinion, Resource, Role
from cdp_core.plugins.catalog import Catalog
from cdp_core.plugins.manager import create_plugin_manager
from cdp_core.rules.access import BUILT_IN_ROLES

_KINDS = get_args(get_type_hints(Resource)["kind"])


class AccessSuite:
    """An author gives one fixture: `plugin`, the name of the entry point."""

    @pytest.fixture
    def plugin(self) -> str:
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `plugin`: the entry point's name")

    @pytest.fixture
    def catalog(self) -> Catalog:
        return Catalog(create_plugin_manager())

    def test_it_is_loaded(self, plugin: str, catalog: Catalog) -> None:
        assert plugin in [name for name, _ in catalog.manager.list_name_plugin()]

    def test_its_roles_are_new_and_of_actions_that_there_are(self, plugin: str, catalog: Catalog) -> None:
        roles: list[Role] = list(getattr(self._module(plugin, catalog), "cdp_roles", list)())
        assert len({role.key for role in roles}) == len(roles)
        for role in roles:
            assert role.key not in BUILT_IN_ROLES, f"the core's own role {role.key!r} cannot be replaced"
            assert role.label.strip()
            assert role.actions <= set(Action), f"{role.key}: {sorted(role.actions - set(Action))}"
            assert role.includes <= set(catalog.roles), f"{role.key} includes roles that there are not"

    def test_an_opinion_is_had_on_everything_and_says_why(self, plugin: str, catalog: Catalog) -> None:
        """None, or one with a reason, by its name, and the same twice; an exception counts as a denial, and
        would keep everybody from everything."""
        ask = getattr(self._module(plugin, catalog), "cdp_authorize", None)
        if ask is None:
            return
        for action, kind, role in itertools.product(Action, _KINDS, BUILT_IN_ROLES):
            actor = Actor(name="alice", real="alice", roles=frozenset({role}))
            about = Resource(kind=kind, name="Loyal customers")
            opinion = ask(actor=actor, action=action, resource=about)
            assert opinion == ask(actor=actor, action=action, resource=about)
            if opinion is not None:
                assert isinstance(opinion, Opinion)
                assert opinion.verdict in ("allow", "deny", "abstain")
                assert opinion.reason.strip()
                assert opinion.by.strip() not in ("", "core")

    def test_an_administrator_is_left(self, plugin: str, catalog: Catalog) -> None:
        """Somebody can still mend the roles."""
        actor = Actor(name="alice", real="alice", roles=frozenset({"administrator"}))
        decision = catalog.authorize(actor, Action.ROLE_GRANT, Resource(kind="role", name="alice"))
        assert decision.allowed, decision

    @staticmethod
    def _module(plugin: str, catalog: Catalog) -> object:
        return dict(catalog.manager.list_name_plugin())[plugin]
