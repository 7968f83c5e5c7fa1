"""What pytest loads by the entry point `pytest11`: it only sees to it that the suites' asserts explain
themselves, and imports none of them."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("cdp_core.testing")
