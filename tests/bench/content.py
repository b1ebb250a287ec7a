"""Images to move: made of real file trees, the same at every run."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import tarfile
from typing import TYPE_CHECKING

from ghcrctl.oci import media_types

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 4 * 1024 * 1024
TAG = "bench"


def make_layout(folder: Path, *, megabytes: int, layers: int) -> Path:
    """Make an OCI layout with one image under the tag ``bench``.

    Args:
        folder: where it goes.
        megabytes: about how much its layers have together, packed.
        layers: how many.
    """
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    made = [_layer(folder, number, megabytes * 1024 * 1024 // layers) for number in range(layers)]
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in made]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": _blob(blobs, config, media_types.OCI_CONFIG),
            "layers": [entry for entry, _ in made],
        }
    ).encode()
    root = _blob(blobs, manifest, media_types.OCI_MANIFEST)
    root["annotations"] = {"org.opencontainers.image.ref.name": TAG}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
    return folder


def _blob(blobs: Path, data: bytes, media_type: str) -> dict[str, object]:
    encoded = hashlib.sha256(data).hexdigest()
    (blobs / encoded).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{encoded}", "size": len(data)}


def _layer(folder: Path, number: int, size: int) -> tuple[dict[str, object], str]:
    """Make a file tree and pack it; return the layer's descriptor and its diff id."""
    tree = _tree(folder / f"tree-{number}", number, size)
    tar = folder / "layer.tar"
    with tarfile.open(tar, "w") as archive:
        archive.add(tree, ".", filter=_timeless)
    diff_id = _digest(tar)
    packed = folder / "layer.tar.gz"
    # Quickly: how well it is packed does not matter here.
    with (
        tar.open("rb") as source,
        gzip.GzipFile(packed, "wb", compresslevel=1, mtime=0) as target,
    ):
        while chunk := source.read(_BLOCK):
            target.write(chunk)
    tar.unlink()
    for path in tree.iterdir():
        path.unlink()
    tree.rmdir()
    encoded = _digest(packed).partition(":")[2]
    entry = {
        "mediaType": media_types.OCI_LAYER_GZIP,
        "digest": f"sha256:{encoded}",
        "size": packed.stat().st_size,
    }
    packed.rename(folder / "blobs" / "sha256" / encoded)
    return entry, diff_id


def _timeless(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Forget when a file was made, by whom and how: the next run makes the same bytes."""
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() else 0o644
    return member


def _tree(folder: Path, number: int, size: int) -> Path:
    """Write files whose packed bytes come to about a size."""
    folder.mkdir()
    chance = random.Random(number)
    words = [chance.randbytes(6).hex() for _ in range(500)]
    left, count = size, 0
    while left > 0:
        block = chance.randbytes(min(_BLOCK, left))
        text = " ".join(chance.choices(words, k=len(block) // 400)).encode() * 20
        (folder / f"data-{count:04}").write_bytes(block)
        (folder / f"text-{count:04}").write_bytes(text)
        left -= len(block) + len(text) // 20
        count += 1
    return folder


def _digest(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_BLOCK):
            hasher.update(chunk)
    return f"sha256:{hasher.hexdigest()}"
