"""``index.json``: the list of the store's images; and ``oci-layout``, which says what this is.

What belongs here: reading and replacing them. Spec: OCI image spec 1.1, image-layout.md,
"index.json file" and "oci-layout file".
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
    """The list as it is on disk.

    Args:
        document: the whole of it; what other tools wrote into it stays.
        entries: its entries, read.
    """

    document: Mapping[str, Any] = field(default_factory=dict)
    entries: tuple[Descriptor, ...] = ()

    @property
    def raw_entries(self) -> list[dict[str, Any]]:
        """The entries as they are written, in the same order."""
        return self.document.get("manifests") or []


def read_index(path: Path) -> ImageList:
    """Return the list; an empty one where there is no file yet.

    Raises:
        StoreDamagedError: the file is no index.
    """
    return read_entries(
        path,
        lambda document, entries: ImageList(document, tuple(map(Descriptor.from_json, entries))),
    )


def read_entries(path: Path, read: Callable[[Mapping[str, Any], Sequence[Any]], T]) -> T:
    """Read the list in one's own way.

    Args:
        path: where it is.
        read: makes something of the document, without keys where there is no file yet, and of its
            entries as they are written.

    Raises:
        StoreDamagedError: the file is no index, or the reader finds an entry that is none.
    """
    with disk_errors(f"read {path}", in_store=True):
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return read({}, ())
    try:
        document = json.loads(raw)
        # Tools in Go write `null` for an empty list.
        return read(document, document["manifests"] or ())
    except (ValueError, KeyError, TypeError, InvalidManifestError, RecursionError) as error:
        raise StoreDamagedError(
            f"{path} is damaged: it is no OCI index",
            hint="move the file away and pull your images again; their blobs are kept",
        ) from error


def write_index(path: Path, entries: list[dict[str, Any]], before: ImageList | None = None) -> None:
    """Replace the list, atomically and durably.

    Args:
        path: where it is.
        entries: all entries, as they are written.
        before: the list that is replaced; what else its document says stays.
    """
    data = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        **(before.document if before else {}),
    }
    with disk_errors(f"write {path}", in_store=True):
        write_atomically(path, _encode(data, entries))


def _encode(document: Mapping[str, Any], entries: list[dict[str, Any]]) -> bytes:
    """Return the list as JSON, an entry per line.

    The encoder in C does not indent, and the one in Python takes ten times as long: a second for
    some thousand entries, at each change.
    """
    rest = json.dumps({key: value for key, value in document.items() if key != "manifests"})
    lines = ",\n".join(map(json.dumps, entries))
    return f'{rest[:-1]}, "manifests": [\n{lines}\n]}}\n'.encode()


def check_layout(path: Path) -> bool:
    """Tell whether the file ``oci-layout`` is there.

    Raises:
        StoreDamagedError: it is there, but not that of a layout that we know.
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
            f"{path} is damaged or of another version: it is not that of an OCI image layout 1.0.0",
            hint="move the file away if the store is yours, or choose another with --store",
        )
    return True
