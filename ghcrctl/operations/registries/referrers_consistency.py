"""Ensure that a registry lists what refers to an image.

A registry may briefly return data from before the last write. On registries where clients maintain
the list, such as ghcr.io, a stale read is then written back without the newest entries. Therefore
the list is checked after all writes, and missing referrers are pushed again to get them listed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ghcrctl.content.threads import thread_pool
from ghcrctl.errors import AuthError, GhcrctlError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.registry.repository import Repository

# The number of reads after which an entry is considered missing. The wait grows by this each time.
_TRIES = 5
_PAUSE_SECONDS = 0.3


def read_referrers(
    session: Session, place: Repository, subjects: Iterable[Digest]
) -> dict[Digest, list[Descriptor]]:
    """Return the referrers of some manifests, which may not exist yet."""
    wanted = list(dict.fromkeys(subjects))

    def listed(subject: Digest) -> list[Descriptor]:
        try:
            return place.referrers(subject)
        except (NotFoundError, AuthError):
            # Some registries do not distinguish a missing repository from a private one.
            return []

    with thread_pool(session.jobs, "referrers") as pool:
        return dict(zip(wanted, pool.map(listed, wanted), strict=True))


def ensure_listed(
    session: Session,
    place: Repository,
    subject: Digest,
    wanted: Mapping[Digest, Content],
    unlisted: Collection[Digest],
) -> None:
    """Ensure that some manifests are listed as referrers of a subject.

    Args:
        session: the run; warns of manifests that remain unlisted.
        place: the repository.
        subject: the manifest that they refer to.
        wanted: the referrers; all of them exist already.
        unlisted: those that were never listed, so there is nothing to wait for.
    """
    listed = _listed(place, subject)
    for digest, content in wanted.items():
        if digest in listed or (digest not in unlisted and _is_seen(place, subject, digest)):
            continue
        # Write sequentially so that each write starts from a list with all earlier entries.
        if not (_put(session, place, content) and _is_seen(place, subject, digest)):
            session.warn(f"{place.label} does not list {digest} as referring to {subject}")


def _listed(place: Repository, subject: Digest) -> set[Digest]:
    return {descriptor.digest for descriptor in place.referrers(subject)}


def _is_seen(place: Repository, subject: Digest, digest: Digest) -> bool:
    for number in range(_TRIES):
        time.sleep(_PAUSE_SECONDS * number)
        if digest in _listed(place, subject):
            return True
    return False


def _put(session: Session, place: Repository, content: Content) -> bool:
    try:
        session.with_retries(lambda: place.write(content))
    except GhcrctlError:
        return False
    return True
