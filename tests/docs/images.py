"""Images with files that a page can look at."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING

from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform
from tests.builders import Built, index_of, random_image, rewritten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Files = dict[str, str]
_LINUX = (Platform("linux", "amd64"), Platform("linux", "arm64"))
_FOREIGN_HOST = "https://mcr.microsoft.com/v2/windows/nanoserver/blobs"


def image(*layers: Files, platform: Platform, created: str, command: str = "/bin/sh") -> Built:
    """Make an image of layers of text files, base first."""
    packed = [_layer(files) for files in layers]
    config = {
        **platform.to_json(),
        "created": created,
        "config": {"Cmd": [command], "Env": ["PATH=/usr/bin:/bin"]},
        "rootfs": {
            "type": "layers",
            "diff_ids": [str(Digest.of(gzip.decompress(data))) for _, data in packed],
        },
        "history": [{"created": created, "created_by": f"COPY {min(f)} /"} for f in layers],
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


def linux(*layers: Files, created: str, command: str = "/bin/sh") -> Built:
    """Make an image for two processors, each with a file that says which."""
    made = []
    for platform in _LINUX:
        own = {"etc/processor": f"{platform.architecture}\n"}
        made.append(image(own, *layers, platform=platform, created=created, command=command))
    return index_of(*made)


def windows() -> tuple[Built, Sequence[tuple[Descriptor, bytes]]]:
    """Make an image of Windows, and the layers of it that only their publisher has."""
    platform = Platform("windows", "amd64", os_version="10.0.20348.2700")
    built = random_image(platform=platform, foreign=True)
    whole = random_image(platform=platform)
    layers = json.loads(built.raw)["layers"]
    layers[0]["urls"] = [f"{_FOREIGN_HOST}/{layers[0]['digest']}"]
    return index_of(rewritten(built, layers=layers)), whole.contents[:1]


def _document(data: Mapping[str, object], media_type: str) -> tuple[Descriptor, bytes]:
    raw = json.dumps(data, separators=(",", ":")).encode()
    return Descriptor.of(raw, media_type), raw


def _layer(files: Files) -> tuple[Descriptor, bytes]:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, text in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(text.encode()), 0o755 if "bin/" in path else 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
    data = gzip.compress(packed.getvalue(), mtime=0)
    return Descriptor.of(data, media_types.OCI_LAYER_GZIP), data
