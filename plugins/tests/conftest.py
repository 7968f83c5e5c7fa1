"""What every test stands on: a home of its own, no keyring that asks, no proxy before loopback addresses,
as many workers as there are cores, and no skip where CI counts on a test.
"""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

LOOPBACK = "localhost,127.0.0.1,::1"
PLATFORM_SPECIFIC = "platform_specific"
STATE_IN_A_FILE = "state_in_a_file"

# A run in CI is judged by the same examples each time; elsewhere hypothesis goes on looking.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")

_home = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    # A shell without job control has what it runs in the background ignore Ctrl-C, and all that this starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line(
        "markers", f"{PLATFORM_SPECIFIC}: skipped on other platforms, in CI too, where a skip else fails"
    )
    config.addinivalue_line(
        "markers", f"{STATE_IN_A_FILE}: about the file, also where the others' is in PostgreSQL"
    )
    home = config.stash[_home] = tempfile.TemporaryDirectory(prefix="cdp-tests-")
    past_proxy = ",".join(filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), LOOPBACK)))
    os.environ |= {
        "HOME": home.name,
        "XDG_DATA_HOME": home.name,
        "CDP_VAULT": "file",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "NO_PROXY": past_proxy,
        "no_proxy": past_proxy,
        # What is asked and answered is compared in English, whoever runs the tests.
        "LANG": "C.UTF-8",
    }
    theirs = (
        *("CDP_WORKSPACE", "CDP_DISABLED_PLUGINS", "CDP_VAULT_KEY", "CDP_STATE_URL"),
        *("LANGUAGE", "LC_ALL", "LC_MESSAGES"),
    )
    for left_by_the_user in theirs:
        os.environ.pop(left_by_the_user, None)


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_home].cleanup()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """The cores that this process may use, which in a container are fewer than the machine's."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


@pytest.fixture(autouse=True)
def _logging_stays_as_it_was() -> Iterator[None]:
    """A command run within the tests' process sets logging up for a process of its own."""
    root = logging.getLogger()
    level, handlers = root.level, set(root.handlers)
    yield
    root.setLevel(level)
    for handler in set(root.handlers) - handlers:
        # pytest has handlers of its own for each phase of a test, and takes them away itself.
        if not type(handler).__module__.startswith("_pytest"):
            root.removeHandler(handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if _counts(report) and item.get_closest_marker(PLATFORM_SPECIFIC) is None:
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if _counts(report):
        _fail(report)
    return report


def _counts(report: pytest.TestReport | pytest.CollectReport) -> bool:
    return report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true"


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"{reason}\nUnder CI=true a skipped test fails: install what it needs."
