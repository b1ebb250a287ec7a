"""Images, indexes and artifacts of every kind for the conformance tests of a registry.

Each set is what one client pushes: blobs, manifests in the order of their pushes, and tags.
"""

from __future__ import annotations

import gzip
import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EMPTY_JSON = "application/vnd.oci.empty.v1+json"
KINDS = ("application/vnd.example.conformance.v1", "application/vnd.example.conformance.v2")
FOREIGN_LAYER = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
PLATFORMS = ({"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm64"})
_numbers = itertools.count()


@dataclass
class Dataset:
    """Content to push; ``referrers`` has the expected list of referrers of each subject."""

    algorithm: str = "sha256"
    blobs: dict[Digest, bytes] = field(default_factory=dict)
    manifests: dict[Digest, bytes] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)
    referrers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    def blob(self, content: bytes, media_type: str, **fields: Any) -> dict[str, Any]:
        """Add a blob; return its descriptor."""
        digest = Digest.of(content, self.algorithm)
        self.blobs[digest] = content
        return {"mediaType": media_type, "digest": str(digest), "size": len(content), **fields}

    def layer(self, *, packed: bool = True) -> dict[str, Any]:
        """Add a unique layer."""
        data = f"layer {next(_numbers)}".encode() * 50
        if packed:
            return self.blob(gzip.compress(data, mtime=0), media_types.OCI_LAYER_GZIP)
        return self.blob(data, media_types.OCI_LAYER)

    def config(self, layers: Sequence[dict[str, Any]], **fields: Any) -> dict[str, Any]:
        """Add an image config."""
        rootfs = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}
        body = {**PLATFORMS[0], "rootfs": rootfs, "author": str(next(_numbers)), **self.extra}
        return self.blob(json.dumps(body).encode(), media_types.OCI_CONFIG, **fields)

    def manifest(self, body: dict[str, Any], tag: str = "") -> dict[str, Any]:
        """Add a manifest or an index; return its descriptor."""
        body = {"schemaVersion": 2, **body, **self.extra}
        raw = json.dumps(body).encode()
        digest = Digest.of(raw, self.algorithm)
        self.manifests[digest] = raw
        found = {"mediaType": body["mediaType"], "digest": str(digest), "size": len(raw)}
        if tag:
            self.tags[tag] = digest
        if subject := body.get("subject"):
            kind = body.get("artifactType") or body.get("config", {}).get("mediaType")
            entry = {**found, "artifactType": kind, "annotations": body.get("annotations")}
            listed = {key: value for key, value in entry.items() if value}
            self.referrers.setdefault(subject["digest"], []).append(listed)
        return found

    def image(self, tag: str = "", *, layers: int = 2, packed: bool = True, **fields: Any) -> Any:
        """Add an image."""
        made = [self.layer(packed=packed) for _ in range(layers)]
        body = {"mediaType": media_types.OCI_MANIFEST, "config": self.config(made), "layers": made}
        return self.manifest({**body, **fields}, tag)

    def artifact(self, tag: str = "", *, kind: str = KINDS[0], **fields: Any) -> Any:
        """Add an artifact of one blob."""
        layer = self.blob(f"artifact {next(_numbers)}".encode(), kind)
        return self.bare(kind, layer, tag, **fields)

    def bare(self, kind: str, layer: dict[str, Any], tag: str = "", **fields: Any) -> Any:
        """Add an artifact of a given blob."""
        body = {
            "mediaType": media_types.OCI_MANIFEST,
            "artifactType": kind,
            "config": self.blob(b"{}", EMPTY_JSON),
            "layers": [layer],
        }
        return self.manifest({**body, **fields}, tag)

    def index(self, entries: Sequence[dict[str, Any]], tag: str = "", **fields: Any) -> Any:
        """Add an index."""
        body = {"mediaType": media_types.OCI_INDEX, "manifests": list(entries)}
        return self.manifest({**body, **fields}, tag)

    def images(self, make: Callable[[], Any] | None = None) -> list[dict[str, Any]]:
        """Add an image, or other content, for each platform; return the entries of an index."""
        return [{**(make or self.image)(), "platform": platform} for platform in PLATFORMS]


def _annotations() -> dict[str, str]:
    return {"org.example.conformance": "hello", "org.example.number": str(next(_numbers))}


def _of_each(build: Callable[[Dataset], object], algorithm: str = "sha256") -> Dataset:
    made = Dataset(algorithm)
    build(made)
    return made


def _large(made: Dataset) -> None:
    made.image("large-manifest", annotations={f"large-{i}": "A" * 10_000 for i in range(390)})


def _nested(made: Dataset) -> None:
    made.index([made.index(made.images()), made.index(made.images())], "index-of-index")


def _artifact_index(made: Dataset) -> None:
    made.index(made.images(made.artifact), "artifact-index", artifactType=KINDS[0])


def _without_layers(made: Dataset) -> None:
    made.bare(KINDS[0], made.blob(b"{}", EMPTY_JSON), "artifact-without-layers")


def _with_subject(made: Dataset) -> None:
    subject = made.image("image")
    made.image(subject=subject)
    for number, kind in enumerate(KINDS):
        made.artifact(f"tagged-{number}", kind=kind, subject=subject, annotations=_annotations())


def _index_with_subject(made: Dataset) -> None:
    subject = made.index(made.images(), "index")
    entries = made.images(lambda: made.artifact(subject=subject, annotations=_annotations()))
    fields = {"artifactType": KINDS[0], "annotations": _annotations(), "subject": subject}
    made.index(entries, "tagged-artifact", **fields)


def _missing_subject(made: Dataset) -> None:
    absent = Digest.of(f"absent {next(_numbers)}".encode())
    subject = {"mediaType": media_types.OCI_MANIFEST, "digest": str(absent), "size": 123}
    made.artifact("tagged-artifact", subject=subject, annotations=_annotations())


def _data_field(made: Dataset) -> None:
    made.bare(KINDS[0], made.blob(b"{}", EMPTY_JSON, data="e30="), "data-field")


def _foreign(made: Dataset) -> None:
    url = "https://store.example.com/blob"
    digest = str(Digest.of(f"foreign {next(_numbers)}".encode()))
    layer = {"mediaType": FOREIGN_LAYER, "digest": digest, "size": 123456, "urls": [url]}
    layers = [layer, made.layer()]
    body = {"mediaType": media_types.OCI_MANIFEST, "config": made.config(layers), "layers": layers}
    made.manifest(body, "non-distributable")


def _custom_fields(made: Dataset) -> None:
    made.extra = {"org.example.custom": f"value {next(_numbers)}"}
    made.index(made.images(), "custom-fields")


SETS: dict[str, Callable[[], Dataset]] = {
    "image": lambda: _of_each(lambda made: made.image("image")),
    "image uncompressed": lambda: _of_each(lambda made: made.image("plain", packed=False)),
    "large manifest": lambda: _of_each(_large),
    "index": lambda: _of_each(lambda made: made.index(made.images(), "index")),
    "nested index": lambda: _of_each(_nested),
    "empty index": lambda: _of_each(lambda made: made.index([], "empty-index")),
    "artifact": lambda: _of_each(lambda made: made.artifact("artifact")),
    "artifact index": lambda: _of_each(_artifact_index),
    "artifact without layers": lambda: _of_each(_without_layers),
    "artifacts with subject": lambda: _of_each(_with_subject),
    "index with subject": lambda: _of_each(_index_with_subject),
    "missing subject": lambda: _of_each(_missing_subject),
    "data field": lambda: _of_each(_data_field),
    "non-distributable layers": lambda: _of_each(_foreign),
    "custom fields": lambda: _of_each(_custom_fields),
    "no layers": lambda: _of_each(lambda made: made.image("no-layers", layers=0)),
    "sha512": lambda: _of_each(lambda made: made.index(made.images()), "sha512"),
}
