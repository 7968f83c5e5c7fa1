"""The command line in Dutch and Danish: real processes, with the language from the environment or typed."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from marshmallow import fields

from cdp_core.cli import language
from cdp_core.cli.language import of_environment
from cdp_core.cli.main import run
from cdp_core.contract.schemas import SettingsSchema, settings_of

Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def process(environ: dict[str, str], home: Path) -> Process:
    """A `cdp` of its own, with what is given on top of the environment."""

    def typed(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cdp_core.cli.main", *words],
            env=environ | more,
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )

    return typed


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({}, "en"),
        ({"LANG": "nl_NL.UTF-8"}, "nl"),
        ({"LANG": "nl-BE"}, "nl"),
        ({"LANG": "da_DK@euro"}, "da"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "nl_NL.UTF-8", "LC_MESSAGES": "da_DK.UTF-8"}, "da"),
        ({"LANG": "nl_NL.UTF-8", "LC_MESSAGES": "da_DK", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "nl_NL.UTF-8", "LC_ALL": ""}, "nl"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "fr:da:nl"}, "da"),
        ({"LANG": "da_DK.UTF-8", "LANGUAGE": "en_GB:en"}, "en"),
        ({"LANG": "C", "LANGUAGE": "nl"}, "en"),
        ({"LANGUAGE": "nl"}, "nl"),
    ],
)
def test_the_environment_is_read_as_gettext_reads_it(environment: dict[str, str], spoken: str) -> None:
    assert of_environment(environment) == spoken


def test_help_is_in_the_language_of_the_environment(process: Process) -> None:
    shown = process("export", "add", "--help", LANG="nl_NL.UTF-8").stdout
    assert shown.startswith("Gebruik: cdp export add [OPTIONS] [NAME]\n")
    assert "Voeg een export toe. Er wordt niets verzonden" in shown
    assert "Laat een nieuwe doelgroep maken bij de service." in shown
    assert "\nOpties:\n" in shown
    assert "\nVoorbeeld:\n  cdp export add" in shown
    assert "Toon dit bericht en stop." in shown


def test_what_is_typed_goes_before_the_environment(process: Process) -> None:
    shown = process("--language", "da", "connection", "--help", LANG="nl_NL.UTF-8").stdout
    assert "Tilføj en forbindelse til en tjeneste" in shown
    assert "verbinding" not in shown
    for root in (process("--language", "da", "--help"), process("--help", "--language", "da")):
        assert "Tjenester, som data må sendes til" in root.stdout
    assert "Usage" in process("--language", "en", "--help", LANG="nl_NL.UTF-8").stdout


def test_a_language_that_is_not_spoken_is_english(process: Process) -> None:
    assert process("export", "--help", LANG="fr_FR.UTF-8").stdout == process("export", "--help").stdout


def test_english_reads_no_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "LOCALE", Path("/nowhere"))
    monkeypatch.setattr(language._Spoken, "language", "en")
    language._catalogue.cache_clear()
    assert run(("export", "--help")) == 0


def test_labels_and_sentences_are_translated_and_data_is_not(process: Process, export: str) -> None:
    shown = process("--language", "da", "connection", "show", "Acme EU").stdout
    assert re.search(r"^  Tjeneste +forbundet$", shown, re.MULTILINE)
    assert re.search(r"^  Bruges af +Loyal to Acme$", shown, re.MULTILINE)
    listed = process("--language", "nl", "export", "list").stdout
    headings = re.split(r"  +", listed.splitlines()[0])
    assert headings[:6] == ["Export", "Groep", "Type", "Modus", "Verbinding", "Status"]
    assert "nooit uitgevoerd" in listed
    planned = process("--language", "nl", "export", "plan", export)
    assert planned.stdout.startswith("Gepland  Loyal to Acme  in ")
    assert "Volgende stap: cdp export run" in planned.stdout
    assert "Voorbereiden…" in planned.stderr
    ran = process("--language", "da", "export", "run", export)
    assert ran.stdout.startswith("Fuldført  Loyal to Acme  på ")


def test_numbers_are_grouped_as_the_language_groups_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from cdp_core.cli.render.words import count, counted, percent

    monkeypatch.setattr(language._Spoken, "language", "nl")
    assert (count(1234567), percent(1, 8)) == ("1.234.567", "12,5 %")
    assert [counted(number, "member", "members") for number in (1, 2000)] == ["1 lid", "2.000 leden"]


DOCUMENTS = (
    ("connection", "list"),
    ("connection", "show", "Acme EU"),
    ("connection", "audiences", "Acme EU"),
    ("export", "list"),
    ("export", "show", "Loyal to Acme"),
    ("export", "history", "Loyal to Acme"),
    ("export", "show", "Nobody's"),
    ("export", "edit", "Loyal to Acme"),
)


@pytest.mark.parametrize("words", DOCUMENTS, ids=" ".join)
@pytest.mark.usefixtures("export")
def test_documents_and_errors_are_the_same_in_every_language(
    process: Process, words: tuple[str, ...]
) -> None:
    def told(spoken: str) -> tuple[int, str, str]:
        done = process("--language", spoken, *words, "--json")
        return done.returncode, done.stdout, done.stderr

    english = told("en")
    assert json.loads(english[1]) is not None
    assert (told("nl"), told("da")) == (english, english)


@pytest.mark.usefixtures("workspace")
def test_a_consent_that_is_missing_is_titled_for_people_in_theirs_and_in_documents_in_english(
    process: Process, cdp: Callable[..., object]
) -> None:
    cdp.add_connection()  # type: ignore[attr-defined]
    shown = process("--language", "nl", "connection", "show", "Acme EU").stdout
    assert "ontbreekt: Gegevens verlaten uw bedrijf" in shown
    documents = {
        process("--language", spoken, "connection", "show", "Acme EU", "--json").stdout
        for spoken in language.LANGUAGES
    }
    assert len(documents) == 1
    assert "Data leaves your company" in documents.pop()


@pytest.mark.usefixtures("workspace")
def test_questions_and_consent_are_asked_in_the_language(environ: dict[str, str], home: Path) -> None:
    typed = pexpect.spawn(
        sys.executable,
        ["-m", "cdp_core.cli.main", "--language", "nl", "connection", "add", "acme", "--set", "account=A-7"],
        env=environ,
        cwd=str(home),
        encoding="utf-8",
        timeout=30,
        dimensions=(40, 120),
    )
    typed.expect("Weergavenaam: ")
    typed.sendline("Acme EU")
    typed.expect(r"\(verborgen\): ")
    typed.sendline("env:ACME_KEY")
    typed.expect(r"Region \(eu\): ")
    typed.sendline("")
    typed.expect("Gegevens verlaten uw bedrijf")
    typed.expect(r"Ik ga akkoord \[j/N\]: ")
    typed.sendline("ja")
    typed.expect("Er is toestemming gegeven voor alles waarvoor")
    typed.expect(pexpect.EOF)
    typed.close()
    assert typed.exitstatus == 0


class Spoken(SettingsSchema):
    account = fields.String(
        metadata={"label": "Account", "help": "Yours.", "nl": {"label": "Rekening", "help": "De uwe."}}
    )


def test_a_plugins_settings_bring_their_own_translations() -> None:
    (info,) = settings_of(Spoken)
    assert (info.label_in("nl"), info.help_in("nl")) == ("Rekening", "De uwe.")
    assert (info.label_in("da"), info.help_in("da")) == ("Account", "Yours.")


def test_one_command_leaves_its_language_to_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(("--language", "nl", "export", "list", "--help")) == 0
    assert run(("export", "list", "--help")) == 0
    shown = capsys.readouterr().out
    assert shown.count("Gebruik:") == 1
    assert shown.count("Usage:") == 1


def test_times_are_said_in_the_language_and_other_lines_as_they_are(process: Process, export: str) -> None:
    def set_to(*words: str) -> str:
        done = process(
            "--language", "da", "export", "schedule", export, *words, "--timezone", "Europe/Copenhagen"
        )
        return re.search(r"^  Hvornår +(.*)$", done.stdout, re.MULTILINE)[1]  # type: ignore[index]

    assert set_to("--daily", "02:00,14:30") == "hver dag kl. 02:00; hver dag kl. 14:30 (Europe/Copenhagen)"
    assert set_to("--weekly", "mon,thu", "--at", "2:00") == "man., tors. kl. 02:00 (Europe/Copenhagen)"
    assert set_to("--cron", "*/20 6 * * mon-fri") == "*/20 6 * * mon-fri (Europe/Copenhagen)"


def test_what_was_done_is_said_in_the_language(process: Process, export: str) -> None:
    process("export", "run", export)
    sent_again = process("--language", "nl", "export", "resync", export, "--yes")
    assert "opnieuw verzonden" in sent_again.stdout
    unanswered = process("--language", "nl", "export", "resync", export)
    assert unanswered.returncode == 2
    assert unanswered.stderr.startswith('error CDP-204: Send the 2 members of "Loyal to Acme" again?')
    removed = process("--language", "nl", "export", "remove", export, "--yes").stdout
    assert removed.startswith('Export "Loyal to Acme" is verwijderd. De 2 leden')


def test_what_a_run_and_its_gates_say_is_said_in_the_language(
    process: Process, export: str, home: Path
) -> None:
    process("export", "run", export)
    process("export", "edit", export, "--mode", "add-only")
    (home / "profiles.csv").write_text("customer_id,email,lifetime_value\n1,ann@example.org,900\n")
    only_added = process("--language", "nl", "export", "run", export).stdout
    assert "• 1 digest die niet meer gewenst is, blijft in de doelgroep" in only_added
    process("export", "edit", export, "--mode", "mirror", "--max-shrink", "10%")
    planned = process("--language", "da", "export", "plan", export).stdout
    assert (
        "1 af de 2 medlemmer, som denne eksport har sat i målgruppen, ville blive taget ud: 50 %" in planned
    )


def test_help_in_another_language_is_as_quick(environ: dict[str, str]) -> None:
    unmeasured = {name: value for name, value in environ.items() if not name.startswith("COV")}
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "cdp_core.cli.main", "--help"],
            env=unmeasured | {"LANG": "nl_NL.UTF-8"},
            capture_output=True,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(took) < 0.3
