"""The law of configuration as code: whatever stood there, what is exported after a file was applied is what
the file says; and to apply it again changes nothing."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cdp_core.app.configuration.grants import by_hand, name_of
from cdp_core.app.configuration.views import ConfigDiff
from cdp_core.app.facade import CDP
from cdp_core.errors import GateFault, InvalidFault, UsageFault
from cdp_core.store.logins import login

FIELDS = ("email", "other_email", "country", "consent")
KINDS = st.sampled_from([{"kind": "EMAIL", "field": "email"}, {"kind": "EMAIL", "field": "other_email"}])
# What a YAML reader of another mind would take for something else, or a terminal for something to do.
NAMES = (
    st.one_of(
        st.sampled_from(
            [
                *("NO", "123", "null", "true", "a: b", "- x", "# y", "«é»", "x" * 200, "'", '"', "&a", "*a"),
                *("x for segment y", "c: viewer for connection d"),
            ]
        ),
        st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20),
    )
    .map(lambda name: unicodedata.normalize("NFC", name).strip())
    .filter(bool)
)
CONDITIONS = st.sampled_from(
    [
        "value > 1",
        "true",
        "email IS NOT NULL\n  AND value > 2",
        "country = 'NO'",
        "value = 1 -- : #\n",
        "1 = 1\t",
    ]
).map(str.strip)
CRON = st.sampled_from(["0 2 * * *", "*/5 * * * *", "0 4 * * mon,thu", "15 3 1 * *"])
RECURRENCE = st.fixed_dictionaries(
    {
        "cron": st.lists(CRON, min_size=1, max_size=2, unique=True),
        "timezone": st.sampled_from(["UTC", "Europe/Amsterdam"]),
    },
    optional={"active": st.just(False)},
)
SEGMENT = st.one_of(
    st.fixed_dictionaries(
        {"where": CONDITIONS}, optional={"static": st.just(True), "active": st.just(False)}
    ),
    st.fixed_dictionaries(
        {"sql": CONDITIONS.map(lambda each: f"SELECT customer_id FROM profiles WHERE {each}")}
    ),
)
WEBHOOK = st.fixed_dictionaries(
    {
        "type": st.just("webhook"),
        "settings": st.fixed_dictionaries(
            {
                "api_url": st.sampled_from(["https://a.example/v1", "https://a.example:8443/v2"]),
                "add_path": st.just("/add"),
                "add_body": st.just('{"ids": "$digests"}'),
                "timeout": st.sampled_from([5.0, 30.5]),
                "client_in_body": st.booleans(),
            }
        ),
    }
)
REGIONLESS: dict[str, Any] = {
    "mode": st.sampled_from(["add-only"]),
    "consent": st.just({"field": "consent", "granted": ["1", "yes"]}),
    "gates": st.sampled_from([{"max_shrink": 0.0}, {"on_audience_size": "fail"}, {"max_shrink": 0.07}]),
    "keep_alive_days": st.integers(1, 90),
    "approval": st.sampled_from(
        [{"people": 1}, {"people": 2, "added_over": 0}, {"people": 1, "removed_share": 0.29}]
    ),
    "schedule": RECURRENCE,
}


def grants(connections: dict[str, Any], segments: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
    """Roles for the whole workspace, for connections and for segments, in the order of an export."""

    def scoped(scope: str, names: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
        item = st.fixed_dictionaries(
            {"role": st.sampled_from(["viewer", "contributor"]), scope: st.sampled_from(sorted(names))}
        )
        order = lambda each: (each[scope], each["role"])  # noqa: E731
        return st.lists(item, max_size=2, unique_by=order).map(lambda items: sorted(items, key=order))

    whole = st.sets(st.sampled_from(["viewer", "contributor"])).map(sorted)
    parts = st.tuples(whole, scoped("connection", connections), scoped("segment", segments))
    return parts.map(lambda each: [*each[0], *each[1], *each[2]]).filter(bool)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A whole configuration whose parts go together."""
    segments = draw(st.dictionaries(NAMES, SEGMENT, min_size=1, max_size=3))
    connections = draw(st.dictionaries(NAMES, WEBHOOK, min_size=1, max_size=2))
    exports: dict[str, Any] = {}
    for name in draw(st.lists(NAMES, max_size=3, unique=True)):
        part = draw(st.fixed_dictionaries({}, optional=REGIONLESS))
        over = draw(st.sampled_from([None, *connections]))
        part |= {"connection": over} if over is not None else {}
        exports[name] = part | {
            "destination": "webhook",
            "segments": draw(st.lists(st.sampled_from(sorted(segments)), min_size=1, unique=True)),
            "matching": draw(st.lists(KINDS, min_size=1, max_size=2, unique_by=lambda each: each["field"])),
            "settings": {
                "audience_id": draw(st.sampled_from(["007", "list"])),
                **draw(st.fixed_dictionaries({}, optional={"batch_size": st.integers(1, 50)})),
            },
        }
    granted = grants(connections, segments)
    people = draw(st.dictionaries(st.sampled_from(["anna", "bob"]), granted))
    for connection in connections.values():
        # Also with somebody whose only role is for one connection or segment.
        shared = sorted(draw(st.sets(st.sampled_from(["contributor", *people]))))
        connection.update({"share_with": shared} if shared else {})
    found = {
        "version": 1,
        "roles": people | {login(): ["administrator"]},
        "groups": draw(st.dictionaries(st.sampled_from(["staff", "no such group"]), granted)),
        "segments": segments,
        "connections": connections,
        "exports": exports,
    }
    return found | ({"schedule": draw(RECURRENCE)} if draw(st.booleans()) else {})


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A workspace to be copied for each example."""
    with tempfile.TemporaryDirectory() as folder:
        profiles = Path(folder) / "profiles.parquet"
        columns = {"customer_id": ["1", "2"], "value": [1, 2], **{each: ["x", "y"] for each in FIELDS}}
        pq.write_table(pa.table(columns), profiles)
        CDP.init(Path(folder) / "w", profiles=str(profiles), key="customer_id", vault="file").close()
        yield Path(folder) / "w"


def _apply(cdp: CDP, document: dict[str, Any]) -> int:
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    return len(cdp.configuration.apply(file="f.yaml", content=text.encode(), prune=True).changes)


@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(first=documents(), then=documents())
def test_what_is_exported_is_what_was_applied_whatever_stood_there(
    made: Path, first: dict[str, Any], then: dict[str, Any]
) -> None:
    if "schedule" in first:
        then = {"schedule": first["schedule"]} | then  # there is no way to unset it
    for name in first["connections"].keys() & then["connections"].keys():
        # A connection that an export uses cannot be led to another service.
        service = first["connections"][name]["settings"]["api_url"]
        then["connections"][name]["settings"]["api_url"] = service
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(made, Path(folder) / "w")
        with CDP.open(Path(folder) / "w") as cdp:
            for document in (first, then):
                _apply(cdp, document)
                found = cdp.configuration.export()
                assert yaml.safe_load(found.text) == found.document == document
                # The tool's own reader takes its own text for what it is.
                again = cdp.configuration.diff(file="f.yaml", content=found.text.encode())
                assert not again.differs
                assert _apply(cdp, document) == 0
                jsonschema.Draft202012Validator(cdp.configuration.schema()).validate(found.document)


@given(name=NAMES, scope=st.sampled_from(["connection", "segment", None]), group=st.booleans())
def test_a_grants_name_says_all_of_it(name: str, scope: str | None, group: bool) -> None:
    item: Any = {"role": "viewer", scope: name} if scope else "viewer"
    said = by_hand("group-role" if group else "role", name_of("an na", item))
    assert shlex.split(said) == [
        *("cdp", "role", "revoke"),
        *(["--group"] if group else []),
        *("an na", "viewer"),
        *([f"--{scope}", name] if scope else []),
        "--yes",
    ]


def test_the_schema_is_one_and_knows_what_a_plugin_has(made: Path) -> None:
    with CDP.open(made) as cdp:
        schema = json.loads(json.dumps(cdp.configuration.schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    known = jsonschema.Draft202012Validator(schema)
    export = {"destination": "snapchat", "segments": ["A"], "settings": {"audience_id": "1"}}
    assert known.is_valid({"version": 1, "exports": {"E": export}})
    wrongs: tuple[dict[str, Any], ...] = (
        {"exports": {}},
        {"version": 2},
        {"version": 1, "exprots": {}},
        {"version": 1, "roles": {"anna": ["veiwer"]}},
        {"version": 1, "roles": {"anna": [{"role": "viewer"}]}},
        {"version": 1, "groups": {"staff": [{"role": "viewer", "connection": "C", "segment": "A"}]}},
        {"version": 1, "segments": {"A": {}}},
        {"version": 1, "segments": {"A": {"where": "x", "sql": "y"}}},
        {"version": 1, "exports": {"E": {**export, "settings": {}}}},
        {"version": 1, "exports": {"E": {**export, "settings": {"audience_id": "1", "bach_size": 1}}}},
        {"version": 1, "exports": {"E": {**export, "matching": [{"kind": "FAX", "field": "f"}]}}},
        {"version": 1, "exports": {"E": {**export, "gates": {"max_shrink": 2}}}},
        {"version": 1, "connections": {"C": {"type": "snapchat", "settings": {"client_id": "x"}}}},
        {
            "version": 1,
            "connections": {
                "C": {
                    "type": "snapchat",
                    "settings": {"client_id": "x"},
                    "secrets": {"client_secret": "hunter2"},
                }
            },
        },
    )
    for wrong in wrongs:
        assert not known.is_valid(wrong), wrong


def test_the_file_that_the_docs_show_is_one(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAPCHAT_CLIENT_SECRET", "x")
    page = (Path(__file__).parents[4] / "docs/how-to/configuration-as-code.md").read_text(encoding="utf-8")
    shown = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(made, Path(folder) / "w")
        with CDP.open(Path(folder) / "w") as cdp:
            text = shown[1].replace("lifetime_value", "value")
            cdp.configuration.apply(file="cdp.yaml", content=text.encode())
            assert not cdp.configuration.diff(file="cdp.yaml", content=text.encode()).changes
            # It is what would be written, but for who is an Administrator here.
            written = cdp.configuration.export().text
            assert written.partition("segments:")[2] == text.partition("segments:")[2]
            assert written.splitlines()[0] == text.splitlines()[0]
            jsonschema.Draft202012Validator(cdp.configuration.schema()).validate(yaml.safe_load(text))


def test_what_somebody_changes_while_the_question_is_open_is_not_written_over(made: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(made, Path(folder) / "w")
        with CDP.open(Path(folder) / "w") as cdp:
            cdp.segments.add("Theirs", where="value > 1")
            said = b"version: 1\nsegments: {Theirs: {where: value > 2}}"

            def meanwhile(_: ConfigDiff) -> bool:
                cdp.segments.edit("Theirs", where="value > 3")
                return True

            with pytest.raises(GateFault):
                cdp.configuration.apply(file="f", content=said, agree=meanwhile)
            assert cdp.segments.show("Theirs").where == "value > 3"
            assert cdp.configuration.apply(file="f", content=said).changes
            said = said.replace(b"> 2", b"> 4")
            with pytest.raises(UsageFault):
                cdp.configuration.apply(file="f", content=said, agree=lambda _: False)
            assert cdp.segments.show("Theirs").where == "value > 2"


def test_a_destination_that_does_not_go_over_its_connection_is_said(made: Path) -> None:
    said = """version: 1
segments: {A: {where: 'true'}}
connections:
  C: {type: webhook, settings: {api_url: https://a.example, add_path: /a, add_body: '{"ids": "$digests"}'}}
exports:
  E: {connection: C, segments: [A], settings: {audience_id: x},
      matching: [{kind: EMAIL, field: email}],
      destination: snapchat}
"""
    with CDP.open(made) as cdp:
        with pytest.raises(InvalidFault, match="over 'C' goes 'webhook', not 'snapchat'"):
            cdp.configuration.diff(file="f.yaml", content=said.encode())
        cdp.configuration.diff(file="f.yaml", content=said.replace("snapchat", "webhook").encode())


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ('segments: {"a\\x07b": {where: x}}', "control characters"),
        ("roles: {'': [viewer]}", "the person's name is empty"),
        ("roles: {anna: [veiwer]}", "there is no role 'veiwer'. Did you mean 'viewer'"),
        ("roles: {'a:b': [viewer]}", "holds a colon"),
        ("groups: {staff: [{role: viewer}]}", "one `connection` or one `segment`"),
        ("groups: {staff: [{role: viewer, connection: C, segment: A}]}", "one `connection` or one `segment`"),
        ("groups: {staff: [{role: viewer, conection: C}]}", "no such field"),
        ("groups: {staff: [{connection: C}]}", "missing data"),
        ("groups: {staff: [[viewer]]}", "a role's key, or a mapping"),
        ("roles: {anna: [{role: viewer, segment: A}]}", "there is no segment 'A'"),
        ("segments: {A: {where: x}, ' A': {where: y}}", "stands here twice"),
        ("schedule: {active: false}", "refresh needs"),
        ("schedule: {cron: ['0 2 * * *']}", "belong together"),
        ("schedule: {cron: ['0 2 * * *'], timezone: Europe/Amsterdm}", "no time zone"),
        ("segments: {A: {where: x, static: perhaps}}", "not a valid boolean"),
        ("segments: {A: }", "may not be null"),
        ("segments: [A]", "not a valid mapping"),
        ("exports: {E: {segments: [A]}}", "needs its `destination`"),
        ("exports: {E: {segments: [], destination: webhook}}", "shorter than minimum"),
        ("connections: {C: {type: snapchta}}", "did you mean 'snapchat'"),
        ("connections: {C: {type: webhook, settings: {auth: [a]}}}", "auth"),
    ],
)
def test_what_a_file_says_wrongly_is_said_in_words(made: Path, said: str, complaint: str) -> None:
    with CDP.open(made) as cdp, pytest.raises(InvalidFault) as fault:
        cdp.configuration.diff(file="f.yaml", content=f"version: 1\n{said}\n".encode())
    assert complaint.lower() in fault.value.message.lower()
    assert "f.yaml:2" in f"{fault.value.where} {fault.value.message}"
