"""Undo a run of deletions from its journal.

The journal records each undone deletion so that `apply` and an undo can be repeated in any order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.errors import GhcrctlError, NetworkError, PackageUnknownError
from ghcrctl.operations.packages.deletion_outcome import ends_run
from ghcrctl.operations.packages.journal import find_journal, open_journal_for_undo
from ghcrctl.operations.packages.journal_entries import State
from ghcrctl.operations.packages.package_graph import no_progress
from ghcrctl.operations.packages.package_names import read_package, resolve_owner
from ghcrctl.operations.packages.version_restorer import Outcome, Restored, Restorer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ghcrctl.github.records import Version
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.journal_entries import Entry, Journal
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import PackageName

# States of versions that the run may have deleted, or that were restored later.
_UNDOABLE = frozenset({State.BEGUN, State.DELETED, State.RESTORED})


def restore_run(
    session: Session,
    path: Path,
    *,
    only: PackageName | None = None,
    tell: Callable[[Restored], None] = lambda _: None,
    progress: Progress = no_progress,
) -> list[Restored]:
    """Undo a run of deletions in reverse order.

    Args:
        session: the run.
        path: its journal, or the plan that the journal belongs to.
        only: the only package to undo; ``None`` for all.
        tell: called with the result of each version.
        progress: called with the number of versions done.

    Raises:
        NotFoundError: the file does not exist.
        UsageError: the file is not a journal.
        PackageUnknownError: the journal has no deletion; or a package cannot be restored.
        AuthError: GitHub rejects the token.
        NetworkError: GitHub cannot be reached, or its rate limit lasts too long; try again later.
    """
    path = find_journal(path)
    with open_journal_for_undo(path, session.warn) as journal:
        entries = [e for e in reversed(journal.last) if e.state in _UNDOABLE]
        entries = [e for e in entries if only is None or e.package == only.name]
        if not entries:
            raise PackageUnknownError(f"{path} records no deletions")
        try:
            return _Undo(session, journal, tell, progress).run(entries)
        except NetworkError as error:
            error.hint = f"continue with: ghcrctl packages restore --run {path}"
            raise


class _Undo:
    """The undo of one journal."""

    def __init__(
        self,
        session: Session,
        journal: Journal,
        tell: Callable[[Restored], None],
        progress: Progress,
    ) -> None:
        self._session = session
        self._journal = journal
        self._tell = tell
        self._progress = progress
        self._results: list[Restored] = []
        self._total = 0

    def run(self, entries: Sequence[Entry]) -> list[Restored]:
        """Undo deletions package by package; raise the first failure of a package at the end."""
        self._total = sum(bool(entry.id) for entry in entries)
        failure: GhcrctlError | None = None
        for package, own in _by_package(entries).items():
            try:
                self._undo(read_package(self._session, package), own)
            except GhcrctlError as error:
                failure = failure or error
                if ends_run(error):
                    break
        if failure:
            self._name_rest(entries)
            raise failure
        return self._results

    def _undo(self, named: PackageName, entries: list[Entry]) -> None:
        """Undo the deletions in one package."""
        restoring = Restorer(self._session, named, self._note)
        came_back = self._restore_whole(named, [e for e in entries if not e.id])
        existing = restoring.list_versions()
        for entry in entries:
            if entry.id:
                self._restore_version(restoring, entry, existing.get(entry.id), came_back=came_back)
                self._progress("versions", len(self._results), self._total)

    def _restore_whole(self, named: PackageName, entries: list[Entry]) -> bool:
        """Restore a package that was deleted as a whole; return whether it was missing."""
        packages, owner = resolve_owner(self._session, named)
        came_back = False
        for entry in entries:
            if entry.state is not State.RESTORED:
                try:
                    packages.get(owner, named.package)
                except PackageUnknownError:
                    packages.restore(owner, named.package)
                    came_back = True
                self._record(entry)
        return came_back

    def _restore_version(
        self, restoring: Restorer, entry: Entry, existing: Version | None, *, came_back: bool
    ) -> None:
        if entry.state is State.RESTORED:
            # Its tags were restored then, and may have been removed on purpose since.
            restoring.note(_restored_before(entry, existing))
            return
        if existing:
            outcome = Outcome.RESTORED if came_back else Outcome.THERE
            result = restoring.keep(existing, outcome, entry.tags)
        else:
            result = restoring.restore(entry.id, entry.digest, entry.tags)
        if not result.error:
            self._record(entry)

    def _record(self, entry: Entry) -> None:
        """Record in the journal that a deletion was undone."""
        self._journal.note(replace(entry, state=State.RESTORED, why=""))

    def _note(self, result: Restored) -> None:
        self._results.append(result)
        self._tell(result)

    def _name_rest(self, entries: Sequence[Entry]) -> None:
        known = {(result.id, result.digest) for result in self._results}
        for entry in entries:
            if entry.id and (entry.id, entry.digest) not in known:
                self._note(Restored(entry.id, entry.digest, Outcome.PLANNED))


def _by_package(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.package, []).append(entry)
    return found


def _restored_before(entry: Entry, existing: Version | None) -> Restored:
    """Return the result for a version that an earlier undo restored."""
    if existing:
        return Restored(entry.id, entry.digest, Outcome.THERE, existing.tags)
    error = PackageUnknownError(
        f"cannot restore version {entry.id} of {entry.package} with its run: it was restored "
        "before, and then deleted again",
        hint=f"restore it by number: ghcrctl packages restore {entry.package} --id {entry.id}",
    )
    return Restored(entry.id, entry.digest, Outcome.FAILED, error=error)
