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
    """One row of the table.

    Args:
        repository: registry and repository; empty where the image has no name.
        tag: empty where there is none.
        listed: what the store's list says.
    """

    repository: str
    tag: str
    listed: Listed

    @property
    def digest(self) -> Digest | None:
        """What the repository knows the image by; ``None`` where that is not known."""
        return self.listed.origin

    @property
    def image_id(self) -> Digest:
        """The config's digest."""
        return self.listed.image_id

    @property
    def created(self) -> datetime | None:
        """Aware UTC; ``None`` where the image does not say."""
        return _parse_time(self.listed.created)

    @property
    def size(self) -> int:
        """Bytes, as stored."""
        return self.listed.size

    @property
    def kind(self) -> str:
        """Empty for a container image, else what kind of artifact it is."""
        return self.listed.kind

    @property
    def record(self) -> Record:
        """The store's record."""
        return self.listed.record
