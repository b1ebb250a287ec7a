"""Images and artifacts made of nothing: small, valid, the same for the same arguments."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.content.memory_place import MemoryPlace

Format = Literal["oci", "docker"]
_TYPES = {
    "oci": (media_types.OCI_MANIFEST, media_types.OCI_CONFIG, media_types.OCI_LAYER_GZIP),
    "docker": (
        media_types.DOCKER_MANIFEST,
        media_types.DOCKER_CONFIG,
        media_types.DOCKER_LAYER_GZIP,
    ),
}
_OCI_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
_LINUX = Platform("linux", "amd64")


@dataclass(frozen=True, slots=True)
class Built:
    """A graph of content: children first, the root last."""

    root: Descriptor
    contents: tuple[tuple[Descriptor, bytes], ...]

    def into(self, place: MemoryPlace) -> Built:
        """Store everything in a place in memory."""
        for descriptor, content in self.contents:
            place.put(descriptor, content)
        return self

    @property
    def raw(self) -> bytes:
        """The bytes of the root."""
        return self.contents[-1][1]

    @property
    def blobs(self) -> tuple[tuple[Descriptor, bytes], ...]:
        """Everything that is not a manifest."""
        return tuple(pair for pair in self.contents if not pair[0].is_manifest)

    @property
    def manifests(self) -> tuple[tuple[Descriptor, bytes], ...]:
        """Manifests and indexes, children first."""
        return tuple(pair for pair in self.contents if pair[0].is_manifest)


def random_image(
    layers: int = 2,
    size: int = 2000,
    *,
    format: Format = "oci",  # noqa: A002 docker's word
    platform: Platform = _LINUX,
    foreign: bool = False,
    seed: int = 0,
) -> Built:
    """Make an image.

    Args:
        layers: how many, base first.
        size: bytes of the one file in each layer; they do not compress.
        format: whose media types.
        platform: what the config says.
        foreign: whether the base layer is one that is not here and has ``urls``.
        seed: images of different seeds share nothing.
    """
    manifest_type, config_type, layer_type = _TYPES[format]
    made = [_layer(layer_type, size, f"{seed}-{platform}-{number}") for number in range(layers)]
    diff_ids = [str(Digest.of(gzip.decompress(data))) for _, data in made]
    config = _blob(_config(platform, diff_ids, seed), config_type)
    listed = [descriptor for descriptor, _ in made]
    present = made
    if foreign and made:
        listed[0] = _as_foreign(listed[0], format)
        present = made[1:]
    body = {
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "config": config[0].to_json(),
        "layers": [descriptor.to_json() for descriptor in listed],
    }
    root = _blob(body, manifest_type)
    return Built(root[0], (*present, config, root))


def index_of(
    *images: Built,
    format: Format = "oci",  # noqa: A002 docker's word
    platforms: tuple[Platform | None, ...] = (),
    annotations: Mapping[str, str] | None = None,
) -> Built:
    """Build an index of images; their platforms are those of their configs by default."""
    kind = media_types.OCI_INDEX if format == "oci" else media_types.DOCKER_LIST
    named = platforms or tuple(_platform_of(image) for image in images)
    entries = [replace(i.root, platform=p) for i, p in zip(images, named, strict=True)]
    body: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": kind,
        "manifests": [entry.to_json() for entry in entries],
    }
    if annotations:
        body["annotations"] = dict(annotations)
    root = _blob(body, kind)
    below = dict.fromkeys(pair for image in images for pair in image.contents)
    return Built(root[0], (*below, root))


def rewritten(built: Built, **fields: Any) -> Built:
    """Return the same content with other fields in its root; ``None`` removes one."""
    document = {**json.loads(built.raw), **fields}
    kept = {key: value for key, value in document.items() if value is not None}
    root = _blob(kept, built.root.media_type)
    return Built(root[0], (*built.contents[:-1], root))


def attested(image: Built, format: Format = "oci") -> Built:  # noqa: A002 docker's word
    """Build an index of an amd64 image and its attestation, like buildx."""
    platforms = (_LINUX, Platform("unknown", "unknown"))
    index = index_of(image, artifact(payload=b"{}"), platforms=platforms, format=format)
    entries = json.loads(index.raw)["manifests"]
    entries[1]["annotations"] = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": str(image.root.digest),
    }
    return rewritten(index, manifests=entries)


def artifact(
    artifact_type: str = "application/vnd.example.thing",
    *,
    subject: Descriptor | None = None,
    payload: bytes = b"payload",
    annotations: Mapping[str, str] | None = None,
) -> Built:
    """Build an OCI 1.1 artifact with the empty config and one layer."""
    config = (Descriptor.of(b"{}", media_types.OCI_EMPTY), b"{}")
    layer = (Descriptor.of(payload, "application/octet-stream"), payload)
    body: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": config[0].to_json(),
        "layers": [layer[0].to_json()],
    }
    if subject:
        body["subject"] = subject.to_json()
    if annotations:
        body["annotations"] = dict(annotations)
    root = _blob(body, media_types.OCI_MANIFEST)
    return Built(root[0], (config, layer, root))


def _blob(data: object, media_type: str) -> tuple[Descriptor, bytes]:
    raw = json.dumps(data, separators=(",", ":")).encode()
    return Descriptor.of(raw, media_type), raw


def _layer(media_type: str, size: int, name: str) -> tuple[Descriptor, bytes]:
    content = random.Random(name).randbytes(size)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo(f"data/{name.replace('/', '-')}")
        member.size, member.mtime = len(content), 0
        archive.addfile(member, io.BytesIO(content))
    data = gzip.compress(tar.getvalue(), mtime=0)
    return Descriptor.of(data, media_type), data


def _config(platform: Platform, diff_ids: list[str], seed: int) -> dict[str, Any]:
    created = "2024-01-02T03:04:05Z"
    return {
        **platform.to_json(),
        "created": created,
        "author": f"seed {seed}",
        "config": {"Cmd": ["/data"], "Labels": {"seed": str(seed)}},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": created, "created_by": f"ADD {number}"} for number in diff_ids],
    }


def _as_foreign(layer: Descriptor, format: str) -> Descriptor:  # noqa: A002 docker's word
    media_type = _OCI_FOREIGN if format == "oci" else media_types.DOCKER_FOREIGN_LAYER
    return replace(layer, media_type=media_type, urls=(f"https://example.com/{layer.digest}",))


def _platform_of(image: Built) -> Platform | None:
    for descriptor, content in image.contents:
        if descriptor.media_type in media_types.IMAGE_CONFIGS:
            return Platform.from_json(json.loads(content))
    return None
