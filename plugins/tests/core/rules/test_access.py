"""The table of role and action, and how opinions become a decision."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.model.access import Action, Actor, Opinion, Resource, Role
from cdp_core.rules.access import (
    BUILT_IN_ROLES,
    CONTRIBUTOR,
    THROUGH_A_CONNECTION,
    actions_of,
    all_roles,
    core_opinion,
    decide,
)

EXPORT = Resource(kind="export", name="Loyal", shared_with=frozenset())


def person(*roles: str) -> Actor:
    return Actor(name="ann", real="ann", roles=frozenset(roles))


def test_each_role_includes_the_one_before() -> None:
    viewer, contributor, administrator = (
        actions_of({key}, BUILT_IN_ROLES) for key in ("viewer", "contributor", "administrator")
    )
    assert viewer < contributor < administrator == frozenset(Action)


def test_a_viewer_sees_exports_and_segments_and_changes_nothing() -> None:
    actions = {str(action) for action in actions_of({"viewer"}, BUILT_IN_ROLES)}
    assert {"export.list", "export.history", "segment.list"} <= actions
    assert not {name for name in actions if name.split(".")[-1] in ("add", "edit", "remove", "run")}


def test_every_action_has_words_of_its_own_for_people() -> None:
    words = [action.in_words for action in Action]
    assert len(set(words)) == len(words)
    for action, said in zip(Action, words, strict=True):
        assert said[0].islower()
        assert " " in said
        assert "." not in said, action


def test_connections_are_the_administrators() -> None:
    contributor = actions_of({"contributor"}, BUILT_IN_ROLES)
    assert {str(a) for a in contributor if a.startswith("connection.")} == {
        "connection.audiences",
        "connection.list",
        "connection.show",
    }


def test_who_has_no_role_may_do_nothing() -> None:
    for action in Action:
        opinion = core_opinion(person(), action, EXPORT, BUILT_IN_ROLES)
        assert opinion.verdict == "deny"
        assert "no role" in opinion.reason


@pytest.mark.parametrize("action", sorted(THROUGH_A_CONNECTION & CONTRIBUTOR.actions))
def test_a_contributor_acts_only_through_a_shared_connection(action: Action) -> None:
    unshared = core_opinion(person("contributor"), action, EXPORT, BUILT_IN_ROLES)
    by_role = Resource(kind="export", name="Loyal", shared_with=frozenset({"contributor"}))
    by_name = Resource(kind="export", name="Loyal", shared_with=frozenset({"ann"}))
    assert unshared.verdict == "deny"
    assert "not shared" in unshared.reason
    assert core_opinion(person("contributor"), action, by_role, BUILT_IN_ROLES).verdict == "allow"
    assert core_opinion(person("contributor"), action, by_name, BUILT_IN_ROLES).verdict == "allow"
    assert core_opinion(person("administrator"), action, EXPORT, BUILT_IN_ROLES).verdict == "allow"


@pytest.mark.parametrize("action", sorted(THROUGH_A_CONNECTION - CONTRIBUTOR.actions))
def test_a_role_of_ones_own_acts_only_through_a_shared_connection(action: Action) -> None:
    roles = {**BUILT_IN_ROLES, "approver": Role(key="approver", label="A", actions=frozenset({action}))}
    shared = Resource(kind="export", name="Loyal", shared_with=frozenset({"approver"}))
    assert core_opinion(person("contributor"), action, shared, roles).verdict == "deny"
    assert core_opinion(person("approver"), action, EXPORT, roles).verdict == "deny"
    assert core_opinion(person("approver"), action, shared, roles).verdict == "allow"


def test_a_connection_shared_with_viewers_gives_a_viewer_no_action_of_a_contributor() -> None:
    shared = Resource(kind="export", name="Loyal", shared_with=frozenset({"viewer"}))
    assert core_opinion(person("viewer"), Action.EXPORT_RUN, shared, BUILT_IN_ROLES).verdict == "deny"
    assert core_opinion(person("contributor"), Action.EXPORT_RUN, shared, BUILT_IN_ROLES).verdict == "allow"


def test_roles_that_include_each_other_end() -> None:
    roles = {
        "a": Role(key="a", label="A", includes=frozenset({"b"})),
        "b": Role(key="b", label="B", includes=frozenset({"a", "gone"})),
    }
    assert all_roles({"a"}, roles) == {"a", "b"}


VERDICTS = st.sampled_from(["allow", "deny", "abstain"])


@given(st.lists(VERDICTS))
def test_no_allow_is_no_and_any_deny_wins(verdicts: list[str]) -> None:
    opinions = [Opinion(verdict=verdict, reason="r", by="p") for verdict in verdicts]  # type: ignore[arg-type]
    decision = decide(opinions)
    assert decision.allowed == ("allow" in verdicts and "deny" not in verdicts)
    assert decision.opinions == tuple(opinions)
