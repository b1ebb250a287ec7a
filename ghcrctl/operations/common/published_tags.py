"""Refuse to let a published tag lose platforms of its index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.ports import Source
from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import NotFoundError, RefusedError
from ghcrctl.oci.manifest import Index, parse
from ghcrctl.operations.common.index_entries import is_attestation
from ghcrctl.transfer.plan import MAX_DEPTH, Action

if TYPE_CHECKING:
    from collections.abc import Collection

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.manifest import Manifest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.plan import Plan


def refuse_platform_loss(
    plan: Plan,
    target: Reference,
    *,
    origin: str = "",
    converted: Collection[Digest] = (),
    force: str,
) -> None:
    """Refuse to replace an index at a registry with a part of it.

    Args:
        plan: the transfer; its sink is the target's repository.
        target: the name that would point to the plan's root.
        origin: the reference of the index that the root is a part of, if known.
        converted: the images that the root was converted from, if it was.
        force: the command or option that replaces the index anyway, for the hint.

    Raises:
        RefusedError: the tag points to an index that contains all of the root, and more.
    """
    place = plan.sink
    if not (target.tag and isinstance(place, Source) and (converted or _may_be_in_index(plan))):
        return
    after = set(converted) or _entries(plan)
    _refuse(place, target, plan.root.digest, after, origin=origin, force=force)


def refuse_partial_replacement(place: Source, old: Descriptor, new: Descriptor, name: str) -> None:
    """Refuse to replace an index with a new image that was created from only a part of it.

    Args:
        place: the source of both.
        old: what the name points to.
        new: what it would point to.
        name: the name.

    Raises:
        RefusedError: the index has more images than the new one.
    """
    if not old.is_index or old.digest == new.digest:
        return
    before, after = _images(place, old), _images(place, new)
    if len(after) >= len(before):
        return
    raise RefusedError(
        f"cannot replace {name}: it is an index of {_describe_entries(before)}, "
        f"and only {len(after)} of its {len(before)} images would remain",
        hint="use another tag with --tag, or change all images: without --platform",
    )


def manifests_of(place: Source, root: Descriptor) -> dict[Digest, Descriptor]:
    """Return the manifests that an index lists, recursively; an image lists itself."""
    if not root.is_index:
        return {root.digest: root}
    parsed = parse(read_metadata(place, root), root.media_type)
    return _manifests(place, parsed) if isinstance(parsed, Index) else {}


def refuse_platform_loss_of_tag(
    place: Source, target: Reference, root: Manifest | Index, *, force: str
) -> None:
    """Refuse to move a tag from an index to a part of it in the same repository.

    Args:
        place: the repository.
        target: the tag.
        root: what the tag would point to.
        force: the option that moves it anyway, for the hint.

    Raises:
        RefusedError: the tag points to an index that contains all of the root, and more.
    """
    digest = root.descriptor.digest
    after = set(_manifests(place, root)) if isinstance(root, Index) else {digest}
    _refuse(place, target, digest, after, origin="", force=force)


def _refuse(
    place: Source,
    target: Reference,
    root: Digest,
    after: set[Digest],
    *,
    origin: str,
    force: str,
) -> None:
    current = _current(place, target.target)
    if current is None or current.descriptor.digest == root:
        return
    before = _manifests(place, current)
    if not after <= set(before) or not set(before) - after:
        return
    whole = f"{target.name}@{current.descriptor.digest}"
    left = {digest: entry for digest, entry in before.items() if digest in after}
    raise RefusedError(
        f"cannot push to {target}: the tag points to an index of {_describe_entries(before)}, "
        f"and only {_describe_entries(left)} would remain",
        hint=_hint(target, whole, origin, force),
    )


def _hint(target: Reference, whole: str, origin: str, force: str) -> str:
    if not origin or origin == whole:
        return f"the tag already has this image; to replace the index anyway: {force}"
    return (
        f"copy every platform with: ghcrctl copy {origin} {target}; "
        f"to replace the index anyway: {force}"
    )


def warn_of_part(
    session: Session, index: str, pushed: Descriptor, target: Reference, *, dry_run: bool = False
) -> None:
    """Print docker's note that only a part of an index was pushed.

    Args:
        session: the run.
        index: the reference of the index.
        pushed: the pushed part.
        target: its name at the registry.
        dry_run: whether nothing was pushed.
    """
    which = "platforms were" if pushed.is_index else "single-platform image was"
    if dry_run:
        which = which.replace(" were", " would be").replace(" was", " would be")
    session.warn(
        f"Not all multiplatform-content is present and only the available {which} pushed\n"
        f"  {index.rpartition('@')[2]} -> {pushed.digest}\n"
        f"  copy every platform with: ghcrctl copy {index} {target}"
    )


def _may_be_in_index(plan: Plan) -> bool:
    """Return whether the repository may have an index that contains the root.

    A registry accepts an index only with all manifests that it lists, so a new root is in no index.
    This check costs no request.
    """
    there = {s.descriptor.digest for s in plan.steps if s.action is Action.EXISTS}
    return plan.root.digest in there or _entries(plan) <= there


def _entries(plan: Plan) -> set[Digest]:
    """Return the images of the root: itself, or all that its index lists, recursively."""
    found: set[Digest] = set()
    queue, seen = [plan.root.digest], {plan.root.digest}
    while queue:
        current = queue.pop()
        parsed = plan.manifests.get(current)
        if not isinstance(parsed, Index):
            found.add(current)
            continue
        below = {entry.digest for entry in parsed.manifests} - seen
        seen |= below
        queue += below
    return found


def _current(place: Source, tag: str) -> Index | None:
    """Return the index that a tag points to; ``None`` for other content."""
    try:
        descriptor = place.resolve(tag)
    except NotFoundError:
        return None
    if not descriptor.is_index:
        return None
    parsed = parse(read_metadata(place, descriptor), descriptor.media_type)
    return parsed if isinstance(parsed, Index) else None


def _manifests(place: Source, index: Index, depth: int = 0) -> dict[Digest, Descriptor]:
    """Return the manifests that an index lists, recursively."""
    found: dict[Digest, Descriptor] = {}
    for entry in index.manifests:
        if not entry.is_index:
            found[entry.digest] = entry
        elif depth < MAX_DEPTH:
            inner = parse(read_metadata(place, entry), entry.media_type)
            if isinstance(inner, Index):
                found |= _manifests(place, inner, depth + 1)
    return found


def _images(place: Source, root: Descriptor) -> dict[Digest, Descriptor]:
    """Return the manifests below a root, without attestations."""
    found = manifests_of(place, root)
    return {digest: entry for digest, entry in found.items() if not is_attestation(entry)}


def _describe_entries(entries: dict[Digest, Descriptor]) -> str:
    """Return the platforms and attestations of entries, or the number of manifests."""
    platforms = [str(e.platform) for e in entries.values() if e.platform]
    named = list(dict.fromkeys(p for p in platforms if p != "unknown/unknown"))
    if not named:
        return _count(len(entries), "manifest")
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    attesting = sum(is_attestation(entry) for entry in entries.values())
    also = f" with {_count(attesting, 'attestation')}" if attesting else ""
    return ", ".join(named[:5]) + more + also


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
