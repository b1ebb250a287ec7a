"""Inspect: docker's description of an image, from the store or straight from a registry.

What belongs here: docker's field names and what fills them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.content.memory import Overlay
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


def place_of_image(session: Session, text: str, *, is_remote: bool) -> tuple[Source, Descriptor]:
    """Return where an image is, and its manifest or index.

    Args:
        session: the run.
        text: a name; for a local image also a digest or an ID.
        is_remote: whether the registry is asked, and not the local store.

    Raises:
        NotFoundError: there is no such image.
        RefusedError: the name is local, and the registry is asked.
    """
    if not is_remote:
        return session.store.blobs, find(session, text).record.descriptor
    reference = session.parse(text).tagged()
    repository = session.source(reference)
    root = repository.resolve(reference.target)
    # What is here need not be fetched.
    return Overlay(session.store.blobs.sound, repository), root


def inspect_local(session: Session, text: str, platform: Platform | None = None) -> dict[str, Any]:
    """Describe an image of the local store.

    Args:
        session: the run.
        text: a name, a digest or an ID.
        platform: whose image to describe where all were pulled; this machine's by default.

    Raises:
        NoSuchImageError: nothing fits the text.
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
    """Describe an image of a registry, reading its manifests and config only.

    Raises:
        RefusedError: the reference is a local name.
        NotFoundError: the registry has no such image, or not for the platform.
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
    """Put docker's document together. Source: Docker Engine API, ``ImageInspect``."""
    if contents.config is None:
        return _artifact(contents, root, tags, digests)
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
        "Descriptor": _described(root),
    }


def _comment(config: ImageConfig) -> str:
    """Return the image's own comment, else the last step's, as docker does."""
    own = config.data.get("comment")
    if own and isinstance(own, str):
        return own
    return config.history[-1].comment if config.history else ""


def _artifact(
    contents: ImageContents, root: Descriptor, tags: list[str], digests: list[str]
) -> dict[str, Any]:
    """Describe what is no container image by what it says of itself."""
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
        "Descriptor": _described(root),
    }


def _described(root: Descriptor) -> dict[str, Any]:
    return {"mediaType": root.media_type, "digest": str(root.digest), "size": root.size}
