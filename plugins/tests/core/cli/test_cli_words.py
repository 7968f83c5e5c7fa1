"""Words for people: nothing that a person or a service wrote disturbs the terminal."""

from __future__ import annotations

import shlex
import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from cdp_core.cli.render.console import console
from cdp_core.cli.render.tables import Details, Listing
from cdp_core.cli.render.words import (
    STYLES,
    counted,
    duration,
    moment,
    percent,
    plain,
    plain_lines,
    quoted,
    shown_word,
)
from cdp_core.model.names import as_typed
from cdp_core.model.run import RunStatus


@given(st.text())
def test_plain_text_is_one_printable_line(text: str) -> None:
    assert plain(text).isprintable()


@given(st.text())
def test_printable_text_is_left_as_it_is(text: str) -> None:
    if text.isprintable():
        assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ann\x1b[31m", "Ann [31m"),
        ("two\nlines", "two lines"),
        ("right\u202eto left", "right to left"),
        (None, ""),
        (7, "7"),
    ],
)
def test_control_characters_become_spaces(text: object, shown: str) -> None:
    assert plain(text) == shown


def test_a_text_keeps_its_lines_and_nothing_else() -> None:
    assert plain_lines("one\n\ntwo\x07") == "one\n\ntwo"


@pytest.mark.parametrize(
    ("name", "typed"),
    [("Snapchat EU", '"Snapchat EU"'), ("it's", "'it'\"'\"'s'"), ("$HOME", "'$HOME'"), ('"', "'\"'")],
)
def test_a_name_is_quoted_as_one_types_it(name: str, typed: str) -> None:
    assert quoted(name) == typed


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (184, "3 min 04 s"), (7500, "2 h 05 min")],
)
def test_durations_are_short(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_numbers_read_as_people_write_them() -> None:
    assert counted(1, "member") == "1 member"
    assert counted(12345, "member") == "12,345 members"
    assert percent(1, 3) == "33.3 %"
    assert percent(0, 0) == ""
    assert moment(None) == ""
    assert moment(datetime(2026, 1, 2, tzinfo=UTC)).startswith("2026-01-0")


@pytest.mark.parametrize("status", RunStatus)
def test_every_status_has_a_word(status: RunStatus) -> None:
    assert shown_word(status.shown) in {
        "Successful",
        "Failed",
        "Canceled",
        "Processing",
        "Planned",
        "Skipped",
        "Waiting for approval",
    }
    assert shown_word(status.shown) in STYLES


def shown(piece: object, *, width: int | None = None) -> str:
    import io

    stream = io.StringIO()
    target = console(stream)
    if width is not None:
        from rich.console import Console

        target = Console(file=stream, width=width, force_terminal=True, color_system=None)
    target.print(piece)
    return stream.getvalue()


def test_markup_in_a_cell_is_shown_letter_by_letter() -> None:
    listing = Listing(("Name",), [("[red]not red[/]",)])
    assert "[red]not red[/]" in shown(listing)
    assert "[red]not red[/]" in shown(listing, width=60)


def test_a_row_is_one_line_where_there_is_no_terminal() -> None:
    long = "a condition " * 60
    lines = shown(Listing(("Name", "Condition"), [("x", long)], texts=("Condition",))).splitlines()
    assert len(lines) == 2
    assert long.strip() in lines[1]


def test_a_list_too_wide_for_the_terminal_becomes_blocks_and_loses_nothing() -> None:
    listing = Listing(
        ("Run", "Status", "Remarks"), [("r" * 40, "Successful", "all well")], texts=("Remarks",)
    )
    narrow = shown(listing, width=40)
    assert "r" * 40 in narrow
    assert "Successful" in narrow
    assert "all well" in narrow
    assert "───" not in narrow
    assert "───" in shown(listing, width=100)


def test_an_empty_list_says_what_to_do() -> None:
    assert "add one" in shown(Listing(("Name",), [], empty="Nothing yet: add one"))


def test_details_leave_out_what_has_no_value() -> None:
    text = shown(Details("Thing", [("Here", "yes"), ("Gone", ""), ("Styled", Text("so", style="red"))]))
    assert "Here" in text
    assert "Gone" not in text
    assert "so" in text


def test_a_text_column_with_nothing_to_tell_is_left_out_on_a_terminal_only() -> None:
    listing = Listing(("Name", "Why"), [("acme", "")], texts=("Why",))
    assert "Why" not in shown(listing, width=80)
    assert "Why" in shown(listing)


@given(st.text(st.characters(exclude_categories=["C"]), min_size=1))
def test_a_shell_reads_a_typed_name_as_that_name(name: str) -> None:
    assert shlex.split(as_typed(name)) == [name]


@pytest.mark.parametrize("name", ["$(id)", "`id`", "a$HOME", 'say "hi"', "it's", "a\\", "hey!"])
def test_a_real_shell_runs_nothing_out_of_a_typed_name(name: str) -> None:
    said = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {as_typed(name)}"], capture_output=True, text=True, check=True
    )
    assert said.stdout == name
