"""CSV: a declared dialect, no guess from a sample, no row lost in silence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdp_core.errors import Code, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import Segment

Make = Callable[..., Any]


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "people.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def types(engine: Any) -> dict[str, str]:
    return {column.name: column.type for column in engine.columns()}


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def test_a_quoted_newline_is_part_of_its_value(open_engine: Make, identified: Make, csv: Make) -> None:
    rows = "".join(f'{n},"a{n}@b.de","first\nsecond"\n' for n in range(50))
    selected, counts = identified(open_engine(csv("id,email,note\n" + rows)))
    assert (selected.profiles, counts.total()) == (50, 50)
    assert Reason.MALFORMED not in counts


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("id,email\n1,a@b.de\n2\n3,secret@x.de\n", 3, "1 columns where the header has 2"),
        ("id,email\n1,a@b.de\n2,secret@x.de,secret\n", 3, "3 columns where the header has 2"),
        ('id,email\n1,"secret@x.de\n2,b\n', 2, "quote"),
        ('id,email\n1,"a@b.de"secret\n', 2, "quote"),
        (b"id,email\n1,secret\xff@b.de\n", 2, "UTF-8"),
    ],
)
def test_a_broken_row_is_told_by_file_and_line_and_without_its_values(
    content: str | bytes, line: int, message: str, open_engine: Make, csv: Make
) -> None:
    path = csv(content)
    with pytest.raises(InvalidFault, match=message) as caught:
        open_engine(path)
    assert caught.value.code is Code.PROFILES_UNREADABLE
    assert caught.value.where == f"{path}, line {line}"
    told = caught.value
    assert "secret" not in repr((told, told.__context__, told.__cause__, told.where, told.hint))


@pytest.mark.parametrize(
    ("content", "message"), [("", "the file is empty"), ("\nid,email\n", "the first line is empty")]
)
def test_a_file_without_a_header_is_told(content: str, message: str, open_engine: Make, csv: Make) -> None:
    with pytest.raises(InvalidFault, match=message) as caught:
        open_engine(csv(content))
    assert caught.value.code is Code.PROFILES_UNREADABLE


def test_a_condition_on_a_file_without_rows_is_told_that_types_are_unknown(
    open_engine: Make, csv: Make
) -> None:
    engine = open_engine(csv("id,email,value\n"))
    with pytest.raises(InvalidFault, match="Cannot compare") as caught:
        engine.check_segment(Segment(id="1", name="Some", where="value > 500"))
    assert "has no rows" in caught.value.hint


def test_a_broken_row_far_down_is_found_too(open_engine: Make, csv: Make) -> None:
    rows = "".join(f"{n},a{n}@b.de\n" for n in range(200_000))
    with pytest.raises(InvalidFault, match="columns") as caught:
        open_engine(csv("id,email\n" + rows + "7\n" + rows))
    assert caught.value.where.endswith(", line 200002")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_usual_delimiters_are_told_apart_by_the_key_column(
    delimiter: str, open_engine: Make, identified: Make, csv: Make
) -> None:
    path = csv(f"email{delimiter}id\na@b.de{delimiter}1\n")
    assert identified(open_engine(path))[1] == {digest("a@b.de"): 1}


def test_a_declared_dialect_is_kept_to(open_engine: Make, identified: Make, csv: Make) -> None:
    path = csv("id~email\n1~'a~b@c.de'\n2~'it''s@c.de'\n")
    counts = identified(open_engine(path, delimiter="~", quote="'"))[1]
    assert counts == {digest("a~b@c.de"): 1, digest("it's@c.de"): 1}


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_declared_encoding_is_read(encoding: str, open_engine: Make, identified: Make, csv: Make) -> None:
    path = csv("id,email\n1,Jürgen@b.de\n".encode(encoding))
    assert identified(open_engine(path, encoding=encoding))[1] == {digest("jürgen@b.de"): 1}


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_data(
    open_engine: Make, identified: Make, csv: Make
) -> None:
    path = csv(b"\xef\xbb\xbfid,email\r\n1,a@b.de\r\n2,\r\n")
    assert identified(open_engine(path))[1] == {digest("a@b.de"): 1, Reason.MISSING: 1}


@pytest.mark.parametrize(
    ("option", "value"),
    [("encoding", "ebcdic"), ("quote", "''"), ("types", "value=MONEY"), ("types", "gone=DATE")],
)
def test_an_option_that_cannot_be_is_told(option: str, value: str, open_engine: Make, csv: Make) -> None:
    with pytest.raises(InvalidFault) as caught:
        open_engine(csv("id,email,value\n1,a,2\n"), **{option: value})
    assert caught.value.code is Code.PROFILES_UNREADABLE


@pytest.mark.parametrize("header", ["id,email,email", "id,email,"])
def test_a_header_must_name_each_column_once(header: str, open_engine: Make, csv: Make) -> None:
    with pytest.raises(InvalidFault, match=r"twice|no name"):
        open_engine(csv(f"{header}\n1,2,3\n"))


def test_files_with_other_headers_are_refused(open_engine: Make, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,email\n1,a@b.de\n")
    (tmp_path / "b.csv").write_text("email,id\na@b.de,1\n")
    with pytest.raises(InvalidFault, match="header differs") as caught:
        open_engine(f"{tmp_path}/*.csv")
    assert "b.csv" in caught.value.where


def test_a_column_has_a_type_only_if_every_value_is_written_like_it(open_engine: Make, csv: Make) -> None:
    first = "\n".join(
        f"{n},{n},{n}.5,2026-01-{n % 28 + 1:02},2026-01-01T10:00,true,{n},{n},," for n in range(5_000)
    )
    path = csv(
        f"id,whole,part,day,moment,truth,zip,late,none\n{first[:-1]}\n5000,1,1e3,,,False,00123,soon,\n".replace(
            ",,\n", ",\n"
        )
    )
    assert types(open_engine(path)) == {
        "id": "VARCHAR",
        "whole": "BIGINT",
        "part": "DOUBLE",
        "day": "DATE",
        "moment": "TIMESTAMP",
        "truth": "BOOLEAN",
        "zip": "VARCHAR",
        "late": "VARCHAR",
        "none": "VARCHAR",
    }


def test_segments_compare_typed_columns_and_declared_types_win(open_engine: Make, csv: Make) -> None:
    path = csv("id,value,zip\n1,700.5,10115\n2,90,20095\n3,,1067\n")
    engine = open_engine(path, types="zip=VARCHAR")
    assert types(engine)["zip"] == "VARCHAR"
    assert engine.check_segment(Segment(id="1", name="big", where="value > 500")) == 1
    assert engine.check_segment(Segment(id="1", name="east", where="zip LIKE '1%'")) == 2
    assert (
        engine.check_segment(Segment(id="1", name="sql", sql="SELECT id FROM profiles WHERE value < 500"))
        == 1
    )


def test_an_identifier_is_the_text_in_the_file_whatever_type_its_column_has(
    open_engine: Make, identified: Make, csv: Make
) -> None:
    hashed = "1" * 64
    path = csv(f"id,email,value\n1,1.50,1.50\n2,{hashed},2\n")
    selected, counts = identified(open_engine(path), Segment(id="1", name="all", where="value > 0"))
    assert selected.members == 2
    assert counts == {Reason.MALFORMED: 1, bytes.fromhex(hashed): 1}


def test_a_file_without_rows_has_no_profiles(open_engine: Make, identified: Make, csv: Make) -> None:
    selected, counts = identified(open_engine(csv("id,email\n")))
    assert (selected.profiles, selected.members, counts.total()) == (0, 0, 0)
