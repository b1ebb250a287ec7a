"""Taking one tag away, and moving or adding tags, without touching any image.

What belongs here: how that is done where no API does it. ghcr.io has no way to delete a tag
(``DELETE`` of one is answered with 405), and deleting a version on GitHub takes all of its tags.
But a tag moves to whatever manifest is put under it: so an empty one is put there, and then the
version which that makes is deleted. That version is deleted only if it has the very digest that was
put, and carries exactly that tag; where it cannot be deleted, the tag is put back.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING

from ghcrctl.content.rate_limit_waits import Wait
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
from ghcrctl.operations.making.published_tags import refuse_platform_loss_of_tag
from ghcrctl.operations.packages.package_names import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.github.records import Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_names import Named
    from ghcrctl.registry.client import RawManifest

# Of the empty manifest: what had its tag, and what makes it like no other.
_MARK, _UNIQUE = "dev.ghcrctl.untag.of", "dev.ghcrctl.untag.run"
# GitHub's list shows what was pushed after a while: so many times it is asked, waiting longer.
_LOOKS = 6
_FIRST_WAIT = 0.5


def untag(session: Session, named: Named, *, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Take a tag away; the version that has it stays, and so do its other tags.

    Args:
        session: the run.
        named: with the tag.
        sleep: waits for seconds.

    Returns:
        Whether the version has other tags.

    Raises:
        ManifestUnknownError: there is no such tag.
        RetainedError: it is the last tag of the package, which GitHub keeps.
        RefusedError: the tag moved meanwhile, or it is not safe to go on.
    """
    packages, owner = owner_of(session, named)
    client, repository = session.resolver.access(named.reference)
    found = client.get_manifest(repository, named.tag)
    versions = packages.versions(owner, named.package)
    helper, original = _digest(found.raw), _original(found.raw)
    # A run that was killed has put the helper already.
    others = next((v.tags for v in versions if v.digest == original), ())
    if not original:
        original = helper
        others = _check(named, original, versions)
        raw, media_type = _helper_manifest(found)
        helper = _digest(raw)
        client.put_manifest(repository, named.tag, raw, media_type)
    try:
        _delete(session, named, _await(session, named, helper, sleep))
    except GhcrctlError as error:
        if _is_untagged(session, named):
            # The response to the deletion was lost.
            return bool(others)
        if _put_back(session, named, helper, original):
            error.message += f"; `{named.tag}` stands for what it stood for"
        raise
    return bool(others)


def _delete(session: Session, named: Named, version: Version) -> None:
    """Delete the version that took the tag over, if that tag is all that it carries."""
    if version.tags != (named.tag,):
        shown = ", ".join(version.tags) or "no tag"
        raise RefusedError(
            f"version {version.id} of {named.name}, which took `{named.tag}` over, carries "
            f"{shown}: it is left alone",
            hint=f"ghcrctl packages show {named.repository}",
        )
    packages, owner = owner_of(session, named)
    packages.delete_version(owner, named.package, version.id)


def _is_untagged(session: Session, named: Named) -> bool:
    client, repository = session.resolver.access(named.reference)
    try:
        client.find_digest(repository, named.tag)
    except ManifestUnknownError:
        return True
    except GhcrctlError:
        return False
    return False


def _put_back(session: Session, named: Named, helper: str, original: str) -> bool:
    """Give a tag back that could not be taken away, unless somebody moved it meanwhile.

    Returns:
        Whether that was done; who pulls the tag would else get an empty image.
    """
    client, repository = session.resolver.access(named.reference)
    try:
        if client.find_digest(repository, named.tag) != helper:
            return False
        found = client.get_manifest(repository, original)
        client.put_manifest(repository, named.tag, found.raw, found.media_type)
    except GhcrctlError as error:
        session.warn(
            f"`{named.tag}` of {named.name} stands for an empty image, and could not be put back "
            f"to {original}: {error}"
        )
        return False
    return True


def _check(named: Named, digest: str, versions: Sequence[Version]) -> tuple[str, ...]:
    """Find out whether a tag may go; return the other tags of its version."""
    holders = [v for v in versions if named.tag in v.tags]
    if not holders or holders[0].digest != digest:
        raise RefusedError(
            f"GitHub and the registry disagree on what `{named.tag}` of {named.name} stands for",
            hint="somebody may have pushed it a moment ago; try again",
        )
    others = tuple(tag for tag in holders[0].tags if tag != named.tag)
    if not others and not any(v.tags for v in versions if v.id != holders[0].id):
        raise RetainedError(
            f"`{named.tag}` is the last tag of {named.name}, and GitHub keeps the last tagged "
            "version of a package",
            hint=f"give it another tag first: ghcrctl packages retag {named.repository}:"
            f"{named.tag} NEW",
        )
    return others


def _await(session: Session, named: Named, digest: str, sleep: Callable[[float], None]) -> Version:
    """Find the version that was just made; GitHub's list is late at times."""
    packages, owner = owner_of(session, named)
    for look in range(_LOOKS):
        for version in packages.newest(owner, named.package):
            if version.digest == digest and named.tag in version.tags:
                return version
        pause = _FIRST_WAIT * 2**look
        session.waiting(Wait("GitHub does not list yet what was just pushed", pause))
        sleep(pause)
    raise RegistryUnavailableError(
        f"GitHub does not list yet the empty version that took `{named.tag}` of {named.name} over",
        hint="try again in a minute; the empty version has no tag, and `prune` deletes it",
    )


def _helper_manifest(source: RawManifest) -> tuple[bytes, str]:
    """Make a manifest that holds nothing, is like no other, and says what had its tag.

    It is of the same kind as the one whose tag it takes: an index of nothing, or an image of the
    same config without layers, since a config must be there. An artifact manifest has no config.
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
    """Return what had the tag before a run that was killed took it over; empty for any image."""
    return parse(raw).annotations.get(_MARK, "")


def _digest(raw: bytes) -> str:
    return str(Digest.of(raw))


def retag(
    session: Session, named: Named, tags: Sequence[str], *, force: bool = False
) -> dict[str, str]:
    """Add tags to a version without creating a new one; existing tags are moved.

    The manifest is pushed again, unchanged, under each tag.

    Args:
        session: the run.
        named: the version.
        tags: the further tags.
        force: move tags even from an index to a part of it.

    Returns:
        By tag, the digest that had it before; empty for none.

    Raises:
        UsageError: a tag is invalid.
        RefusedError: a tag would lose platforms; no tag is moved then.
        ManifestUnknownError: there is no such version.
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
