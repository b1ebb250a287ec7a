"""The Secret Service of GNOME, with and without the package keyring."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.peers import require_peer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

_SESSION = """
set -eu
printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null
exec "$0" -c "$1"
"""
_PROGRAM = """
import os
import keyring
from ghcrctl.credentials.secret_service import SecretService

service = SecretService(os.environ["DBUS_SESSION_BUS_ADDRESS"])
library = keyring.get_keyring()
assert service.is_available()
assert service.get_password("ghcrctl:reg.io", "reg.io") is None
service.set_password("ghcrctl:reg.io", "reg.io", "first")
service.set_password("ghcrctl:reg.io", "reg.io", "s\u00e9cret")
assert library.get_password("ghcrctl:reg.io", "reg.io") == "s\u00e9cret", library
library.set_password("ghcrctl:reg.io", "reg.io", "by the library")
assert service.get_password("ghcrctl:reg.io", "reg.io") == "by the library"
service.delete_password("ghcrctl:reg.io", "reg.io")
assert library.get_password("ghcrctl:reg.io", "reg.io") is None
print("passed")
"""


def test_gnome_keyring_stores_entries_that_the_package_keyring_finds(tmp_path: Path) -> None:
    require_peer("gnome-keyring-daemon")
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    done = subprocess.run(
        [require_peer("dbus-run-session"), "--", "sh", "-c", _SESSION, sys.executable, _PROGRAM],
        env={
            "HOME": str(tmp_path),
            "PATH": "/usr/bin:/bin",
            "XDG_RUNTIME_DIR": str(runtime),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "passed\n", done.stderr
