"""Locate the subjects of signatures and other artifacts in all packages of a run.

A package may hold the signatures of images in another package (cosign's ``COSIGN_REPOSITORY``). A
subject that a package lacks therefore counts as deleted only if GitHub lists it as deleted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.errors import AuthError, GhcrctlError, IntegrityError, NotFoundError
from ghcrctl.operations.packages.package_names import resolve_owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ghcrctl.github.graph import Graph
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_names import PackageName


class Subjects:
    """The present and deleted versions of the packages of a run, listed on demand.

    Args:
        session: the run.
        names: all packages of the run.
        unlisted: patterns of names whose packages could not be listed.
    """

    def __init__(
        self, session: Session, names: Sequence[PackageName], unlisted: Iterable[str] = ()
    ) -> None:
        self._session = session
        self._names = names
        self._unlisted = tuple(unlisted)
        self._active: dict[str, frozenset[str] | None] = {}
        self._deleted: dict[str, frozenset[str]] = {}

    def complete(self, named: PackageName, graph: Graph) -> Graph:
        """Return the graph of a package, completed with the location of subjects it lacks."""
        wanted = graph.detached_subjects()
        if not wanted:
            return graph
        deleted = {d for other in self._names for d in self._deleted_from(other) & wanted}
        elsewhere = {digest: self._holder(named, digest) for digest in wanted}
        return replace(
            graph,
            deleted=frozenset(deleted),
            elsewhere={digest: why for digest, why in elsewhere.items() if why},
        )

    def _holder(self, named: PackageName, digest: str) -> str:
        """Return why another package has, or may have, a digest; empty if none has it."""
        unsure = ""
        for other in self._names:
            if other.name == named.name:
                continue
            held = self._versions_of(other)
            if held is None:
                unsure = f"its subject may be in {other.name}, which cannot be read"
            elif digest in held:
                return f"its subject is in {other.name}"
        if not unsure and self._unlisted:
            unsure = f"its subject may be in `{self._unlisted[0]}`, which cannot be listed"
        return unsure

    def _versions_of(self, named: PackageName) -> frozenset[str] | None:
        if named.name not in self._active:
            try:
                self._active[named.name] = self._list(named, deleted=False)
            except (AuthError, IntegrityError, NotFoundError):
                # The run itself reports the error of the package.
                self._active[named.name] = None
        return self._active[named.name]

    def _deleted_from(self, named: PackageName) -> frozenset[str]:
        if named.name not in self._deleted:
            try:
                self._deleted[named.name] = self._list(named, deleted=True)
            except (AuthError, IntegrityError, NotFoundError) as error:
                self._warn(named, error)
                self._deleted[named.name] = frozenset()
        return self._deleted[named.name]

    def _warn(self, named: PackageName, error: GhcrctlError) -> None:
        self._session.warn(f"cannot list the deleted versions of {named.name}: {error}")

    def _list(self, named: PackageName, *, deleted: bool) -> frozenset[str]:
        packages, owner = resolve_owner(self._session, named)
        versions = packages.versions(owner, named.package, deleted=deleted)
        return frozenset(version.digest for version in versions)
