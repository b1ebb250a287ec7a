"""Archives as docker wrote them in its time, made of nothing; the same for the same arguments.

What belongs here: making archives' bytes. Source: docker's image specifications 1.0 and 1.2.
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
    """Make a tar archive of files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def layer(number: int) -> bytes:
    """Make a layer of one file."""
    return tar_of({f"etc/file-{number}": f"content {number}\n".encode() * 50})


def config_of(layers: Sequence[bytes], **more: Any) -> bytes:
    """Make the config of an image that has these layers, given unpacked."""
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
    """Make the files of an archive as docker wrote them before 1.10: no manifest, no config."""
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
