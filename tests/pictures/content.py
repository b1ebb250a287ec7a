"""The images and packages in the pictures, which are the same in every run."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform
from tests.builders import Built, artifact, index_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.packages_double import GitHubDouble

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
_MIB = 1 << 20


@dataclass(frozen=True)
class Layer:
    """A layer: its instruction, and its files with their sizes (MiB)."""

    by: str
    files: tuple[tuple[str, float], ...] = ()
    edition: int = 0


DEBIAN = Layer(
    "# debian.sh --arch 'amd64' out/ 'bookworm' '@1771804800'", (("usr/lib/libc.so", 2.8),)
)
PACKAGES = Layer(
    "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends ca-certificates "
    "libpq5 && rm -rf /var/lib/apt/lists/* # buildkit",
    (("usr/lib/ssl/certs.pem", 0.3), ("usr/lib/libpq.so.5", 0.6), ("var/lib/dpkg/status", 0.1)),
)
PYTHON = Layer(
    "RUN /bin/sh -c set -eux; wget -O python.tar.xz https://www.python.org/ftp/python/3.13.2/...",
    (("usr/local/lib/libpython3.13.so", 1.9), ("usr/local/lib/python3.13/lib.zip", 1.4)),
)
ENV = Layer("ENV PYTHONUNBUFFERED=1")
COMMAND = Layer('CMD ["python" "-m" "app"]')


def code(edition: int) -> Sequence[Layer]:
    """Return the layers of the app itself in one of its editions."""
    wheels: tuple[tuple[str, float], ...] = (
        ("usr/local/lib/python3.13/site-packages/orm.so", 0.9 + edition / 6),
    )
    if edition > 1:
        wheels += (("usr/local/lib/python3.13/site-packages/http2.so", 0.7),)
    else:
        wheels += (("usr/local/lib/python3.13/site-packages/http1.so", 0.4),)
    return (
        Layer(
            "RUN /bin/sh -c pip install --no-cache-dir -r requirements.txt # buildkit",
            wheels,
            edition,
        ),
        Layer(
            "COPY src /srv/app # buildkit", (("srv/app/main.py", 0.05 * (edition + 1)),), edition
        ),
        COMMAND,
    )


def image(layers: Sequence[Layer], created: datetime, platform: Platform = AMD64) -> Built:
    """Make an image of layers, base first; one that has no files is none but an instruction."""
    made = [(layer, _blob(_packed(layer, platform))) for layer in layers if layer.files]
    config = {
        **platform.to_json(),
        "created": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "config": {"Cmd": ["python", "-m", "app"]},
        "rootfs": {
            "type": "layers",
            "diff_ids": [str(Digest.of(gzip.decompress(data))) for _, (_, data) in made],
        },
        "history": [_step(layer, created) for layer in layers],
    }
    stored = _blob(json.dumps(config).encode(), media_types.OCI_CONFIG)
    body = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": stored[0].to_json(),
        "layers": [descriptor.to_json() for _, (descriptor, _) in made],
    }
    root = _blob(json.dumps(body).encode(), media_types.OCI_MANIFEST)
    return Built(root[0], (*(pair for _, pair in made), stored, root))


def _step(layer: Layer, created: datetime) -> dict[str, object]:
    # A base is older than what is made of it.
    age = 20 if layer in (DEBIAN, PACKAGES, PYTHON, ENV) else 0
    step: dict[str, object] = {
        "created": f"{created - timedelta(days=age):%Y-%m-%dT%H:%M:%SZ}",
        "created_by": layer.by,
        "comment": "buildkit.dockerfile.v0",
    }
    return step if layer.files else {**step, "empty_layer": True}


def _packed(layer: Layer, platform: Platform) -> bytes:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, mib in layer.files:
            seed = random.Random(f"{path} {platform} {layer.edition}")
            content = seed.randbytes(int(mib * _MIB))
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(tar.getvalue(), 1, mtime=0)


def _blob(raw: bytes, media_type: str = media_types.OCI_LAYER_GZIP) -> tuple[Descriptor, bytes]:
    return Descriptor.of(raw, media_type), raw


def release(edition: int, created: datetime) -> Built:
    """Make an edition of the app for two platforms, with what attests the first."""
    layers = (DEBIAN, PACKAGES, PYTHON, ENV, *code(edition))
    images = [image(layers, created, platform) for platform in (AMD64, ARM64)]
    return index_of(*images)


def fill(github: GitHubDouble) -> None:
    """Put packages on GitHub."""
    github.accounts["octo"] = "ghp_octo"
    github.clock.now = NOW
    for edition, days in enumerate((61, 33, 12, 2)):
        at = NOW - timedelta(days=days)
        github.push("octo/app", f"1.{edition}", release(edition, at), at)
        if edition == 3:
            github.push("octo/app", "latest", release(edition, at), at)
            signature = artifact(
                "application/vnd.dev.cosign.artifact.sig.v1+json", payload=b"signed"
            )
            digest = release(edition, at).root.digest
            github.push("octo/app", f"sha256-{digest.encoded}.sig", signature, at)
    for number, days in ((41, 40), (42, 25), (57, 4)):
        at = NOW - timedelta(days=days)
        layers = (DEBIAN, PACKAGES, PYTHON, ENV, *code(number))
        changed = [
            replace(layer, files=(("srv/app/main.py", number / 60),)) for layer in layers[-2:-1]
        ]
        github.push("octo/app", f"pr-{number}", image((*layers[:-3], *changed), at), at)
    at = NOW - timedelta(days=50)
    loose = Layer("COPY . /srv", (("srv/draft", 1.2),))
    github.push("octo/app", None, image((DEBIAN, PACKAGES, loose), at), at)
    base = image((DEBIAN, PACKAGES, PYTHON, ENV), NOW - timedelta(days=22))
    github.push("octo/python", "3.13", base, NOW - timedelta(days=22))
    tool = Layer("COPY tool /usr/bin/", (("usr/bin/tool", 0.8),))
    github.push("octo/tool", "edge", image((tool,), NOW - timedelta(hours=5)), NOW)
    github.api.linked |= {"octo/app": "octo/app", "octo/tool": "octo/tools"}
    github.public.update({"octo/app", "octo/python"})


def small_tree() -> bytes:
    """Make the tar archive of a small file tree: a program, and some data worth moving."""
    program = b"#!/bin/sh\necho hello from a container\n"
    data = random.Random("data").randbytes(8_000_000)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content, mode in (("hello", program, 0o755), ("usr/share/data", data, 0o644)):
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return tar.getvalue()
