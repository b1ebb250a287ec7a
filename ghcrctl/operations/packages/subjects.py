"""Locations of the subjects of signatures and other artifacts, in all packages of a run.

A package may hold the signatures of images in another package (cosign's ``COSIGN_REPOSITORY``). A
subject that a package lacks is therefore known to be deleted only where GitHub lists it as deleted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.errors import AuthError, GhcrctlError, IntegrityError, NotFoundError
from ghcrctl.operations.packages.package_names import owner_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ghcrctl.github.graph import Graph
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_names import Named


class Subjects:
    """What the packages of a run hold and held; nothing is listed before it is needed.

    Args:
        session: the run.
        names: all packages of the run.
        unlisted: patterns of names whose packages could not be listed.
    """

    def __init__(
        self, session: Session, names: Sequence[Named], unlisted: Iterable[str] = ()
    ) -> None:
        self._session = session
        self._names = names
        self._unlisted = tuple(unlisted)
        self._active: dict[str, frozenset[str] | None] = {}
        self._deleted: dict[str, frozenset[str]] = {}

    def complete(self, named: Named, graph: Graph) -> Graph:
        """Return the graph of a package with what is known of subjects that the package lacks."""
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

    def _holder(self, named: Named, digest: str) -> str:
        """Return that, or why, another package may hold a digest; empty for none."""
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

    def _versions_of(self, named: Named) -> frozenset[str] | None:
        if named.name not in self._active:
            try:
                self._active[named.name] = self._list(named, deleted=False)
            except (AuthError, IntegrityError, NotFoundError):
                # The run reports the package itself.
                self._active[named.name] = None
        return self._active[named.name]

    def _deleted_from(self, named: Named) -> frozenset[str]:
        if named.name not in self._deleted:
            try:
                self._deleted[named.name] = self._list(named, deleted=True)
            except (AuthError, IntegrityError, NotFoundError) as error:
                self._warn(named, error)
                self._deleted[named.name] = frozenset()
        return self._deleted[named.name]

    def _warn(self, named: Named, error: GhcrctlError) -> None:
        self._session.warn(f"cannot list the deleted versions of {named.name}: {error}")

    def _list(self, named: Named, *, deleted: bool) -> frozenset[str]:
        packages, owner = owner_of(self._session, named)
        versions = packages.versions(owner, named.package, deleted=deleted)
        return frozenset(version.digest for version in versions)
