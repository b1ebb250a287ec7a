"""Reads and writes ``index.json``, the store's list of images, and ``oci-layout``.

Spec: OCI image spec 1.1, image-layout.md, "index.json file" and "oci-layout file".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ghcrctl.disk.durability import write_atomically
from ghcrctl.errors import InvalidManifestError, StoreDamagedError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.media_types import OCI_INDEX
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


@dataclass(frozen=True, slots=True)
class ImageList:
    """The list of images as stored on disk.

    Args:
        document: the whole document, including members of other tools.
        entries: its parsed entries.
    """

    document: Mapping[str, Any] = field(default_factory=dict)
    entries: tuple[Descriptor, ...] = ()

    @property
    def raw_entries(self) -> list[dict[str, Any]]:
        """The entries as JSON, in the same order."""
        return self.document.get("manifests") or []


def read_index(path: Path) -> ImageList:
    """Return the list of images; empty if the file does not exist.

    Raises:
        StoreDamagedError: the file is not an OCI index.
    """
    return read_entries(
        path,
        lambda document, entries: ImageList(document, tuple(map(Descriptor.from_json, entries))),
    )


def read_entries(path: Path, read: Callable[[Mapping[str, Any], Sequence[Any]], T]) -> T:
    """Read the list of images with a custom parser.

    Args:
        path: the path of ``index.json``.
        read: parses the document and its entries; gets an empty document if the file does not
            exist.

    Raises:
        StoreDamagedError: the file is not an OCI index, or has an invalid entry.
    """
    with disk_errors(f"read {path}", in_store=True):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return read({}, ())
    try:
        document = json.loads(raw)
        # Go programs write `null` for an empty list.
        return read(document, document["manifests"] or ())
    except (ValueError, KeyError, TypeError, InvalidManifestError, RecursionError) as error:
        raise StoreDamagedError(
            f"cannot read {path}: it is not an OCI index",
            hint="move the file away and pull your images again; their blobs are kept",
        ) from error


def write_index(path: Path, entries: list[dict[str, Any]], before: ImageList | None = None) -> None:
    """Replace the list of images, atomically and durably.

    Args:
        path: the path of ``index.json``.
        entries: all entries as JSON.
        before: the previous list, whose other members are kept.
    """
    data = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        **(before.document if before else {}),
    }
    with disk_errors(f"write {path}", in_store=True):
        write_atomically(path, _encode(data, entries))


def _encode(document: Mapping[str, Any], entries: list[dict[str, Any]]) -> bytes:
    """Return the list as JSON, with one entry per line.

    `json.dumps` with ``indent`` uses the pure Python encoder, which takes ten times as long: a
    second per change for a few thousand entries.
    """
    rest = json.dumps({key: value for key, value in document.items() if key != "manifests"})
    lines = ",\n".join(map(json.dumps, entries))
    return f'{rest[:-1]}, "manifests": [\n{lines}\n]}}\n'.encode()


def check_layout(path: Path) -> bool:
    """Check whether the file ``oci-layout`` exists.

    Raises:
        StoreDamagedError: the file does not belong to a supported layout version.
    """
    with disk_errors(f"read {path}", in_store=True):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return False
    try:
        known = json.loads(raw)["imageLayoutVersion"] == "1.0.0"
    except (ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known:
        raise StoreDamagedError(
            f"cannot read {path}: it is not the file of an OCI image layout 1.0.0",
            hint="move the file away if the store is yours, or choose another with --store",
        )
    return True
