"""Comparison of the two lists that an archive may have: ``manifest.json`` and ``index.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.archive.docker_reader import MANIFEST_FILE, listed_configs, listed_names
from ghcrctl.archive.layout import INDEX_FILE, LayoutSource
from ghcrctl.archive.names import name_of, short_names
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import BlobUnknownError, InvalidManifestError
from ghcrctl.oci.manifest import Index, parse

if TYPE_CHECKING:
    from collections.abc import Collection

    from ghcrctl.archive.files import Files
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest


def check_agreement(files: Files) -> None:
    """Check that both lists of an archive have the same image for each name.

    Attack: programs read only one of the two lists, so an archive can be one image for docker and
    another for podman. Decision: reject an archive whose lists differ. Exception: an image whose
    manifests are not in the archive cannot be compared and is accepted.

    Raises:
        InvalidManifestError: a name has different images, or a list is invalid.
    """
    docker = listed_configs(files)
    for name, configs in _layout_configs(files).items():
        if name in docker and configs and docker[name] not in configs:
            raise InvalidManifestError(
                f"{files.label} lists different images named {name} in {MANIFEST_FILE} and "
                f"{INDEX_FILE}"
            )


def unlisted_names(
    files: Files, source: LayoutSource, known: Collection[str]
) -> dict[str, Descriptor | None]:
    """Return the names that only ``manifest.json`` has.

    Args:
        files: files of the archive.
        source: the archive as a layout.
        known: names in ``index.json``.

    Returns:
        The layout's image of each name; ``None`` if the layout does not have the image.
    """
    names = {name: config for name, config in listed_configs(files).items() if name not in known}
    if not names:
        return {}
    roots: dict[Digest, Descriptor] = {}
    for entry in source.entries:
        for config in _configs(source, entry) or ():
            roots.setdefault(config, entry)
    return {name: roots.get(config) for name, config in names.items()}


def _layout_configs(files: Files) -> dict[str, set[Digest]]:
    """Return the configs of images in ``index.json`` by name; empty if a manifest is missing."""
    source = LayoutSource(files)
    short = short_names(listed_names(files))
    found: dict[str, set[Digest]] = {}
    for entry in source.entries:
        if name := name_of(entry, short):
            found[name] = _configs(source, entry) or set()
    return found


def _configs(source: LayoutSource, root: Descriptor) -> set[Digest] | None:
    """Return the configs of an image, one per platform; ``None`` if a manifest is missing."""
    configs: set[Digest] = set()
    queue, seen = [root], {root.digest}
    while queue:
        here = queue.pop()
        if not here.is_manifest:
            continue
        try:
            parsed = parse(read_metadata(source, here), here.media_type)
        except BlobUnknownError:
            return None
        if isinstance(parsed, Index):
            queue += [child for child in parsed.manifests if child.digest not in seen]
            seen.update(child.digest for child in parsed.manifests)
        elif parsed.has_config:
            configs.add(parsed.config.digest)
    return configs
