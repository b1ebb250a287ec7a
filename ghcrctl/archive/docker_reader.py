"""Reads ``manifest.json`` of docker archives, as written by docker, podman and skopeo.

Source: docker's image specification 1.2, "Combined Image JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ghcrctl.archive.files import read_list, read_metadata_file
from ghcrctl.archive.layout import is_layout, read_entries
from ghcrctl.archive.names import parse_name
from ghcrctl.errors import InvalidManifestError
from ghcrctl.layers.members import clean_path
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import MAX_DESCRIPTORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.archive.files import Files

MANIFEST_FILE = "manifest.json"
REPOSITORIES_FILE = "repositories"


@dataclass(frozen=True, slots=True)
class DockerImage:
    """An image in a docker archive.

    Args:
        config: raw bytes of the image config.
        diff_ids: diff IDs of the layers, base first.
        layers: paths of the layers, in the same order.
        names: full references of the image.
        foreign: foreign layers with URLs, by diff ID.
    """

    config: bytes
    diff_ids: tuple[Digest, ...]
    layers: tuple[str, ...]
    names: tuple[str, ...]
    foreign: Mapping[Digest, Descriptor] = field(default_factory=dict)

    @property
    def contents(self) -> tuple[tuple[str, Digest], ...]:
        """The paths and diff IDs of the layers in the archive."""
        pairs = zip(self.layers, self.diff_ids, strict=True)
        return tuple(pair for pair in pairs if pair[1] not in self.foreign)


def is_docker(files: Files) -> bool:
    """Return whether to read an archive by ``manifest.json`` rather than ``index.json``.

    Docker writes an OCI layout as well, but it generates new manifests at every save, with
    uncompressed layers and in some versions without any. Only docker writes ``repositories`` or the
    sources of layers. Other programs write both lists for the original manifests.
    """
    if files.size(MANIFEST_FILE) is None:
        return False
    if not is_layout(files):
        return True
    listed = read_list(files, MANIFEST_FILE)
    if files.size(REPOSITORIES_FILE) is not None or any(map(_has_sources, listed)):
        return bool(listed)
    return bool(listed) and not read_entries(read_metadata_file(files, "index.json"))


def has_both_lists(files: Files) -> bool:
    """Return whether an archive has ``manifest.json`` and ``index.json``."""
    return files.size(MANIFEST_FILE) is not None and is_layout(files)


def listed_names(files: Files) -> list[str]:
    """Return all names in ``manifest.json``, if the file exists."""
    if files.size(MANIFEST_FILE) is None:
        return []
    return [tag for entry in read_list(files, MANIFEST_FILE) for tag in _texts(entry, "RepoTags")]


def listed_configs(files: Files) -> dict[str, Digest]:
    """Return the digests of the configs in ``manifest.json`` by name.

    If a name is listed twice, the last entry counts. Entries without their config are ignored.
    """
    if files.size(MANIFEST_FILE) is None:
        return {}
    found: dict[str, Digest] = {}
    for entry in read_list(files, MANIFEST_FILE):
        path = _config_path(entry)
        if files.size(path) is not None:
            config = Digest.of(read_metadata_file(files, path))
            found |= dict.fromkeys(map(parse_name, _texts(entry, "RepoTags")), config)
    return found


def read_images(files: Files) -> list[DockerImage]:
    """Return the images in ``manifest.json``, in its order.

    Raises:
        InvalidManifestError: the file or the config of an image is invalid.
    """
    return [_image(files, entry) for entry in read_list(files, MANIFEST_FILE)]


def _image(files: Files, entry: dict[str, Any]) -> DockerImage:
    layers = tuple(map(_path, _texts(entry, "Layers")))
    # Like docker and skopeo, compute the image ID instead of taking it from the file name.
    config = read_metadata_file(files, _config_path(entry))
    return DockerImage(
        config=config,
        diff_ids=diff_ids_of(config, len(layers)),
        layers=layers,
        names=tuple(parse_name(tag) for tag in _texts(entry, "RepoTags")),
        foreign=_foreign(entry.get("LayerSources")),
    )


def _config_path(entry: dict[str, Any]) -> str:
    path = entry.get("Config")
    if not isinstance(path, str) or not path:
        raise InvalidManifestError(f"invalid {MANIFEST_FILE}: an image has no config")
    return _path(path)


def _path(text: str) -> str:
    """Return a path of ``manifest.json`` in the form of archive paths: ``./x`` becomes ``x``."""
    return clean_path(text.lstrip("/"))


def _has_sources(entry: dict[str, Any]) -> bool:
    return bool(entry.get("LayerSources"))


def _foreign(sources: object) -> dict[Digest, Descriptor]:
    """Return the foreign layers with URLs in docker's ``LayerSources``, by diff ID.

    Since version 25, docker lists every layer there.
    """
    if sources is None:
        return {}
    if not isinstance(sources, dict):
        raise InvalidManifestError(f"invalid {MANIFEST_FILE}: expected an object in `LayerSources`")
    found = {key: Descriptor.from_json(value) for key, value in sources.items()}
    return {Digest.parse(key): d for key, d in found.items() if d.is_foreign and d.urls}


def diff_ids_of(config: bytes, layers: int) -> tuple[Digest, ...]:
    """Return the diff IDs in a config.

    Args:
        config: raw bytes of the config.
        layers: number of layers.

    Raises:
        InvalidManifestError: the config has another number of diff IDs, or one is invalid.
    """
    parsed = ImageConfig.parse(config)
    if len(parsed.diff_ids) != layers or layers > MAX_DESCRIPTORS:
        raise InvalidManifestError(
            f"an image in the archive has {layers} layers, but its config has "
            f"{len(parsed.diff_ids)} diff IDs"
        )
    return tuple(Digest.parse(text) for text in parsed.diff_ids)


def _texts(entry: dict[str, Any], key: str) -> list[str]:
    values = entry.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InvalidManifestError(
            f"invalid {MANIFEST_FILE}: expected a list of strings in `{key}`"
        )
    return values
