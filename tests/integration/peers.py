"""Programs of others that the integration tests talk to.

What belongs here: finding them, and what happens where one is missing.
"""

from __future__ import annotations

import os
import shutil

import pytest

# What to install where a program is missing.
_PACKAGES = {"docker-registry": "docker-registry", "skopeo": "skopeo", "buildah": "buildah"}


def require_peer(name: str) -> str:
    """Return the path of a program; skip the test where it is missing.

    With ``GHCRCTL_REQUIRE_PEERS=1`` a missing program fails the test.
    """
    found = shutil.which(name)
    if found:
        return found
    how = f"{name} is missing: apt-get install {_PACKAGES.get(name, name)}"
    if os.environ.get("GHCRCTL_REQUIRE_PEERS") == "1":
        pytest.fail(how)
    pytest.skip(how)
