"""Manifest lists that are not pushed yet, the local state of ``manifest create``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ghcrctl.disk.durability import make_directories, write_atomically
from ghcrctl.disk.removal import remove
from ghcrctl.errors import InvalidManifestError, StoreDamagedError
from ghcrctl.oci.descriptor import Descriptor, string_map
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ListedImage:
    """An entry of a manifest list.

    Args:
        descriptor: the entry, with its platform.
        source: the reference that the image was added by.
        local: whether the image is in the local store.
    """

    descriptor: Descriptor
    source: str
    local: bool = False


@dataclass(frozen=True, slots=True)
class ManifestList:
    """A manifest list that is not pushed yet.

    Args:
        name: the reference to push it to.
        images: its entries, in order.
        annotations: the annotations of the list itself.
        previous: the digest that the tag had at the registry when the list was created or pushed;
            empty if the tag did not exist.
        replaces: whether the tag may be replaced no matter what it points to.
    """

    name: str
    images: tuple[ListedImage, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    previous: str = ""
    replaces: bool = False


class ManifestLists:
    """The manifest lists of one store, one file each.

    Args:
        folder: the directory of the files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> ManifestList | None:
        """Return a manifest list; ``None`` if it does not exist.

        Raises:
            StoreDamagedError: its file cannot be read.
        """
        path = self._path(name)
        with disk_errors(f"read {path}", in_store=True):
            try:
                raw = path.read_bytes()
            except FileNotFoundError:
                return None
        try:
            return _parse(json.loads(raw))
        except (ValueError, TypeError, KeyError, AttributeError, InvalidManifestError):
            raise StoreDamagedError(
                f"cannot read the manifest list {name}: {path} is damaged",
                hint=f"remove the list: ghcrctl manifest rm {name}",
            ) from None

    def write(self, manifest_list: ManifestList) -> None:
        """Write a manifest list."""
        with disk_errors(f"write {self._folder}", in_store=True):
            make_directories(self._folder)
            path = self._path(manifest_list.name)
            write_atomically(path, json.dumps(_document(manifest_list)).encode())

    def remove(self, name: str) -> bool:
        """Remove a manifest list; return whether it existed."""
        path = self._path(name)
        with disk_errors(f"remove {path}", in_store=True):
            try:
                path.stat()
                remove(path)
            except FileNotFoundError:
                return False
        return True

    def _path(self, name: str) -> Path:
        # Slashes and colons in a name are not allowed in file names of some systems.
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()}.json"


def _parse(data: Mapping[str, Any]) -> ManifestList:
    images = tuple(
        ListedImage(
            Descriptor.from_json(each["descriptor"]), str(each["source"]), bool(each["local"])
        )
        for each in data["images"]
    )
    return ManifestList(
        str(data["name"]),
        images,
        string_map(data["annotations"]),
        str(data["previous"]),
        bool(data["replaces"]),
    )


def _document(manifest_list: ManifestList) -> dict[str, Any]:
    return {
        "name": manifest_list.name,
        "images": [
            {"descriptor": each.descriptor.to_json(), "source": each.source, "local": each.local}
            for each in manifest_list.images
        ],
        "annotations": dict(manifest_list.annotations),
        "previous": manifest_list.previous,
        "replaces": manifest_list.replaces,
    }
