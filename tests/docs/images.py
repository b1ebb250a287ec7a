"""Images for the pages: files, sizes and histories like those of the real ones."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform
from tests.builders import Built, index_of, random_image, rewritten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
_FOREIGN_HOST = "https://mcr.microsoft.com/v2/windows/nanoserver/blobs"
_NANOSERVER_BYTES = 30_000_000
_OS_RELEASE = """NAME="Alpine Linux"
ID=alpine
VERSION_ID={version}
PRETTY_NAME="Alpine Linux v{minor}"
HOME_URL="https://alpinelinux.org/"
"""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer to build.

    Args:
        created_by: the instruction that `history` shows.
        files: path and content of each file; a number is the size of a binary in bytes.
    """

    created_by: str
    files: tuple[tuple[str, str | int], ...]


def alpine_layer(version: str) -> Layer:
    """Return the layer of Alpine's mini root file system."""
    minor = version.rpartition(".")[0]
    files: tuple[tuple[str, str | int], ...] = (
        ("bin/busybox", 808_712),
        ("bin/sh", "#!/bin/busybox\n"),
        ("etc/alpine-release", f"{version}\n"),
        ("etc/os-release", _OS_RELEASE.format(version=version, minor=minor)),
        ("lib/apk/db/installed", 14_602),
        ("lib/ld-musl.so.1", 630_000 + 50_000 * int(minor[-1] == "0")),
        ("lib/libcrypto.so.3", 2_130_000),
    )
    return Layer(f"ADD alpine-minirootfs-{version}.tar.gz / # buildkit", files)


def tool_layer(version: str, size: int) -> Layer:
    """Return a layer with one program."""
    program = f"#!/bin/sh\necho tool {version}\n"
    files = (("usr/bin/tool", program), ("usr/lib/tool/engine.so", size))
    return Layer("COPY tool / # buildkit", files)


@cache
def image(*layers: Layer, platform: Platform, created: str, command: str = "/bin/sh") -> Built:
    """Build an image of layers, base first."""
    packed = [_layer(layer, platform) for layer in layers]
    history = [{"created": created, "created_by": layer.created_by} for layer in layers]
    cmd = {"created": created, "created_by": f'CMD ["{command}"]', "empty_layer": True}
    config = {
        **platform.to_json(),
        "created": created,
        "config": {
            "Cmd": [command],
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "WorkingDir": "/",
        },
        "rootfs": {
            "type": "layers",
            "diff_ids": [str(Digest.of(gzip.decompress(data))) for _, data in packed],
        },
        "history": [*history, cmd],
    }
    described = _document(config, media_types.OCI_CONFIG)
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": described[0].to_json(),
        "layers": [layer.to_json() for layer, _ in packed],
    }
    root = _document(manifest, media_types.OCI_MANIFEST)
    return Built(root[0], (*packed, described, root))


def linux(*layers: Layer, created: str, command: str = "/bin/sh") -> Built:
    """Build an index of the same layers for two platforms, with different binaries."""
    images = (image(*layers, platform=p, created=created, command=command) for p in (AMD64, ARM64))
    return index_of(*images)


@cache
def windows() -> tuple[Built, Sequence[tuple[Descriptor, bytes]]]:
    """Build a Windows image; also return its foreign layers, which only the publisher has."""
    platform = Platform("windows", "amd64", os_version="10.0.20348.2700")
    built = random_image(size=_NANOSERVER_BYTES, platform=platform, foreign=True)
    whole = random_image(size=_NANOSERVER_BYTES, platform=platform)
    layers = json.loads(built.raw)["layers"]
    layers[0]["urls"] = [f"{_FOREIGN_HOST}/{layers[0]['digest']}"]
    return index_of(rewritten(built, layers=layers)), whole.contents[:1]


def _document(data: Mapping[str, object], media_type: str) -> tuple[Descriptor, bytes]:
    raw = json.dumps(data, separators=(",", ":")).encode()
    return Descriptor.of(raw, media_type), raw


@cache
def _layer(layer: Layer, platform: Platform) -> tuple[Descriptor, bytes]:
    """Pack a layer. Random binaries do not compress, so no time is spent on trying."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in sorted(layer.files):
            data = _bytes(content, platform, path)
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(data), 0o755 if "bin/" in path else 0o644
            archive.addfile(member, io.BytesIO(data))
    data = gzip.compress(packed.getvalue(), compresslevel=0, mtime=0)
    return Descriptor.of(data, media_types.OCI_LAYER_GZIP), data


def _bytes(content: str | int, platform: Platform, path: str) -> bytes:
    """Return the content of a file; binaries for arm64 are a little larger."""
    if isinstance(content, str):
        return content.encode()
    size = content * 9 // 8 if platform == ARM64 else content
    return random.Random(f"{path} {content} {platform}").randbytes(size)
