"""Archives as docker wrote them in its time, made of nothing; the same for the same arguments.

Source: docker's image specifications 1.0 and 1.2.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """Return a tar archive of files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def layer(number: int) -> bytes:
    """Return a layer with one file."""
    return tar_of({f"etc/file-{number}": f"content {number}\n".encode() * 50})


def config_of(layers: Sequence[bytes], **more: Any) -> bytes:
    """Return the config of an image with some uncompressed layers."""
    diff_ids = [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2024-01-02T03:04:05Z",
        "config": {"Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": "2024-01-02T03:04:05Z"} for _ in layers],
        **more,
    }
    return json.dumps(config).encode()


def docker_archive(
    layers: Sequence[bytes],
    tags: Sequence[str] | None = ("octo/image:1.0",),
    *,
    packed: bool = False,
    **changes: Any,
) -> dict[str, bytes]:
    """Make the files of an archive of one image, as docker wrote them from 1.10 to 24.

    Args:
        layers: unpacked, base first.
        tags: what the image is called.
        packed: whether the layers are packed by gzip, as other programs do.
        changes: of the entry in ``manifest.json``.
    """
    config = config_of(layers)
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    files = {name: config}
    paths = []
    for data in layers:
        path = f"{hashlib.sha256(data).hexdigest()}/layer.tar"
        files[path] = gzip.compress(data, mtime=0) if packed else data
        files[path.replace("layer.tar", "VERSION")] = b"1.0"
        paths.append(path)
    entry = {"Config": name, "RepoTags": tags, "Layers": paths, **changes}
    files["manifest.json"] = json.dumps([entry]).encode()
    return files


def first_archive(layers: Sequence[bytes], name: str, tag: str) -> dict[str, bytes]:
    """Return the files of an archive as docker wrote them before 1.10: no manifest, no config."""
    files: dict[str, bytes] = {}
    parent = ""
    for number, data in enumerate(layers):
        here = hashlib.sha256(f"{parent}{number}".encode()).hexdigest()
        about = {
            "id": here,
            "created": "2014-01-02T03:04:05Z",
            "container_config": {"Cmd": ["/bin/sh", "-c", f"step {number}"]},
            "config": {"Cmd": ["/bin/sh"], "Env": ["A=1"]},
            "architecture": "amd64",
            "os": "linux",
            "Size": len(data),
        }
        if parent:
            about["parent"] = parent
        files[f"{here}/VERSION"] = b"1.0"
        files[f"{here}/json"] = json.dumps(about).encode()
        files[f"{here}/layer.tar"] = data
        parent = here
    files["repositories"] = json.dumps({name: {tag: parent}}).encode()
    return files


def docker_layout(layers: Sequence[bytes], name: str, tag: str) -> dict[str, bytes]:
    """Make the files of an archive as docker's own store writes them since 25.

    It is an OCI layout, but its manifest is made at every save, of layers that are not packed.
    """
    blobs: dict[str, bytes] = {}

    def put(data: bytes, kind: str) -> dict[str, Any]:
        encoded = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{encoded}"] = data
        return {"mediaType": kind, "digest": f"sha256:{encoded}", "size": len(data)}

    prefix = "application/vnd.oci.image"
    config = put(config_of(layers), f"{prefix}.config.v1+json")
    listed = [put(data, f"{prefix}.layer.v1.tar") for data in layers]
    manifest = {"schemaVersion": 2, "config": config, "layers": listed}
    root = put(json.dumps(manifest).encode(), f"{prefix}.manifest.v1+json")
    root["annotations"] = {
        "io.containerd.image.name": f"docker.io/{name}:{tag}",
        "org.opencontainers.image.ref.name": tag,
    }

    def path(entry: dict[str, Any]) -> str:
        return "blobs/" + str(entry["digest"]).replace(":", "/")

    old = {"Config": path(config), "RepoTags": [f"{name}:{tag}"], "Layers": list(map(path, listed))}
    return {
        **blobs,
        "index.json": json.dumps({"schemaVersion": 2, "manifests": [root]}).encode(),
        "manifest.json": json.dumps([old]).encode(),
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "repositories": json.dumps({name: {tag: listed[-1]["digest"]}}).encode(),
    }
