"""The names that images of an archive get in the local store.

A name is only kept if it is true: an archive may call any content ``NAME@sha256:...``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidReferenceError
from ghcrctl.oci.reference import DOCKER_HUB, Reference, check_new_name
from ghcrctl.store.name_bindings import is_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class Named:
    """An image of an archive.

    Args:
        root: its manifest or index.
        name: a full reference, or empty.
        origin: the digest that the repository in the name knows the image by, where that is proven.
        tag: what a layout calls an image that has no full name; mostly a tag.
        index: the bytes of the index that proves the origin, where that is not the image itself.
    """

    root: Descriptor
    name: str
    origin: Digest | None = None
    tag: str = ""
    index: bytes = b""


class ArchiveNames:
    """The images of one archive, in its order; each name belongs to one of them.

    Args:
        label: the archive, as the user knows it.
        local_names: keep names of one component local; else they belong to Docker Hub.
        warn: is called with each dropped name.
    """

    def __init__(self, label: str, warn: Callable[[str], None], *, local_names: bool) -> None:
        self._label = label
        self._local_names = local_names
        self._warn = warn
        self._images: dict[tuple[str, Digest], Named] = {}
        self._holders: dict[str, tuple[str, Digest]] = {}

    @property
    def images(self) -> tuple[Named, ...]:
        """All images; an image with several names is listed once for each."""
        return tuple(self._images.values())

    def add(self, image: Named) -> None:
        """Add an image, without its name where the name cannot be kept."""
        kept = replace(image, name=self._kept(image))
        if not kept.name:
            kept = replace(kept, origin=None, index=b"")
        key = (kept.name or kept.tag, kept.root.digest)
        if kept.name:
            self._take_name(kept)
            self._holders[kept.name] = key
        self._images.setdefault(key, kept)

    def _kept(self, image: Named) -> str:
        if not image.name:
            return ""
        reference = Reference.parse(
            image.name, default_registry=DOCKER_HUB, local_names=self._local_names
        )
        if not is_true(image.name, image.root.digest, image.origin):
            return self._dropped(image, f"the digest of this image is {image.root.digest}")
        try:
            check_new_name(reference)
        except InvalidReferenceError:
            return self._dropped(image, "it reads as a digest")
        return str(reference.with_digest(reference.digest) if reference.digest else reference)

    def _dropped(self, image: Named, reason: str) -> str:
        self._warn(f"{self._label}: dropped the name {image.name}: {reason}")
        return ""

    def _take_name(self, image: Named) -> None:
        """Take a name away from the image before; the last one has it, as in docker."""
        key = self._holders.get(image.name)
        if key is None or key[1] == image.root.digest:
            return
        other = self._images.pop(key)
        self._warn(
            f"{self._label} has two images named {image.name}: {other.root.digest} loses "
            f"the name to {image.root.digest}"
        )
        nameless = replace(other, name="", origin=None, index=b"")
        self._images.setdefault(("", other.root.digest), nameless)
