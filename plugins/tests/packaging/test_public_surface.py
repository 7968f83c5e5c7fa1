"""What plugins may import: `cdp_core`'s own names, each with a home, and nothing heavy on the way."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import cdp_core
import cdp_core.simulate
import cdp_core.testing

# A name that goes from here is a breaking change; one that comes belongs into the changelog.
_NAMES = """
Action Actor ApiKey Audience AudienceGone BasicAuth Batch BearerToken Capabilities Choice ChosenField
ClientCredentials Code Column ConnectionContext ConnectionType ConsentPrompt Credentials CredentialsRejected
Delivering Deprecation Destination DestinationContext DestinationFault DestinationSpec DigestBlock
DigestSink Engine EngineContext Examination FieldExamined Identified IdentifierKind InvalidFault KeptKeys
KeyFound Match MatchingRule MemberConsent NeverSent NewAudience OAuth2 Operation Opinion ProfileSource Rate
Reason Receipt Region Remark Resource RightsRefused Role RowsFound RunEvent Secret SecretField Segment
Selected Selection Sentence ServiceFailed ServiceIdentity ServiceUrl SettingsSchema SignInFault SourceSpec
Station Throttled Token Transport TransportSettings Unanswered hookimpl in_words is_loopback lost_on_the_way
masked origin_of quoted record_of retry_after says_yes without_formulas
"""
PUBLIC = _NAMES.split()
_OF_STAND_INS = """
Answer App CONTROL Clock FAULT_KINDS Fault FaultCatalogue FaultKind Limit LoggedRequest RateLimits Refusal
Request Route Server control_route json_answer json_object redirect refuse_as_json running serve_forever
strict_json text_answer
"""
HEAVY = (
    "alembic",
    "cryptography",
    "duckdb",
    "keyring",
    "marshmallow",
    "pyarrow",
    "requests",
    "rich",
    "sqlalchemy",
)


def test_the_public_surface_is_what_is_promised() -> None:
    assert set(cdp_core.__all__) == set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves_and_is_listed(name: str) -> None:
    assert getattr(cdp_core, name) is not None
    assert name in dir(cdp_core)


def test_type_checkers_see_the_same_names_as_the_interpreter() -> None:
    tree = ast.parse(Path(cdp_core.__file__).read_text(encoding="utf-8"))
    declared = {
        alias.asname
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in ast.walk(branch)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert declared == set(cdp_core.__all__)


def test_a_name_that_is_not_public_says_so() -> None:
    with pytest.raises(AttributeError, match="no public name 'Ledger'"):
        _ = cdp_core.Ledger


def test_the_suites_for_authors_are_what_is_promised() -> None:
    promised = {"AccessSuite", "DestinationSuite", "EngineSuite", "HttpDestinationSuite", "StandIn"}
    assert set(cdp_core.testing.__all__) == promised
    assert all(getattr(cdp_core.testing, name) for name in promised)


def test_the_kit_for_stand_ins_is_what_is_promised() -> None:
    assert set(cdp_core.simulate.__all__) == set(_OF_STAND_INS.split())
    assert all(getattr(cdp_core.simulate, name) for name in cdp_core.simulate.__all__)


@pytest.mark.parametrize("module", ["cdp_core", "cdp_core.cli.main", "cdp_core.simulate", "cdp_core.testing"])
def test_importing_is_light(module: str) -> None:
    code = f"import {module}, json, sys; print(json.dumps(sorted(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not set(json.loads(shown)) & set(HEAVY)
