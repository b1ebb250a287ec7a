"""Images with all features, and archives of them in the formats of all docker versions."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from tests.builders import Built
from tests.integration.peers import run_peer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GREETING = "hello from an archive"
# Umlauts in both Unicode normal forms, an astral character, spaces, and a name over 100 bytes.
ODD_NAMES = ["größe", "gro\u0308ße", "日本語 🙂", "x" * 90 + "/" + "ü" * 60]
CREATED = "2024-01-02T03:04:05Z"
# Docker's empty layer: a tar archive without members, which is two blocks of zeros.
EMPTY_LAYER = bytes(1024)


@dataclass(frozen=True, slots=True)
class Made:
    """An image with its uncompressed layers.

    Args:
        built: as an OCI image.
        config: the bytes of the config.
        layers: tar archives, base first.
    """

    built: Built
    config: bytes
    layers: tuple[bytes, ...]

    @property
    def image_id(self) -> str:
        return f"sha256:{sha256(self.config)}"

    @property
    def digest(self) -> str:
        return str(self.built.root.digest)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_image(
    layers: Sequence[bytes],
    *,
    architecture: str = "amd64",
    label: str = "",
    packed: bool = True,
) -> Made:
    """Build an OCI image that prints its greeting.

    Args:
        layers: tar archives, base first.
        architecture: what the config says.
        label: images of different labels have different IDs.
        packed: whether the layers are gzip's.
    """
    diff_ids = [f"sha256:{sha256(layer)}" for layer in layers]
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": CREATED,
        "config": {
            "Cmd": ["/bin/busybox", "cat", "/greeting"],
            "Env": ["PATH=/bin", "COLOUR=größe"],
            "Labels": {"label": label},
        },
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [
            *({"created": CREATED, "created_by": f"ADD {digest}"} for digest in diff_ids),
            {"created": CREATED, "created_by": "CMD", "empty_layer": True},
        ],
    }
    raw = json.dumps(config, ensure_ascii=False).encode()
    described = Descriptor.of(raw, media_types.OCI_CONFIG)
    kind = media_types.OCI_LAYER_GZIP if packed else media_types.OCI_LAYER
    blobs = [gzip.compress(layer, 5, mtime=0) if packed else layer for layer in layers]
    contents = [(Descriptor.of(blob, kind), blob) for blob in blobs]
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": described.to_json(),
        "layers": [descriptor.to_json() for descriptor, _ in contents],
    }
    body = json.dumps(manifest, indent=1).encode()
    root = Descriptor.of(body, media_types.OCI_MANIFEST)
    unique = dict.fromkeys([*contents, (described, raw)])
    return Made(Built(root, (*unique, (root, body))), raw, tuple(layers))


def rich_layers(busybox: bytes) -> list[bytes]:
    """Build layers with all unusual features except sparse files."""
    base = tar_of(
        folder("bin"),
        file("bin/busybox", busybox, 0o755),
        file("greeting", f"{GREETING}\n".encode()),
        folder("dir"),
        file("dir/a", b"a" * 700),
        link("dir/hard", "dir/a", tarfile.LNKTYPE),
        link("dir/soft", "../greeting", tarfile.SYMTYPE),
        file("dir/gone", b"gone"),
        folder("old"),
        file("old/x", b"x"),
        *(file(f"odd/{name}", name.encode()) for name in ODD_NAMES),
    )
    change = tar_of(
        file("dir/.wh.gone", b""),
        folder("old"),
        file("old/.wh..wh..opq", b""),
        file("old/y", b"y"),
        file("dir/empty", b""),
        file("dir/owned", b"o", 0o4751, 12345, 2_500_000),
    )
    return [base, change, EMPTY_LAYER]


Member = tuple[tarfile.TarInfo, bytes]


def tar_of(*members: Member, mode: str = "w") -> bytes:
    """Write a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def file(name: str, content: bytes, mode: int = 0o644, uid: int = 0, gid: int = 0) -> Member:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), mode, 1_700_000_000
    member.uid, member.gid = uid, gid
    return member, content


def folder(name: str) -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    return member, b""


def link(name: str, target: str, kind: bytes) -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mtime = kind, target, 1_700_000_000
    return member, b""


def sparse_layer(scratch: Path) -> bytes:
    """Build a layer with a sparse file of 30 MB, as written by GNU tar."""
    tree = scratch / "sparse"
    tree.mkdir()
    with (tree / "holes").open("wb") as holes:
        for number in range(20):
            holes.seek(number * 1_500_000)
            holes.write(b"%d" % number)
        holes.truncate(30_000_000)
    options = ("--format=posix", "--sparse", "--mtime=@0", "--owner=0", "--group=0")
    run_peer("tar", *options, "-C", str(tree), "-cf", f"{tree}.tar", "holes")
    return tree.with_suffix(".tar").read_bytes()


def huge_layer(size: int) -> bytes:
    """Build a layer with a file of zeros and what a container needs to start."""
    return tar_of(file("zeros", bytes(size)))


def write_layout(folder: Path, images: Mapping[str, Built]) -> Path:
    """Write an OCI layout with images by name."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for built in images.values():
        for descriptor, content in built.contents:
            (blobs / descriptor.digest.encoded).write_bytes(content)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    entries = [
        {
            **built.root.to_json(),
            "annotations": {"org.opencontainers.image.ref.name": name},
        }
        for name, built in images.items()
    ]
    index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries}
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def archive_of(folder_: Path) -> bytes:
    """Write a layout as one tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(folder_.rglob("*")):
            archive.add(path, str(path.relative_to(folder_)), recursive=False)
    return buffer.getvalue()


def docker_1_9(made: Made, names: Sequence[str]) -> bytes:
    """Write an archive in docker's format before 1.10, with a directory per layer."""
    members: list[Member] = []
    parent = ""
    for number, layer in enumerate(made.layers):
        here = sha256(parent.encode() + layer)
        last = number == len(made.layers) - 1
        about: dict[str, Any] = {"id": here, "created": CREATED, "Size": len(layer)}
        about |= {"container_config": {"Cmd": ["/bin/sh", "-c", f"#(nop) ADD {number}"]}}
        about |= {"parent": parent} if parent else {}
        if last:
            about |= _of_config(made, "config", "architecture", "os")
        members += _layer_folder(here, about)
        members.append(file(f"{here}/layer.tar", layer))
        parent = here
    members.append(file("repositories", _repositories(names, parent)))
    return tar_of(*members)


def docker_1_10(made: Made, names: Sequence[str]) -> bytes:
    """Write an archive in docker's format from 1.10 to 24; a duplicate layer is a link."""
    members: list[Member] = []
    paths: list[str] = []
    written: dict[bytes, str] = {}
    parent = ""
    for number, layer in enumerate(made.layers):
        here = sha256(f"{number}{parent}".encode())
        about = {"id": here, "created": CREATED} | ({"parent": parent} if parent else {})
        members += _layer_folder(here, about)
        path = f"{here}/layer.tar"
        if layer in written:
            members.append(link(path, f"../{written[layer]}", tarfile.SYMTYPE))
        else:
            members.append(file(path, layer))
        written.setdefault(layer, path)
        paths.append(path)
        parent = here
    config = f"{sha256(made.config)}.json"
    listed = [{"Config": config, "RepoTags": list(names) or None, "Layers": paths}]
    members.insert(0, file(config, made.config))
    members.append(file("manifest.json", json.dumps(listed).encode()))
    if names:
        members.append(file("repositories", _repositories(names, parent)))
    return tar_of(*members)


def docker_25(
    made: Made, names: Sequence[str], *, sources: Mapping[str, Any] | None = None
) -> bytes:
    """Write an archive in docker's format since 25, which is also an OCI layout.

    Args:
        made: the image.
        names: its names.
        sources: where layers came from, by diff id; those that are not in it came from nowhere.
    """
    bare = make_bare(made)
    listed = {
        "Config": f"blobs/sha256/{sha256(made.config)}",
        "RepoTags": list(names) or None,
        "Layers": [f"blobs/sha256/{sha256(layer)}" for layer in made.layers],
        "LayerSources": {
            f"sha256:{sha256(layer)}": Descriptor.of(layer, media_types.OCI_LAYER).to_json()
            for layer in made.layers
        }
        | dict(sources or {}),
    }
    entries = [
        {
            **bare.root.to_json(),
            "annotations": {
                "io.containerd.image.name": name,
                "org.opencontainers.image.ref.name": name.rpartition(":")[2],
            },
        }
        for name in names
    ] or [bare.root.to_json()]
    index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries}
    return tar_of(
        folder("blobs"),
        folder("blobs/sha256"),
        *(file(f"blobs/sha256/{d.digest.encoded}", content) for d, content in bare.contents),
        file("index.json", json.dumps(index).encode()),
        file("manifest.json", json.dumps([listed]).encode()),
        file("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'),
        *([file("repositories", _repositories(names, "x"))] if names else []),
    )


def make_bare(made: Made) -> Built:
    """Return the image with uncompressed layers that docker generates at every save."""
    layers = [(Descriptor.of(layer, media_types.OCI_LAYER), layer) for layer in made.layers]
    config = (Descriptor.of(made.config, media_types.OCI_CONFIG), made.config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": config[0].to_json(),
        "layers": [descriptor.to_json() for descriptor, _ in layers],
    }
    raw = json.dumps(manifest).encode()
    root = Descriptor.of(raw, media_types.OCI_MANIFEST)
    return Built(root, (*dict.fromkeys(layers), config, (root, raw)))


def _layer_folder(name: str, about: Mapping[str, Any]) -> list[Member]:
    return [
        folder(name),
        file(f"{name}/VERSION", b"1.0"),
        file(f"{name}/json", json.dumps(about).encode()),
    ]


def _of_config(made: Made, *keys: str) -> dict[str, Any]:
    config = json.loads(made.config)
    return {key: config[key] for key in keys}


def _repositories(names: Sequence[str], top: str) -> bytes:
    listed: dict[str, dict[str, str]] = {}
    for name in names:
        repository, _, tag = name.rpartition(":")
        listed.setdefault(repository, {})[tag] = top
    return json.dumps(listed).encode()
