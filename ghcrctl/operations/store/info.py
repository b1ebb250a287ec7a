"""Information about ghcrctl's own state: the store, the settings files and the platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.operations.images.list import list_images

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.session import Session


@dataclass(frozen=True, slots=True)
class Information:
    """The state of one installation.

    Args:
        images: number of images in the store.
        store: directory of the store.
        config_file: file of settings, whether it exists or not.
        default_registry: registry of names without one.
        platform: platform that is pulled by default.
    """

    images: int
    store: Path
    config_file: Path
    default_registry: str
    platform: Platform


def information(session: Session) -> Information:
    """Return the state of this installation; no registry is contacted."""
    settings = session.settings
    return Information(
        images=len({row.image_id for row in list_images(session)}),
        store=settings.store_dir,
        config_file=settings.config_file,
        default_registry=settings.get("default_registry"),
        platform=settings.preferred_platform,
    )
