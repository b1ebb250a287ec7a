"""Calls of the group ``packages`` that bring back, check and mend.

What belongs here: their arguments. What does not: what they do (``operations.packages``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.api.arguments import Caller, moment_of, path_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from ghcrctl.api.arguments import PathLike, Texts
    from ghcrctl.operations.packages.check import Finding, Mended
    from ghcrctl.operations.packages.doctor import Sign
    from ghcrctl.operations.packages.package_batch import Failed
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import Named
    from ghcrctl.operations.packages.restore import Restored


def no_progress(what: str, done: int, total: int) -> None:
    """Watch nothing."""


class PackageCare(Caller):
    """Calls that bring back what was deleted, find what is broken, and mend it."""

    def restore(  # noqa: PLR0913 one argument an option
        self,
        name: str,
        *,
        tags: Texts = (),
        digests: Texts = (),
        ids: Iterable[int] = (),
        since: datetime | str | None = None,
        tell: Callable[[Restored], None] = lambda _: None,
        progress: Progress = no_progress,
    ) -> Sequence[Restored]:
        """Bring versions back, with what they need; without any choice, the whole package.

        Args:
            name: ``OWNER/IMAGE``.
            tags: what had these tags last.
            digests: these versions.
            ids: these versions.
            since: all that was deleted since then; an aware moment, or a text as ``2h``.
            tell: is told of each version.
            progress: is told how far it has come.

        Returns:
            What became of each version; one that failed has an error. Nothing of a whole package.

        Raises:
            PackageUnknownError: nothing that was deleted fits, or it is too long ago.
        """
        from ghcrctl.oci.digest import Digest
        from ghcrctl.operations.packages.package_names import read_package
        from ghcrctl.operations.packages.restore import Choice, restore, restore_package

        chosen = tuple(str(Digest.parse(str(digest))) for digest in texts_of(digests))
        choice = Choice(texts_of(tags), chosen, tuple(ids), moment_of(since, "since"))
        with self._session() as session:
            named = read_package(session, name)
            if choice.is_empty:
                restore_package(session, named)
                return []
            return restore(session, named, choice, tell=tell, progress=progress)

    def restore_run(
        self,
        journal: PathLike,
        *,
        only: str | None = None,
        tell: Callable[[Restored], None] = lambda _: None,
        progress: Progress = no_progress,
    ) -> Sequence[Restored]:
        """Undo a run of deletions, the last deletion first.

        The journal records what was restored, so that an undo can be repeated.

        Args:
            journal: of `apply` or `prune`, or the plan that it belongs to.
            only: ``OWNER/IMAGE``: of this package alone.
            tell: is called with what became of each version.
            progress: is called with the number of versions done.

        Raises:
            NotFoundError: there is no such file.
            UsageError: the file is not a journal, or the plan was not carried out.
            PackageUnknownError: the journal has no deletion; or a package cannot be restored.
            AuthError: GitHub rejects the token.
            NetworkError: GitHub cannot be reached, or refuses for too long; repeat it later.
        """
        from ghcrctl.operations.packages.package_names import read_package
        from ghcrctl.operations.packages.restore import restore_run

        with self._session() as session:
            named = read_package(session, only) if only else None
            return restore_run(session, path_of(journal), only=named, tell=tell, progress=progress)

    def check(
        self, *names: str, progress: Progress = no_progress, failed: Failed | None = None
    ) -> dict[str, Sequence[Finding]]:
        """Find what is broken in packages.

        Args:
            names: ``OWNER/IMAGE``, or patterns.
            progress: is told how far it has come.
            failed: called with the name and the error of each package that cannot be checked;
                without it, the first such error is raised after the others were checked.

        Returns:
            By package, what is wrong; empty where all is well.

        Raises:
            PackageUnknownError: no package matches.
        """
        from ghcrctl.operations.packages.check import check_packages

        with self._session() as session:
            found = check_packages(session, names, progress, failed)
            return {named.name: findings for named, findings in found}

    def repair(
        self,
        name: str,
        source: str | None = None,
        *,
        tell: Callable[[Mended], None] = lambda _: None,
        progress: Progress = no_progress,
    ) -> Sequence[Mended]:
        """Bring back every image that an index lists and that is not there.

        Args:
            name: ``OWNER/IMAGE``.
            source: where the same image is, as `copy` reads it; without it, only what was deleted
                within the last 30 days comes back.
            tell: is told of each image.
            progress: is told how far it has come.

        Returns:
            What became of each; one that failed has an error.

        Raises:
            PackageUnknownError: there is no such package.
        """
        from ghcrctl.operations.packages.check import repair
        from ghcrctl.operations.packages.package_names import read_package
        from ghcrctl.operations.packages.push_missing import pusher

        with self._session() as session:
            named: Named = read_package(session, name)
            push = pusher(session, named, source) if source else None
            return repair(session, named, push=push, tell=tell, progress=progress)

    def doctor(self, name: str | None = None) -> Sequence[Sign]:
        """Explain which token is used, what it may do, and what stands in the way of a package.

        Args:
            name: ``OWNER/IMAGE``; without it, the token alone is looked at.

        Returns:
            One sign a question: how it looks, why, and what mends it.
        """
        from ghcrctl.operations.packages.doctor import examine

        with self._session() as session:
            return [*examine(session, name)]
