"""Making sure that a registry lists what refers to an image, however it keeps the list.

What belongs here: looking whether it does, and putting once more what is missing, which lists it.
What does not: the list itself (``registry.referrers``).

Registries show for a moment what was before the last write. Where clients keep the list, as on
ghcr.io, one that is read too early is written back without its newest entries, so that it is looked
at again when all is done.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ghcrctl.content.threads import threads
from ghcrctl.errors import AuthError, GhcrctlError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.registry.repository import Repository

# How often a list is looked at before something counts as missing, and the seconds of the first
# wait; each further one is as much longer.
_TRIES = 5
_PAUSE = 0.3


def lists_of(
    session: Session, place: Repository, subjects: Iterable[Digest]
) -> dict[Digest, list[Descriptor]]:
    """Return what refers to each of some manifests, which need not be there yet."""
    wanted = list(dict.fromkeys(subjects))

    def listed(subject: Digest) -> list[Descriptor]:
        try:
            return place.referrers(subject)
        except (NotFoundError, AuthError):
            # Some registries do not tell a repository that is not there from a private one.
            return []

    with threads(session.jobs, "referrers") as pool:
        return dict(zip(wanted, pool.map(listed, wanted), strict=True))


def make_listed(
    session: Session,
    place: Repository,
    subject: Digest,
    wanted: Mapping[Digest, Content],
    unlisted: Collection[Digest],
) -> None:
    """See to it that all of it is listed as referring to a manifest.

    Args:
        session: the run; is warned of what stays missing.
        place: the repository.
        subject: the manifest.
        wanted: what refers to it; all of it is there.
        unlisted: what of that was never listed, so that there is nothing to wait for.
    """
    listed = _listed(place, subject)
    for digest, content in wanted.items():
        if digest in listed or (digest not in unlisted and _is_seen(place, subject, digest)):
            continue
        # One by one: the next is added to a list that is known to have this one.
        if not (_put(session, place, content) and _is_seen(place, subject, digest)):
            session.warn(f"{place.label} does not list {digest} as referring to {subject}")


def _listed(place: Repository, subject: Digest) -> set[Digest]:
    return {descriptor.digest for descriptor in place.referrers(subject)}


def _is_seen(place: Repository, subject: Digest, digest: Digest) -> bool:
    for number in range(_TRIES):
        time.sleep(_PAUSE * number)
        if digest in _listed(place, subject):
            return True
    return False


def _put(session: Session, place: Repository, content: Content) -> bool:
    try:
        session.patiently(lambda: place.write(content))
    except GhcrctlError:
        return False
    return True
