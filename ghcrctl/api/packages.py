"""Calls of the group ``packages`` on container packages on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.api.arguments import path_of, texts_of
from ghcrctl.api.package_repair import PackageCare, no_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ghcrctl.api.arguments import PathLike, Texts
    from ghcrctl.errors import GhcrctlError
    from ghcrctl.github.plan import Plan
    from ghcrctl.github.records import Package
    from ghcrctl.operations.packages.apply_plan import Done
    from ghcrctl.operations.packages.apply_plans import Carried
    from ghcrctl.operations.packages.list import PackageView, VersionRow
    from ghcrctl.operations.packages.package_batch import Failed
    from ghcrctl.operations.packages.package_graph import Progress


class Packages(PackageCare):
    """Calls on container packages on GitHub.

    A package is ``OWNER/IMAGE``. A version is ``OWNER/IMAGE:TAG``, ``OWNER/IMAGE@DIGEST`` or
    ``OWNER/IMAGE#ID``. Calls delete without confirmation; preview deletions with `plan`.
    """

    def show(self, name: str, *, progress: Progress = no_progress) -> PackageView:
        """Return the tags and sizes of a package.

        Args:
            name: ``OWNER/IMAGE``.
            progress: called with the number of versions read.

        Raises:
            PackageUnknownError: the package does not exist, or the token has no access.
        """
        from ghcrctl.operations.packages.list import describe
        from ghcrctl.operations.packages.package_names import read_package

        with self._session() as session:
            return describe(session, read_package(session, name), progress)

    def versions(
        self, name: str, *, deleted: bool = False, progress: Progress = no_progress
    ) -> Sequence[VersionRow]:
        """List all versions of a package with their kinds, newest first.

        Args:
            name: ``OWNER/IMAGE``.
            deleted: list deleted versions that can be restored.
            progress: called with the number of versions read.

        Raises:
            PackageUnknownError: the package does not exist, or the token has no access.
        """
        from ghcrctl.operations.packages.list import version_rows
        from ghcrctl.operations.packages.package_names import read_package

        with self._session() as session:
            named = read_package(session, name)
            _, rows = version_rows(session, named, deleted=deleted, progress=progress)
            return rows

    def plan(
        self,
        *names: str,
        progress: Progress = no_progress,
        failed: Failed | None = None,
        **rules: Any,
    ) -> Sequence[Plan]:
        """Plan a prune by rules, without deleting anything.

        Args:
            names: ``OWNER/IMAGE``, or patterns: ``OWNER/app-*``.
            progress: called with the number of versions read.
            failed: called with the name and error of each package that cannot be planned; without
                it, the first such error is raised after all other packages were planned.
            **rules: the options of ``ghcrctl packages prune``, with underscores: ``keep_last=5``,
                ``older_than="30d"``, ``exclude=["latest"]``, ``ghosts=True``.

        Returns:
            One plan per package, with the reasons.

        Raises:
            UsageError: a rule is unknown or invalid.
            PackageUnknownError: a package does not exist.
        """
        from datetime import datetime, timezone

        from ghcrctl.operations.packages.prune import plan_prune
        from ghcrctl.operations.packages.rules import parse_rules

        now = datetime.now(timezone.utc)
        given = {key.replace("_", "-"): _with_lists(value) for key, value in rules.items()}
        wanted = [parse_rules(names, given, now, "the rules")]
        with self._session() as session:
            return [*plan_prune(session, wanted, now, progress, failed=failed)]

    def plan_file(
        self, policy: PathLike, *, progress: Progress = no_progress, failed: Failed | None = None
    ) -> Sequence[Plan]:
        """Plan a prune by a policy file, without deleting anything.

        Args:
            policy: the file, in the format of ``ghcrctl packages prune --policy``.
            progress: called with the number of versions read.
            failed: as in `plan`.

        Raises:
            NotFoundError: the file does not exist.
            UsageError: the file is invalid.
        """
        from datetime import datetime, timezone

        from ghcrctl.operations.packages.prune import plan_prune
        from ghcrctl.operations.packages.rules import read_policy_file

        now = datetime.now(timezone.utc)
        with self._session() as session:
            rules = read_policy_file(path_of(policy), now)
            return [*plan_prune(session, rules, now, progress, failed=failed)]

    def prune(
        self,
        *names: str,
        dry_run: bool = False,
        tell: Callable[[Done], None] = lambda _: None,
        progress: Progress = no_progress,
        **rules: Any,
    ) -> Carried:
        """Delete versions according to rules, but none that a kept version needs.

        Args:
            names: as in `plan`.
            dry_run: only plan.
            tell: called with the result of each version.
            progress: called with the number of versions read.
            **rules: as in `plan`.

        Returns:
            The deletions. ``error`` is the first failure, including that of a package that could
            not be planned; other packages are still pruned.

        Raises:
            UsageError: a rule is unknown or invalid.
            PackageUnknownError: a package does not exist.
        """
        from dataclasses import replace

        errors: list[GhcrctlError] = []

        def failed(_name: str, error: GhcrctlError) -> None:
            errors.append(error)

        plans = self.plan(*names, progress=progress, failed=failed, **rules)
        done = self._execute(plans, dry_run=dry_run, tell=tell, progress=progress)
        return replace(done, error=errors[0]) if errors else done

    def apply(
        self,
        plans: Iterable[Plan] | PathLike,
        *,
        dry_run: bool = False,
        tell: Callable[[Done], None] = lambda _: None,
        progress: Progress = no_progress,
    ) -> Carried:
        """Execute plans. Each version is checked again just before it is deleted.

        Args:
            plans: plans from `plan`, or a file written by ``ghcrctl packages prune --plan``.
            dry_run: only return in ``preview`` what would be done now.
            tell: called with the result of each version.
            progress: called with the number of versions done.

        Returns:
            The deletions. Its journal restores them, and its file resumes after an interruption.

        Raises:
            NetworkError: GitHub is unreachable or rate limiting; resume later.
            AuthError: GitHub rejects the token.
        """
        import os

        from ghcrctl.github.plan import plans_from_file
        from ghcrctl.operations.packages.apply_plans import execute_plans

        file = path_of(plans) if isinstance(plans, (str, os.PathLike)) else None
        found = plans_from_file(file) if file else [*_plans(plans)]
        with self._session() as session:
            return execute_plans(
                session, found, plan_file=file, dry_run=dry_run, tell=tell, progress=progress
            )

    def delete(
        self,
        name: str,
        *,
        dry_run: bool = False,
        tell: Callable[[Done], None] = lambda _: None,
        progress: Progress = no_progress,
    ) -> Carried:
        """Delete a version and everything only it needs, or without tag, digest or ID the package.

        Args:
            name: ``OWNER/IMAGE[:TAG|@DIGEST|#ID]``.
            dry_run: only plan.
            tell: called with the result of each version.
            progress: called with the number of versions read.

        Raises:
            PackageUnknownError: the package or version does not exist.
        """
        from datetime import datetime, timezone

        from ghcrctl.operations.packages.delete import plan_delete
        from ghcrctl.operations.packages.package_names import read_name

        now = datetime.now(timezone.utc)
        with self._session() as session:
            plan = plan_delete(session, read_name(session, name), now, progress)
        return self._execute([plan], dry_run=dry_run, tell=tell, progress=progress)

    def _execute(
        self,
        plans: Sequence[Plan],
        *,
        dry_run: bool,
        tell: Callable[[Done], None],
        progress: Progress,
    ) -> Carried:
        """Execute new plans."""
        from ghcrctl.operations.packages.apply_plans import Carried, unreadable_in

        if dry_run:
            return Carried(tuple(plans), error=unreadable_in(plans))
        return self.apply(plans, tell=tell, progress=progress)

    def untag(self, *names: str) -> dict[str, bool]:
        """Remove tags without deleting their images.

        If a tag fails, the others are still removed. Then the first error is raised.

        Args:
            names: names of the form ``OWNER/IMAGE:TAG``.

        Returns:
            Whether the version of each name has other tags.

        Raises:
            UsageError: a name has no tag.
            RetainedError: the tag is the last one of the package, which GitHub keeps.
        """
        from ghcrctl.operations.packages.package_batch import each_package
        from ghcrctl.operations.packages.package_names import read_tags
        from ghcrctl.operations.packages.untag import untag

        with self._session() as session:
            found = each_package(
                read_tags(session, names),
                lambda named: untag(session, named),
                lambda named: named.name,
                None,
            )
            return {f"{named.name}:{named.tag}": has_others for named, has_others in found}

    def retag(self, name: str, *tags: str, force: bool = False) -> dict[str, str]:
        """Add tags to an image in the registry; existing tags are moved.

        Args:
            name: ``OWNER/IMAGE[:TAG|@DIGEST]``.
            tags: the tags to add.
            force: move tags even if they lose platforms.

        Returns:
            The previous digest of each tag; empty for new tags.

        Raises:
            UsageError: a tag is invalid.
            RefusedError: a tag would lose platforms.
            ManifestUnknownError: the image does not exist.
        """
        from ghcrctl.operations.packages.package_names import read_name
        from ghcrctl.operations.packages.untag import retag

        with self._session() as session:
            return retag(session, read_name(session, name), tags, force=force)

    # Defined last, because the name hides the builtin `list`.
    def list(
        self, owner: str | None = None, *, filters: Texts = (), sort: str = "name"
    ) -> Sequence[Package]:
        """List the container packages of an organization or user.

        Args:
            owner: the organization or user; by default, the account of the token.
            filters: ``name=GLOB``, ``visibility=WORD``, ``repository=GLOB``,
                ``linked=true|false``.
            sort: ``name``, ``updated``, ``created`` or ``versions``.

        Raises:
            AuthError: the token is missing or lacks permission.
            UsageError: a filter is invalid.
        """
        from ghcrctl.operations.packages.list import list_packages

        with self._session() as session:
            return list_packages(session, owner, texts_of(filters), sort)


def _with_lists(value: object) -> object:
    """Return sequences as lists, as in policy files."""
    return [*value] if isinstance(value, (tuple, set, frozenset)) else value


def _plans(plans: Iterable[Plan] | PathLike) -> Iterator[Plan]:
    import os

    if not isinstance(plans, (str, os.PathLike)):
        yield from plans
