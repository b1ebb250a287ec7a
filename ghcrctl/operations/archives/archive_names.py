"""Assign the names in an archive to its images.

A name with a digest is kept only if the digest is correct, since an archive may claim the name
``NAME@sha256:...`` for any content.
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
class NamedImage:
    """An image of an archive.

    Args:
        root: its manifest or index.
        name: a full reference, or empty.
        origin: the digest of the image in the repository that the name refers to, if proven.
        tag: the short name of an image without a full name in a layout; usually a tag.
        index: the bytes of the index that proves the origin, unless the image itself proves it.
    """

    root: Descriptor
    name: str
    origin: Digest | None = None
    tag: str = ""
    index: bytes = b""


class ArchiveNames:
    """The images of one archive, in its order; a name belongs to one image only.

    Args:
        label: the name of the archive, as given by the user.
        local_names: keep one-part names local; otherwise they belong to Docker Hub.
        warn: called for each dropped name.
    """

    def __init__(self, label: str, warn: Callable[[str], None], *, local_names: bool) -> None:
        self._label = label
        self._local_names = local_names
        self._warn = warn
        self._images: dict[tuple[str, Digest], NamedImage] = {}
        self._holders: dict[str, tuple[str, Digest]] = {}

    @property
    def images(self) -> tuple[NamedImage, ...]:
        """All images; an image with multiple names is listed once for each of them."""
        return tuple(self._images.values())

    def add(self, image: NamedImage) -> None:
        """Add an image; drop its name if it is wrong or invalid."""
        kept = replace(image, name=self._kept(image))
        if not kept.name:
            kept = replace(kept, origin=None, index=b"")
        key = (kept.name or kept.tag, kept.root.digest)
        if kept.name:
            self._take_name(kept)
            self._holders[kept.name] = key
        self._images.setdefault(key, kept)

    def _kept(self, image: NamedImage) -> str:
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
            return self._dropped(image, "it looks like a digest")
        return str(reference.with_digest(reference.digest) if reference.digest else reference)

    def _dropped(self, image: NamedImage, reason: str) -> str:
        self._warn(f"{self._label}: dropped the name {image.name}: {reason}")
        return ""

    def _take_name(self, image: NamedImage) -> None:
        """Remove a name from the previous image with it: as in docker, the last image gets it."""
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
