"""The plan of a transfer: what the source has, what the sink lacks, and the bytes to copy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.content.ports import Mounter, Resumer
from ghcrctl.content.provenance import error_origin
from ghcrctl.content.streams import read_metadata
from ghcrctl.content.threads import ThreadPool, thread_pool
from ghcrctl.errors import InvalidManifestError, NotFoundError
from ghcrctl.oci.manifest import Manifest, parse
from ghcrctl.transfer.error_context import reading_from, writing_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.content.ports import Sink, Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.manifest import Index

# Indexes may refer to indexes; in practice they are two or three levels deep.
MAX_DEPTH = 8
# All manifests are kept in memory, and nested indexes multiply quickly. The first limit is the size
# of all manifests together, in bytes.
MAX_MANIFESTS = 128 * 1024 * 1024
MAX_DESCRIPTORS = 100_000


class Action(Enum):
    """What to do with a blob or manifest."""

    COPY = "copy"
    EXISTS = "exists"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Step:
    """A blob or manifest and what to do with it.

    Args:
        descriptor: descriptor of the content.
        action: what to do.
        level: 0 for blobs; for manifests, one more than the highest level of their children.
        is_layer: whether the content is a layer of an image, which is shown to the user.
        received: size of the part that the sink kept from an interrupted transfer (bytes).
        mount_from: repositories on the sink's registry to mount the content from.
    """

    descriptor: Descriptor
    action: Action
    level: int = 0
    is_layer: bool = False
    received: int = 0
    mount_from: tuple[str, ...] = ()

    @property
    def bytes_to_move(self) -> int:
        """Bytes to transfer; 0 for mounted content."""
        if self.action is not Action.COPY or self.mount_from:
            return 0
        return self.descriptor.size - self.received


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a transfer, children before parents, each digest once.

    Args:
        source: source of the content.
        sink: target of the content.
        root: manifest or index to copy.
        steps: all steps; the last one is the root.
        names: tags of the root at the sink.
        manifests: all manifests and indexes of the graph, parsed.
    """

    source: Source
    sink: Sink
    root: Descriptor
    steps: tuple[Step, ...]
    names: tuple[str, ...] = ()
    manifests: dict[Digest, Manifest | Index] = field(default_factory=dict)

    @property
    def bytes_to_move(self) -> int:
        """Bytes to transfer."""
        return sum(step.bytes_to_move for step in self.steps)

    @property
    def bytes_to_mount(self) -> int:
        """Bytes to mount from other repositories."""
        return sum(s.descriptor.size for s in self.steps if s.mount_from)

    @property
    def bytes_present(self) -> int:
        """Bytes that the sink already has."""
        there = sum(s.descriptor.size for s in self.steps if s.action is Action.EXISTS)
        return there + sum(step.received for step in self.steps)

    def with_mounts(self, mounts: Mapping[Digest, tuple[str, ...]]) -> Plan:
        """Return the plan with blobs mounted where possible.

        Args:
            mounts: known repositories of each digest on the sink's registry.
        """
        if not mounts or not isinstance(self.sink, Mounter):
            return self

        def planned(step: Step) -> Step:
            is_moved = step.action is Action.COPY and not step.descriptor.is_manifest
            found = mounts.get(step.descriptor.digest, ()) if is_moved else ()
            return replace(step, mount_from=found)

        return replace(self, steps=tuple(map(planned, self.steps)))

    @property
    def is_up_to_date(self) -> bool:
        """Whether the sink already has everything."""
        return all(s.action is not Action.COPY for s in self.steps)


def make_plan(  # noqa: PLR0913 all but three by keyword
    source: Source,
    sink: Sink,
    root: Descriptor,
    *,
    names: tuple[str, ...] = (),
    skip_foreign: bool = False,
    optional_foreign: bool = False,
    reserve: bool = True,
    jobs: int = 12,
) -> Plan:
    """Plan a transfer.

    Args:
        source: source of the content.
        sink: target of the content.
        root: manifest or index to copy.
        names: tags of the root at the sink.
        skip_foreign: do not copy foreign layers that have ``urls``.
        optional_foreign: do not copy foreign layers with ``urls`` that the source does not have.
        reserve: protect existing content of the sink; required if the plan will be executed.
        jobs: maximum number of concurrent requests.

    Raises:
        InvalidManifestError: a manifest is invalid, or the graph is too deep or too large.
    """
    walk = _Walk(source)
    walk.visit(root, 0)
    order = sorted(walk.levels, key=lambda d: walk.levels[d])
    with thread_pool(jobs, "plan") as pool, writing_to(sink):
        if reserve:
            sink.reserve(order)
        actions = _choose_actions(walk, sink, order, skip_foreign=skip_foreign, pool=pool)
    if optional_foreign:
        actions |= _missing_foreign_layers(source, order, actions)
    steps = tuple(
        Step(
            d,
            actions[d.digest],
            walk.levels[d],
            is_layer=d.digest in walk.layers,
            received=_received(sink, d) if actions[d.digest] is Action.COPY else 0,
        )
        for d in order
    )
    return Plan(source, sink, root, steps, names, walk.manifests)


class _Walk:
    """A walk over a graph that visits every descriptor once and computes its level."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen: dict[Digest, Descriptor] = {}
        self._bytes = 0
        self.levels: dict[Descriptor, int] = {}
        self.manifests: dict[Digest, Manifest | Index] = {}
        self.layers: set[Digest] = set()

    def visit(self, descriptor: Descriptor, depth: int) -> int:
        """Add a descriptor and its descendants; return its level."""
        seen = self._seen.get(descriptor.digest)
        if seen is not None:
            if seen.size != descriptor.size:
                raise InvalidManifestError(f"{descriptor.digest} is listed with different sizes")
            return self.levels[seen]
        if depth > MAX_DEPTH:
            raise InvalidManifestError(f"indexes are nested more than {MAX_DEPTH} levels deep")
        self._seen[descriptor.digest] = descriptor
        self._count(descriptor)
        level = self._visit_children(descriptor, depth) if descriptor.is_manifest else 0
        self.levels[descriptor] = level
        return level

    def _count(self, descriptor: Descriptor) -> None:
        self._bytes += descriptor.size if descriptor.is_manifest else 0
        if self._bytes > MAX_MANIFESTS or len(self._seen) > MAX_DESCRIPTORS:
            raise InvalidManifestError(
                f"the image is too large: at most {MAX_DESCRIPTORS} blobs and manifests, and "
                f"{MAX_MANIFESTS} bytes of manifests are allowed"
            )

    def _visit_children(self, descriptor: Descriptor, depth: int) -> int:
        with reading_from(self._source):
            raw = read_metadata(self._source, descriptor)
        with error_origin(self._source, descriptor):
            manifest = parse(raw, descriptor.media_type)
        self.manifests[descriptor.digest] = manifest
        if isinstance(manifest, Manifest):
            self.layers.update(layer.digest for layer in manifest.layers)
        return 1 + max((self.visit(child, depth + 1) for child in manifest.children), default=0)


def _choose_actions(
    walk: _Walk,
    sink: Sink,
    order: list[Descriptor],
    *,
    skip_foreign: bool,
    pool: ThreadPool,
) -> dict[Digest, Action]:
    """Check what the sink has, parents first; descendants of existing manifests need no check."""
    actions: dict[Digest, Action] = {}
    for level in range(walk.levels[order[-1]], -1, -1):
        here = [d for d in order if walk.levels[d] == level and d.digest not in actions]
        skipped = [d for d in here if skip_foreign and _has_publisher_url(d)]
        actions.update((d.digest, Action.SKIP) for d in skipped)
        unknown = [d for d in here if d.digest not in actions]
        for descriptor, exists in zip(unknown, pool.map(sink.exists, unknown), strict=True):
            actions[descriptor.digest] = Action.EXISTS if exists else Action.COPY
            if exists:
                _mark_below(walk, descriptor, actions, skip_foreign=skip_foreign)
    return actions


def _mark_below(
    walk: _Walk, descriptor: Descriptor, actions: dict[Digest, Action], *, skip_foreign: bool
) -> None:
    """Mark the descendants of an existing manifest as existing, except foreign layers."""
    seen: set[Digest] = set()
    queue = [descriptor]
    while queue:
        manifest = walk.manifests.get(queue.pop().digest)
        for child in manifest.children if manifest else ():
            is_skipped = skip_foreign and _has_publisher_url(child)
            if child.digest in seen or (child.is_foreign and not is_skipped):
                continue
            seen.add(child.digest)
            actions.setdefault(child.digest, Action.SKIP if is_skipped else Action.EXISTS)
            queue.append(child)


def _received(sink: Sink, descriptor: Descriptor) -> int:
    """Return the number of bytes that a sink kept from an interrupted transfer."""
    if descriptor.is_manifest or not isinstance(sink, Resumer):
        return 0
    return min(sink.received(descriptor), descriptor.size)


def _has_publisher_url(descriptor: Descriptor) -> bool:
    """Return whether a layer can be downloaded from its publisher."""
    return descriptor.is_foreign and bool(descriptor.urls)


def _missing_foreign_layers(
    source: Source, order: list[Descriptor], actions: dict[Digest, Action]
) -> dict[Digest, Action]:
    """Return the action `SKIP` for foreign layers that the source does not have."""
    wanted = [d for d in order if _has_publisher_url(d) and actions[d.digest] is Action.COPY]
    return {d.digest: Action.SKIP for d in wanted if not _has(source, d)}


def _has(source: Source, descriptor: Descriptor) -> bool:
    try:
        source.open(descriptor).close()
    except NotFoundError:
        return False
    return True
