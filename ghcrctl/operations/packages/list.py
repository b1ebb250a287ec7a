"""List packages and their versions, with types and sizes."""

from __future__ import annotations

import fnmatch
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidFilterError, PackageUnknownError, UsageError
from ghcrctl.github.version_kinds import kind_of, platforms_of
from ghcrctl.operations.packages.package_graph import load_graph, no_progress, read_graph
from ghcrctl.operations.packages.package_names import read_owner, resolve_owner
from ghcrctl.operations.packages.subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.records import Package, Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import PackageName

SORT_KEYS = ("name", "updated", "created", "versions")
_FILTERS = ("name", "visibility", "repository", "linked")
_ATTACHED = {"attestation", "signature", "SBOM", "referrers", "artifact"}


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version and its type.

    Args:
        version: GitHub's record.
        kind: one of `kinds.KINDS`.
        platforms: its platforms.
        is_orphan: whether its subject was deleted.
        is_broken: whether some of its manifests are missing.
        size: size of its content, without attached manifests (bytes).
        above: versions that need it.
        below: versions that are deleted with it.
    """

    version: Version
    kind: str
    platforms: tuple[str, ...]
    is_orphan: bool
    is_broken: bool
    size: int
    above: tuple[str, ...]
    below: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tagged image.

    Args:
        version: GitHub's record.
        tags: its tags, except those that clients use for signatures and the like.
        kind: its type.
        platforms: its platforms.
        attached: the number of its signatures, attestations and other artifacts.
        size: size of all content that it needs (bytes).
        unique: size of content that nothing else needs (bytes).
    """

    version: Version
    tags: tuple[str, ...]
    kind: str
    platforms: tuple[str, ...]
    attached: int
    size: int
    unique: int


@dataclass(frozen=True, slots=True)
class PackageView:
    """A package with all its versions.

    Args:
        package: GitHub's record.
        page: the URL of its page.
        settings: the URL of its settings.
        counts: the number of versions of each kind.
        tagged: the tagged images, newest first.
        size: total size (bytes).
        shared: size of content that multiple tagged images need (bytes).
        loose: size of content that no tagged image needs (bytes).
        graph: the graph of its versions.
    """

    package: Package
    page: str
    settings: str
    counts: Counter[str]
    tagged: tuple[TagRow, ...]
    size: int
    shared: int
    loose: int
    graph: Graph = field(repr=False)


def list_packages(
    session: Session, text: str | None, filters: Sequence[str] = (), sort: str = "name"
) -> list[Package]:
    """List the packages of an account.

    Args:
        session: the run.
        text: ``[REGISTRY/]OWNER``; ``None`` for the owner of the token.
        filters: ``name=GLOB``, ``visibility=WORD``, ``repository=GLOB``, ``linked=true|false``;
            multiple filters with the same key are alternatives.
        sort: one of `SORT_KEYS`.

    Raises:
        InvalidFilterError: a filter is unknown or malformed.
        UsageError: the sort key is unknown.
        PackageUnknownError: the account does not exist, or the token has no owner.
        DeniedError: the token cannot list packages.
    """
    if sort not in SORT_KEYS:
        raise UsageError(f"invalid sort key `{sort}`", hint=f"use one of: {', '.join(SORT_KEYS)}")
    wanted = [_read_filter(text) for text in filters]
    registry, login = read_owner(session, text) if text else _token_owner(session)
    packages = session.packages(registry)
    found = packages.list_all(packages.owner(login))
    keys = {key for key, _ in wanted}
    chosen = [
        package
        for package in found
        if all(any(_matches(package, k, v) for k, v in wanted if k == key) for key in keys)
    ]
    return _sorted(chosen, sort)


def _token_owner(session: Session) -> tuple[str, str]:
    registry: str = session.settings.get("default_registry")
    login = session.packages(registry).me()
    if not login:
        raise PackageUnknownError(
            "cannot list packages: the token has no owner",
            hint="give the owner: ghcrctl packages list OWNER",
        )
    return registry, login


def _read_filter(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or key not in _FILTERS:
        raise InvalidFilterError(
            f"invalid filter `{text}`",
            hint=f"use one of: {', '.join(f'{k}=' for k in _FILTERS)}",
        )
    if key == "linked" and value.lower() not in {"true", "false"}:
        raise InvalidFilterError(f"invalid filter `{text}`: expected linked=true or linked=false")
    return key, value


def _matches(package: Package, key: str, value: str) -> bool:
    if key == "linked":
        return bool(package.repository) == (value.lower() == "true")
    text = {
        "name": package.name,
        "visibility": package.visibility,
        "repository": package.repository,
    }[key]
    return fnmatch.fnmatchcase(text.lower(), value.lower())


def _sorted(packages: list[Package], sort: str) -> list[Package]:
    by_name = sorted(packages, key=lambda p: p.name)
    if sort == "updated":
        return sorted(by_name, key=lambda p: p.updated, reverse=True)
    if sort == "created":
        return sorted(by_name, key=lambda p: p.created, reverse=True)
    if sort == "versions":
        return sorted(by_name, key=lambda p: p.version_count, reverse=True)
    return by_name


def version_rows(
    session: Session, named: PackageName, *, deleted: bool = False, progress: Progress = no_progress
) -> tuple[Graph, list[VersionRow]]:
    """List the versions of a package with their types, newest first.

    Args:
        session: the run.
        named: the package.
        deleted: list deleted versions; their types are known only from cached manifests.
        progress: receives the progress.
    """
    if deleted:
        from ghcrctl.github.graph import Graph
        from ghcrctl.operations.packages.package_graph import cached_facts

        packages, owner = resolve_owner(session, named)
        versions = packages.versions(owner, named.package, deleted=True)
        graph = Graph.of(versions, cached_facts(session, [v.digest for v in versions]))
    else:
        graph = load_graph(session, named, progress)
        graph = Subjects(session, [named]).complete(named, graph)
    return graph, version_rows_of(graph, deleted=deleted)


def version_rows_of(graph: Graph, *, deleted: bool = False) -> list[VersionRow]:
    """Return rows for all versions in a graph, newest first."""
    ordered = sorted(graph.versions.values(), key=lambda v: (v.created, v.id), reverse=True)
    return [_row(graph, version, deleted=deleted) for version in ordered]


def _row(graph: Graph, version: Version, *, deleted: bool) -> VersionRow:
    digest = version.digest
    kind = kind_of(graph, digest)
    return VersionRow(
        version=version,
        kind="unknown" if deleted and kind == "unreadable" else kind,
        platforms=tuple(platforms_of(graph, digest)),
        is_orphan=not deleted and graph.is_orphan(digest),
        is_broken=bool(graph.missing_children(digest)),
        size=_size(graph, digest),
        above=tuple(dict.fromkeys(graph.above(digest))),
        below=tuple(dict.fromkeys(d for d in graph.below(digest) if graph.has(d))),
    )


def _size(graph: Graph, digest: str) -> int:
    """Return the size of a manifest and everything that it lists (bytes)."""
    found: set[str] = set()
    queue = [digest]
    while queue:
        current = queue.pop()
        if current not in found:
            found.add(current)
            queue += graph.children(current)
    return sum(graph.sizes(found).values())


def describe(session: Session, named: PackageName, progress: Progress = no_progress) -> PackageView:
    """Describe a package: its versions and their sizes."""
    packages, owner = resolve_owner(session, named)
    package = packages.get(owner, named.package)
    versions = packages.versions(
        owner, named.package, seen=lambda done, total: progress("pages of versions", done, total)
    )
    graph = read_graph(session, named, versions, progress)
    graph = Subjects(session, [named]).complete(named, graph)
    instance = packages.github.instance
    tagged = sorted(
        (d for d in graph.roots if graph.own_tags(d)),
        key=lambda d: (graph.versions[d].created, graph.versions[d].id),
        reverse=True,
    )
    users: Counter[str] = Counter()
    for digest in tagged:
        users.update(graph.sizes(graph.closure([digest])).keys())
    sizes = graph.sizes(graph.facts)
    names = {"is_organization": owner.is_organization}
    return PackageView(
        package=package,
        page=instance.package_page(owner.login, named.package, **names),
        settings=instance.settings_page(owner.login, named.package, **names),
        counts=Counter(kind_of(graph, digest) for digest in graph.versions),
        tagged=tuple(_tag_row(graph, digest, users) for digest in tagged),
        size=sum(sizes.values()),
        shared=sum(size for blob, size in sizes.items() if users[blob] > 1),
        loose=sum(size for blob, size in sizes.items() if not users[blob]),
        graph=graph,
    )


def _tag_row(graph: Graph, digest: str, users: Counter[str]) -> TagRow:
    needed = graph.closure([digest])
    sizes = graph.sizes(needed)
    return TagRow(
        version=graph.versions[digest],
        tags=graph.own_tags(digest),
        kind=kind_of(graph, digest),
        platforms=tuple(platforms_of(graph, digest)),
        attached=sum(
            kind_of(graph, d) in _ATTACHED for d in graph.versions.keys() & needed - {digest}
        ),
        size=sum(sizes.values()),
        unique=sum(size for blob, size in sizes.items() if users[blob] == 1),
    )
