"""Choose the destination of a new image, and transfer it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ghcrctl.errors import UsageError
from ghcrctl.operations.common.published_tags import refuse_partial_replacement
from ghcrctl.operations.making.indexes import (
    NAMELESS,
    IndexTarget,
    NewImage,
    mount_source,
    open_sink,
)
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Observer


class NewContent(Protocol):
    """A source with only new content."""

    def exists(self, descriptor: Descriptor, /) -> bool:
        """Return whether it has some content."""
        ...


def choose_destination(
    source: IndexTarget, target: IndexTarget | None, *, replace: bool = False
) -> IndexTarget:
    """Return the destination of an image that was created from another one.

    By default, the new image is in the source's repository and gets no tag: published tags move
    only if the caller says so.

    Args:
        source: the original image.
        target: the name of the new image.
        replace: whether to move the source's tag to the new image.

    Raises:
        UsageError: both are given, or the name is a digest.
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
            hint="add a name for the new image: --tag NAME:TAG",
        )
    if target is None and not replace:
        return IndexTarget(source.reference.with_tag(None), source.local)
    chosen = target or source
    if chosen.reference.tag and not chosen.reference.digest:
        return chosen
    if target is None and source.reference.tag:
        raise UsageError(
            f"cannot replace the tag of {source.reference}: it has a digest",
            hint=f"omit the digest: {source.reference.with_tag(source.reference.tag)}",
        )
    raise UsageError(
        f"invalid target `{chosen.reference}`: expected NAME:TAG",
        hint=f"use: --tag {chosen.reference.name}:TAG",
    )


def deliver(  # noqa: PLR0913 all but four by keyword
    session: Session,
    place: Source,
    root: Descriptor,
    target: IndexTarget,
    *,
    source: IndexTarget,
    old: Descriptor,
    new_content: Sequence[NewContent],
    observer: Observer,
    origin: Callable[[Digest], IndexTarget] | None = None,
) -> NewImage:
    """Transfer a new image to its destination, with a tag or by digest only.

    Args:
        session: the run.
        place: the source of all its content.
        root: the new image.
        target: its destination, from `choose_destination`.
        source: the original image.
        old: the root of the original image.
        new_content: sources of new content, which no registry can mount from another repository.
        observer: receives progress events.
        origin: returns where other content comes from; by default, the original image.

    Raises:
        RefusedError: the source's tag would lose images of its index.
    """
    tag = target.reference.tag
    end = target if tag else IndexTarget(target.reference.with_digest(root.digest), target.local)
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
            new_content=new_content,
            origin=origin or (lambda _: source),
            observer=observer,
        )
    return NewImage(end, root, old.digest if moves and root.digest != old.digest else None)


def _transfer(  # noqa: PLR0913 all but four by keyword
    session: Session,
    place: Source,
    root: Descriptor,
    end: IndexTarget,
    *,
    new_content: Sequence[NewContent],
    origin: Callable[[Digest], IndexTarget],
    observer: Observer,
) -> None:
    sink, name = open_sink(session, end)
    # A registry stores content by digest without a name; the store needs one.
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
        if not any(each.exists(step.descriptor) for each in new_content)
        and (where := mount_source(session, origin(step.descriptor.digest), end))
    }
    with session.workers() as workers:
        execute(plan, TransferOptions(workers, session.retry, mounts), observer)
