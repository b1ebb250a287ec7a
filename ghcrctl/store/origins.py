"""Indexes that are only partly stored, kept as proof of their digests.

A pull of one platform does not store the index, but the registry knows the image by the digest of
the index. An archive that includes the index proves that digest when it is loaded.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ghcrctl.disk.durability import make_directories, write_atomically
from ghcrctl.disk.removal import remove
from ghcrctl.errors import GhcrctlError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import Index, parse
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from ghcrctl.oci.manifest import Manifest


def lists(index: bytes, root: Manifest | Index) -> bool:
    """Check whether an index lists an image, or all images of a smaller index."""
    try:
        parsed = parse(index)
    except GhcrctlError:
        return False
    if not isinstance(parsed, Index):
        return False
    offered = {entry.digest for entry in parsed.manifests}
    own = {entry.digest for entry in root.manifests} if isinstance(root, Index) else set()
    return root.descriptor.digest in offered or bool(own and own <= offered)


class Origins:
    """The kept indexes of one store.

    Args:
        folder: the directory of the indexes, created on first use.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, digest: Digest, index: bytes) -> None:
        """Keep an index whose bytes were verified."""
        path = self._path(digest)
        if self.read(digest) is None:
            with disk_errors(f"write {path}", in_store=True):
                make_directories(path.parent)
                write_atomically(path, index)

    def read(self, digest: Digest) -> bytes | None:
        """Return an index; ``None`` if it is missing or damaged."""
        with suppress(OSError):
            raw = self._path(digest).read_bytes()
            if Digest.of(raw, digest.algorithm) == digest:
                return raw
        return None

    def forget_others(self, needed: Collection[Digest]) -> None:
        """Delete the indexes that are no longer needed."""
        names = {self._path(digest).name for digest in needed}
        for path in self._kept():
            if path.name not in names:
                with disk_errors(f"remove {path}", in_store=True):
                    remove(path)

    def _kept(self) -> Iterator[Path]:
        if self._folder.is_dir():
            yield from self._folder.iterdir()

    def _path(self, digest: Digest) -> Path:
        return self._folder / f"{digest.algorithm}-{digest.encoded}.json"
