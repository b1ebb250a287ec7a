"""The plan of a transfer: what is at the source, what the sink has, what must move.

What belongs here: the walk over the graph and the questions to the sink. What does not: moving
bytes (``execute``). After this, the exact bytes to move are known before any moves.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.content.ports import Mounter, Resumer
from ghcrctl.content.provenance import blamed
from ghcrctl.content.streams import read_metadata
from ghcrctl.content.threads import ThreadPool, threads
from ghcrctl.errors import InvalidManifestError, NotFoundError
from ghcrctl.oci.manifest import Manifest, parse
from ghcrctl.transfer.error_context import reading_from, writing_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.content.ports import Sink, Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.manifest import Index

# Indexes may refer to indexes; nobody builds more than two or three deep.
MAX_DEPTH = 8
# Bytes of all manifests together, which are kept in memory, and number of pieces of content: an
# index of indexes of indexes multiplies quickly.
MAX_MANIFESTS = 128 * 1024 * 1024
MAX_PIECES = 100_000


class Action(Enum):
    """What is to be done about one piece of content."""

    COPY = "copy"
    EXISTS = "exists"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of content and what is to be done about it.

    Args:
        descriptor: the content.
        action: what is to be done.
        level: 0 for blobs; a manifest's is one above the highest of its children.
        is_layer: whether it is a layer of an image, which is shown to the user.
        received: bytes that the sink kept of an earlier, interrupted transfer.
        mount_from: repositories at the sink's registry that it can be mounted from.
    """

    descriptor: Descriptor
    action: Action
    level: int = 0
    is_layer: bool = False
    received: int = 0
    mount_from: tuple[str, ...] = ()

    @property
    def bytes_to_move(self) -> int:
        """Bytes that must be transferred: nothing for what is mounted."""
        if self.action is not Action.COPY or self.mount_from:
            return 0
        return self.descriptor.size - self.received


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps, children before parents, each digest once.

    Args:
        source: where content is read.
        sink: where content is written.
        root: what becomes visible under the names.
        steps: children first; the last one is the root.
        names: what the root is called at the sink.
        manifests: every manifest and index of the graph, parsed.
    """

    source: Source
    sink: Sink
    root: Descriptor
    steps: tuple[Step, ...]
    names: tuple[str, ...] = ()
    manifests: dict[Digest, Manifest | Index] = field(default_factory=dict)

    @property
    def bytes_to_move(self) -> int:
        """Bytes of all that must be transferred."""
        return sum(step.bytes_to_move for step in self.steps)

    @property
    def bytes_to_mount(self) -> int:
        """Bytes of all that the sink's registry can mount."""
        return sum(s.descriptor.size for s in self.steps if s.mount_from)

    @property
    def bytes_there(self) -> int:
        """Bytes of all that the sink has already."""
        there = sum(s.descriptor.size for s in self.steps if s.action is Action.EXISTS)
        return there + sum(step.received for step in self.steps)

    def with_mounts(self, mounts: Mapping[Digest, tuple[str, ...]]) -> Plan:
        """Return the plan with the blobs that can be mounted.

        Args:
            mounts: per digest, repositories at the sink's registry where it is known to be.
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
        """Whether the sink has everything already."""
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
        source: where content is.
        sink: where it shall be.
        root: a manifest or an index at the source.
        names: what the root shall be called at the sink.
        skip_foreign: leave foreign layers where their publisher put them. Those without ``urls``
            are copied: nothing else says where they are.
        optional_foreign: leave out foreign layers with ``urls`` that the source does not have.
        reserve: whether the plan is going to be carried out, so that what is there must stay.
        jobs: number of concurrent requests.

    Raises:
        InvalidManifestError: something in the graph cannot be read, or indexes are nested without
            end.
    """
    walk = _Walk(source)
    walk.visit(root, 0)
    order = sorted(walk.levels, key=lambda d: walk.levels[d])
    with threads(jobs, "plan") as pool, writing_to(sink):
        if reserve:
            sink.reserve(order)
        actions = _ask(walk, sink, order, skip_foreign=skip_foreign, pool=pool)
    if optional_foreign:
        actions |= _left_out(source, order, actions)
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
    """One walk over a graph: every descriptor once, with its level, in the order of its parents."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen: dict[Digest, Descriptor] = {}
        self._bytes = 0
        self.levels: dict[Descriptor, int] = {}
        self.manifests: dict[Digest, Manifest | Index] = {}
        self.layers: set[Digest] = set()

    def visit(self, descriptor: Descriptor, depth: int) -> int:
        """Add a descriptor and all below it; return its level."""
        seen = self._seen.get(descriptor.digest)
        if seen is not None:
            if seen.size != descriptor.size:
                raise InvalidManifestError(f"{descriptor.digest} is given with two different sizes")
            return self.levels[seen]
        if depth > MAX_DEPTH:
            raise InvalidManifestError(f"indexes are nested more than {MAX_DEPTH} deep")
        self._seen[descriptor.digest] = descriptor
        self._count(descriptor)
        level = self._visit_children(descriptor, depth) if descriptor.is_manifest else 0
        self.levels[descriptor] = level
        return level

    def _count(self, descriptor: Descriptor) -> None:
        self._bytes += descriptor.size if descriptor.is_manifest else 0
        if self._bytes > MAX_MANIFESTS or len(self._seen) > MAX_PIECES:
            raise InvalidManifestError(
                f"the image refers to more than {MAX_PIECES} pieces of content, or its manifests "
                f"have more than {MAX_MANIFESTS} bytes"
            )

    def _visit_children(self, descriptor: Descriptor, depth: int) -> int:
        with reading_from(self._source):
            raw = read_metadata(self._source, descriptor)
        with blamed(self._source, descriptor):
            manifest = parse(raw, descriptor.media_type)
        self.manifests[descriptor.digest] = manifest
        if isinstance(manifest, Manifest):
            self.layers.update(layer.digest for layer in manifest.layers)
        return 1 + max((self.visit(child, depth + 1) for child in manifest.children), default=0)


def _ask(
    walk: _Walk,
    sink: Sink,
    order: list[Descriptor],
    *,
    skip_foreign: bool,
    pool: ThreadPool,
) -> dict[Digest, Action]:
    """Ask the sink what it has, parents first: what a present manifest needs is not asked for."""
    actions: dict[Digest, Action] = {}
    for level in range(walk.levels[order[-1]], -1, -1):
        here = [d for d in order if walk.levels[d] == level and d.digest not in actions]
        skipped = [d for d in here if skip_foreign and _is_elsewhere(d)]
        actions.update((d.digest, Action.SKIP) for d in skipped)
        asked = [d for d in here if d.digest not in actions]
        for descriptor, exists in zip(asked, pool.map(sink.exists, asked), strict=True):
            actions[descriptor.digest] = Action.EXISTS if exists else Action.COPY
            if exists:
                _mark_below(walk, descriptor, actions, skip_foreign=skip_foreign)
    return actions


def _mark_below(
    walk: _Walk, descriptor: Descriptor, actions: dict[Digest, Action], *, skip_foreign: bool
) -> None:
    """Mark what a present manifest needs as present; only foreign layers may be missing."""
    seen: set[Digest] = set()
    queue = [descriptor]
    while queue:
        manifest = walk.manifests.get(queue.pop().digest)
        for child in manifest.children if manifest else ():
            is_skipped = skip_foreign and _is_elsewhere(child)
            if child.digest in seen or (child.is_foreign and not is_skipped):
                continue
            seen.add(child.digest)
            actions.setdefault(child.digest, Action.SKIP if is_skipped else Action.EXISTS)
            queue.append(child)


def _received(sink: Sink, descriptor: Descriptor) -> int:
    """Return the bytes that a sink kept of an interrupted transfer."""
    if descriptor.is_manifest or not isinstance(sink, Resumer):
        return 0
    return min(sink.received(descriptor), descriptor.size)


def _is_elsewhere(descriptor: Descriptor) -> bool:
    """Return whether a layer can be fetched from its publisher."""
    return descriptor.is_foreign and bool(descriptor.urls)


def _left_out(
    source: Source, order: list[Descriptor], actions: dict[Digest, Action]
) -> dict[Digest, Action]:
    """Return the foreign layers that are to be copied and that the source does not have."""
    wanted = [d for d in order if _is_elsewhere(d) and actions[d.digest] is Action.COPY]
    return {d.digest: Action.SKIP for d in wanted if not _has(source, d)}


def _has(source: Source, descriptor: Descriptor) -> bool:
    try:
        source.open(descriptor).close()
    except NotFoundError:
        return False
    return True
