"""The quick tests can be collected where everything is missing that only Unix has."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.sources import ROOT

_COLLECT = """
import sys
import pytest
from tests.unixless import take_away
take_away()
folders = ["tests/unit", "tests/properties"]
sys.exit(pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", *folders]))
"""


def test_quick_tests_are_collected() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _COLLECT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
