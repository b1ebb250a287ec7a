"""Calls of the group ``packages``: the care of container packages on GitHub.

What belongs here: their arguments. What does not: what they do (``operations.packages``).
"""

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
    from ghcrctl.operations.packages.apply import Done
    from ghcrctl.operations.packages.list import PackageView, VersionRow
    from ghcrctl.operations.packages.package_batch import Failed
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.plan_execution import Carried


class Packages(PackageCare):
    """Calls that look after container packages on GitHub.

    A package is ``OWNER/IMAGE``; one version of it is ``OWNER/IMAGE:TAG``, ``OWNER/IMAGE@DIGEST``
    or ``OWNER/IMAGE#ID``. Nobody is asked before something is deleted: look at `plan` first.
    """

    def show(self, name: str, *, progress: Progress = no_progress) -> PackageView:
        """Describe a package: its tags, and what they weigh.

        Args:
            name: ``OWNER/IMAGE``.
            progress: is told how far it has come.

        Raises:
            PackageUnknownError: there is none, or the token may not see it.
        """
        from ghcrctl.operations.packages.list import describe
        from ghcrctl.operations.packages.package_names import read_package

        with self._session() as session:
            return describe(session, read_package(session, name), progress)

    def versions(
        self, name: str, *, deleted: bool = False, progress: Progress = no_progress
    ) -> Sequence[VersionRow]:
        """List all versions of a package, the newest first, with what each of them is.

        Args:
            name: ``OWNER/IMAGE``.
            deleted: those that were deleted and can be restored.
            progress: is told how far it has come.

        Raises:
            PackageUnknownError: there is none, or the token may not see it.
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
        """Find out what pruning by rules would delete, and why; delete nothing.

        Args:
            names: ``OWNER/IMAGE``, or patterns: ``OWNER/app-*``.
            progress: is told how far it has come.
            failed: called with the name and the error of each package that cannot be planned;
                without it, the first such error is raised after the others were planned.
            **rules: the options of ``ghcrctl packages prune``, with underscores: ``keep_last=5``,
                ``older_than="30d"``, ``exclude=["latest"]``, ``ghosts=True``.

        Returns:
            One plan a package.

        Raises:
            UsageError: there is no such rule, or it cannot be used.
            PackageUnknownError: there is no such package.
        """
        from datetime import datetime, timezone

        from ghcrctl.operations.packages.prune import plan_prune
        from ghcrctl.operations.packages.rules import read_rules_of

        now = datetime.now(timezone.utc)
        given = {key.replace("_", "-"): _plain(value) for key, value in rules.items()}
        wanted = [read_rules_of(names, given, now, "the rules")]
        with self._session() as session:
            return [*plan_prune(session, wanted, now, progress, failed=failed)]

    def plan_file(
        self, policy: PathLike, *, progress: Progress = no_progress, failed: Failed | None = None
    ) -> Sequence[Plan]:
        """Find out what pruning by a file of rules would delete, and why; delete nothing.

        Args:
            policy: the file, as ``ghcrctl packages prune --policy`` reads it.
            progress: is told how far it has come.
            failed: as for `plan`.

        Raises:
            NotFoundError: there is no such file.
            UsageError: it is malformed.
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
        """Delete versions that no rule keeps; nothing goes that a version which stays needs.

        Args:
            names: as in `plan`.
            dry_run: only plan.
            tell: is told what became of each version.
            progress: is told how far it has come.
            **rules: as in `plan`.

        Returns:
            What was done. ``error`` is the first failure, also that of a package that could not be
            planned; the others are pruned.

        Raises:
            UsageError: there is no such rule, or it cannot be used.
            PackageUnknownError: there is no such package.
        """
        from dataclasses import replace

        errors: list[GhcrctlError] = []

        def failed(_name: str, error: GhcrctlError) -> None:
            errors.append(error)

        plans = self.plan(*names, progress=progress, failed=failed, **rules)
        done = self._carry_out(plans, dry_run=dry_run, tell=tell, progress=progress)
        return replace(done, error=errors[0]) if errors else done

    def apply(
        self,
        plans: Iterable[Plan] | PathLike,
        *,
        dry_run: bool = False,
        tell: Callable[[Done], None] = lambda _: None,
        progress: Progress = no_progress,
    ) -> Carried:
        """Carry out plans. Each version is checked again just before it is deleted.

        Args:
            plans: from `plan`; or a file that ``ghcrctl packages prune --plan`` wrote.
            dry_run: only find out what would be done now; the result is in ``preview``.
            tell: is called with what became, or would become, of each version.
            progress: is called with the number of versions done.

        Returns:
            What was done; its journal undoes it, and its file continues after an interruption.

        Raises:
            NetworkError: GitHub cannot be reached, or refuses for too long; continue later.
            AuthError: GitHub rejects the token.
        """
        import os

        from ghcrctl.github.plan import plans_from_file
        from ghcrctl.operations.packages.plan_execution import carry_out

        file = path_of(plans) if isinstance(plans, (str, os.PathLike)) else None
        found = plans_from_file(file) if file else [*_plans(plans)]
        with self._session() as session:
            return carry_out(
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
        """Delete one version with what only it needs; without tag, digest or ID, the package.

        Args:
            name: ``OWNER/IMAGE[:TAG|@DIGEST|#ID]``.
            dry_run: only plan.
            tell: is told what became of each version.
            progress: is told how far it has come.

        Raises:
            PackageUnknownError: there is no such package or version.
        """
        from datetime import datetime, timezone

        from ghcrctl.operations.packages.delete import plan_delete
        from ghcrctl.operations.packages.package_names import read_name

        now = datetime.now(timezone.utc)
        with self._session() as session:
            plan = plan_delete(session, read_name(session, name), now, progress)
        return self._carry_out([plan], dry_run=dry_run, tell=tell, progress=progress)

    def _carry_out(
        self,
        plans: Sequence[Plan],
        *,
        dry_run: bool,
        tell: Callable[[Done], None],
        progress: Progress,
    ) -> Carried:
        """Carry out plans that were just made."""
        from ghcrctl.operations.packages.plan_execution import Carried, unreadable_in

        if dry_run:
            return Carried(tuple(plans), error=unreadable_in(plans))
        return self.apply(plans, tell=tell, progress=progress)

    def untag(self, *names: str) -> dict[str, bool]:
        """Take tags away and leave the images that have them.

        A tag that fails does not stop the others; the first failure is raised after them.

        Args:
            names: each ``OWNER/IMAGE:TAG``.

        Returns:
            By name, whether the version has other tags.

        Raises:
            UsageError: a name has no tag.
            RetainedError: it is the last tag of the package, which GitHub keeps.
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
            force: move tags even if they lose platforms by it.

        Returns:
            By tag, the digest that had it before; empty for none.

        Raises:
            UsageError: a tag is invalid.
            RefusedError: a tag would lose platforms.
            ManifestUnknownError: there is no such version.
        """
        from ghcrctl.operations.packages.package_names import read_name
        from ghcrctl.operations.packages.untag import retag

        with self._session() as session:
            return retag(session, read_name(session, name), tags, force=force)

    # The last one, since its name is a type's.
    def list(
        self, owner: str | None = None, *, filters: Texts = (), sort: str = "name"
    ) -> Sequence[Package]:
        """List the container packages of an organisation or a user.

        Args:
            owner: whose; those of the token's own account by default.
            filters: ``name=GLOB``, ``visibility=WORD``, ``repository=GLOB``,
                ``linked=true|false``.
            sort: ``name``, ``updated``, ``created`` or ``versions``.

        Raises:
            AuthError: the token may not.
            UsageError: a filter is malformed.
        """
        from ghcrctl.operations.packages.list import list_packages

        with self._session() as session:
            return list_packages(session, owner, texts_of(filters), sort)


def _plain(value: object) -> object:
    """Make a list of several values, as files of rules have them."""
    return [*value] if isinstance(value, (tuple, set, frozenset)) else value


def _plans(plans: Iterable[Plan] | PathLike) -> Iterator[Plan]:
    import os

    if not isinstance(plans, (str, os.PathLike)):
        yield from plans
