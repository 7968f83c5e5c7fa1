"""The table of role and action, and how opinions become a decision."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp_core.model.access import Action, Actor, Grant, Opinion, Resource, Role
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


def with_grants(*grants: Grant) -> Actor:
    roles = frozenset(grant.role for grant in grants if grant.scope == "workspace")
    return Actor(name="ann", real="ann", roles=roles, grants=grants)


def of_segments(*ids: str) -> tuple[Grant, ...]:
    return tuple(Grant(holder="ann", role="contributor", scope="segment", about=each) for each in ids)


OVER_C = Resource(
    kind="export",
    name="Loyal",
    shared_with=frozenset(),
    connection_id="c",
    segment_ids=frozenset({"s"}),
)


def test_a_role_for_a_connection_holds_for_it_and_what_goes_through_it_alone() -> None:
    ann = with_grants(Grant(holder="ann", role="contributor", scope="connection", about="c"))
    assert core_opinion(ann, Action.EXPORT_RUN, OVER_C, BUILT_IN_ROLES).verdict == "allow"
    elsewhere = Resource(
        kind="export", name="Other", shared_with=frozenset({"contributor"}), connection_id="d"
    )
    assert core_opinion(ann, Action.EXPORT_RUN, elsewhere, BUILT_IN_ROLES).verdict == "deny"
    rows = Resource(kind="export", name="Rows", shared_with=frozenset(), connection_id="c", payload="records")
    assert core_opinion(ann, Action.EXPORT_RUN, rows, BUILT_IN_ROLES).verdict == "deny"


@given(
    granted=st.frozensets(st.sampled_from("abcd")),
    exported=st.frozensets(st.sampled_from("abcd")),
    shared=st.booleans(),
)
def test_a_role_for_segments_holds_where_all_of_an_export_are_granted(
    granted: frozenset[str], exported: frozenset[str], shared: bool
) -> None:
    about = Resource(
        kind="export",
        name="Loyal",
        shared_with=frozenset({"ann"}) if shared else frozenset(),
        connection_id="c",
        segment_ids=exported,
    )
    opinion = core_opinion(with_grants(*of_segments(*granted)), Action.EXPORT_RUN, about, BUILT_IN_ROLES)
    assert (opinion.verdict == "allow") == (shared and bool(exported) and exported <= granted)


@given(action=st.sampled_from(list(Action)))
def test_a_scoped_role_never_allows_what_the_role_itself_would_not(action: Action) -> None:
    scoped = with_grants(Grant(holder="ann", role="contributor", scope="connection", about="c"))
    if core_opinion(scoped, action, OVER_C, BUILT_IN_ROLES).verdict == "allow":
        assert action in actions_of({"contributor"}, BUILT_IN_ROLES)


def test_a_list_is_open_to_who_sees_part_of_it_and_everything_else_is_not() -> None:
    ann = with_grants(*of_segments("s"))
    everything = Resource(kind="export")
    allowed = {
        action
        for action in Action
        if core_opinion(ann, action, everything, BUILT_IN_ROLES).verdict == "allow"
    }
    assert {Action.EXPORT_LIST, Action.SEGMENT_LIST, Action.CONNECTION_LIST, Action.WHOAMI} <= allowed
    assert not allowed & {Action.SEGMENT_ADD, Action.EXPORT_HISTORY, Action.SUPPRESSION_ADD}


@pytest.mark.parametrize(
    ("grants", "said"),
    [
        ((Grant(holder="ann", role="viewer"),), "the role includes it"),
        (
            (Grant(holder="ads", role="viewer", holder_kind="group"),),
            "the role includes it (Viewer, granted to the group ads)",
        ),
        (
            (Grant(holder="ads", role="viewer", holder_kind="group"), Grant(holder="ann", role="viewer")),
            "the role includes it",
        ),
    ],
)
def test_where_a_role_is_from_is_said_unless_it_is_ones_own(grants: tuple[Grant, ...], said: str) -> None:
    opinion = core_opinion(
        with_grants(*grants), Action.SEGMENT_LIST, Resource(kind="segment"), BUILT_IN_ROLES
    )
    assert opinion.reason == said
