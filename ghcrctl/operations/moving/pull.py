"""Pull an image from a registry into the local store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.errors import InvalidManifestError, SchemaOneError, UsageError
from ghcrctl.oci.manifest import Index, Manifest
from ghcrctl.operations.common.index_origin import keep_origin
from ghcrctl.operations.common.platform_selection import Selection, choose
from ghcrctl.operations.registries.tags import is_helper
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.error_context import error_context
from ghcrctl.transfer.events import Planned, ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.meter import TransferMeter
from ghcrctl.transfer.plan import Action, make_plan

if TYPE_CHECKING:
    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.plan import Plan
    from ghcrctl.transfer.workers import Workers


@dataclass(frozen=True, slots=True)
class PullResult:
    """The result of a pull.

    Args:
        reference: the image's name in the store.
        digest: the image's digest in the repository.
        descriptor: its manifest or index in the store.
        updated: whether anything changed in the store.
        kind: empty for a container image, else the type of the artifact.
        skipped: foreign layers that were skipped.
        moved: bytes that were transferred, or would be in a dry run.
    """

    reference: Reference
    digest: Digest
    descriptor: Descriptor
    updated: bool
    kind: str
    skipped: tuple[Descriptor, ...]
    moved: int


def pull(  # noqa: PLR0913 all but two by keyword
    session: Session,
    reference: Reference,
    *,
    select: Selection | None = None,
    skip_foreign: bool = False,
    observer: Observer = ignore,
    workers: Workers | None = None,
    dry_run: bool = False,
    called: Reference | None = None,
) -> PullResult:
    """Pull one image.

    Args:
        session: the run.
        reference: its name at the registry; ``latest`` without tag and digest.
        select: the platforms of a multi-platform image; this machine's by default.
        skip_foreign: skip foreign layers.
        observer: receives progress events.
        workers: the worker threads, if multiple images are pulled in parallel.
        dry_run: report the plan to the observer, without pulling.
        called: the image's name in the store, if not its name at the registry.

    Raises:
        RefusedError: the reference is a local name.
        NotFoundError: the image does not exist, or not for a selected platform.
    """
    reference = reference.tagged()
    source, root, wanted = _choose_root(session, reference, select or Selection())
    name = called or _local_name(reference)
    before = {r.name: r.descriptor.digest for r in session.store.records()}.get(str(name))
    index = f"{reference.name}@{root.digest}" if wanted.digest != root.digest else ""
    sink = StorePlace(session.store, origin=root.digest, index=index)
    plan = make_plan(
        source,
        sink,
        wanted,
        names=(str(name),),
        skip_foreign=skip_foreign,
        reserve=not dry_run,
        jobs=session.jobs,
    )
    meter = TransferMeter(observer)
    if dry_run:
        observer(Planned(plan))
    else:
        keep_origin(session, source, root, wanted)
        _transfer(session, plan, workers, meter)
    return PullResult(
        reference=name,
        digest=root.digest,
        descriptor=wanted,
        updated=_is_updated(plan, sink, before, meter, dry_run=dry_run),
        kind=_kind(plan.manifests[wanted.digest]),
        skipped=tuple(s.descriptor for s in plan.steps if s.action is Action.SKIP),
        moved=plan.bytes_to_move if dry_run else meter.bytes,
    )


def _choose_root(
    session: Session, reference: Reference, select: Selection
) -> tuple[Source, Descriptor, Descriptor]:
    """Return the source, the root that the name resolves to, and the selected part of it."""
    repository = session.source(reference)
    memory = MemoryPlace("a new index")
    source = Overlay(memory, Overlay(session.store.blobs.intact, repository))
    with error_context(str(reference), InvalidManifestError, SchemaOneError):
        root = repository.resolve(reference.target)
        default = session.settings.preferred_platform
        wanted = choose(source, root, select, default, memory, warn=session.warn)
    return source, root, wanted


def _transfer(session: Session, plan: Plan, workers: Workers | None, observer: Observer) -> None:
    with session.workers(workers) as shared:
        execute(plan, TransferOptions(shared, session.retry), observer)


def _is_updated(
    plan: Plan, sink: StorePlace, before: Digest | None, meter: TransferMeter, *, dry_run: bool
) -> bool:
    """Return whether a pull changed anything in the store.

    If one image is pulled concurrently, only the pull that set the name counts.
    """
    is_new = before != plan.root.digest
    if dry_run:
        return is_new or not plan.is_up_to_date
    return sink.moved_name if is_new else meter.bytes > 0


def _local_name(reference: Reference) -> Reference:
    """Return the local name of an image: by digest if the reference has one."""
    return reference.with_digest(reference.digest) if reference.digest else reference


def _kind(parsed: Manifest | Index) -> str:
    if isinstance(parsed, Manifest) and not parsed.is_image:
        return parsed.kind
    return parsed.artifact_type if isinstance(parsed, Index) else ""


def tags_of(session: Session, reference: Reference) -> list[Reference]:
    """List the tags of a repository for ``pull --all-tags``.

    Tags that only hold signatures or attestations (OCI distribution spec 1.1, "Referrers Tag
    Schema", and cosign's) are skipped with a warning.

    Raises:
        UsageError: the name has a tag or digest.
    """
    if reference.tag or reference.digest:
        raise UsageError(
            "tag can't be used with --all-tags/-a", hint=f"ghcrctl pull -a {reference.name}"
        )
    tags = list(session.source(reference).tags())
    images = [tag for tag in tags if not is_helper(tag)]
    if left := len(tags) - len(images):
        session.warn(f"skipped {left} tags that only hold signatures or attestations (sha256-...)")
    return [reference.with_tag(tag) for tag in images]
