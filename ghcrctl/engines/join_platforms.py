"""Images for single platforms, joined to one for all of them.

What belongs here: OCI layouts in directories that engines wrote. Reading any archive is not
(``archive``). Source: OCI image spec 1.1, image-layout.md and image-index.md.
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


def join(layouts: Iterable[tuple[Platform, Path]], target: Path) -> None:
    """Move images into one layout, below an index.

    Args:
        layouts: per platform the layout of its one image; what is in it is moved away.
        target: the new layout, which is not there yet.

    Raises:
        InvalidManifestError: a layout has not just one image.
    """
    blobs = target / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    entries = []
    for platform, layout in layouts:
        entries.append(replace(_image(layout), platform=platform.normalised(), annotations={}))
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
        raise InvalidManifestError(f"the engine wrote {len(listed)} images where one was wanted")
    return Descriptor.from_json(listed[0])


def _index(entries: Iterable[Descriptor], **more: str) -> bytes:
    manifests = [entry.to_json() for entry in entries]
    return json.dumps({"schemaVersion": 2, **more, "manifests": manifests}, indent=3).encode()
