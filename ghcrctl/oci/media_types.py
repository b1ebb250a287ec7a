"""Media types of the OCI image spec and of Docker."""

from __future__ import annotations

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# From release candidates of the OCI image spec 1.1; tools pushed it until mid-2023.
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"

INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
IMAGE_MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
MANIFESTS = INDEXES | IMAGE_MANIFESTS | {OCI_ARTIFACT}
SCHEMA1 = frozenset({DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED})
IMAGE_CONFIGS = frozenset({OCI_CONFIG, DOCKER_CONFIG})

# ghcr.io returns 404 for existing manifests unless all of these are accepted.
ACCEPTED = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST, OCI_ARTIFACT)
# Prefixes; compression and encryption follow as suffixes.
_IMAGE_LAYERS = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")


def is_foreign(media_type: str) -> bool:
    """Check whether layers of this type may have to be fetched from their ``urls``.

    Spec: OCI image spec 1.1, layer.md, "Non-Distributable Layers"; Docker image manifest v2 schema
    2, "urls".
    """
    return media_type == DOCKER_FOREIGN_LAYER or media_type.startswith(
        "application/vnd.oci.image.layer.nondistributable.v1.tar"
    )


def is_image_layer(media_type: str) -> bool:
    """Check whether content of this type is a file system layer of a container image.

    Spec: OCI image spec 1.1, layer.md; Docker image manifest v2 schema 2, "layers".
    """
    return media_type.startswith(_IMAGE_LAYERS)
