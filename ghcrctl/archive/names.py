"""The names of images in archives: annotations of docker, containerd and ghcrctl.

A one-part name without a registry is a local name in ghcrctl, but docker and containerd write it as
``docker.io/library/NAME``, like a name on Docker Hub. If the archive has docker's list of short
names, that list decides.

Sources: containerd, ``core/images/annotations.go``; OCI image spec 1.1, annotations.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidManifestError, InvalidReferenceError
from ghcrctl.oci.quotes import shortened
from ghcrctl.oci.reference import DOCKER_HUB, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest

REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"
OUR_NAME = "io.ghcrctl.image.name"
# The digest of the image in the repository of its name; only used after verification.
ORIGIN = "io.ghcrctl.image.origin"
_OURS = "io.ghcrctl."


def name_of(entry: Descriptor, short: Mapping[str, str]) -> str:
    """Return the full name of an entry in ``index.json``; empty if it has none.

    Args:
        entry: the entry.
        short: docker's short names by containerd's names.

    Raises:
        InvalidManifestError: the name is invalid.
    """
    notes = entry.annotations
    if full := noted_name(notes):
        return parse_name(full)
    if full := noted_name(notes, CONTAINERD_NAME):
        return parse_name(short.get(full, full))
    name = notes.get(REF_NAME, "")
    # A tag alone is not a name.
    return parse_name(name) if set(name) & set("/:@") else ""


def noted_name(notes: Mapping[str, str], key: str = OUR_NAME) -> str:
    """Return the full name in an annotation; empty if it does not match ``ref.name``.

    Tools that tag an image in a layout set ``ref.name`` and copy the other annotations.
    """
    full, name = notes.get(key, ""), notes.get(REF_NAME, "")
    return full if not name or name in {full, tag_in(full)} else ""


def parse_name(text: str) -> str:
    """Parse a name in an archive and return it in the store's format.

    Raises:
        InvalidManifestError: the name is invalid.
    """
    try:
        # Docker writes Docker Hub names without a registry.
        return str(Reference.parse(text, default_registry=DOCKER_HUB, local_names=True).tagged())
    except InvalidReferenceError as error:
        raise InvalidManifestError(f"invalid image name `{_shown(text)}` in the archive") from error


def _shown(text: str) -> str:
    shown = shortened(text)
    return shown if shown.isprintable() else ascii(shown)[1:-1]


def short_names(listed: Iterable[str]) -> dict[str, str]:
    """Return docker's short names by containerd's names of the same images."""
    found = {}
    for name in listed:
        parsed = Reference.parse(parse_name(name))
        found[containerd_name(parsed)] = name
    return found


def containerd_name(reference: Reference) -> str:
    """Return the full name of an image in docker and containerd."""
    if reference.is_local:
        return f"{DOCKER_HUB}/library/{reference}"
    return str(reference)


def name_annotations(name: str, origin: Digest | None = None) -> dict[str, str]:
    """Return the annotations with the name of an image for ``index.json``.

    Args:
        name: full reference in the store's format; may be empty.
        origin: digest of the image in the repository of its name.
    """
    if not name:
        return {}
    notes = {OUR_NAME: name, REF_NAME: name, **({ORIGIN: str(origin)} if origin else {})}
    try:
        reference = Reference.parse(name, default_registry="")
    except InvalidReferenceError:
        return notes
    if reference.tag and not reference.digest:
        notes[CONTAINERD_NAME] = containerd_name(reference)
    return notes


def is_place_specific(key: str) -> bool:
    """Return whether an annotation is only valid in one place, such as an image name."""
    return key in {REF_NAME, CONTAINERD_NAME} or key.startswith(_OURS)


def tag_in(name: str) -> str:
    """Return the tag of a full name, or the name itself if it has no tag."""
    try:
        reference = Reference.parse(name, default_registry="") if name else None
    except InvalidReferenceError:
        return name
    return reference.tag or name if reference and not reference.digest else name


def docker_tag(name: str) -> str:
    """Return a name for docker's ``RepoTags``; empty if docker does not support such names."""
    try:
        reference = Reference.parse(name, default_registry="") if name else None
    except InvalidReferenceError:
        return ""
    return name if reference and reference.tag and not reference.digest else ""
