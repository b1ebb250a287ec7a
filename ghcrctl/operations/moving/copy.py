"""Copy: make an image of one place exist in another, with its digest.

What belongs here: what is copied, and what it is called there. What does not: the places
(``ends``), moving content (``transfer``). Between registries nothing is stored here.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.errors import UsageError
from ghcrctl.operations.common.platform_selection import Selection, choose
from ghcrctl.operations.common.session import local_name_error
from ghcrctl.operations.making.published_tags import manifests_of, refuse_narrowing, warn_of_part
from ghcrctl.operations.moving.copy_referrers import (
    but_plans,
    find_attached,
    move_company,
    plan_company,
    together,
)
from ghcrctl.operations.moving.endpoints.registry import RegistryEnd
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
    from ghcrctl.operations.moving.copy_referrers import Company
    from ghcrctl.operations.moving.endpoints.base import End, OpenSink, OpenSource, Target
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.plan import Plan

    Change = Callable[[Source, Descriptor], tuple[Source, Descriptor]]

EVERYTHING = Selection(everything=True)


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did.

    Args:
        target: what the copy is called.
        descriptor: what that is now.
        referrers: how many pieces of content that refer to it were copied too.
    """

    target: Target
    descriptor: Descriptor
    referrers: int = 0


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What a copy from a registry to a registry did, as `Copied` has it."""

    target: Reference
    descriptor: Descriptor
    referrers: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """How an image is to be copied.

    Args:
        select: what of a multi-platform image; all of it unless the target takes one platform.
        include_foreign: upload foreign layers to registries too. Other places always get them.
        referrers: copy what refers to the image and to its platforms too.
        dry_run: tell the observer the plan, and do nothing.
        conversion: what it becomes on the way; its digest is another one then.
        force: replace an index at a registry even by a part of itself.
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
        source: which image; without tag and digest, ``latest``.
        target: its name there; without a tag it has the source's, and none where that is a digest.
        select: what of a multi-platform image; by default all of it.
        include_foreign: upload foreign layers too.
        referrers: copy what refers to the image and to its platforms too.
        observer: watches.
        workers: who moves content, where several images are copied at once.
        dry_run: tell the observer the plan, and do nothing.
        force: replace an index at the target even by a part of itself.

    Raises:
        RefusedError: a name is local, the target names a digest that the image has not, or the
            target's tag would lose platforms.
        NotFoundError: there is no such image, or it is not for the wanted platform.
    """
    for reference in (target, source):
        if reference.is_local:
            raise local_name_error(reference)
    wish = Wish(select, include_foreign, referrers, dry_run, force=force)
    end = RegistryEnd(target)
    with end.sink(session, dry_run=dry_run) as sink:
        into = Into(end, sink)
        done = copy_into(
            session, RegistryEnd(source), into, wish, observer=observer, workers=workers
        )
    named = done.target.reference or target
    return CopyResult(named, done.descriptor, done.referrers)


@dataclass(frozen=True, slots=True)
class Into:
    """The end that images are copied to, open.

    Args:
        end: as it was written.
        sink: what it was opened to.
        taken: which image has which name there, of those that were copied so far.
    """

    end: End
    sink: OpenSink
    taken: dict[str, Digest] = field(default_factory=dict)

    def take(self, target: Target, digest: Digest) -> None:
        """Note what an image is called.

        Raises:
            UsageError: another one, of the same act, is called so.
        """
        if target.names and self.taken.setdefault(target.shown, digest) != digest:
            raise UsageError(f"two images would both be copied to {target.shown}")


def copy_into(  # noqa: PLR0913 all but four by keyword
    session: Session,
    source: End,
    into: Into,
    wish: Wish,
    *,
    reader: Session | None = None,
    observer: Observer = ignore,
    workers: Workers | None = None,
) -> Copied:
    """Copy one image from any place to an open one.

    Args:
        session: the run.
        source: which image.
        into: where it goes; several images may go to one place.
        wish: what is copied, and whether.
        reader: the side that reads, where it has a credential of its own.
        observer: watches.
        workers: who moves content, where several images are copied at once.

    Raises:
        UsageError: the ends do not fit together.
        RefusedError: the target names a digest that the image has not.
        NotFoundError: there is no such image, or it is not for the wanted platform.
    """
    if wish.conversion and wish.referrers:
        raise UsageError(
            "--referrers does not go with --to and --compress: what refers to an image does not "
            "fit the digest that it gets"
        )
    with source.source(reader or session) as found, _changing(session, wish, observer) as change:
        act = _Copy(session, found, into, wish, change)
        company = act.company(reader or session) if wish.referrers else None
        result = Copied(act.target, act.plan.root, len(company.attached) if company else 0)
        if wish.dry_run:
            observer(Planned(act.whole(company)))
        else:
            with _workers(session, into.end, workers) as shared:
                act.run(shared, company, observer)
        act.warn_of_part()
        return result


@contextmanager
def _changing(session: Session, wish: Wish, observer: Observer) -> Iterator[Change]:
    """Give what an image goes through on the way, until it was moved."""
    conversion = wish.conversion
    if conversion is None:
        yield lambda place, root: (place, root)
        return
    from ghcrctl.operations.making.convert import convert
    from ghcrctl.store.scratch import scratch_directory

    with scratch_directory() as folder:
        yield lambda place, root: convert(session, place, root, conversion, folder, observer)


def _workers(
    session: Session, end: End, workers: Workers | None
) -> AbstractContextManager[Workers]:
    """Return who moves content: what has an order is written by one."""
    return Workers(1) if end.is_one_by_one else session.workers(workers)


class _Copy:
    """One image on its way: from what is there to what must move."""

    def __init__(
        self, session: Session, found: OpenSource, into: Into, wish: Wish, change: Change
    ) -> None:
        self._session = session
        self._found = found
        self._wish = wish
        made = MemoryPlace("made here")
        self._place: Source = Overlay(made, found.place)
        default = Selection() if into.end.takes_one_platform else EVERYTHING
        select = wish.select or default
        wanted = choose(
            self._place,
            found.root,
            select,
            session.settings.preferred_platform,
            made,
            warn=session.warn,
        )
        part_of = found.part_of if wanted == found.root else _whole(found)
        # Only a registry's tag is protected, and only a conversion hides what it was made from.
        guarded = into.end.registry and wish.conversion and not wish.force
        converted = manifests_of(self._place, wanted) if guarded else {}
        self._place, wanted = change(self._place, wanted)
        self.target = into.end.target(found.naming, wanted.digest)
        into.take(self.target, wanted.digest)
        self._is_registry = bool(into.end.registry)
        # What is converted on the way is known to no repository.
        known = None if wish.conversion else found.repository
        origin = replace(found, part_of=part_of, repository=known)
        self._sink = into.sink.place(origin, self.target)
        self.plan = make_plan(
            self._place,
            self._sink,
            wanted,
            names=self.target.names,
            skip_foreign=self._is_registry and not wish.include_foreign,
            optional_foreign=not self._is_registry and found.repository is None,
            reserve=not wish.dry_run,
            jobs=1 if into.end.is_one_by_one else session.jobs,
        )
        if self._is_registry and self.target.reference and not wish.force:
            refuse_narrowing(
                self.plan,
                self.target.reference,
                origin=part_of,
                converted=converted,
                force="add --force",
            )

    def company(self, reader: Session) -> Company:
        """Plan what goes along."""
        from ghcrctl.registry.repository import Repository

        found, wish = self._found, self._wish
        if found.repository is None or not isinstance(self._sink, Repository):
            raise UsageError("--referrers copies from registry to registry only")
        return plan_company(
            self._session,
            self._place,
            self._sink,
            find_attached(reader, found.repository, found.root, self.plan),
            skip_foreign=not wish.include_foreign,
            reserve=not wish.dry_run,
        )

    def run(self, workers: Workers, company: Company | None, observer: Observer) -> None:
        """Move all of it, the image last."""
        options = TransferOptions(workers, self._session.retry, self._mounts(company))
        if company:
            observer(Planned(self.whole(company)))
            observer = but_plans(observer)
            move_company(self._session, company, options, observer)
        execute(self.plan, options, observer)

    def whole(self, company: Company | None) -> Plan:
        """Return the plan of the image and of its company, with what can be mounted."""
        return together(self.plan, company).with_mounts(self._mounts(company))

    def _mounts(self, company: Company | None) -> dict[Digest, tuple[str, ...]]:
        whole = together(self.plan, company)
        return _mounts(self._session, whole, self._found.repository, self.target.reference)

    def warn_of_part(self) -> None:
        """Print a note where a local image is only a part of its index."""
        part_of, target = self._found.part_of, self.target.reference
        if part_of and target and self._is_registry:
            root, dry_run = self.plan.root, self._wish.dry_run
            warn_of_part(self._session, part_of, root, target, dry_run=dry_run)


def _whole(found: OpenSource) -> str:
    """Return the reference of an index that a part was chosen of, where it is at a registry."""
    return f"{found.repository.name}@{found.root.digest}" if found.repository else ""


def _mounts(
    session: Session, plan: Plan, source: Reference | None, target: Reference | None
) -> dict[Digest, tuple[str, ...]]:
    """Return what the target's registry can take over by itself: all, where it is the source's."""
    if source is None or target is None:
        return {}
    mounted = session.resolver.mount_source(source, target)
    return {
        step.descriptor.digest: (mounted,)
        for step in plan.steps
        if mounted and not step.descriptor.is_manifest
    }
