"""A row of the list of local images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ghcrctl.oci.config import parse_time

if TYPE_CHECKING:
    from datetime import datetime

    from ghcrctl.oci.digest import Digest
    from ghcrctl.store.records import Listed, Record

# All names of an image share its creation time.
_parse_time = lru_cache(maxsize=4096)(parse_time)


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One row of the list.

    Args:
        repository: registry and repository; empty if the image has no name.
        tag: the tag; empty if the name has none.
        listed: the entry in the store's list.
    """

    repository: str
    tag: str
    listed: Listed

    @property
    def digest(self) -> Digest | None:
        """The digest of the image in its repository; ``None`` if unknown."""
        return self.listed.origin

    @property
    def image_id(self) -> Digest:
        """The digest of the config."""
        return self.listed.image_id

    @property
    def created(self) -> datetime | None:
        """Aware UTC; ``None`` if the image has no creation time."""
        return _parse_time(self.listed.created)

    @property
    def size(self) -> int:
        """Stored size (bytes)."""
        return self.listed.size

    @property
    def kind(self) -> str:
        """Empty for a container image, else the type of the artifact."""
        return self.listed.kind

    @property
    def record(self) -> Record:
        """The store's record."""
        return self.listed.record
