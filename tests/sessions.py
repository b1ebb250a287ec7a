"""Sessions for tests, with their own store and credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.operations.common.session import Session
from ghcrctl.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ghcrctl.oci.reference import Reference
    from tests.builders import Built
    from tests.registry_double import PlainRegistry


def session_on(
    folder: Path,
    *,
    registry: str = "",
    token: str = "",
    warn: Callable[[str], None] = lambda _: None,
    debug: Callable[[str], None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Session:
    """Open a session whose files are in a folder, with one retry."""
    given = {
        "HOME": str(folder),
        "PATH": str(folder),
        "GHCRCTL_STORE": str(folder / "store"),
        "GHCRCTL_CONFIG_DIR": str(folder / "config"),
        "GHCRCTL_KEYRING": "0",
        "GHCRCTL_PLATFORM": "linux/amd64",
        "GHCRCTL_REGISTRY": registry,
        "GHCRCTL_TOKEN": token,
        "GHCRCTL_STALL_TIMEOUT": "5",
        "GHCRCTL_RETRIES": "1",
        **(environ or {}),
    }
    return Session(Settings(given), warn=warn, debug=debug)


def name_at(registry: PlainRegistry, session: Session, text: str = "octo/image:1.0") -> Reference:
    """Return a reference to a registry."""
    return session.parse(f"{registry.host}/{text}")


def is_stored(session: Session, image: Built) -> bool:
    """Check whether all content of an image is in the session's store."""
    return all(session.store.blobs.exists(descriptor) for descriptor, _ in image.contents)
