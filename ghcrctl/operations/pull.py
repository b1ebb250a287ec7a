"""Pull: make an image of a registry exist in the local store.

What belongs here: choosing what of it, and what it is called here. What does not: moving it
(``transfer``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import InvalidManifestError, PlatformNotFoundError
from ghcrctl.oci.manifest import Index, Manifest, no_platform, parse
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.events import ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan

if TYPE_CHECKING:
    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.session import Session
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers

# How deep an index may nest others while an image for a platform is looked for.
_MAX_NESTING = 8
_HELPER_TAG = re.compile(r"sha256-[0-9a-f]{64}(\.|$)")


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a multi-platform image is wanted: some platforms, all of it, or this machine's."""

    platforms: tuple[Platform, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class PullResult:
    """What a pull did.

    Args:
        reference: the name it has now.
        digest: what the repository knows it by.
        descriptor: what the store has.
        updated: whether anything changed here.
        kind: empty for a container image, else what kind of artifact it is.
        skipped: foreign layers that were left out.
    """

    reference: Reference
    digest: Digest
    descriptor: Descriptor
    updated: bool
    kind: str
    skipped: tuple[Descriptor, ...]


def pull(
    session: Session,
    reference: Reference,
    *,
    select: Selection | None = None,
    skip_foreign: bool = False,
    observer: Observer = ignore,
    workers: Workers | None = None,
) -> PullResult:
    """Pull one image.

    Args:
        session: the run.
        reference: its name at the registry; without tag and digest, ``latest``.
        select: what of a multi-platform image; this machine's platform by default.
        skip_foreign: leave foreign layers out.
        observer: watches.
        workers: who moves content, where several images are pulled at once.

    Raises:
        RefusedError: the reference is a local name.
        NotFoundError: the registry has no such image, or it is not for the wanted platform.
    """
    reference = reference.tagged()
    repository = session.source(reference)
    root = repository.resolve(reference.target)
    made = MemoryPlace("made here")
    source = Overlay(made, Overlay(session.store.blobs, repository))
    wanted = _choose(source, root, select or Selection(), session.settings.platform, made)
    name = reference.with_digest(reference.digest) if reference.digest else reference
    before = {r.name: r for r in session.store.records()}.get(str(name))
    sink = StorePlace(session.store, origin=root.digest)
    plan = make_plan(
        source, sink, wanted, names=(str(name),), skip_foreign=skip_foreign, jobs=session.jobs
    )
    with session.workers(workers) as shared:
        execute(plan, TransferOptions(shared, session.retry), observer)
    same = before is not None and before.descriptor.digest == wanted.digest
    return PullResult(
        reference=name,
        digest=root.digest,
        descriptor=wanted,
        updated=not (same and plan.is_up_to_date),
        kind=_kind(plan.manifests[wanted.digest]),
        skipped=tuple(s.descriptor for s in plan.steps if skip_foreign and s.descriptor.is_foreign),
    )


def _choose(
    source: Source, root: Descriptor, select: Selection, default: Platform, made: MemoryPlace
) -> Descriptor:
    """Choose what of the root is pulled; of several platforms an index of its own is made."""
    parsed = parse(read_metadata(source, root), root.media_type)
    if select.everything or isinstance(parsed, Manifest):
        return root
    if len(select.platforms) > 1:
        smaller = parsed.subset(select.platforms)
        made.put(smaller.descriptor, smaller.raw)
        return smaller.descriptor
    platform = select.platforms[0] if select.platforms else default
    chosen = _find_platform(source, parsed, platform, 0)
    if chosen is None:
        raise _not_offered(parsed, platform)
    return chosen


def _find_platform(
    source: Source, index: Index, platform: Platform, depth: int
) -> Descriptor | None:
    """Find the image for a platform in an index and in the indexes that it lists."""
    if depth > _MAX_NESTING:
        raise InvalidManifestError(f"indexes are nested more than {_MAX_NESTING} deep")
    chosen = index.choose(platform)
    if chosen and not chosen.is_index:
        return chosen
    nested = [chosen] if chosen else [d for d in index.manifests if d.is_index]
    for entry in nested:
        inner = parse(read_metadata(source, entry), entry.media_type)
        found = (
            _find_platform(source, inner, platform, depth + 1)
            if isinstance(inner, Index)
            else inner.descriptor
        )
        if found:
            return found
    return None


def _not_offered(index: Index, platform: Platform) -> PlatformNotFoundError:
    if index.platforms:
        return no_platform(index, platform)
    return PlatformNotFoundError(
        f"the index {index.descriptor.digest} lists no image for any platform",
        hint="it may be no image but an artifact; --all-platforms pulls it as it is",
    )


def _kind(parsed: Manifest | Index) -> str:
    if isinstance(parsed, Manifest) and not parsed.is_image:
        return parsed.kind
    return parsed.artifact_type if isinstance(parsed, Index) else ""


def tags_of(session: Session, reference: Reference) -> tuple[list[Reference], int]:
    """List the tags of a repository for ``pull --all-tags``.

    Returns:
        The tagged references, and how many tags were left out since they only hold signatures or
        attestations (OCI distribution spec 1.1, "Referrers Tag Schema", and cosign's).
    """
    tags = list(session.repository(reference).tags())
    images = [tag for tag in tags if not _HELPER_TAG.match(tag)]
    return [reference.with_tag(tag) for tag in images], len(tags) - len(images)
