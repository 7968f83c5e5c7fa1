"""Every form of profile source, in awkward places, and what is said where one cannot be read."""

from __future__ import annotations

import glob
import gzip
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp_core.engines import BUILT_IN_SOURCES
from cdp_core.engines.duckdb.faults import on_members, on_profiles
from cdp_core.engines.duckdb.sources import locate
from cdp_core.errors import Code, InvalidFault
from cdp_core.model.accounting import Reason
from cdp_core.model.configuration import ProfileSource, Segment

Make = Callable[..., Any]

ROWS = [("001", "Anna@example.org", 700), ("002", " boris@example.org", 20), ("003", None, 900)]
WANTED = {
    hashlib.sha256(b"anna@example.org").digest(): 1,
    hashlib.sha256(b"boris@example.org").digest(): 1,
    Reason.MISSING: 1,
}


def as_csv(rows: Iterable[tuple[object, ...]], delimiter: str = ",") -> bytes:
    lines = [("id", "email", "value"), *rows]
    return "".join(
        delimiter.join("" if each is None else str(each) for each in line) + "\n" for line in lines
    ).encode()


def as_json(rows: Iterable[tuple[object, ...]]) -> bytes:
    lines = [dict(zip(("id", "email", "value"), row, strict=True)) for row in rows]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def write(path: Path, rows: list[tuple[Any, ...]]) -> Path:
    """The rows in the form that the file's name asks for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith(".parquet"):
        columns = dict(zip(("id", "email", "value"), map(list, zip(*rows, strict=True)), strict=True))
        pq.write_table(pa.table(columns), path)
    else:
        content = as_json(rows) if "json" in path.name else as_csv(rows, "\t" if ".tsv" in path.name else ",")
        if path.name.endswith(".gz"):
            content = gzip.compress(content)
        if path.name.endswith(".zst"):
            with pa.output_stream(str(path), compression="zstd") as stream:
                stream.write(content)
        else:
            path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "name",
    ["p.parquet", "p.csv", "p.CSV", "p.tsv", "p.csv.gz", "p.csv.zst", "p.ndjson", "p.jsonl", "p.ndjson.gz"],
)
def test_a_file_of_each_form_is_read(name: str, open_engine: Make, identified: Make, tmp_path: Path) -> None:
    engine = open_engine(write(tmp_path / name, ROWS))
    selected, counts = identified(engine)
    assert (selected.profiles, selected.members, counts) == (3, 3, WANTED)
    assert engine.check_segment(Segment(id="1", name="big", where="value > 500")) == 2
    assert engine.check_segment(Segment(id="1", name="key", where="id = '001'")) == 1


@pytest.mark.parametrize("name", ["p.parquet", "p.csv", "p.ndjson"])
@pytest.mark.parametrize("folder", ["with space", "it's", "[brackets]{1}*?", "ünïcode", 'quo"te'])
def test_a_path_may_hold_whatever_a_path_may_hold(
    folder: str, name: str, open_engine: Make, identified: Make, tmp_path: Path
) -> None:
    path = write(tmp_path / folder / f"x{folder}{name}", ROWS)
    # What DuckDB would take the brackets to mean, read as a glob.
    if "[" in folder:
        write(tmp_path / folder / f"x{folder.replace('[brackets]', 'b')}{name}", [("9", "else@x.de", 1)])
    assert identified(open_engine(path))[1] == WANTED


@pytest.mark.parametrize("ending", ["parquet", "csv", "ndjson"])
def test_a_folder_and_a_glob_are_read_whole(
    ending: str, open_engine: Make, identified: Make, tmp_path: Path
) -> None:
    for at, row in enumerate(ROWS):
        write(tmp_path / "all" / f"day={at}" / f"part.{ending}", [row])
    (tmp_path / "all" / "_SUCCESS").touch()
    (tmp_path / "all" / ".hidden.csv").write_text("no")
    assert identified(open_engine(tmp_path / "all"))[1].total() == 3
    assert identified(open_engine(f"{tmp_path}/all/**/*.{ending}"))[1].total() == 3
    assert identified(open_engine(f"{tmp_path}/all/day=[01]/*.{ending}"))[1].total() == 2


@pytest.mark.parametrize("url", ["{}#people", "{}#main.people", "duckdb://{}#people", "{}#odd.table name"])
def test_a_table_of_a_duckdb_file_is_read_and_not_written(
    url: str, open_engine: Make, identified: Make, tmp_path: Path
) -> None:
    path = tmp_path / "it's [1].duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE SCHEMA odd; CREATE TABLE people (id TEXT, email TEXT, value INT)")
        connection.executemany("INSERT INTO people VALUES (?, ?, ?)", ROWS)
        connection.execute('CREATE TABLE odd."table name" AS FROM people')
    before = path.read_bytes()
    assert identified(open_engine(url.format(path)))[1] == WANTED
    assert path.read_bytes() == before


def test_a_duckdb_table_that_is_not_there_is_told_with_those_that_are(
    open_engine: Make, tmp_path: Path
) -> None:
    path = tmp_path / "p.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE people (id TEXT)")
    with pytest.raises(InvalidFault, match="no table 'persons'") as caught:
        open_engine(f"{path}#persons")
    assert "main.people" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.parquet", b"no parquet", "Parquet"),
        ("p.parquet", b"x" * 500, "Parquet"),
        ("p.duckdb#people", b"x" * 50_000, "DuckDB"),
        ("p.ndjson", b'{"id":"1","email":"secret@x.de"}\n{"id":"2","email":\n', "not JSON"),
        ("p.ndjson", b"", "no line is a JSON object"),
        ("p.ndjson", b"\n\n", "no line is a JSON object"),
        ("p.ndjson", b'[{"id":"1","email":"secret@x.de"}]\n', "no line is a JSON object"),
        ("p.csv.gz", b"not gzip", "cannot be opened"),
        ("p.xlsx", b"", "does not tell the form"),
    ],
)
def test_a_source_that_is_not_what_its_name_says_is_told(
    name: str, content: bytes, message: str, open_engine: Make, tmp_path: Path
) -> None:
    (tmp_path / name.partition("#")[0]).write_bytes(content)
    with pytest.raises(InvalidFault, match=message) as caught:
        open_engine(tmp_path / name)
    assert caught.value.code is Code.PROFILES_UNREADABLE
    assert "secret" not in repr((caught.value, caught.value.__context__, caught.value.hint))


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("p.parquet", b"", "cut short"),
        ("p.parquet", b"PAR1" + b"x" * 500, "cut short"),
        ("p.csv", b"id,email\n1,m\xfcller@x.de\n", "--option encoding=latin-1"),
    ],
)
def test_the_hint_fits_the_form(
    name: str, content: bytes, hint: str, open_engine: Make, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidFault) as caught:
        open_engine(tmp_path / name)
    assert hint in caught.value.hint


@pytest.mark.parametrize("before", [0, 1, 100_000])
def test_a_line_that_is_no_json_is_told_by_its_number(before: int, open_engine: Make, tmp_path: Path) -> None:
    path = tmp_path / "p.ndjson"
    path.write_text('{"id":"1","email":"a@b.de"}\n' * before + '{"id":\n{"id":"3","email":"a@b.de"}\n')
    with pytest.raises(InvalidFault, match="not JSON") as caught:
        open_engine(path)
    assert caught.value.where == f"{path}, line {before + 1}"


@pytest.mark.parametrize("ending", ["ndjson", "ndjson.gz", "jsonl.zst"])
@pytest.mark.parametrize(("bad", "told"), [('{"id":', "not JSON"), ('{"id":"2","value":"x"}', "type")])
def test_blank_lines_above_count_too(
    ending: str, bad: str, told: str, open_engine: Make, tmp_path: Path
) -> None:
    path = tmp_path / f"list[1].{ending}"
    lines = ["", '{"id":"1","value":1}', "", "  ", "\r", '{"id":"2","value":2}', "\t", bad, "", "{}"]
    with pa.output_stream(path, compression="detect") as file:
        file.write("\n".join(lines).encode())
    columns = "columns = {id: 'VARCHAR', value: 'BIGINT'}"
    read = f"read_json('{glob.escape(str(path))}', {columns}, format = 'newline_delimited')"
    with duckdb.connect() as connection, pytest.raises(InvalidFault, match=told) as caught:
        on_profiles(lambda: connection.execute(f"SELECT sum(value) FROM {read}").fetchall(), where="")
    assert caught.value.where == f"{path}, line {lines.index(bad) + 1}"
    if told == "not JSON":
        with pytest.raises(InvalidFault, match=told) as caught:
            open_engine(path)
        assert caught.value.where == f"{path}, line {lines.index(bad) + 1}"


def test_what_duckdb_calls_an_error_is_no_message_of_ours() -> None:
    def fail() -> None:
        raise duckdb.InternalException("something unheard of")

    with pytest.raises(InvalidFault) as caught:
        on_profiles(fail, where="p.csv")
    assert caught.value.message == "it cannot be read as what its name says"


@pytest.mark.parametrize("name", ["gone.parquet", "gone/", "gone*.csv"])
def test_a_source_that_is_not_there_is_told(name: str, open_engine: Make, tmp_path: Path) -> None:
    with pytest.raises(InvalidFault) as caught:
        open_engine(tmp_path / name)
    assert caught.value.code is Code.PROFILES_UNREADABLE
    assert "gone" in caught.value.where


@pytest.mark.parametrize("name", ["all", "all/**", "all/*/*.csv", "all/**/*.csv"])
def test_a_link_is_followed_and_what_it_leads_to_is_read_once(
    name: str, open_engine: Make, identified: Make, tmp_path: Path
) -> None:
    write(tmp_path / "elsewhere" / "a.csv", ROWS)
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "one").symlink_to(tmp_path / "elsewhere")
    assert identified(open_engine(tmp_path / name))[1] == WANTED


@pytest.mark.parametrize("name", ["all", "all/**", "all/**/*.csv", "all/*/b/*.csv", "all/[a]/?/*.csv"])
def test_a_file_that_is_reached_in_several_ways_is_read_once(
    name: str, open_engine: Make, identified: Make, tmp_path: Path
) -> None:
    write(tmp_path / "all" / "a" / "b" / "p.csv", ROWS)
    for link, target in (("a/round", "all"), ("again", "all/a"), ("a/and again", "all/a/b")):
        (tmp_path / "all" / link).symlink_to(tmp_path / target)
    (tmp_path / "all" / "a" / "b" / "latest.csv").symlink_to("p.csv")
    assert identified(open_engine(tmp_path / name))[1] == WANTED


@pytest.mark.parametrize("name", ["all", "all/*.csv", "all/**/*.csv", "all/gone.csv"])
def test_a_link_that_leads_nowhere_is_told_and_not_passed_over(
    name: str, open_engine: Make, tmp_path: Path
) -> None:
    write(tmp_path / "all" / "a.csv", ROWS)
    (tmp_path / "all" / "gone.csv").symlink_to("nowhere.csv")
    with pytest.raises(InvalidFault, match="leads to nothing") as caught:
        open_engine(tmp_path / name)
    assert caught.value.where == str(tmp_path / "all" / "gone.csv")
    assert "nowhere.csv" in caught.value.hint


@pytest.mark.parametrize("name", ["all", "all/**", "all/*/*.csv", "all/*/p.csv", "all/**/*.csv"])
def test_a_link_to_a_folder_that_is_gone_is_told(name: str, open_engine: Make, tmp_path: Path) -> None:
    write(tmp_path / "all" / "one" / "p.csv", ROWS)
    (tmp_path / "all" / "two").symlink_to(tmp_path / "unmounted")
    with pytest.raises(InvalidFault, match="leads to nothing") as caught:
        open_engine(tmp_path / name)
    assert caught.value.where == str(tmp_path / "all" / "two")


def test_a_glob_takes_what_the_shell_takes(tmp_path: Path) -> None:
    for name in ("a.csv", "_b.csv", ".c.csv", "d/e.csv", "_f/g.csv", ".h/i.csv", "[j].csv", "d/k/l.csv"):
        write(tmp_path / "all" / name, ROWS)

    def found(pattern: str) -> set[str]:
        located = locate(ProfileSource(url=f"{tmp_path}/{pattern}", key="id", options={}))
        return {str(path.relative_to(tmp_path / "all")) for path in located.files}

    assert found("all") == {"a.csv", "d/e.csv", "d/k/l.csv", "[j].csv"}
    for pattern in (
        "all/*.csv",
        "all/**",
        "all/**/*.csv",
        "all/.*",
        "all/.*/*",
        "all/*/*/l.csv",
        "all/[!a]*.csv",
    ):
        listed = glob.glob(f"{tmp_path}/{pattern}", recursive=True)  # noqa: PTH207 - the oracle
        files = {str(Path(each).relative_to(tmp_path / "all")) for each in listed if Path(each).is_file()}
        assert found(pattern) == files
    assert found("all/[j].csv") == {"[j].csv"}


@pytest.mark.parametrize("name", ["p.csv", "all"])
def test_a_pipe_is_no_source(name: str, open_engine: Make, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    for pipe in (tmp_path / "p.csv", tmp_path / "all" / "p.csv"):
        os.mkfifo(pipe)
    with pytest.raises(InvalidFault, match="no file"):
        open_engine(tmp_path / name)


@contextmanager
def nobody_special() -> Iterator[None]:
    """Root may read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("mode", [0, 0o744], ids=["closed", "listed"])
@pytest.mark.parametrize(
    ("name", "closed", "told"),
    [
        ("**/p.csv", "sub", ""),
        ("", "sub", ""),
        ("**", "sub", ""),
        ("*/**", "sub", ""),
        ("**/*.csv", "sub", ""),
        ("*/*.csv", "sub", ""),
        ("s*/p.csv", "sub", ""),
        ("sub/*", "sub", ""),
        ("sub/p.csv", "sub", ""),
        ("", "sub/p.csv", "/sub/p.csv"),
        ("*/p.csv", "sub/p.csv", "/sub/p.csv"),
        ("sub/p.csv", "sub/p.csv", "/sub/p.csv"),
    ],
)
def test_what_may_not_be_read_is_told_and_not_passed_over(
    name: str, closed: str, told: str, mode: int
) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        for place in (folder / "p.csv", folder / "sub" / "p.csv"):
            write(place, ROWS)
        (folder / closed).chmod(mode if (folder / closed).is_dir() else 0)
        url = f"{made}/{name}".rstrip("/")
        try:
            with nobody_special(), pytest.raises(InvalidFault, match="permission denied") as caught:
                locate(ProfileSource(url=url, key="id", options={}))
        finally:
            (folder / closed).chmod(0o755)
        assert caught.value.where.startswith(f"{made}/sub")
        assert caught.value.where.endswith(told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"garbage and more garbage", "it is not a Parquet file"),
        (b"", "it is too small to be a Parquet file"),
        (None, "it has no column "),
    ],
)
def test_a_file_among_others_that_is_not_like_them_is_named(
    content: bytes | None, told: str, open_engine: Make, identified: Make, tmp_path: Path
) -> None:
    first = write(tmp_path / "all" / "a.parquet", ROWS)
    other = tmp_path / "all" / "b.parquet"
    if content is None:
        pq.write_table(pa.table({"foo": [1]}), other)
    else:
        other.write_bytes(content)
    engine = open_engine(tmp_path / "all")
    asks: tuple[Callable[[], object], ...] = (
        lambda: identified(engine),
        lambda: engine.check_segment(Segment(id="1", name="A", where="id > '0' AND value >= 0")),
    )
    for ask in asks:
        with pytest.raises(InvalidFault) as caught:
            ask()
        assert caught.value.code is Code.PROFILES_UNREADABLE
        assert caught.value.message.startswith(told)
        assert caught.value.where == str(other)
    assert content is not None or str(first) in caught.value.hint


def test_files_of_several_forms_are_refused(open_engine: Make, tmp_path: Path) -> None:
    write(tmp_path / "all" / "a.csv", ROWS)
    write(tmp_path / "all" / "b.parquet", ROWS)
    with pytest.raises(InvalidFault, match="several forms"):
        open_engine(tmp_path / "all")


@pytest.mark.parametrize("name", ["p.parquet", "p.csv", "p.ndjson"])
def test_a_key_that_is_not_there_is_told_with_the_columns(
    name: str, open_engine: Make, tmp_path: Path
) -> None:
    with pytest.raises(InvalidFault, match="'customer'") as caught:
        open_engine(write(tmp_path / name, ROWS), key="customer")
    assert caught.value.code is Code.KEY_MISSING
    assert "email" in caught.value.hint


def test_leading_zeros_of_the_key_survive_in_every_form(open_engine: Make, tmp_path: Path) -> None:
    for name in ("p.parquet", "p.csv", "p.ndjson"):
        engine = open_engine(write(tmp_path / name, ROWS))
        assert engine.columns()[0].type == "VARCHAR"
        assert (
            engine.check_segment(Segment(id="1", name="k", sql="SELECT id FROM profiles WHERE id = '003'"))
            == 1
        )


def test_the_engine_takes_files_and_leaves_urls_to_others() -> None:
    spec = BUILT_IN_SOURCES[0]
    assert all(map(spec.accepts, ("p.parquet", "/a/*.csv", "C:\\p.csv", "p.duckdb#t", "file:///p.csv")))
    assert not any(map(spec.accepts, ("postgresql://host/db", "s3://bucket/p.parquet")))


def test_json_types_are_learned_from_every_line_and_text_stays_as_written(
    open_engine: Make, identified: Make, tmp_path: Path
) -> None:
    path = tmp_path / "p.ndjson"
    many = [
        {"id": n, "email": "x@y.de", "value": n, "device": "6D92078A-8246-4BA4-AE5B-76104861E7DC"}
        for n in range(3)
    ]
    path.write_text(
        "".join(json.dumps(line) + "\n" for line in [*many, {"id": "a", "email": 5, "value": 1.5}])
    )
    engine = open_engine(path)
    assert {column.name: column.type for column in engine.columns()} == {
        "id": "VARCHAR",
        "email": "VARCHAR",
        "value": "DOUBLE",
        "device": "VARCHAR",
    }
    assert engine.check_segment(Segment(id="1", name="up", where="device = upper(device)")) == 3
    assert identified(engine)[1] == {hashlib.sha256(b"x@y.de").digest(): 3, Reason.MALFORMED: 1}


@pytest.mark.parametrize("name", [f"{'9' * 5000}.parquet", f"{'9' * 5000}.duckdb#t", "\0.parquet", "\0*.csv"])
def test_a_name_that_no_file_can_have_is_refused_in_words(tmp_path: Path, name: str) -> None:
    source = ProfileSource(url=f"{tmp_path}/{name}", key="id", options={})
    with pytest.raises(InvalidFault) as refused:
        locate(source)
    assert refused.value.code is Code.PROFILES_UNREADABLE


@pytest.mark.parametrize(
    "value",
    ['Failed to read file "anna@example.org"', "No magic bytes found at end of file 'anna@example.org'"],
)
def test_a_value_that_reads_like_a_message_is_not_repeated(value: str) -> None:
    def fail() -> None:
        raise duckdb.ConversionException(f"Conversion Error: Could not convert string '{value}' to INT64")

    with pytest.raises(InvalidFault) as caught:
        on_members(fail, url="p.parquet", segments="segment 'A'")
    assert caught.value.code is Code.SEGMENT_INVALID
    assert "anna" not in str(caught.value) + caught.value.where + caught.value.hint
