"""Copy: make an image of one repository exist in another, with its digest, storing nothing here.

What belongs here: what is copied, and what it is called there. What does not: moving it
(``transfer``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.errors import RefusedError
from ghcrctl.operations.selection import Selection, choose
from ghcrctl.operations.session import local_name_error
from ghcrctl.transfer.events import Planned, ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan

if TYPE_CHECKING:
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.session import Session
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.plan import Plan

EVERYTHING = Selection(everything=True)


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What a copy did. ``descriptor``: what the target is now."""

    target: Reference
    descriptor: Descriptor


def copy(  # noqa: PLR0913 all but three by keyword
    session: Session,
    source: Reference,
    target: Reference,
    *,
    select: Selection = EVERYTHING,
    include_foreign: bool = False,
    observer: Observer = ignore,
    dry_run: bool = False,
) -> CopyResult:
    """Copy one image from a repository to another.

    Args:
        session: the run.
        source: which image; without tag and digest, ``latest``.
        target: its name there; without a tag it has the source's, and none where that is a digest.
        select: what of a multi-platform image; by default all of it.
        include_foreign: upload foreign layers too.
        observer: watches.
        dry_run: tell the observer the plan, and do nothing.

    Raises:
        RefusedError: a name is local, or the target names a digest that the image has not.
        NotFoundError: there is no such image, or it is not for the wanted platform.
    """
    if target.is_local:
        raise local_name_error(target)
    source = source.tagged()
    repository = session.source(source)
    root = repository.resolve(source.target)
    made = MemoryPlace("made here")
    place = Overlay(made, repository)
    wanted = choose(place, root, select, session.settings.platform, made)
    named = _named(source, target, wanted)
    plan = make_plan(
        place,
        session.repository(target),
        wanted,
        names=(named.tag,) if named.tag else (),
        skip_foreign=not include_foreign,
        reserve=not dry_run,
        jobs=session.jobs,
    )
    if dry_run:
        observer(Planned(plan))
        return CopyResult(named, wanted)
    with session.workers() as workers:
        options = TransferOptions(workers, session.retry, _mounts(plan, source, target))
        execute(plan, options, observer)
    return CopyResult(named, wanted)


def _named(source: Reference, target: Reference, wanted: Descriptor) -> Reference:
    """Return the full name of the copy."""
    if target.digest and target.digest != wanted.digest:
        raise RefusedError(
            f"{source} is {wanted.digest}, so it cannot be copied to {target}",
            hint="leave the digest out: it stays what it is",
        )
    tag = target.tag or ("" if target.digest else source.tag)
    return target.with_tag(tag) if tag else target.with_digest(wanted.digest)


def _mounts(plan: Plan, source: Reference, target: Reference) -> dict[Digest, tuple[str, ...]]:
    """Return what the target's registry can take over by itself: all, where it is the source's."""
    if source.registry != target.registry or source.repository == target.repository:
        return {}
    return {
        step.descriptor.digest: (source.repository,)
        for step in plan.steps
        if not step.descriptor.is_manifest
    }
