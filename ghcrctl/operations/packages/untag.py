"""Remove one tag, and move or add tags, without changing any image.

ghcr.io has no request to delete a tag (``DELETE`` returns 405), and deleting a version on GitHub
deletes all of its tags. However, pushing another manifest moves a tag. Therefore an empty manifest
is pushed under the tag, and the new version is deleted. That version is deleted only if it has
exactly the pushed digest and only that tag; if it cannot be deleted, the tag is moved back.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING

from ghcrctl.content.wait_events import Wait
from ghcrctl.errors import (
    GhcrctlError,
    ManifestUnknownError,
    NotFoundError,
    RefusedError,
    RegistryUnavailableError,
    RetainedError,
    UsageError,
)
from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import Index, parse
from ghcrctl.oci.reference import is_tag
from ghcrctl.operations.common.published_tags import refuse_platform_loss_of_tag
from ghcrctl.operations.packages.package_names import resolve_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.github.records import Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_names import PackageName
    from ghcrctl.registry.client import RawManifest

# Annotations of the empty manifest: the digest that had its tag, and a random value.
_MARK, _UNIQUE = "dev.ghcrctl.untag.of", "dev.ghcrctl.untag.run"
# GitHub lists new versions with a delay: the number of attempts, and the first wait, which doubles
# each time.
_LIST_ATTEMPTS = 6
_FIRST_WAIT_SECONDS = 0.5


def untag(
    session: Session, named: PackageName, *, sleep: Callable[[float], None] = time.sleep
) -> bool:
    """Remove a tag; its version and the other tags are kept.

    Args:
        session: the run.
        named: the package with the tag.
        sleep: waits for seconds.

    Returns:
        Whether the version has other tags.

    Raises:
        ManifestUnknownError: the tag does not exist.
        RetainedError: it is the last tag of the package, which GitHub keeps.
        RefusedError: the tag was moved in the meantime, or it is not safe to continue.
    """
    packages, owner = resolve_owner(session, named)
    client, repository = session.resolver.access(named.reference)
    found = client.get_manifest(repository, named.tag)
    versions = packages.versions(owner, named.package)
    helper, original = _digest(found.raw), _original(found.raw)
    # A run that was killed may have pushed the helper already.
    others = next((v.tags for v in versions if v.digest == original), ())
    if not original:
        original = helper
        others = _check_removable(named, original, versions)
        raw, media_type = _helper_manifest(found)
        helper = _digest(raw)
        client.put_manifest(repository, named.tag, raw, media_type)
    try:
        _delete(session, named, _wait_for_version(session, named, helper, sleep))
    except GhcrctlError as error:
        if _is_untagged(session, named):
            # The response to the deletion was lost.
            return bool(others)
        if _move_back(session, named, helper, original):
            error.message += f"; `{named.tag}` was moved back"
        raise
    return bool(others)


def _delete(session: Session, named: PackageName, version: Version) -> None:
    """Delete the version that took over the tag, if it has no other tag."""
    if version.tags != (named.tag,):
        shown = ", ".join(version.tags) or "no tag"
        raise RefusedError(
            f"cannot delete version {version.id} of {named.name}, which took over `{named.tag}`: "
            f"it has {shown}",
            hint=f"ghcrctl packages show {named.repository}",
        )
    packages, owner = resolve_owner(session, named)
    packages.delete_version(owner, named.package, version.id)


def _is_untagged(session: Session, named: PackageName) -> bool:
    client, repository = session.resolver.access(named.reference)
    try:
        client.find_digest(repository, named.tag)
    except ManifestUnknownError:
        return True
    except GhcrctlError:
        return False
    return False


def _move_back(session: Session, named: PackageName, helper: str, original: str) -> bool:
    """Move back a tag that could not be removed, unless someone else has moved it.

    Returns:
        Whether it was moved back; otherwise, pulling the tag would return an empty image.
    """
    client, repository = session.resolver.access(named.reference)
    try:
        if client.find_digest(repository, named.tag) != helper:
            return False
        found = client.get_manifest(repository, original)
        client.put_manifest(repository, named.tag, found.raw, found.media_type)
    except GhcrctlError as error:
        session.warn(
            f"`{named.tag}` of {named.name} points to an empty image, and could not be moved back "
            f"to {original}: {error}"
        )
        return False
    return True


def _check_removable(
    named: PackageName, digest: str, versions: Sequence[Version]
) -> tuple[str, ...]:
    """Check that a tag may be removed; return the other tags of its version."""
    holders = [v for v in versions if named.tag in v.tags]
    if not holders or holders[0].digest != digest:
        raise RefusedError(
            f"GitHub and the registry disagree on what `{named.tag}` of {named.name} points to",
            hint="it may have just been pushed; try again",
        )
    others = tuple(tag for tag in holders[0].tags if tag != named.tag)
    if not others and not any(v.tags for v in versions if v.id != holders[0].id):
        raise RetainedError(
            f"`{named.tag}` is the last tag of {named.name}, and GitHub keeps the last tagged "
            "version of a package",
            hint=f"add another tag first: ghcrctl packages retag {named.repository}:"
            f"{named.tag} NEW",
        )
    return others


def _wait_for_version(
    session: Session, named: PackageName, digest: str, sleep: Callable[[float], None]
) -> Version:
    """Find the version that was just pushed; GitHub lists it with a delay."""
    packages, owner = resolve_owner(session, named)
    for look in range(_LIST_ATTEMPTS):
        for version in packages.newest(owner, named.package):
            if version.digest == digest and named.tag in version.tags:
                return version
        pause = _FIRST_WAIT_SECONDS * 2**look
        session.waiting(Wait("GitHub does not list the pushed version yet", pause))
        sleep(pause)
    raise RegistryUnavailableError(
        f"GitHub does not list the empty version that took over `{named.tag}` of {named.name} yet",
        hint="try again in a minute; the empty version has no tag, and `prune` deletes it",
    )


def _helper_manifest(source: RawManifest) -> tuple[bytes, str]:
    """Build an empty, unique manifest that records the digest that had its tag.

    It has the type of the original: an index without entries, or an image with the same config and
    without layers, since an image needs a config. An artifact without a config gets an empty index.
    """
    parsed = parse(source.raw, source.media_type)
    annotations = {_MARK: _digest(source.raw), _UNIQUE: secrets.token_hex(16)}
    common = {"schemaVersion": 2, "annotations": annotations}
    body: dict[str, object]
    if isinstance(parsed, Index) or not parsed.has_config:
        body = {**common, "mediaType": media_types.OCI_INDEX, "manifests": []}
    else:
        config = {**parsed.config.to_json(), "mediaType": media_types.OCI_CONFIG}
        body = {**common, "mediaType": media_types.OCI_MANIFEST, "config": config, "layers": []}
    return json.dumps(body).encode(), str(body["mediaType"])


def _original(raw: bytes) -> str:
    """Return the digest that had the tag before a killed run took it over; empty for images."""
    return parse(raw).annotations.get(_MARK, "")


def _digest(raw: bytes) -> str:
    return str(Digest.of(raw))


def retag(
    session: Session, named: PackageName, tags: Sequence[str], *, force: bool = False
) -> dict[str, str]:
    """Add tags to a version without creating a new one; existing tags are moved.

    The unchanged manifest is pushed again under each tag.

    Args:
        session: the run.
        named: the version.
        tags: the new tags.
        force: move tags even if they lose platforms.

    Returns:
        The previous digest of each tag; empty for a new tag.

    Raises:
        UsageError: a tag is invalid.
        RefusedError: a tag would lose platforms; no tag is moved.
        ManifestUnknownError: the version does not exist.
    """
    for tag in tags:
        if not is_tag(tag):
            raise UsageError(f"invalid tag `{tag}`")
    client, repository = session.resolver.access(named.reference)
    found = client.get_manifest(repository, named.digest or named.tag or "latest")
    if not force:
        place, root = session.repository(named.reference), parse(found.raw, found.media_type)
        for tag in tags:
            refuse_platform_loss_of_tag(
                place, named.reference.with_tag(tag), root, force="add --force"
            )
    before: dict[str, str] = {}
    for tag in tags:
        try:
            before[tag] = client.find_digest(repository, tag)
        except NotFoundError:
            before[tag] = ""
        client.put_manifest(repository, tag, found.raw, found.media_type)
    return before
