"""Other programs that the integration tests use."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

# Debian's packages whose names differ from those of their programs.
PACKAGES = {
    "apt-get": "apt",
    "busybox": "busybox-static",
    "dbus-run-session": "dbus-daemon",
    "docker": "docker.io",
    "dockerd": "docker.io",
    "gnome-keyring-daemon": "gnome-keyring",
    "htpasswd": "apache2-utils",
    "man": "man-db",
    "node": "npm",
    "sha256sum": "coreutils",
    "unshare": "util-linux",
}
# If several programs have a name, the tests need Debian's.
_PREFERRED = ("/usr/bin", "/usr/sbin")


def require_peer(name: str) -> str:
    """Return the path of a program; skip the test if it is missing.

    With ``REQUIRE_PEERS=1`` a missing program fails the test.
    """
    path = os.environ.get("PATH", "")
    found = shutil.which(name, path=os.pathsep.join([*_PREFERRED, path]))
    if found is None:
        do_without(f"{name} is missing: apt-get install {PACKAGES.get(name, name)}")
    return found


def do_without(how: str) -> NoReturn:
    """Skip the test, or fail if all tests must run; ``how`` is how to make it run."""
    if os.environ.get("REQUIRE_PEERS") == "1":
        pytest.fail(how)
    pytest.skip(how)


def run_peer(name: str, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """Run a program, which must succeed, and return its output."""
    done = subprocess.run(
        [require_peer(name), *arguments],
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{name} {' '.join(arguments)}: {done.stderr}"
    return done.stdout
