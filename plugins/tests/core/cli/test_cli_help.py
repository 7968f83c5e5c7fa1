"""Help: quick, with an example everywhere, and a word on every option."""

from __future__ import annotations

import json
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from cdp_core.cli.main import run
from cdp_core.cli.root import NOUNS, cli

HEAVY = ("duckdb", "pyarrow", "sqlalchemy", "alembic", "requests", "marshmallow", "cryptography", "keyring")


def commands(
    command: click.Command = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group) and command.name != "simulate":
        context = click.Context(command, info_name="cdp")
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, (*path, name))


EVERY = list(commands())
IDS = [" ".join(path) or "cdp" for path, _ in EVERY]


@pytest.mark.parametrize(("path", "command"), EVERY, ids=IDS)
def test_every_command_shows_an_example_that_begins_with_cdp(
    path: tuple[str, ...], command: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run((*path, "--help")) == 0
    shown = capsys.readouterr().out
    _, found, example = shown.partition("Example:\n")
    assert found
    assert all(line.startswith("  cdp ") for line in example.strip("\n").splitlines())


@pytest.mark.parametrize(("path", "command"), EVERY, ids=IDS)
def test_every_option_and_command_has_help(path: tuple[str, ...], command: click.Command) -> None:
    assert command.help
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("path", [path for path, _ in EVERY if len(path) == 2], ids=" ".join)
def test_an_example_parses_as_the_command_it_stands_at(path: tuple[str, ...]) -> None:
    command = dict(EVERY)[path]
    for line in command.example.strip().splitlines():  # type: ignore[attr-defined]
        _, *words = shlex.split(line)
        assert tuple(words[:2]) == path
        command.make_context(path[-1], words[2:], resilient_parsing=True).close()


@pytest.mark.parametrize("name", NOUNS)
def test_the_list_of_nouns_says_what_the_noun_says_of_itself(name: str) -> None:
    command = dict(EVERY)[(name,)]
    summary = NOUNS[name][1]
    assert (command.help or "").startswith(summary.rstrip("."))


def test_help_is_printed_without_loading_anything_heavy(environ: dict[str, str]) -> None:
    code = (
        "import sys, json; from cdp_core.cli.main import run; run(['--help']);"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stderr))
    assert [name for name in HEAVY if name in loaded] == []
    assert not any(name.startswith("cdp_core.app") for name in loaded)


def test_help_comes_in_under_three_tenths_of_a_second(environ: dict[str, str]) -> None:
    """Of the processor's time: one thread that waits for nothing takes as long by the clock, unless the
    machine is busy with other tests. Without coverage, which would measure itself."""
    unmeasured = {name: value for name, value in environ.items() if not name.startswith("COV")}
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "cdp_core.cli.main", "--help"],
            env=unmeasured,
            capture_output=True,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(took) < 0.3


def test_help_of_a_noun_loads_no_plugin(environ: dict[str, str]) -> None:
    code = (
        "import sys; from cdp_core.cli.main import run; run(['export', '--help']);"
        "sys.exit('acme_cli' in sys.modules or 'duckdb' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, check=True)


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        installed = version("cdp-core")
    except PackageNotFoundError:
        pytest.skip("cdp-core is not installed as a distribution")
    assert run(["--version"]) == 0
    assert installed in capsys.readouterr().out
