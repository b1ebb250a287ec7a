"""Sessions for tests: a store of their own, a credential of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.operations.session import Session
from ghcrctl.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def session_on(
    folder: Path,
    *,
    registry: str = "",
    token: str = "",
    warn: Callable[[str], None] = lambda _: None,
) -> Session:
    """Begin a session whose files are in a folder, and that waits hardly at all before a retry."""
    environ = {
        "HOME": str(folder),
        "PATH": str(folder),
        "GHCRCTL_STORE": str(folder / "store"),
        "GHCRCTL_CONFIG_DIR": str(folder / "config"),
        "GHCRCTL_KEYRING": "0",
        "GHCRCTL_PLATFORM": "linux/amd64",
        "GHCRCTL_REGISTRY": registry,
        "GHCRCTL_TOKEN": token,
        "GHCRCTL_STALL_TIMEOUT": "5",
    }
    return Session(Settings(environ), warn=warn)
