"""`cdp plugins check` and `cdp plugins record`, as an author types them, over distributions on the path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cdp_core.cli.main import run
from cdp_core.contract import hookspecs
from cdp_core.contract.deprecation import NAMES, Deprecation

OLD = Deprecation(since="0.9", goes="0.10", instead="use the new one")
SAID = "is deprecated since 0.9 and goes in 0.10: use the new one"
DATA = Path(__file__).with_name("data")

GOOD = """
import cdp_core
from marshmallow import fields


class Settings(cdp_core.SettingsSchema):
    api_key = cdp_core.SecretField(required=True, metadata={"label": "API key", "help": "From your account."})


class ListSettings(cdp_core.SettingsSchema):
    audience_id = fields.String(required=True, metadata={"label": "List", "help": "The list's id."})


class AcmeList(cdp_core.Destination):
    def __init__(self, context):
        raise RuntimeError("nobody opens it")

    verify = audiences = create_audience = deliver = audience_status = None


@cdp_core.hookimpl
def cdp_connection_types():
    return [
        cdp_core.ConnectionType(
            key="acme",
            label="Acme",
            settings_schema=Settings,
            verify=lambda context: cdp_core.ServiceIdentity(name="Acme"),
            origin=lambda settings: "https://api.acme.example",
        )
    ]


@cdp_core.hookimpl
def cdp_export_destinations():
    return [
        cdp_core.DestinationSpec(
            key="acme",
            label="Acme",
            connection_type="acme",
            settings_schema=ListSettings,
            matching=(cdp_core.MatchingRule(kind="EMAIL"),),
            capabilities=cdp_core.Capabilities(batch_limit=1_000),
            factory=AcmeList,
        )
    ]


@cdp_core.hookimpl
def cdp_consent_prompts(connection_type, locale):
    text = "Acme keeps members for thirty days."
    return [cdp_core.ConsentPrompt(key="acme.terms", version="1", title="Acme's terms", text=text)]
"""
SETTING = """class ListSettings(cdp_core.SettingsSchema):
"""
NEEDS = "cdp-core>=0.1"


@dataclass
class Done:
    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    def states(self, check: str) -> list[str]:
        return [each["state"] for each in self.document["findings"] if each["check"] == check]

    def told(self, state: str) -> dict[str, Any]:
        """The one finding of that state."""
        (found,) = [each for each in self.document["findings"] if each["state"] == state]
        return dict(found)


class Shelf:
    """A folder of distributions, as pip lays them out, and a `cdp` that has it on its path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(
        self,
        source: str = GOOD,
        *,
        name: str = "cdp-acme",
        needs: Sequence[str] = (NEEDS,),
        plugin: str = "acme",
        files: dict[str, str] | None = None,
    ) -> Path:
        """A distribution whose package has the plugin in its module `plugin`; the package's folder."""
        package = self.folder / name.replace("-", "_")
        package.mkdir(exist_ok=True)
        for file, text in {"__init__.py": "", "plugin.py": source, **(files or {})}.items():
            (package / file).write_text(text)
        about = self.folder / f"{package.name}-1.4.dist-info"
        about.mkdir(exist_ok=True)
        lines = [f"Name: {name}", "Version: 1.4", *(f"Requires-Dist: {each}" for each in needs)]
        (about / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, ""]))
        entry = f"[cdp]\n{plugin} = {package.name}.plugin\n" if plugin else ""
        (about / "entry_points.txt").write_text(entry)
        return package

    def cdp(self, *words: str, status: int = 0) -> Done:
        """Type a command."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CDP_")}
        done = subprocess.run(
            [Path(sys.executable).with_name("cdp"), *words],
            env=kept | {"PYTHONPATH": str(self.folder), "HOME": str(self.folder), "LANG": "C.UTF-8"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)


class Near(Shelf):
    """The same command in this process, for what has many cases."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder)
        self.patch = patch
        self.capture = capture

    def cdp(self, *words: str, status: int = 0) -> Done:
        self.patch.syspath_prepend(self.folder)
        self.patch.chdir(self.folder)
        for module in [
            name for name in sys.modules if name.startswith(("cdp_acme", "cdp_beta", "assorted_"))
        ]:
            self.patch.delitem(sys.modules, module)
        given = run(words)
        said = self.capture.readouterr()
        assert given == status, said.out + said.err
        return Done(given, said.out, said.err)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.fixture
def near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Near:
    return Near(tmp_path, monkeypatch, capsys)


def test_a_good_plugin_fits_without_a_workspace(shelf: Shelf) -> None:
    shelf.put()
    done = shelf.cdp("plugins", "check", "cdp-acme", "--json")
    document = done.document
    assert (document["distribution"], document["version"], document["verdict"]) == ("cdp-acme", "1.4", "fits")
    assert document["plugins"] == ["acme"]
    assert {each["state"] for each in document["findings"]} == {"ok"}
    assert {each["check"] for each in document["findings"]} == {
        *("requirement", "imports", "loads", "declares", "settings")
    }
    assert done.err == ""
    assert {each.name for each in shelf.folder.iterdir()} == {"cdp_acme", "cdp_acme-1.4.dist-info"}


def test_the_plugins_name_is_as_good_as_its_distributions(shelf: Shelf) -> None:
    shelf.put()
    shown = [shelf.cdp("plugins", "check", name).out for name in ("acme", "cdp-acme", "cdp_acme")]
    assert shown[0].startswith("cdp-acme 1.4 fits cdp-core ")
    assert shown[0] == shown[1] == shown[2]


@pytest.mark.parametrize("package", ["cdp-core", "files", "snapchat", "webhook"])
def test_our_own_plugins_fit_and_their_settings_break_nobody(near: Near, package: str) -> None:
    document = near.cdp("plugins", "check", package, "--json").document
    assert document["verdict"] == "fits"
    kept = [each for each in document["findings"] if each["check"] == "settings"]
    assert {each["message"] for each in kept} == {"nothing has changed since they were recorded"}
    assert len(kept) == len(document["plugins"])


def test_a_private_import_is_named_with_its_file_and_line(shelf: Shelf) -> None:
    shelf.put(files={"client.py": "import os\nfrom cdp_core.contract.destination import Batch, Receipt\n"})
    done = shelf.cdp("plugins", "check", "acme", "--json", status=3)
    assert done.document["verdict"] == "does not fit"
    wrong = done.told("error")
    assert wrong["where"] == "cdp_acme/client.py:2"
    assert wrong["message"] == "cdp_core.contract.destination is not public"
    assert wrong["hint"] == "from cdp_core import Batch, Receipt"


def test_of_a_namespace_only_its_own_package_is_read(shelf: Shelf) -> None:
    package = shelf.put(files={"client.py": "import cdp_core.store\n"})
    shared = shelf.folder / "acme_tools"
    (shared / "theirs").mkdir(parents=True)
    (shared / "theirs" / "other.py").write_text("import cdp_core.vault\n")
    package.rename(shared / "cdp")
    entries = shelf.folder / "cdp_acme-1.4.dist-info" / "entry_points.txt"
    entries.write_text("[cdp]\nacme = acme_tools.cdp.plugin\n")
    wrong = shelf.cdp("plugins", "check", "acme", "--json", status=3).told("error")
    assert (wrong["where"], wrong["message"]) == ("cdp/client.py:1", "cdp_core.store is not public")


def test_what_is_deprecated_is_told_with_its_place_and_the_new_way(
    near: Near, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(NAMES, dict)
    monkeypatch.setitem(NAMES, ("cdp_core", "ConsentPrompt"), OLD)
    near.put()
    done = near.cdp("plugins", "check", "acme", "--json")
    assert done.document["verdict"] == "fits, but"
    warned = done.told("warning")
    line = GOOD[: GOOD.index("cdp_core.ConsentPrompt")].count("\n") + 1
    assert (warned["check"], warned["where"]) == ("deprecations", f"cdp_acme/plugin.py:{line}")
    assert warned["message"] == f"cdp_core.ConsentPrompt {SAID}"
    assert warned["hint"] == "use the new one"
    assert done.err == ""


def test_what_only_shows_when_it_runs_is_told_too(near: Near, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(NAMES, dict)
    monkeypatch.setitem(NAMES, ("cdp_core", "ConsentPrompt"), OLD)
    near.put(GOOD.replace("cdp_core.ConsentPrompt", 'getattr(cdp_core, "Consent" + "Prompt")'))
    warned = near.cdp("plugins", "check", "acme", "--json").told("warning")
    assert (warned["plugin"], warned["message"]) == ("acme", f"cdp_core.ConsentPrompt {SAID}")


def test_a_deprecated_hook_is_told_of_who_implements_it(near: Near, monkeypatch: pytest.MonkeyPatch) -> None:
    options = vars(hookspecs.cdp_consent_prompts)["cdp_spec"]
    monkeypatch.setitem(options, "warn_on_impl", OLD.warning("the hook cdp_consent_prompts"))
    near.put()
    done = near.cdp("plugins", "check", "acme", "--json")
    assert done.told("warning")["message"] == f"the hook cdp_consent_prompts {SAID}"
    assert done.err == ""


def test_a_misspelt_hook_is_told_with_the_one_that_is_meant(shelf: Shelf) -> None:
    shelf.put(GOOD.replace("cdp_connection_types", "cdp_conection_types"))
    wrong = shelf.cdp("plugins", "check", "acme", "--json", status=3).told("error")
    assert wrong["message"] == "there is no hook cdp_conection_types"
    assert wrong["hint"] == "did you mean cdp_connection_types?"
    assert wrong["where"].startswith("cdp_acme.plugin:")


def test_an_argument_that_a_hook_is_not_handed_is_told(shelf: Shelf) -> None:
    shelf.put(GOOD.replace("(connection_type, locale)", "(connection_type, language, **more)"))
    wrong = shelf.cdp("plugins", "check", "acme", "--json", status=3).told("error")
    assert wrong["message"] == "cdp_consent_prompts has no argument language"
    assert wrong["hint"] == "cdp_consent_prompts is handed: connection_type, locale"


def test_a_hook_that_nobody_calls_is_a_warning(shelf: Shelf) -> None:
    shelf.put(GOOD + "\n\ndef cdp_roles():\n    return []\n")
    done = shelf.cdp("plugins", "check", "acme", "--json")
    assert done.document["verdict"] == "fits, but"
    assert (
        done.told("warning")["message"] == "cdp_roles has a hook's name and is not marked: nothing calls it"
    )


@pytest.mark.parametrize(
    ("needs", "verdict", "message"),
    [
        (["cdp-core>=999"], "does not fit", "cdp-acme 1.4 needs cdp-core>=999; this is "),
        (["CDP_Core[testing]<0.0.1"], "does not fit", "needs cdp-core[testing]<0.0.1"),
        ([], "fits, but", "cdp-acme does not say which version of cdp-core it needs"),
        (["cdp-core>=999; extra == 'dev'", NEEDS], "fits", ""),
    ],
)
def test_what_it_asks_of_the_core_is_compared_with_this_version(
    near: Near, needs: list[str], verdict: str, message: str
) -> None:
    near.put(needs=needs)
    done = near.cdp("plugins", "check", "acme", "--json", status=3 if verdict == "does not fit" else 0)
    assert done.document["verdict"] == verdict
    (found,) = [each for each in done.document["findings"] if each["check"] == "requirement"]
    assert message.lower().replace("_", "-") in found["message"].lower().replace("_", "-")


def test_one_that_cannot_be_imported_says_why_and_is_still_read(shelf: Shelf) -> None:
    shelf.put("import cdp_core.runner\nimport a_library_that_nobody_has\n")
    done = shelf.cdp("plugins", "check", "acme", "--json", status=3)
    assert done.states("loads") == ["error"]
    assert done.states("imports") == ["error"]
    found = {each["check"]: each["message"] for each in done.document["findings"]}
    assert found["loads"] == "ModuleNotFoundError: No module named 'a_library_that_nobody_has'"


@pytest.mark.parametrize(
    ("change", "to", "message"),
    [
        ("batch_limit=1_000", "batch_limit=0", "batch_limit is 0"),
        ('kind="EMAIL"', 'kind="FAX"', "nobody declares the kinds FAX"),
        ('connection_type="acme"', 'connection_type="acne"', "nobody declares its connection type 'acne'"),
        ("audience_id = fields", "list_id = fields", "there is no setting audience_id"),
        ('"label": "List", ', "", "audience_id has no label"),
        ("return [cdp_core.Consent", "return [] and [cdp_core.Consent", "ask for no consent"),
        ("    api_key = cdp", "    password = fields.String()\n    api_key = cdp", "password looks secret"),
        (
            'key="acme",\n            label="Acme",\n            sett',
            'key="files",\n            label="Acme",\n            sett',
            "files has that key",
        ),
        (
            "    return [\n        cdp_core.Dest",
            "    raise OSError\n    return [\n        cdp_core.Dest",
            "OSError",
        ),
    ],
)
def test_what_a_destination_says_wrong_of_itself_is_told(
    near: Near, change: str, to: str, message: str
) -> None:
    assert change in GOOD
    near.put(GOOD.replace(change, to))
    found = near.cdp("plugins", "check", "acme", "--json", status=3).document["findings"]
    assert [each for each in found if each["state"] == "error" and message in each["message"]]


def test_a_hook_that_fails_is_told_of_once(near: Near) -> None:
    near.put(
        GOOD.replace(
            "    return [\n        cdp_core.Dest", "    raise OSError\n    return [\n        cdp_core.Dest"
        )
    )
    wrong = near.cdp("plugins", "check", "acme", "--json", status=3).told("error")
    assert wrong["check"] == "declares"


def test_a_plugin_of_an_unrelated_distributions_name_is_the_one_that_is_meant(near: Near) -> None:
    near.put(plugin="click")
    assert near.cdp("plugins", "check", "click", "--json").document["distribution"] == "cdp-acme"


def test_one_without_a_plugin_says_how_one_is_named(shelf: Shelf) -> None:
    shelf.put(plugin="")
    done = shelf.cdp("plugins", "check", "cdp-acme", "--json", status=3)
    assert done.told("error")["hint"].startswith("[project.entry-points.cdp]")
    assert len(done.document["findings"]) == 1
    assert "cdp-acme brings no plugin" in shelf.cdp("plugins", "record", "cdp-acme", status=3).err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("acmee", "did you mean acme or cdp-acme?"),
        ("./cdp_acme", "pip install -e ./cdp_acme, then give its name"),
        ("cdp_acme-1.4-py3-none-any.whl", "pip install cdp_acme-1.4-py3-none-any.whl, then give its name"),
        ("zzzzzz", "pip install --editable . in its project's folder; installed: acme, cdp-acme, cdp-core"),
        ("", "installed: acme, cdp-acme, cdp-core"),
    ],
)
def test_what_is_not_installed_leads_to_what_is_meant(near: Near, typed: str, said: str) -> None:
    near.put()
    done = near.cdp("plugins", "check", typed, status=3)
    assert done.err.startswith("error CDP-317: ")
    assert said in done.err


def test_of_two_that_bring_a_name_one_is_to_be_named(shelf: Shelf) -> None:
    shelf.put()
    shelf.put(name="cdp-beta")
    done = shelf.cdp("plugins", "check", "acme", status=3)
    assert "several distributions bring a plugin 'acme': cdp-acme, cdp-beta" in done.err
    wrong = shelf.cdp("plugins", "check", "cdp-beta", "--json", status=3).told("error")
    assert wrong["message"] == "another distribution brings a plugin named 'acme'"


@pytest.mark.parametrize("name", ["import-error", "misspelt", "no-hook", "exits", "mute"])
def test_the_broken_ones_of_discovery_do_not_fit(near: Near, name: str) -> None:
    near.folder = DATA
    assert near.cdp("plugins", "check", "cdp-assorted-plugins", "--json", status=3).document["plugins"]
    wrong = near.cdp("plugins", "check", name, "--json", status=3)
    assert [each["plugin"] for each in wrong.document["findings"] if each["state"] == "error"] == [name]


def test_settings_that_were_recorded_are_held_to(shelf: Shelf) -> None:
    package = shelf.put()
    shelf.cdp("plugins", "record", "acme")
    assert (package / "settings_snapshot.json").is_file()
    same = shelf.cdp("plugins", "check", "acme", "--json").document
    assert "nothing has changed since they were recorded" in {each["message"] for each in same["findings"]}

    shelf.put(GOOD.replace(SETTING, f"{SETTING}    region = fields.String(required=True, {META})\n"))
    wrong = shelf.cdp("plugins", "check", "acme", "--json", status=3).told("error")
    assert (wrong["where"], wrong["message"]) == ("destination acme", "region is new, and required")
    assert "load_default" in wrong["hint"]
    refused = shelf.cdp("plugins", "record", "acme", status=3)
    assert "CDP-361" in refused.err
    assert "destination acme: region is new, and required" in refused.err

    shelf.put(GOOD.replace(SETTING, f"{SETTING}    region = fields.String(load_default='eu', {META})\n"))
    behind = shelf.cdp("plugins", "check", "acme", "--json")
    assert behind.document["verdict"] == "fits, but"
    assert behind.told("warning")["message"] == "region is new"
    anew = shelf.cdp("plugins", "record", "acme", "--json")
    assert anew.document["changes"] == ["destination acme: region is new"]
    assert shelf.cdp("plugins", "check", "acme", "--json").document["verdict"] == "fits"


META = "metadata={'label': 'Region', 'help': 'Where the list is.'}"


def test_a_snapshot_that_is_none_is_not_taken_for_one(shelf: Shelf) -> None:
    package = shelf.put(files={"settings_snapshot.json": "{}"})
    wrong = shelf.cdp("plugins", "check", "acme", "--json", status=3).told("error")
    assert wrong["message"] == "settings_snapshot.json is no snapshot of settings: it was not written by cdp"
    assert "CDP-352" in shelf.cdp("plugins", "record", "acme", status=3).err
    assert (package / "settings_snapshot.json").read_text() == "{}"


@pytest.mark.parametrize(
    ("words", "source", "said"),
    [
        (["acme", "--to", "nowhere/kept.json"], GOOD, "the snapshot cannot be written: No such file"),
        (["acme"], "import a_library_that_nobody_has\n", "the plugin acme cannot be loaded"),
        (["cdp-core"], GOOD, "cdp-core brings several plugins: files, snapchat, webhook"),
        (
            ["acme"],
            "import cdp_core\n@cdp_core.hookimpl\ndef cdp_roles():\n    return []\n",
            "the plugin acme declares no settings",
        ),
    ],
)
def test_what_cannot_be_recorded_says_why(near: Near, words: list[str], source: str, said: str) -> None:
    near.put(source)
    done = near.cdp("plugins", "record", *words, status=3)
    assert said in done.err
    assert not list(near.folder.rglob("*.json"))
