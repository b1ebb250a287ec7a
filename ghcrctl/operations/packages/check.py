"""Find broken images in packages, and restore missing manifests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.errors import GhcrctlError, NotFoundError, PackageUnknownError
from ghcrctl.github.deletion_planner import label
from ghcrctl.github.plan import unreadable_error
from ghcrctl.github.version_kinds import kind_of
from ghcrctl.operations.packages.package_batch import check_selection, each_package
from ghcrctl.operations.packages.package_graph import no_progress, read_graph
from ghcrctl.operations.packages.package_names import match_packages, resolve_owner
from ghcrctl.operations.packages.subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.records import Package, Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_batch import Failed
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import PackageName

_PREFIX = "org.opencontainers.image."
_LONGEST_DESCRIPTION = 512


class FindingKind(Enum):
    """The kinds of findings."""

    GHOST = "ghost"
    PARTIAL = "partial"
    UNREADABLE = "unreadable"
    DANGLING = "dangling"
    UNLINKED = "unlinked"
    UNDESCRIBED = "undescribed"

    @property
    def breaks(self) -> bool:
        """Whether pulls fail because of it."""
        return self in {FindingKind.GHOST, FindingKind.PARTIAL, FindingKind.UNREADABLE}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a check.

    Args:
        trouble: its kind.
        message: the description.
        mend: how to fix it.
        digest: the affected version; empty for the package itself.
        tags: the version's tags.
        missing: manifests that are missing.
        restorable: the missing manifests that GitHub can restore, with their version numbers.
    """

    trouble: FindingKind
    message: str
    mend: str
    digest: str = ""
    tags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    restorable: tuple[tuple[str, int], ...] = ()


def check_packages(
    session: Session,
    names: Iterable[str],
    progress: Progress = no_progress,
    failed: Failed | None = None,
) -> Iterator[tuple[PackageName, list[Finding]]]:
    """Check packages one at a time.

    Args:
        session: the run.
        names: names, and patterns of names.
        progress: called with the number of manifests read.
        failed: called with the name and error of each package that cannot be checked; the
            others are still checked. Without it, the first error is raised at the end.

    Raises:
        PackageUnknownError: no package matches.
        GhcrctlError: the only package cannot be checked.
    """
    unlisted: dict[str, GhcrctlError] = {}
    chosen = match_packages(session, names, unlisted)
    check_selection(chosen, unlisted, "check", failed)
    subjects = Subjects(session, chosen, unlisted)

    def check_one(named: PackageName) -> list[Finding]:
        return check_package(session, named, progress, subjects)[1]

    yield from each_package(chosen, check_one, lambda named: named.name, failed)
    if unlisted and failed is None:
        raise next(iter(unlisted.values()))


def unchecked(error: GhcrctlError) -> Finding:
    """Return the finding for a package that could not be checked."""
    return Finding(FindingKind.UNREADABLE, str(error), error.hint or "try again")


def check_package(
    session: Session,
    named: PackageName,
    progress: Progress = no_progress,
    subjects: Subjects | None = None,
) -> tuple[Graph, list[Finding]]:
    """Check a package; return its graph and the findings.

    Args:
        session: the run.
        named: the package.
        progress: called with the number of manifests read.
        subjects: the subjects in all packages of the run; by default, in this one only.

    Raises:
        PackageUnknownError: the package does not exist, or the token cannot read it.
    """
    packages, owner = resolve_owner(session, named)
    package = packages.get(owner, named.package)
    versions = packages.versions(owner, named.package)
    graph = read_graph(session, named, versions, progress)
    graph = (subjects or Subjects(session, [named])).complete(named, graph)
    broken = any(map(graph.missing_children, graph.facts))
    deleted = _deleted(session, named) if broken else {}
    found = [*_broken_images(graph, named, deleted), *_dangling_referrers(graph, named)]
    return graph, [*found, *_metadata(graph, package, named)]


def _deleted(session: Session, named: PackageName) -> Mapping[str, Version]:
    packages, owner = resolve_owner(session, named)
    try:
        listed = packages.versions(owner, named.package, deleted=True)
    except GhcrctlError as error:
        session.warn(f"cannot list deleted versions: {error}")
        return {}
    return {version.digest: version for version in listed}


def _broken_images(
    graph: Graph, named: PackageName, deleted: Mapping[str, Version]
) -> Iterator[Finding]:
    for digest, version in graph.versions.items():
        missing = tuple(graph.missing_children(digest))
        if digest in graph.unreadable:
            yield Finding(
                FindingKind.UNREADABLE,
                f"{_name(graph, digest)} cannot be read: {graph.unreadable[digest]}",
                f"try again, or delete it: ghcrctl packages delete {named.repository}#{version.id}",
                digest,
                version.tags,
            )
        if not missing:
            continue
        can = tuple((child, deleted[child].id) for child in missing if child in deleted)
        share = "all" if graph.is_ghost(digest) else f"{len(missing)}"
        mend = f"ghcrctl packages repair {named.repository}"
        if len(can) < len(missing):
            mend += " --from SOURCE, which has the image"
        yield Finding(
            FindingKind.GHOST if graph.is_ghost(digest) else FindingKind.PARTIAL,
            f"{_name(graph, digest)} lacks {share} of its {len(graph.children(digest))} "
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


def _dangling_referrers(graph: Graph, named: PackageName) -> Iterator[Finding]:
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
                "check the package that holds the images in the same run, or delete it: ghcrctl "
                f"packages prune {named.repository} --orphaned-unseen"
            )
        yield Finding(FindingKind.DANGLING, message, mend, digest, version.tags)


def _metadata(graph: Graph, package: Package, named: PackageName) -> Iterator[Finding]:
    """Check the metadata that GitHub shows for the newest image.

    Source: GitHub's documentation, "Working with the Container registry", labelling images.
    """
    if not package.repository:
        yield Finding(
            FindingKind.UNLINKED,
            f"{named.repository} is not linked to a repository",
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
        what = "has no description" if not text else f"has a description of {len(text)} characters"
        yield Finding(
            FindingKind.UNDESCRIBED,
            f"the index {_name(graph, newest.digest)} {what}; GitHub shows at most "
            f"{_LONGEST_DESCRIPTION} characters from the index's annotations",
            f"ghcrctl manifest annotate, or build with the annotation index:{_PREFIX}description",
            newest.digest,
            newest.tags,
        )


def _name(graph: Graph, digest: str) -> str:
    shown = label(graph, digest)
    return f"{shown} ({digest[:19]})" if shown.startswith("`") else shown


@dataclass(frozen=True, slots=True)
class Mended:
    """The result for one missing manifest. ``how``: ``restored``, ``pushed``, or empty."""

    digest: str
    how: str
    error: GhcrctlError | None = None


def repair(
    session: Session,
    named: PackageName,
    *,
    push: Callable[[str], None] | None = None,
    tell: Callable[[Mended], None] = lambda _: None,
    progress: Progress = no_progress,
) -> list[Mended]:
    """Restore or push every manifest that an index lists and that is missing.

    A version that cannot be read is in the results with an error, since it may be an index with
    missing manifests.

    Args:
        session: the run.
        named: the package.
        push: pushes a manifest, given its digest; ``None`` if there is no other source.
        tell: called with each result.
        progress: called with the number of manifests read.
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
            for repaired in unread:
                tell(repaired)
            return [*done.values(), *unread]
        # A restored manifest may be an index with missing manifests: repeat until none is new.
        for digest in dict.fromkeys(wanted):
            done[digest] = _repair_manifest(session, named, digest, numbers.get(digest), push)
            tell(done[digest])


def _repair_manifest(
    session: Session,
    named: PackageName,
    digest: str,
    number: int | None,
    push: Callable[[str], None] | None,
) -> Mended:
    packages, owner = resolve_owner(session, named)
    error: GhcrctlError = NotFoundError(
        f"cannot restore {digest}: it was not deleted within the last 30 days",
        hint="push it from another source: --from REGISTRY/NAME:TAG, or an archive",
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
