"""Plan which versions to delete, for one or more packages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.errors import RefusedError
from ghcrctl.github.deletion_planner import Target, make_plan
from ghcrctl.github.repositories import (
    branches,
    open_pull_requests,
    tags_of_closed,
    tags_of_deleted,
)
from ghcrctl.operations.packages.package_batch import check_selection, each_package
from ghcrctl.operations.packages.package_graph import load_graph, no_progress
from ghcrctl.operations.packages.package_names import match_packages, resolve_owner
from ghcrctl.operations.packages.protect_files import find_digests, find_tags
from ghcrctl.operations.packages.protection_rules import ProtectionRules
from ghcrctl.operations.packages.subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from ghcrctl.errors import GhcrctlError
    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan
    from ghcrctl.github.repositories import TagOrigin
    from ghcrctl.github.retention_policy import Policy
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_batch import Failed
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import PackageName
    from ghcrctl.operations.packages.rules import Rules


def plan_prune(
    session: Session,
    rules: Iterable[Rules],
    now: datetime,
    progress: Progress = no_progress,
    graphs: dict[str, Graph] | None = None,
    failed: Failed | None = None,
) -> Iterator[Plan]:
    """Plan what to delete, package by package; the first rules that match a package apply.

    Warns, after the last plan, of each protection rule that matched nothing.

    Args:
        session: the run.
        rules: the packages and their rules.
        now: the current time, with a time zone.
        progress: receives the progress.
        graphs: receives the graph of each package with deletions, by the package's name, for a
            review.
        failed: called with the name and error of each package that cannot be planned; the
            others are still planned. Without it, the first error is raised at the end.

    Raises:
        PackageUnknownError: no package matches.
        GhcrctlError: the only package, or each package, cannot be planned.
    """
    rules = list(rules)
    protections = ProtectionRules(rules)
    unlisted: dict[str, GhcrctlError] = {}
    chosen = [
        (named, some)
        for some in rules
        for named in match_packages(session, some.packages, unlisted)
    ]
    # The first rules that match a package apply.
    by_name = {named.name: (named, some) for named, some in reversed(chosen)}
    wanted = [by_name[name] for name in dict.fromkeys(named.name for named, _ in chosen)]
    check_selection(wanted, unlisted, "prune", failed)
    subjects = Subjects(session, [named for named, _ in wanted], unlisted)

    def plan_one(item: tuple[PackageName, Rules]) -> Plan:
        named, some = item
        with protections.skipping(some):
            graph = subjects.complete(named, load_graph(session, named, progress))
            policy = _complete_policy(session, named, some, graph, protections.text(some))
            target = Target(named.registry, named.owner, named.package, some.given)
            plan = make_plan(graph, policy, now, target)
            protections.record(some, named, graph)
        if graphs is not None and plan.does_something:
            graphs[plan.name] = graph
        return plan

    for _, plan in each_package(wanted, plan_one, lambda item: item[0].name, failed):
        yield plan
    # Rules for packages that cannot be listed may match there, so nothing is reported then.
    for warning in () if unlisted else protections.warnings():
        session.warn(warning)
    if unlisted and failed is None:
        raise next(iter(unlisted.values()))


def _complete_policy(
    session: Session, named: PackageName, rules: Rules, graph: Graph, text: str
) -> Policy:
    """Add protection by files, and the state of pull requests and branches, to a policy."""
    policy = rules.policy
    tags = find_tags(text, named)
    tagged = (d for d, version in graph.versions.items() if tags.intersection(version.tags))
    protected = policy.protected | find_digests(text) | frozenset(tagged)
    origins = tuple(_origins(session, named, rules))
    live = tuple(origin.may_exist for origin in origins)
    return replace(policy, protected=protected, stale_tags=origins, live_tags=live)


def _origins(session: Session, named: PackageName, rules: Rules) -> Iterator[TagOrigin]:
    if not (rules.closed or rules.deleted):
        return
    packages, owner = resolve_owner(session, named)
    repository = rules.repository or packages.get(owner, named.package).repository
    if not repository:
        raise RefusedError(
            f"cannot find pull requests and branches of {named.name}: it has no linked repository",
            hint="add: --repository OWNER/NAME",
        )
    if rules.closed:
        yield tags_of_closed(rules.closed, open_pull_requests(packages.github, repository))
    if rules.deleted:
        yield tags_of_deleted(rules.deleted, branches(packages.github, repository))
