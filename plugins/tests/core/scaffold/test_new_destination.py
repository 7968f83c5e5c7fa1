"""`cdp new-destination` as it is typed: what it writes, what it refuses, and what it leaves behind."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdp_core.cli.main import run
from cdp_core.errors import Code, InvalidFault
from cdp_core.scaffold.project import AUTHS, LONGEST, OWN_WORDS, Project, checked
from cdp_core.scaffold.rendering import rendered
from cdp_core.scaffold.writing import write

KINDS = list(itertools.product(AUTHS, (False, True)))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_project_is_written_with_what_it_lists(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["new-destination", "acme-ads"]) == 0
    listed = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert {f"cdp-acme-ads/{path}" for path in files_in(here / "cdp-acme-ads")} == set(listed)
    assert [path.name for path in here.iterdir()] == ["cdp-acme-ads"]
    assert "cdp_acme_ads/sign_in.py" not in files_in(here / "cdp-acme-ads")


def test_a_dry_run_lists_the_same_and_writes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["new-destination", "acme", "--auth", "oauth2", "--dry-run"]) == 0
    would = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert list(here.iterdir()) == []
    assert run(["new-destination", "acme", "--auth", "oauth2"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")] == would
    assert "cdp_acme/sign_in.py" in files_in(here / "cdp-acme")


def test_it_is_written_where_it_is_wanted(here: Path) -> None:
    (here / "plug ins").mkdir()
    assert run(["new-destination", "acme", "--output", "plug ins"]) == 0
    assert (here / "plug ins/cdp-acme/pyproject.toml").is_file()


def test_the_folder_is_as_open_as_any_other(here: Path) -> None:
    assert run(["new-destination", "acme"]) == 0
    (here / "other").mkdir()
    assert (here / "cdp-acme").stat().st_mode == (here / "other").stat().st_mode


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("snapchat", "CDP-309", "a plugin that is installed brings 'snapchat' already"),
        ("files-records", "CDP-309", "a plugin that is installed brings 'files_records' already"),
        ("core", "CDP-309", "a Python package cdp_core is installed already"),
        ("Acme Corp", "CDP-322", "cdp new-destination acme-corp"),
        ("acme_ads", "CDP-322", "cdp new-destination acme-ads"),
        ("../acme", "CDP-322", "cdp new-destination acme"),
        ("9acme", "CDP-322", "cdp new-destination acme"),
        ("", "CDP-322", "cdp new-destination acme"),
        ("class", "CDP-322", "class is a word of Python's own"),
        ("none", "CDP-322", "none is a word of Python's own"),
        ("app", "CDP-322", "cdp new-destination app-ads"),
        ("sign-in", "CDP-322", "sign-in means something else in what is written"),
        ("conformance", "CDP-322", "cdp new-destination conformance-ads"),
        ("cdp-acme", "CDP-322", "mend: cdp new-destination acme"),
        ("a" * (LONGEST + 1), "CDP-322", f"{LONGEST} are the most"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, code: str, said: str
) -> None:
    assert run(["new-destination", name]) == 3
    told = capsys.readouterr().err
    assert f"error {code}: " in told
    assert said in told
    assert list(here.iterdir()) == []


def test_a_plugin_that_is_half_written_keeps_nobody_from_another(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    about = here / "cdp_half-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: cdp-half\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[cdp]\nhalf = cdp_half_written\n")
    (here / "cdp_half_written.py").write_text(
        "import cdp_core\n\n\n@cdp_core.hookimpl\ndef cdp_export_destinations():\n"
        "    raise NotImplementedError\n"
    )
    monkeypatch.syspath_prepend(here)
    assert run(["new-destination", "acme", "--dry-run"]) == 0
    assert run(["new-destination", "half"]) == 3
    assert "brings 'half' already" in capsys.readouterr().err


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_nothing_is_written_over(here: Path, capsys: pytest.CaptureFixture[str], there: str) -> None:
    place = here / "cdp-acme"
    if there == "folder":
        place.mkdir()
    elif there == "file":
        place.write_text("mine")
    else:
        place.symlink_to("nowhere")
    assert run(["new-destination", "acme"]) == 3
    assert "CDP-309: there is something named cdp-acme already" in capsys.readouterr().err
    assert list(here.rglob("*")) == [place]


def test_a_folder_that_is_not_there_is_not_made(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["new-destination", "acme", "--output", "nowhere", "--dry-run"]) == 3
    assert "CDP-310: there is no such folder" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_a_folder_that_takes_nothing_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In /proc not even the system's own administrator makes one."""
    assert run(["new-destination", "acme", "--output", "/proc"]) == 3
    said = capsys.readouterr().err
    assert "CDP-320: the project cannot be written" in said
    assert "where: /proc" in said


def test_a_disk_that_fills_up_leaves_nothing_behind(here: Path) -> None:
    """The system ends a file at 2,000 bytes, as a full disk would."""
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000));"
        "from cdp_core.cli.main import main; main()"
    )
    words = [sys.executable, "-B", "-c", code, "new-destination", "acme"]
    done = subprocess.run(words, cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "CDP-320" in done.stderr
    assert list(here.iterdir()) == []


def test_without_jinja2_the_extra_is_named(here: Path) -> None:
    hidden = "import sys; sys.modules['jinja2'] = None; from cdp_core.cli.main import main; main()"
    words = [sys.executable, "-c", hidden, "new-destination", "acme"]
    done = subprocess.run(words, cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert 'mend: pip install "cdp-core[testing]"' in done.stderr
    assert list(here.iterdir()) == []


def test_ctrl_c_leaves_nothing_behind(here: Path) -> None:
    """It is pressed while the fourth file is written."""
    code = (
        "import os, pathlib, signal\n"
        "before, written = pathlib.Path.write_text, []\n"
        "def write_text(path, *args, **more):\n"
        "    written.append(path)\n"
        "    if len(written) == 4: os.kill(os.getpid(), signal.SIGINT)\n"
        "    return before(path, *args, **more)\n"
        "pathlib.Path.write_text = write_text\n"
        "from cdp_core.cli.main import main; main()"
    )
    words = [sys.executable, "-c", code, "new-destination", "acme"]
    done = subprocess.run(words, cwd=here, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")
    assert list(here.iterdir()) == []


def test_who_comes_first_keeps_the_place(here: Path) -> None:
    """Two write the same at once: one is told that it is there."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "cdp_core.cli.main", "new-destination", "acme"],
            cwd=here,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    ended = sorted(process.wait(60) for process in started)
    for process in started:
        process.communicate()
    assert ended == [0, 3]
    assert [path.name for path in here.iterdir()] == ["cdp-acme"]


def test_who_is_quicker_by_a_moment_is_named_too(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def outrun(made: Path, folder: Path) -> Path:
        folder.mkdir()
        (folder / "README.md").write_text("theirs")
        return rename(made, folder)

    monkeypatch.setattr(Path, "rename", outrun)
    with pytest.raises(InvalidFault) as caught:
        write({"README.md": "ours"}, here / "cdp-acme")
    assert caught.value.code is Code.NAME_TAKEN
    assert (here / "cdp-acme" / "README.md").read_text() == "theirs"
    assert [path.name for path in here.iterdir()] == ["cdp-acme"]


@pytest.mark.parametrize("name", ["a", "acme", "averyveryverylong-name-x"])
def test_a_name_of_any_length_keeps_the_lines_in_form(here: Path, name: str) -> None:
    """What is written is formatted already, whatever stands in it: shortest, usual and longest names."""
    for auth, records in KINDS:
        folder = here / f"{auth}-{records}"
        folder.mkdir()
        project = Project(name=name, auth=auth, records=records)
        write(rendered(project), folder / project.distribution)
    for words in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache", "."]
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_longest_name_is_one_of_those() -> None:
    assert len("averyveryverylong-name-x") == LONGEST
    assert checked(Project(name="a" * LONGEST, auth="none"), ())
    with pytest.raises(InvalidFault):
        checked(Project(name="a" * LONGEST + "b", auth="none"), ())


def bound(source: str) -> set[str]:
    """What a module calls something by a name of capitals and small letters, as classes are."""
    tree = ast.parse(source)
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return {name for name in found if re.fullmatch(r"([A-Z][a-z0-9]*)+", name) and not name.isupper()}


def meant_twice(source: str) -> Iterator[str]:
    """What Acme's service must not be called instead, since a class would have the name of another thing."""
    names = bound(source)
    for before, _, after in (name.partition("Acme") for name in names if "Acme" in name):
        for name in names:
            inner = name.removeprefix(before).removesuffix(after)
            if name == f"{before}{inner}{after}" and inner and "Acme" not in inner:
                yield inner


def test_the_words_that_no_service_can_be_called_are_those_that_would_mean_two_things() -> None:
    found = {
        word
        for auth, records in KINDS
        for path, text in rendered(Project(name="acme", auth=auth, records=records)).items()
        if path.endswith(".py")
        for word in meant_twice(text)
    }
    # Its own tests would have the place of the suite's.
    assert found | {"Conformance"} == OWN_WORDS


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_only_what_is_public_is_imported(kind: tuple[str, bool]) -> None:
    project = Project(name="acme", auth=kind[0], records=kind[1])  # type: ignore[arg-type]
    public = {"cdp_core", "cdp_core.simulate", "cdp_core.testing"}
    for path, text in rendered(project).items():
        if path.endswith(".py"):
            ours = {name for name in imported(text) if name.startswith("cdp_core")}
            assert ours <= public, path


def test_it_asks_for_the_core_whose_promises_it_was_written_to() -> None:
    written = rendered(Project(name="acme", auth="none"))["pyproject.toml"]
    document = tomllib.loads(written)["project"]
    assert document["dependencies"][0] == "cdp-core>=0.1,<0.2"
    assert document["entry-points"] == {"cdp": {"acme": "cdp_acme.plugin"}}


def test_no_text_is_left_to_be_filled_in() -> None:
    for auth, records in KINDS:
        for path, text in rendered(Project(name="acme", auth=auth, records=records)).items():
            assert not [mark for mark in ("{%", "TODO", "FIXME") if mark in text], path
            assert text == "" or text.endswith("\n"), path
            assert not text.endswith("\n\n"), path
            assert not [line for line in text.splitlines() if line != line.rstrip()], path
