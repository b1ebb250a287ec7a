"""Describe an image as docker does, from the store or directly from a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.content.memory_place import Overlay
from ghcrctl.oci.config import go_time
from ghcrctl.operations.common.find import find
from ghcrctl.operations.common.image_contents import image_of

if TYPE_CHECKING:
    from ghcrctl.content.ports import Source
    from ghcrctl.oci.config import ImageConfig
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.image_contents import ImageContents
    from ghcrctl.operations.common.session import Session

_NO_TIME = "0001-01-01T00:00:00Z"
_CREATED = "org.opencontainers.image.created"


def locate_image(session: Session, text: str, *, is_remote: bool) -> tuple[Source, Descriptor]:
    """Return the source of an image, and its manifest or index.

    Args:
        session: the run.
        text: a name; for a local image also a digest or an ID.
        is_remote: whether to read from the registry instead of the local store.

    Raises:
        NotFoundError: the image does not exist.
        RefusedError: the name is local, but the registry is requested.
    """
    if not is_remote:
        return session.store.blobs, find(session, text).record.descriptor
    reference = session.parse(text).tagged()
    repository = session.source(reference)
    root = repository.resolve(reference.target)
    # Content in the store does not have to be fetched.
    return Overlay(session.store.blobs.intact, repository), root


def inspect_local(session: Session, text: str, platform: Platform | None = None) -> dict[str, Any]:
    """Describe an image of the local store.

    Args:
        session: the run.
        text: a name, a digest or an ID.
        platform: the platform of a multi-platform image; this machine's by default.

    Raises:
        NoSuchImageError: no image matches the text.
        PlatformNotFoundError: the image was not pulled for the platform.
    """
    found = find(session, text)
    record = found.record
    contents = image_of(
        session.store.blobs,
        record.descriptor,
        platform or session.settings.preferred_platform,
        exact=platform is not None,
        warn=session.warn,
    )
    tags = [r.name for r in found.records if r.reference and r.reference.tag]
    digests = dict.fromkeys(r.repo_digest for r in found.records if r.repo_digest)
    return _document(contents, record.descriptor, tags, list(digests))


def inspect_remote(
    session: Session, reference: Reference, platform: Platform | None = None
) -> dict[str, Any]:
    """Describe an image at a registry, reading only its manifests and config.

    Raises:
        RefusedError: the reference is a local name.
        NotFoundError: the image does not exist, or not for the platform.
    """
    reference = reference.tagged()
    repository = session.source(reference)
    root = repository.resolve(reference.target)
    contents = image_of(
        repository,
        root,
        platform or session.settings.preferred_platform,
        exact=platform is not None,
        warn=session.warn,
    )
    tags = [str(reference.with_tag(reference.tag))] if reference.tag else []
    return _document(contents, root, tags, [f"{reference.name}@{root.digest}"])


def _document(
    contents: ImageContents, root: Descriptor, tags: list[str], digests: list[str]
) -> dict[str, Any]:
    """Build docker's document. Source: Docker Engine API, ``ImageInspect``."""
    if contents.config is None:
        return _artifact_document(contents, root, tags, digests)
    config, manifest = contents.config, contents.manifest
    image_id = manifest.config.digest if manifest else root.digest
    document: dict[str, Any] = {
        "Id": str(image_id),
        "RepoTags": tags,
        "RepoDigests": digests,
        "Parent": "",
        "Comment": _comment(config),
        "Created": go_time(config.created) or _NO_TIME,
        "DockerVersion": str(config.data.get("docker_version", "")),
        "Author": config.author,
        "Architecture": config.platform.architecture,
    }
    optional = {"Variant": config.platform.variant, "OsVersion": config.platform.os_version}
    document |= {"Variant": optional["Variant"]} if optional["Variant"] else {}
    document["Os"] = config.platform.os
    document |= {"OsVersion": optional["OsVersion"]} if optional["OsVersion"] else {}
    return document | {
        "Size": contents.size,
        "RootFS": {"Type": "layers", "Layers": list(config.diff_ids)},
        "Config": config.data.get("config") or {},
        "Metadata": {"LastTagTime": _NO_TIME},
        "Descriptor": _descriptor_json(root),
    }


def _comment(config: ImageConfig) -> str:
    """Return the image's own comment, else the one of the last step, as docker does."""
    own = config.data.get("comment")
    if own and isinstance(own, str):
        return own
    return config.history[-1].comment if config.history else ""


def _artifact_document(
    contents: ImageContents, root: Descriptor, tags: list[str], digests: list[str]
) -> dict[str, Any]:
    """Describe an artifact or an index without images."""
    shown = contents.manifest or contents.root
    kind = contents.manifest.kind if contents.manifest else contents.root.artifact_type
    children = shown.children
    return {
        "Id": str(root.digest),
        "RepoTags": tags,
        "RepoDigests": digests,
        "Created": go_time(shown.annotations.get(_CREATED, "")) or _NO_TIME,
        "ArtifactType": kind or root.media_type,
        "Size": contents.size,
        "Annotations": dict(shown.annotations),
        "Blobs": [child.to_json() for child in children],
        "Descriptor": _descriptor_json(root),
    }


def _descriptor_json(root: Descriptor) -> dict[str, Any]:
    return {"mediaType": root.media_type, "digest": str(root.digest), "size": root.size}
