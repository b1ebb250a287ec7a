"""Joins images for single platforms into a multi-platform image.

Spec: OCI image spec 1.1, image-layout.md and image-index.md.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.disk.durability import move
from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ghcrctl.oci.platform import Platform


def join_layouts(layouts: Iterable[tuple[Platform, Path]], target: Path) -> None:
    """Move images into one layout and create an index of them.

    Args:
        layouts: for each platform, the directory of a layout with one image; its blobs are moved.
        target: directory of the new layout, which does not exist.

    Raises:
        InvalidManifestError: a layout does not have exactly one image.
    """
    blobs = target / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    entries = []
    for platform, layout in layouts:
        entries.append(replace(_image(layout), platform=platform.normalized(), annotations={}))
        for blob in (layout / "blobs" / "sha256").iterdir():
            move(blob, blobs / blob.name)
    raw = _index(entries, mediaType=media_types.OCI_INDEX)
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    (blobs / root.digest.encoded).write_bytes(raw)
    (target / "index.json").write_bytes(_index([root]))
    (target / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _image(layout: Path) -> Descriptor:
    document = json.loads((layout / "index.json").read_bytes())
    listed = document["manifests"]
    if len(listed) != 1:
        raise InvalidManifestError(f"the engine wrote {len(listed)} images instead of one")
    return Descriptor.from_json(listed[0])


def _index(entries: Iterable[Descriptor], **more: str) -> bytes:
    manifests = [entry.to_json() for entry in entries]
    return json.dumps({"schemaVersion": 2, **more, "manifests": manifests}, indent=3).encode()
