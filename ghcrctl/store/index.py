"""``index.json``: the list of the store's images.

What belongs here: reading it and replacing it. Spec: OCI image spec 1.1, image-layout.md,
"index.json file".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidManifestError, StoreDamagedError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.media_types import OCI_INDEX
from ghcrctl.store.files import disk_errors, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read_index(path: Path) -> list[Descriptor]:
    """Return the entries; none where there is no file yet.

    Raises:
        StoreDamagedError: the file is no index.
    """
    with disk_errors(f"read {path}"):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return []
    try:
        entries = json.loads(raw)["manifests"]
        return [Descriptor.from_json(entry) for entry in entries]
    except (ValueError, KeyError, TypeError, InvalidManifestError, RecursionError) as error:
        raise StoreDamagedError(
            f"{path} is damaged: it is no OCI index",
            hint="move the file away and pull your images again; their blobs are kept",
        ) from error


def write_index(path: Path, entries: Iterable[Descriptor]) -> None:
    """Replace the list, atomically and durably."""
    data = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [entry.to_json() for entry in entries],
    }
    with disk_errors(f"write {path}"):
        write_atomically(path, json.dumps(data, indent=1).encode())
