"""Track the current state of a package: which versions changed since a plan was created.

An index that is pushed during the deletion may need a manifest that is about to be deleted, since
a registry client does not push content that the registry already has. Children exist as long as
their index, so the list is read again after each deletion, before the next one. New versions are
listed first, so the first page is enough if nothing on it is new.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ghcrctl.errors import PackageUnknownError
from ghcrctl.operations.packages.package_graph import read_graph
from ghcrctl.operations.packages.package_names import PackageName, resolve_owner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.github.plan import Plan, Step
    from ghcrctl.github.records import Version
    from ghcrctl.operations.common.session import Session


class PresentState:
    """The versions of a package, and the steps of a plan that other versions need.

    Args:
        session: the run.
        plan: the plan of the package.
    """

    def __init__(self, session: Session, plan: Plan) -> None:
        self.versions: Mapping[int, Version] = {}
        self.is_missing = False
        # Errors of unreadable manifests that are not deleted, by digest.
        self.unreadable: Mapping[str, str] = {}
        self._session = session
        self._plan = plan
        self._named = PackageName(plan.registry, plan.owner, plan.package)
        self._packages, self._owner = resolve_owner(session, self._named)
        self._needed: set[str] = set()
        self._read_at: float | None = None
        self._deleted_since = False

    def refresh(self, max_age: float) -> None:
        """Read the list of versions again if a new version may need the one that is deleted next.

        Args:
            max_age: maximum age of the list (seconds).
        """
        if self._read_at is None or (self._is_stale(max_age) and self._has_news()):
            self.read()

    def note_deletion(self) -> None:
        """Record that a version was deleted after the list was read."""
        self._deleted_since = True

    def needs(self, step: Step) -> bool:
        """Return whether a version that is kept needs, or may need, the one of a step."""
        return step.digest in self._needed

    def read(self) -> None:
        """Read the list of versions, and determine what the versions outside of the plan need."""
        self._note_reading()
        try:
            versions = self._packages.versions(self._owner, self._plan.package)
        except PackageUnknownError:
            self.is_missing, self.versions = True, {}
            return
        self.versions = {version.id: version for version in versions}
        self._needed = self._find_needed(list(versions))

    def _is_stale(self, max_age: float) -> bool:
        return self._deleted_since or time.monotonic() - (self._read_at or 0.0) >= max_age

    def _has_news(self) -> bool:
        self._note_reading()
        newest = self._packages.newest(self._owner, self._plan.package)
        return any(self.versions.get(version.id) != version for version in newest)

    def _note_reading(self) -> None:
        # Set before the request: a version that is pushed during it may be missing from the list.
        self._read_at, self._deleted_since = time.monotonic(), False

    def _find_needed(self, versions: list[Version]) -> set[str]:
        graph = read_graph(self._session, self._named, versions)
        steps = {step.id: step for step in self._plan.steps}
        requested = {step.digest for step in self._plan.steps if step.is_asked}
        staying = {v.digest for v in versions if v.id not in steps or difference(steps[v.id], v)}
        # The registry may have manifests without a listed version.
        staying |= (graph.facts.keys() | graph.unreadable.keys()) - graph.versions.keys()
        needed = graph.closure(staying, without=requested)
        # An index that lists a version named by the user is newer than the plan.
        needed |= {d for d in requested if staying.intersection(graph.parents.get(d, ()))}
        self.unreadable = {d: why for d, why in graph.unreadable.items() if d in staying}
        if self.unreadable:
            needed |= {step.digest for step in self._plan.steps} - requested
        return needed


def difference(step: Step, found: Version) -> str:
    """Return how a version differs from the plan; empty if it does not."""
    if found.digest != step.digest:
        return f"version {step.id} has another digest"
    new = sorted(set(found.tags) - set(step.tags))
    if new:
        return f"it is now tagged `{new[0]}`"
    lost = sorted(set(step.tags) - set(found.tags))
    return f"it is no longer tagged `{lost[0]}`" if lost else ""
