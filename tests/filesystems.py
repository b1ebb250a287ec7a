"""Images whose layers hold what a test says: made with Python's own tar library, not ours."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from tests.builders import Built

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Entry = tuple[tarfile.TarInfo, bytes]


def file(name: str, content: bytes = b"", **fields: Any) -> Entry:
    """Return a file."""
    return _entry(name, tarfile.REGTYPE, content, {"mode": 0o644, **fields})


def directory(name: str, **fields: Any) -> Entry:
    """Return a directory."""
    return _entry(name, tarfile.DIRTYPE, b"", {"mode": 0o755, **fields})


def symlink(name: str, target: str, **fields: Any) -> Entry:
    """Return a symbolic link."""
    return _entry(name, tarfile.SYMTYPE, b"", {"mode": 0o777, "linkname": target, **fields})


def hard_link(name: str, target: str, **fields: Any) -> Entry:
    """Return a hard link."""
    return _entry(name, tarfile.LNKTYPE, b"", {"linkname": target, **fields})


def special(name: str, type_: bytes, **fields: Any) -> Entry:
    """Return a device or a pipe."""
    return _entry(name, type_, b"", {"devmajor": 1, "devminor": 3, **fields})


def _entry(name: str, type_: bytes, content: bytes, fields: Mapping[str, Any]) -> Entry:
    info = tarfile.TarInfo(name)
    info.type, info.size = type_, len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def tar(*entries: Entry, format_: int = tarfile.PAX_FORMAT) -> bytes:
    """Return an uncompressed archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=format_) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


def image_of(
    *archives: bytes,
    config: Mapping[str, Any] | None = None,
    diff_ids: Sequence[str] = (),
    packed: Sequence[bytes] = (),
    layer_type: str = media_types.OCI_LAYER_GZIP,
) -> Built:
    """Make an image of layers, base first.

    Args:
        archives: uncompressed.
        config: what the image runs as.
        diff_ids: lies to tell instead of the right ones.
        packed: the layers as stored; by default they are packed with gzip.
        layer_type: the media type of each.
    """
    stored = packed or [gzip.compress(data, 1, mtime=0) for data in archives]
    layers = [(Descriptor.of(data, layer_type), data) for data in stored]
    known = list(diff_ids) or [str(Digest.of(data)) for data in archives]
    body = {
        "architecture": "amd64",
        "os": "linux",
        "config": dict(config or {}),
        "rootfs": {"type": "layers", "diff_ids": known},
    }
    described = _blob(body, media_types.OCI_CONFIG)
    root = _blob(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": described[0].to_json(),
            "layers": [descriptor.to_json() for descriptor, _ in layers],
        },
        media_types.OCI_MANIFEST,
    )
    return Built(root[0], (*layers, described, root))


def _blob(data: object, media_type: str) -> tuple[Descriptor, bytes]:
    raw = json.dumps(data).encode()
    return Descriptor.of(raw, media_type), raw
