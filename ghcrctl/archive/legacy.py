"""Reads docker archives in the format before 1.10 (2016): a directory per layer.

Configs in this format do not list layers, so every layer is read to compute its diff ID.

Source: docker's image specification 1.0, "Combined Image JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from ghcrctl.archive.docker_reader import REPOSITORIES_FILE, DockerImage
from ghcrctl.archive.files import read_metadata_file
from ghcrctl.archive.names import parse_name
from ghcrctl.content.streams import CHUNK_SIZE
from ghcrctl.errors import InvalidManifestError
from ghcrctl.layers.compression import Compression, Unpacker, detect
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.documents import load_object
from ghcrctl.oci.quotes import shortened

if TYPE_CHECKING:
    from ghcrctl.archive.files import Files

# Docker's engine has the same limit.
_MAX_LAYERS = 127
_ID = re.compile(r"[0-9a-f]{64}\Z")
# These fields belong to a layer, not to an image.
_LAYER_ONLY = ("id", "parent", "Size", "parent_id", "layer_id", "throwaway")


def is_legacy(files: Files) -> bool:
    """Return whether an archive has this format."""
    return files.size(REPOSITORIES_FILE) is not None


def read_images(files: Files) -> list[DockerImage]:
    """Return the images in ``repositories``, each once.

    Raises:
        InvalidManifestError: the archive is invalid.
    """
    names: dict[str, list[str]] = {}
    listed = load_object(read_metadata_file(files, REPOSITORIES_FILE), REPOSITORIES_FILE)
    for repository, tags in listed.items():
        for tag, image in (tags if isinstance(tags, dict) else {}).items():
            names.setdefault(str(image), []).append(parse_name(f"{repository}:{tag}"))
    diff_ids: dict[str, Digest] = {}
    return [_image(files, top, tuple(called), diff_ids) for top, called in names.items()]


def _image(
    files: Files, top: str, names: tuple[str, ...], diff_ids: dict[str, Digest]
) -> DockerImage:
    chain = _chain(files, top)
    layers = tuple(f"{layer['id']}/layer.tar" for layer in chain)
    for path in layers:
        if path not in diff_ids:
            diff_ids[path] = _diff_id(files, path)
    found = tuple(diff_ids[path] for path in layers)
    config = {key: value for key, value in chain[-1].items() if key not in _LAYER_ONLY}
    config["rootfs"] = {"type": "layers", "diff_ids": [str(digest) for digest in found]}
    config["history"] = [_history(layer) for layer in chain]
    raw = json.dumps(config, sort_keys=True, separators=(",", ":")).encode()
    return DockerImage(raw, found, layers, names)


def _chain(files: Files, top: str) -> list[dict[str, Any]]:
    """Return the JSON documents of an image's layers, base first."""
    chain: list[dict[str, Any]] = []
    here: object = top
    while here:
        if not isinstance(here, str) or not _ID.match(here) or len(chain) == _MAX_LAYERS:
            raise InvalidManifestError(
                f"invalid chain of layers below {shortened(top)} in {files.label}"
            )
        layer = load_object(read_metadata_file(files, f"{here}/json"), f"{here}/json")
        chain.append({**layer, "id": here})
        here = layer.get("parent")
    return chain[::-1]


def _diff_id(files: Files, path: str) -> Digest:
    if files.size(path) is None:
        raise InvalidManifestError(f"{files.label} has no layer {shortened(path)}")
    hasher = hashlib.sha256()
    stream = files.open(path)
    try:
        chunk = stream.read(CHUNK_SIZE)
        if detect(chunk) is Compression.NONE:
            while chunk:
                hasher.update(chunk)
                chunk = stream.read(CHUNK_SIZE)
        else:
            unpacker = Unpacker(detect(chunk))
            while chunk:
                unpacker.feed(chunk, hasher.update)
                chunk = stream.read(CHUNK_SIZE)
            unpacker.finish()
    finally:
        stream.close()
    return Digest("sha256", hasher.hexdigest())


def _history(layer: dict[str, Any]) -> dict[str, Any]:
    """Return the history entry of a layer, as docker did when it migrated such images."""
    container = layer.get("container_config")
    command = container.get("Cmd") if isinstance(container, dict) else None
    line = {
        "created": layer.get("created"),
        "author": layer.get("author"),
        "created_by": " ".join(map(str, command)) if isinstance(command, list) else None,
        "comment": layer.get("comment"),
    }
    return {key: value for key, value in line.items() if value}
