"""Copy an image from a source to a target; its digest does not change.

Copies between registries store nothing locally.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.errors import UsageError
from ghcrctl.operations.common.platform_selection import Selection, choose
from ghcrctl.operations.common.published_tags import (
    manifests_of,
    refuse_platform_loss,
    warn_of_part,
)
from ghcrctl.operations.common.session import local_name_error
from ghcrctl.operations.moving.copy_referrers import (
    combine_plans,
    copy_referrers,
    find_referrers,
    ignore_plans,
    plan_referrers,
)
from ghcrctl.operations.moving.endpoints.registry import RegistryEndpoint
from ghcrctl.transfer.events import Planned, ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan
from ghcrctl.transfer.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.convert import Conversion
    from ghcrctl.operations.moving.copy_referrers import ReferrerPlan
    from ghcrctl.operations.moving.endpoints.base import Endpoint, OpenSink, OpenSource, Target
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.plan import Plan

    Change = Callable[[Source, Descriptor], tuple[Source, Descriptor]]

EVERYTHING = Selection(everything=True)


@dataclass(frozen=True, slots=True)
class Copied:
    """The result of a copy.

    Args:
        target: the name of the copy.
        descriptor: its manifest or index.
        referrers: number of copied referrers.
    """

    target: Target
    descriptor: Descriptor
    referrers: int = 0


@dataclass(frozen=True, slots=True)
class CopyResult:
    """The result of a copy between registries; the fields are those of `Copied`."""

    target: Reference
    descriptor: Descriptor
    referrers: int = 0


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """Options of a copy.

    Args:
        select: the platforms of a multi-platform image; by default, all, or one if the target takes
            only one.
        include_foreign: also upload foreign layers to registries; other targets always get them.
        referrers: also copy the referrers of the image and of its platforms.
        dry_run: report the plan to the observer, without copying.
        conversion: a conversion of the image, which changes its digest.
        force: replace an index even if it loses platforms.
    """

    select: Selection | None = None
    include_foreign: bool = False
    referrers: bool = False
    dry_run: bool = False
    conversion: Conversion | None = None
    force: bool = False


def copy(  # noqa: PLR0913 all but three by keyword
    session: Session,
    source: Reference,
    target: Reference,
    *,
    select: Selection = EVERYTHING,
    include_foreign: bool = False,
    referrers: bool = False,
    observer: Observer = ignore,
    workers: Workers | None = None,
    dry_run: bool = False,
    force: bool = False,
) -> CopyResult:
    """Copy one image from a repository to another.

    Args:
        session: the run.
        source: the image; ``latest`` without tag and digest.
        target: its name at the target; by default, with the source's tag, if it has one.
        select: the platforms of a multi-platform image; by default, all.
        include_foreign: also upload foreign layers.
        referrers: also copy the referrers of the image and of its platforms.
        observer: receives progress events.
        workers: the worker threads, if multiple images are copied in parallel.
        dry_run: report the plan to the observer, without copying.
        force: replace an index even if it loses platforms.

    Raises:
        RefusedError: a name is local, the target has a digest that is not the image's, or the
            target's tag would lose platforms.
        NotFoundError: the image does not exist, or not for a selected platform.
    """
    for reference in (target, source):
        if reference.is_local:
            raise local_name_error(reference)
    copy_options = CopyOptions(select, include_foreign, referrers, dry_run, force=force)
    end = RegistryEndpoint(target)
    with end.sink(session, dry_run=dry_run) as sink:
        into = OpenTarget(end, sink)
        done = copy_into(
            session,
            RegistryEndpoint(source),
            into,
            copy_options,
            observer=observer,
            workers=workers,
        )
    named = done.target.reference or target
    return CopyResult(named, done.descriptor, done.referrers)


@dataclass(frozen=True, slots=True)
class OpenTarget:
    """The open target of one or more copies.

    Args:
        end: the endpoint.
        sink: the open sink.
        taken: the digest of each name that was copied so far.
    """

    end: Endpoint
    sink: OpenSink
    taken: dict[str, Digest] = field(default_factory=dict)

    def take(self, target: Target, digest: Digest) -> None:
        """Reserve the name of an image.

        Raises:
            UsageError: another image of the same copy has this name.
        """
        if target.names and self.taken.setdefault(target.shown, digest) != digest:
            raise UsageError(f"cannot copy two images to {target.shown}")


def copy_into(  # noqa: PLR0913 all but four by keyword
    session: Session,
    source: Endpoint,
    into: OpenTarget,
    copy_options: CopyOptions,
    *,
    reader: Session | None = None,
    observer: Observer = ignore,
    workers: Workers | None = None,
) -> Copied:
    """Copy one image from any source to an open target.

    Args:
        session: the run.
        source: the image.
        into: the target, which may receive multiple images.
        copy_options: the options.
        reader: the session that reads, if the source has its own access.
        observer: receives progress events.
        workers: the worker threads, if multiple images are copied in parallel.

    Raises:
        UsageError: source and target are not compatible.
        RefusedError: the target has a digest that is not the image's.
        NotFoundError: the image does not exist, or not for a selected platform.
    """
    if copy_options.conversion and copy_options.referrers:
        raise UsageError(
            "--referrers cannot be used with --to or --compress: referrers do not match the new "
            "digest"
        )
    with (
        source.source(reader or session) as found,
        _conversion(session, copy_options, observer) as change,
    ):
        copier = _Copy(session, found, into, copy_options, change)
        referrer_plan = copier.referrer_plan(reader or session) if copy_options.referrers else None
        result = Copied(
            copier.target, copier.plan.root, len(referrer_plan.attached) if referrer_plan else 0
        )
        if copy_options.dry_run:
            observer(Planned(copier.whole(referrer_plan)))
        else:
            with _workers(session, into.end, workers) as shared:
                copier.run(shared, referrer_plan, observer)
        copier.warn_of_part()
        return result


@contextmanager
def _conversion(
    session: Session, copy_options: CopyOptions, observer: Observer
) -> Iterator[Change]:
    """Yield the function that converts the image, until the copy is complete."""
    conversion = copy_options.conversion
    if conversion is None:
        yield lambda place, root: (place, root)
        return
    from ghcrctl.operations.making.convert import convert
    from ghcrctl.store.scratch import scratch_directory

    with scratch_directory() as folder:
        yield lambda place, root: convert(session, place, root, conversion, folder, observer)


def _workers(
    session: Session, end: Endpoint, workers: Workers | None
) -> AbstractContextManager[Workers]:
    """Return the worker threads; a single one for a sequential target."""
    return Workers(1) if end.is_sequential else session.workers(workers)


class _Copy:
    """The copy of one image: its plan, and its execution."""

    def __init__(
        self,
        session: Session,
        found: OpenSource,
        into: OpenTarget,
        copy_options: CopyOptions,
        change: Change,
    ) -> None:
        self._session = session
        self._found = found
        self._copy_options = copy_options
        memory = MemoryPlace("a new index")
        self._place: Source = Overlay(memory, found.place)
        default = Selection() if into.end.takes_one_platform else EVERYTHING
        select = copy_options.select or default
        wanted = choose(
            self._place,
            found.root,
            select,
            session.settings.preferred_platform,
            memory,
            warn=session.warn,
        )
        part_of = found.part_of if wanted == found.root else _index_reference(found)
        # Only tags at registries are protected. After a conversion, the original manifests are
        # unknown.
        guarded = into.end.registry and copy_options.conversion and not copy_options.force
        converted = manifests_of(self._place, wanted) if guarded else {}
        self._place, wanted = change(self._place, wanted)
        self.target = into.end.target(found.naming, wanted.digest)
        into.take(self.target, wanted.digest)
        self._is_registry = bool(into.end.registry)
        # No repository has the digest of a converted image.
        known = None if copy_options.conversion else found.repository
        origin = replace(found, part_of=part_of, repository=known)
        self._sink = into.sink.place(origin, self.target)
        self.plan = make_plan(
            self._place,
            self._sink,
            wanted,
            names=self.target.names,
            skip_foreign=self._is_registry and not copy_options.include_foreign,
            optional_foreign=not self._is_registry and found.repository is None,
            reserve=not copy_options.dry_run,
            jobs=1 if into.end.is_sequential else session.jobs,
        )
        if self._is_registry and self.target.reference and not copy_options.force:
            refuse_platform_loss(
                self.plan,
                self.target.reference,
                origin=part_of,
                converted=converted,
                force="add --force",
            )

    def referrer_plan(self, reader: Session) -> ReferrerPlan:
        """Plan the copy of the referrers."""
        from ghcrctl.registry.repository import Repository

        found, copy_options = self._found, self._copy_options
        if found.repository is None or not isinstance(self._sink, Repository):
            raise UsageError("--referrers requires a registry as source and as target")
        return plan_referrers(
            self._session,
            self._place,
            self._sink,
            find_referrers(reader, found.repository, found.root, self.plan),
            skip_foreign=not copy_options.include_foreign,
            reserve=not copy_options.dry_run,
        )

    def run(self, workers: Workers, referrer_plan: ReferrerPlan | None, observer: Observer) -> None:
        """Transfer everything, the image last."""
        options = TransferOptions(workers, self._session.retry, self._mounts(referrer_plan))
        if referrer_plan:
            observer(Planned(self.whole(referrer_plan)))
            observer = ignore_plans(observer)
            copy_referrers(self._session, referrer_plan, options, observer)
        execute(self.plan, options, observer)

    def whole(self, referrer_plan: ReferrerPlan | None) -> Plan:
        """Return the plan of the image and its referrers, with possible mounts."""
        return combine_plans(self.plan, referrer_plan).with_mounts(self._mounts(referrer_plan))

    def _mounts(self, referrer_plan: ReferrerPlan | None) -> dict[Digest, tuple[str, ...]]:
        whole = combine_plans(self.plan, referrer_plan)
        return _mounts(self._session, whole, self._found.repository, self.target.reference)

    def warn_of_part(self) -> None:
        """Warn if a local image is only a part of its index."""
        part_of, target = self._found.part_of, self.target.reference
        if part_of and target and self._is_registry:
            root, dry_run = self.plan.root, self._copy_options.dry_run
            warn_of_part(self._session, part_of, root, target, dry_run=dry_run)


def _index_reference(found: OpenSource) -> str:
    """Return the reference of the index that a part was chosen from, if it is at a registry."""
    return f"{found.repository.name}@{found.root.digest}" if found.repository else ""


def _mounts(
    session: Session, plan: Plan, source: Reference | None, target: Reference | None
) -> dict[Digest, tuple[str, ...]]:
    """Return where the target's registry can mount content from: the source, if it is the same."""
    if source is None or target is None:
        return {}
    mounted = session.resolver.mount_source(source, target)
    return {
        step.descriptor.digest: (mounted,)
        for step in plan.steps
        if mounted and not step.descriptor.is_manifest
    }
