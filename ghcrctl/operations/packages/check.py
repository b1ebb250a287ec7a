"""Finding what is broken in a package, and mending it.

What belongs here: what counts as broken, how each is mended, and mending what is missing. What does
not: what versions need (``github.graph``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.errors import GhcrctlError, NotFoundError, PackageUnknownError
from ghcrctl.github.plan import unreadable_error
from ghcrctl.github.planner import label
from ghcrctl.github.version_kinds import kind_of
from ghcrctl.operations.packages.package_batch import check_chosen, each_package
from ghcrctl.operations.packages.package_graph import graph_of, silent
from ghcrctl.operations.packages.package_names import matching, owner_of
from ghcrctl.operations.packages.subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.records import Package, Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_batch import Failed
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import Named

_PREFIX = "org.opencontainers.image."
_LONGEST_DESCRIPTION = 512


class Trouble(Enum):
    """What may be wrong; the second of each says whether images cannot be pulled for it."""

    GHOST = "ghost"
    PARTIAL = "partial"
    UNREADABLE = "unreadable"
    DANGLING = "dangling"
    UNLINKED = "unlinked"
    UNDESCRIBED = "undescribed"

    @property
    def breaks(self) -> bool:
        """Whether somebody's pull fails for it."""
        return self in {Trouble.GHOST, Trouble.PARTIAL, Trouble.UNREADABLE}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Args:
        trouble: what kind.
        message: what and which.
        mend: what to do about it.
        digest: the version; empty for the package itself.
        tags: the version's.
        missing: manifests that are not there.
        restorable: those of them that GitHub can restore, with their versions' numbers.
    """

    trouble: Trouble
    message: str
    mend: str
    digest: str = ""
    tags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    restorable: tuple[tuple[str, int], ...] = ()


def check_packages(
    session: Session,
    names: Iterable[str],
    progress: Progress = silent,
    failed: Failed | None = None,
) -> Iterator[tuple[Named, list[Finding]]]:
    """Find what is broken in packages, one after the other.

    Args:
        session: the run.
        names: names, and patterns of names.
        progress: is called with the number of manifests that were read.
        failed: called with the name and the error of each package that cannot be checked; the
            others are. Without it, the first error is raised after the last package.

    Raises:
        PackageUnknownError: no package matches.
        GhcrctlError: the only package cannot be checked.
    """
    unlisted: dict[str, GhcrctlError] = {}
    chosen = matching(session, names, unlisted)
    check_chosen(chosen, unlisted, "check", failed)
    subjects = Subjects(session, chosen, unlisted)

    def check_one(named: Named) -> list[Finding]:
        return check_package(session, named, progress, subjects)[1]

    yield from each_package(chosen, check_one, lambda named: named.name, failed)
    if unlisted and failed is None:
        raise next(iter(unlisted.values()))


def unchecked(error: GhcrctlError) -> Finding:
    """Return the finding that a package could not be checked."""
    return Finding(Trouble.UNREADABLE, str(error), error.hint or "try again")


def check_package(
    session: Session, named: Named, progress: Progress = silent, subjects: Subjects | None = None
) -> tuple[Graph, list[Finding]]:
    """Look for what is broken.

    Args:
        session: the run.
        named: the package.
        progress: is called with the number of manifests that were read.
        subjects: of the packages of the run; of this one alone by default.

    Raises:
        PackageUnknownError: there is no such package, or it is not shown to this token.
    """
    packages, owner = owner_of(session, named)
    package = packages.get(owner, named.package)
    versions = packages.versions(owner, named.package)
    graph = graph_of(session, named, versions, progress)
    graph = (subjects or Subjects(session, [named])).complete(named, graph)
    broken = any(map(graph.missing_children, graph.facts))
    deleted = _deleted(session, named) if broken else {}
    found = [*_broken(graph, named, deleted), *_dangling(graph, named)]
    return graph, [*found, *_metadata(graph, package, named)]


def _deleted(session: Session, named: Named) -> Mapping[str, Version]:
    packages, owner = owner_of(session, named)
    try:
        listed = packages.versions(owner, named.package, deleted=True)
    except GhcrctlError as error:
        session.warn(f"what was deleted cannot be listed: {error}")
        return {}
    return {version.digest: version for version in listed}


def _broken(graph: Graph, named: Named, deleted: Mapping[str, Version]) -> Iterator[Finding]:
    for digest, version in graph.versions.items():
        missing = tuple(graph.missing_children(digest))
        if digest in graph.unreadable:
            yield Finding(
                Trouble.UNREADABLE,
                f"{_name(graph, digest)} cannot be read: {graph.unreadable[digest]}",
                f"try again; else ghcrctl packages delete {named.repository}#{version.id}",
                digest,
                version.tags,
            )
        if not missing:
            continue
        can = tuple((child, deleted[child].id) for child in missing if child in deleted)
        all_of = "all" if graph.is_ghost(digest) else f"{len(missing)}"
        mend = f"ghcrctl packages repair {named.repository}"
        if len(can) < len(missing):
            mend += " --from SOURCE, which has the image"
        yield Finding(
            Trouble.GHOST if graph.is_ghost(digest) else Trouble.PARTIAL,
            f"{_name(graph, digest)} lacks {all_of} of its {len(graph.children(digest))} "
            f"manifests{_platforms(graph, digest, missing)}",
            mend,
            digest,
            version.tags,
            missing,
            can,
        )


def _platforms(graph: Graph, digest: str, missing: tuple[str, ...]) -> str:
    names = [c.platform for c in graph.facts[digest].children if c.digest in missing and c.platform]
    return f": {', '.join(dict.fromkeys(names))}" if names else ""


def _dangling(graph: Graph, named: Named) -> Iterator[Finding]:
    for digest, version in graph.versions.items():
        subjects = graph.subjects.get(digest, [])
        if not graph.is_detached(digest) or any(s in graph.elsewhere for s in subjects):
            continue
        name, subject = f"the {kind_of(graph, digest)} {_name(graph, digest)}", subjects[0]
        if graph.is_orphan(digest):
            message = f"{name} is attached to {subject}, which was deleted"
            mend = f"ghcrctl packages prune {named.repository}"
        else:
            message = f"{name} is attached to {subject}, which is in no checked package"
            mend = (
                "check the package that holds the images in the same run; else ghcrctl packages "
                f"prune {named.repository} --orphaned-unseen"
            )
        yield Finding(Trouble.DANGLING, message, mend, digest, version.tags)


def _metadata(graph: Graph, package: Package, named: Named) -> Iterator[Finding]:
    """Look at what GitHub shows of the newest image.

    Source: GitHub's documentation, "Working with the Container registry", labelling images.
    """
    if not package.repository:
        yield Finding(
            Trouble.UNLINKED,
            f"{named.repository} is linked to no repository",
            f"push an image with the label {_PREFIX}source=https://github.com/OWNER/REPOSITORY, or "
            "link it in the package's settings",
        )
    tagged = [graph.versions[d] for d in graph.roots if graph.own_tags(d)]
    newest = max(tagged, key=lambda v: (v.created, v.id), default=None)
    facts = graph.facts.get(newest.digest) if newest else None
    if newest is None or facts is None or not facts.is_index:
        return
    text = facts.annotations.get(f"{_PREFIX}description", "")
    if not text or len(text) > _LONGEST_DESCRIPTION:
        what = "has no description" if not text else f"has one of {len(text)} characters"
        yield Finding(
            Trouble.UNDESCRIBED,
            f"the index {_name(graph, newest.digest)} {what}; GitHub shows one of at most "
            f"{_LONGEST_DESCRIPTION} from the index's annotations",
            f"ghcrctl manifest annotate, or build with the annotation index:{_PREFIX}description",
            newest.digest,
            newest.tags,
        )


def _name(graph: Graph, digest: str) -> str:
    shown = label(graph, digest)
    return f"{shown} ({digest[:19]})" if shown.startswith("`") else shown


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of one missing manifest. ``how``: ``restored``, ``pushed``, or empty."""

    digest: str
    how: str
    error: GhcrctlError | None = None


def repair(
    session: Session,
    named: Named,
    *,
    push: Callable[[str], None] | None = None,
    tell: Callable[[Mended], None] = lambda _: None,
    progress: Progress = silent,
) -> list[Mended]:
    """Bring back every manifest that an index lists and that is not there.

    A version that cannot be read is in the results with an error: it may be an index that lacks
    something.

    Args:
        session: the run.
        named: the package.
        push: brings one by its digest from elsewhere; ``None`` where nothing else has it.
        tell: is told of each.
        progress: is called with the number of manifests that were read.
    """
    done: dict[str, Mended] = {}
    while True:
        graph, found = check_package(session, named, progress)
        numbers = {digest: number for f in found for digest, number in f.restorable}
        wanted = [d for f in found for d in f.missing if d not in done]
        if not wanted:
            unread = [
                Mended(d, "", unreadable_error(named.name, {d: why}))
                for d, why in sorted(graph.unreadable.items())
                if d not in done
            ]
            for mended in unread:
                tell(mended)
            return [*done.values(), *unread]
        # What is restored may itself be an index that lacks others: so until nothing is new.
        for digest in dict.fromkeys(wanted):
            done[digest] = _mend(session, named, digest, numbers.get(digest), push)
            tell(done[digest])


def _mend(
    session: Session,
    named: Named,
    digest: str,
    number: int | None,
    push: Callable[[str], None] | None,
) -> Mended:
    packages, owner = owner_of(session, named)
    error: GhcrctlError = NotFoundError(
        f"{digest} was not deleted within the last 30 days, so that GitHub cannot restore it",
        hint="give a place that has it: --from REGISTRY/NAME:TAG, or an archive",
    )
    if number is not None:
        try:
            packages.restore_version(owner, named.package, number)
            return Mended(digest, "restored")
        except PackageUnknownError as reason:
            error = reason
    if push is None:
        return Mended(digest, "", error)
    try:
        push(digest)
    except GhcrctlError as reason:
        return Mended(digest, "", reason)
    return Mended(digest, "pushed")
