"""What images are called in archives, and which of these names are ours.

What belongs here: the annotations and lists that docker, containerd and others keep names in, read
and written. A name without a registry and of one part is a local one here; docker's own
(``docker.io/library/hello``) and containerd's cannot tell it from one of Docker Hub, so that
docker's short list decides where there is one.

Sources: containerd, ``core/images/annotations.go``; OCI image spec 1.1, annotations.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidManifestError, InvalidReferenceError
from ghcrctl.oci.quoting import shortened
from ghcrctl.oci.reference import DOCKER_HUB, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest

REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"
OUR_NAME = "io.ghcrctl.image.name"
# The digest by which the repository in the name knows the image; read only where it is proven.
ORIGIN = "io.ghcrctl.image.origin"
_OURS = "io.ghcrctl."


def name_of(entry: Descriptor, short: Mapping[str, str]) -> str:
    """Return what an entry of ``index.json`` is called here; empty where it has no full name.

    Args:
        entry: with its annotations.
        short: docker's list of short names, by what containerd calls them.

    Raises:
        InvalidManifestError: it has a name that no image can have.
    """
    notes = entry.annotations
    if full := noted_name(notes):
        return parse_name(full)
    if full := noted_name(notes, CONTAINERD_NAME):
        return parse_name(short.get(full, full))
    name = notes.get(REF_NAME, "")
    # A tag alone names nothing.
    return parse_name(name) if set(name) & set("/:@") else ""


def noted_name(notes: Mapping[str, str], key: str = OUR_NAME) -> str:
    """Return the full name that annotations note beside ``ref.name``; empty if it is outdated.

    Tools that tag or change an image of a layout set ``ref.name``, and copy what else is noted.
    """
    full, name = notes.get(key, ""), notes.get(REF_NAME, "")
    return full if not name or name in {full, tag_in(full)} else ""


def parse_name(text: str) -> str:
    """Read a name of an archive, and write it as the store does.

    Raises:
        InvalidManifestError: no image can have it.
    """
    try:
        # Whoever saved it has named the registry; what has none is docker's.
        return str(Reference.parse(text, default_registry=DOCKER_HUB, local_names=True).tagged())
    except InvalidReferenceError as error:
        raise InvalidManifestError(
            f"the archive names an image `{_shown(text)}`, which is no valid name"
        ) from error


def _shown(text: str) -> str:
    shown = shortened(text)
    return shown if shown.isprintable() else ascii(shown)[1:-1]


def short_names(listed: Iterable[str]) -> dict[str, str]:
    """Return docker's short names by what containerd calls the same images."""
    found = {}
    for name in listed:
        parsed = Reference.parse(parse_name(name))
        found[containerd_name(parsed)] = name
    return found


def containerd_name(reference: Reference) -> str:
    """Return what docker and containerd call an image in full."""
    if reference.is_local:
        return f"{DOCKER_HUB}/library/{reference}"
    return str(reference)


def name_annotations(name: str, origin: Digest | None = None) -> dict[str, str]:
    """Return the annotations that name an image in ``index.json``, for every reader.

    Args:
        name: a full reference, as the store has it; may be empty.
        origin: the digest by which its repository knows the image.
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


def is_of_a_place(key: str) -> bool:
    """Return whether an annotation is only valid in one place, such as the image's name there."""
    return key in {REF_NAME, CONTAINERD_NAME} or key.startswith(_OURS)


def tag_in(name: str) -> str:
    """Return the tag of a full name; the name itself where it has none."""
    try:
        reference = Reference.parse(name, default_registry="") if name else None
    except InvalidReferenceError:
        return name
    return reference.tag or name if reference and not reference.digest else name


def docker_tag(name: str) -> str:
    """Return a name as docker's ``RepoTags`` have it; empty where docker has no such names."""
    try:
        reference = Reference.parse(name, default_registry="") if name else None
    except InvalidReferenceError:
        return ""
    return name if reference and reference.tag and not reference.digest else ""
