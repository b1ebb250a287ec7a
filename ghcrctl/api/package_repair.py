"""Calls of the group ``packages`` that restore, check and repair packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.api.arguments import Caller, path_of, texts_of, time_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from ghcrctl.api.arguments import PathLike, Texts
    from ghcrctl.operations.packages.check import Finding, Mended
    from ghcrctl.operations.packages.doctor import Sign
    from ghcrctl.operations.packages.package_batch import Failed
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import PackageName
    from ghcrctl.operations.packages.restore import Restored


def no_progress(what: str, done: int, total: int) -> None:
    """Ignore progress."""


class PackageCare(Caller):
    """Calls that restore deleted versions, and check and repair packages."""

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
        """Restore deleted versions and everything they need, or else the whole package.

        Args:
            name: ``OWNER/IMAGE``.
            tags: restore the last versions with these tags.
            digests: restore these versions.
            ids: restore these versions.
            since: restore all versions deleted since then; an aware datetime, or text such as
                ``2h``.
            tell: called with the result of each version.
            progress: called with the number of versions done.

        Returns:
            The result or error of each version; empty for a whole package.

        Raises:
            PackageUnknownError: no deleted version matches, or it was deleted too long ago.
        """
        from ghcrctl.oci.digest import Digest
        from ghcrctl.operations.packages.package_names import read_package
        from ghcrctl.operations.packages.restore import VersionSelector, restore, restore_package

        chosen = tuple(str(Digest.parse(str(digest))) for digest in texts_of(digests))
        choice = VersionSelector(texts_of(tags), chosen, tuple(ids), time_of(since, "since"))
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
        """Restore everything that a run deleted, in reverse order.

        The journal records restored versions, so you can run this again after a failure.

        Args:
            journal: the journal of `apply` or `prune`, or the plan file that it belongs to.
            only: only restore versions of this package (``OWNER/IMAGE``).
            tell: called with the result of each version.
            progress: called with the number of versions done.

        Raises:
            NotFoundError: the file does not exist.
            UsageError: the file is not a journal, or the plan was not executed.
            PackageUnknownError: the journal has no deletions, or a package cannot be restored.
            AuthError: GitHub rejects the token.
            NetworkError: GitHub is unreachable or rate limiting; try again later.
        """
        from ghcrctl.operations.packages.package_names import read_package
        from ghcrctl.operations.packages.restore import restore_run

        with self._session() as session:
            named = read_package(session, only) if only else None
            return restore_run(session, path_of(journal), only=named, tell=tell, progress=progress)

    def check(
        self, *names: str, progress: Progress = no_progress, failed: Failed | None = None
    ) -> dict[str, Sequence[Finding]]:
        """Find broken images in packages.

        Args:
            names: ``OWNER/IMAGE``, or patterns.
            progress: called with the number of versions read.
            failed: called with the name and error of each package that cannot be checked; without
                it, the first such error is raised after all other packages were checked.

        Returns:
            The problems of each package; empty if there are none.

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
        """Restore images that an index lists but that are missing.

        Args:
            name: ``OWNER/IMAGE``.
            source: another copy of the image, in the syntax of `copy`; without it, only images
                deleted within the last 30 days are restored.
            tell: called with the result of each image.
            progress: called with the number of versions read.

        Returns:
            The result or error of each image.

        Raises:
            PackageUnknownError: the package does not exist.
        """
        from ghcrctl.operations.packages.check import repair
        from ghcrctl.operations.packages.package_names import read_package
        from ghcrctl.operations.packages.push_missing import make_pusher

        with self._session() as session:
            named: PackageName = read_package(session, name)
            push = make_pusher(session, named, source) if source else None
            return repair(session, named, push=push, tell=tell, progress=progress)

    def doctor(self, name: str | None = None) -> Sequence[Sign]:
        """Diagnose the token, its permissions, and problems with access to a package.

        Args:
            name: ``OWNER/IMAGE``; without it, only the token is checked.

        Returns:
            One sign per check, with its health, the reason and the fix.
        """
        from ghcrctl.operations.packages.doctor import examine

        with self._session() as session:
            return [*examine(session, name)]
