"""Push an image of the local store to a registry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.errors import NoSuchImageError, StoreError, UsageError
from ghcrctl.operations.common.published_tags import refuse_platform_loss, warn_of_part
from ghcrctl.operations.common.session import local_name_error
from ghcrctl.store.garbage_collection import closure
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.events import Planned, ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.meter import TransferMeter
from ghcrctl.transfer.plan import make_plan

if TYPE_CHECKING:
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.records import Record
    from ghcrctl.store.store import Store
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers


@dataclass(frozen=True, slots=True)
class PushResult:
    """The result of a push.

    Args:
        reference: the name at the registry.
        descriptor: the manifest or index that it points to.
        moved: bytes that were transferred, or would be in a dry run.
    """

    reference: Reference
    descriptor: Descriptor
    moved: int


def push(  # noqa: PLR0913 all but two by keyword
    session: Session,
    reference: Reference,
    *,
    include_foreign: bool = False,
    observer: Observer = ignore,
    workers: Workers | None = None,
    dry_run: bool = False,
    force: bool = False,
) -> PushResult:
    """Push one name.

    Args:
        session: the run.
        reference: a local name with a tag.
        include_foreign: also upload foreign layers (docker's
            ``--allow-nondistributable-artifacts``).
        observer: receives progress events.
        workers: the worker threads, if multiple images are pushed in parallel.
        dry_run: report the plan to the observer, without pushing.
        force: replace an index even with only some of its platforms.

    Raises:
        RefusedError: the name is local, or the registry's tag would lose platforms.
        UsageError: the name has a digest.
        NoSuchImageError: the store has no image of this name.
    """
    reference = _tagged(reference)
    repository = session.repository(reference)
    record = _record(session.store, reference)
    plan = make_plan(
        StorePlace(session.store),
        repository,
        record.descriptor,
        names=(reference.tag or "",),
        skip_foreign=not include_foreign,
        reserve=not dry_run,
        jobs=session.jobs,
    )
    if not force:
        forced = f"ghcrctl push --force {reference}"
        refuse_platform_loss(plan, reference, origin=record.part_of, force=forced)
    known = _mountable_content(session, reference)
    if dry_run:
        plan = plan.with_mounts(known)
        observer(Planned(plan))
        _warn_of_part(session, record, reference, dry_run=True)
        return PushResult(reference, record.descriptor, plan.bytes_to_move)
    meter = TransferMeter(observer)
    with session.workers(workers) as shared:
        execute(plan, TransferOptions(shared, session.retry, known), meter)
    _warn_of_part(session, record, reference)
    digest = record.descriptor.digest
    if record.origin != digest:
        _record_digest(session, record, digest)
    return PushResult(reference, record.descriptor, meter.bytes)


def _tagged(reference: Reference) -> Reference:
    if reference.digest:
        raise UsageError(
            f"cannot push `{reference}`: expected a tag, not a digest",
            hint=f"tag it first: ghcrctl tag {reference} {reference.name}:TAG",
        )
    return reference.tagged()


def _warn_of_part(
    session: Session, record: Record, target: Reference, *, dry_run: bool = False
) -> None:
    if record.part_of:
        warn_of_part(session, record.part_of, record.descriptor, target, dry_run=dry_run)


def _record_digest(session: Session, record: Record, digest: Digest) -> None:
    """Record the digest of the image in the repository; only warn if that fails.

    A name that was moved to another image in the meantime is not changed.
    """
    known = replace(record, origin=digest, index=record.part_of)
    try:
        session.store.edit(lambda found: [known if r == record else r for r in found])
    except StoreError as error:
        session.warn(f"pushed, but the digest could not be recorded in the local store: {error}")


def tags_of(session: Session, reference: Reference) -> list[Reference]:
    """Return all local names of a repository, for ``push --all-tags``.

    Raises:
        UsageError: the name has a tag or digest.
        RefusedError: the name is local.
        NoSuchImageError: the store has no image of this repository.
    """
    if reference.tag or reference.digest:
        raise UsageError(
            "tag can't be used with --all-tags/-a", hint=f"ghcrctl push -a {reference.name}"
        )
    if reference.is_local:
        raise local_name_error(reference)
    found = [
        r.reference
        for r in session.store.records()
        if r.reference and r.reference.tag and r.reference.name == reference.name
    ]
    if not found:
        raise NoSuchImageError(f"an image does not exist locally with the name: {reference.name}")
    return sorted(found)


def _record(store: Store, reference: Reference) -> Record:
    for record in store.records():
        if record.name == str(reference):
            return record
    raise NoSuchImageError(
        f"an image does not exist locally with the tag: {reference}",
        hint=f"list local images: ghcrctl images; or tag one: ghcrctl tag ID {reference}",
    )


def _mountable_content(session: Session, target: Reference) -> dict[Digest, tuple[str, ...]]:
    """Return which repositories of the target's registry are known to have which content.

    A repository is known to have the content that was pulled from it or pushed to it.
    """
    known: dict[Digest, dict[str, None]] = {}
    for record in session.store.records():
        name = record.reference
        if not name or name.is_local or not record.origin:
            continue
        if repository := session.resolver.mount_source(name, target):
            for digest in closure(session.store.blobs, (record.descriptor,)):
                known.setdefault(digest, {})[repository] = None
    return {digest: tuple(repositories) for digest, repositories in known.items()}
