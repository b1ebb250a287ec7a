"""Find content that the recipient of an archive already has, so it can be omitted."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import UsageError
from ghcrctl.layers.compression import Compression, detect
from ghcrctl.layers.tar import BLOCK_SIZE, is_tar
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.archives.from_archive import open_image_archive
from ghcrctl.operations.common.find import find
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.garbage_collection import closure
from ghcrctl.store.graph import ManifestGraph

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session

_DIGEST = re.compile(r"\b(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})\b")
# Maximum size of a list of digests (bytes): about a million digests.
_LONGEST_LIST = 100_000_000
# Files that identify an image directory. Any other directory may have the same name as an image.
_LISTS = ("index.json", "manifest.json", "repositories")


def known_content(session: Session, text: str) -> frozenset[Digest]:
    """Return the digests of content that the recipient has.

    Args:
        session: the run.
        text: an archive or a layout that was loaded there; a file with digests, in any format;
            or the name, digest or ID of a local image.

    Raises:
        NoSuchImageError: the text is neither a file nor an image.
        UsageError: the file is neither an archive nor a list of digests.
        IntegrityError: the archive is damaged.
    """
    path = Path(text)
    if path.is_dir() and any((path / name).is_file() for name in _LISTS):
        return _read_archive(session, path)
    if not path.is_file():
        return frozenset(closure(session.store.blobs, (find(session, text).record.descriptor,)))
    return _read_archive(session, path) if _is_archive(path) else _read_list(path)


def _is_archive(path: Path) -> bool:
    with disk_errors(f"read {path}"), path.open("rb") as file:
        start = file.read(BLOCK_SIZE)
    return detect(start) is not Compression.NONE or is_tar(start)


def _read_archive(session: Session, path: Path) -> frozenset[Digest]:
    """Return the digests that loading an archive stores, with compressed layers.

    Content that a partial archive leaves out counts too: it could only be loaded where that
    content exists.
    """
    with open_image_archive(session, path) as found:
        try:
            graph = ManifestGraph(partial(read_metadata, found.source))
            return frozenset(graph.reached(image.root for image in found.images))
        finally:
            for digest in found.packed:
                session.store.discard(digest)


def _read_list(path: Path) -> frozenset[Digest]:
    with disk_errors(f"read {path}"):
        if path.stat().st_size > _LONGEST_LIST:
            raise UsageError(f"{path} is too large for a list of digests")
        listed = _DIGEST.findall(path.read_text("utf-8", "replace"))
    if not listed:
        raise UsageError(
            f"cannot read {path}: expected an image archive or a list of digests",
            hint="ghcrctl manifest inspect --local --verbose NAME prints such a list",
        )
    return frozenset(map(Digest.parse, listed))
