"""Delivery of a new image: the name that it gets, and the transfer to its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ghcrctl.errors import UsageError
from ghcrctl.operations.making.indexes import NAMELESS, End, NewImage, mount_source, sink_of
from ghcrctl.operations.making.published_tags import refuse_partial_replacement
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Observer


class Made(Protocol):
    """A place that holds only new content."""

    def exists(self, descriptor: Descriptor, /) -> bool:
        """Return whether it has this content."""
        ...


def destination_of(source: End, target: End | None, *, replace: bool = False) -> End:
    """Return where an image made from another one is written.

    Without a target the result belongs to the source's repository and gets no tag, so that no
    published tag moves unless the caller asks for it.

    Args:
        source: the image it is made from.
        target: the name of the new image.
        replace: whether the source's tag moves to the new image.

    Raises:
        UsageError: both are given, or the name that is to move or to be given is a digest.
    """
    if target and replace:
        raise UsageError(
            "--tag and --replace are mutually exclusive",
            hint=f"--replace moves {source.reference}; --tag names another image",
        )
    if target is None and source.root and (replace or source.reference == NAMELESS):
        raise UsageError(
            "cannot replace a tag: the image is given by its ID or digest"
            if replace
            else f"the image {source.root} has no name",
            hint="name the new image with: --tag NAME:TAG",
        )
    if target is None and not replace:
        return End(source.reference.with_tag(None), source.local)
    chosen = target or source
    if chosen.reference.tag and not chosen.reference.digest:
        return chosen
    if target is None and source.reference.tag:
        raise UsageError(
            f"cannot replace the tag of {source.reference}: the reference is pinned by its digest",
            hint=f"name the tag alone: {source.reference.with_tag(source.reference.tag)}",
        )
    raise UsageError(
        f"invalid target `{chosen.reference}`: expected NAME:TAG",
        hint=f"name it with: --tag {chosen.reference.name}:TAG",
    )


def deliver(  # noqa: PLR0913 all but four by keyword
    session: Session,
    place: Source,
    root: Descriptor,
    target: End,
    *,
    source: End,
    old: Descriptor,
    made: Sequence[Made],
    observer: Observer,
    origin: Callable[[Digest], End] | None = None,
) -> NewImage:
    """Write a new image to its destination: under its tag, or under its digest alone.

    Args:
        session: the run.
        place: has all of its content.
        root: the new image.
        target: its destination, from `destination_of`.
        source: the image it was made from.
        old: what the source resolved to.
        made: hold what is new, which no registry can mount from another repository.
        observer: watches the transfer.
        origin: returns where any other content is; the source by default.

    Raises:
        RefusedError: the source's tag would lose images of its index.
    """
    tag = target.reference.tag
    end = target if tag else End(target.reference.with_digest(root.digest), target.local)
    is_same_place = (source.reference.name, source.local) == (end.reference.name, end.local)
    moves = is_same_place and tag is not None and tag == source.reference.tag
    if moves:
        refuse_partial_replacement(place, old, root, str(end.reference))
    if not (root.digest == old.digest and is_same_place and (moves or not tag)):
        _transfer(
            session,
            place,
            root,
            end,
            made=made,
            origin=origin or (lambda _: source),
            observer=observer,
        )
    return NewImage(end, root, old.digest if moves and root.digest != old.digest else None)


def _transfer(  # noqa: PLR0913 all but four by keyword
    session: Session,
    place: Source,
    root: Descriptor,
    end: End,
    *,
    made: Sequence[Made],
    origin: Callable[[Digest], End],
    observer: Observer,
) -> None:
    sink, name = sink_of(session, end)
    # A registry needs no name for content that is stored under its digest; the store does.
    names = (name,) if end.local or end.reference.tag else ()
    plan = make_plan(
        place,
        sink,
        root,
        names=names,
        skip_foreign=not end.local,
        optional_foreign=end.local,
        jobs=session.jobs,
    )
    mounts = {
        step.descriptor.digest: (where,)
        for step in plan.steps
        if not any(each.exists(step.descriptor) for each in made)
        and (where := mount_source(session, origin(step.descriptor.digest), end))
    }
    with session.workers() as workers:
        execute(plan, TransferOptions(workers, session.retry, mounts), observer)
