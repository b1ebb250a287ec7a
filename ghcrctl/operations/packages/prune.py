"""Plans of what may go, for one package or for many.

What belongs here: gathering what a plan is made of. What does not: the rules' meaning and the plan
itself (``github``), carrying it out (`apply`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.errors import RefusedError
from ghcrctl.github.planner import Target, make_plan
from ghcrctl.github.repositories import (
    branches,
    open_pull_requests,
    tags_of_closed,
    tags_of_deleted,
)
from ghcrctl.operations.packages.package_batch import check_chosen, each_package
from ghcrctl.operations.packages.package_graph import load_graph, silent
from ghcrctl.operations.packages.package_names import matching, owner_of
from ghcrctl.operations.packages.protect_files import digests_in, tags_in
from ghcrctl.operations.packages.protection_rules import Protections
from ghcrctl.operations.packages.subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from ghcrctl.errors import GhcrctlError
    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan
    from ghcrctl.github.policy import Policy
    from ghcrctl.github.repositories import TagOrigin
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_batch import Failed
    from ghcrctl.operations.packages.package_graph import Progress
    from ghcrctl.operations.packages.package_names import Named
    from ghcrctl.operations.packages.rules import Rules


def plan_prune(
    session: Session,
    rules: Iterable[Rules],
    now: datetime,
    progress: Progress = silent,
    graphs: dict[str, Graph] | None = None,
    failed: Failed | None = None,
) -> Iterator[Plan]:
    """Plan what goes, package by package; where several rules name one, the first holds.

    Args:
        session: the run.
        rules: which packages, and what goes of them.
        now: aware.
        progress: is told how far it has come.
        graphs: is given the graph of each package that something goes of, by the package's name,
            for a review (``sparing``).
        failed: called with the name and the error of each package that cannot be planned; the
            others are. Without it, the first error is raised after the last plan.

    Warns, after the last plan, of each rule that was to protect something and matched nothing.

    Raises:
        PackageUnknownError: no package fits.
        GhcrctlError: the only package, or each of them, cannot be planned.
    """
    rules = list(rules)
    protections = Protections(rules)
    unlisted: dict[str, GhcrctlError] = {}
    chosen = [
        (named, some) for some in rules for named in matching(session, some.packages, unlisted)
    ]
    # Where several rules name one, the first holds.
    by_name = {named.name: (named, some) for named, some in reversed(chosen)}
    wanted = [by_name[name] for name in dict.fromkeys(named.name for named, _ in chosen)]
    check_chosen(wanted, unlisted, "prune", failed)
    subjects = Subjects(session, [named for named, _ in wanted], unlisted)

    def plan_one(item: tuple[Named, Rules]) -> Plan:
        named, some = item
        with protections.skipping(some):
            graph = subjects.complete(named, load_graph(session, named, progress))
            policy = _completed(session, named, some, graph, protections.text(some))
            target = Target(named.registry, named.owner, named.package, some.given)
            plan = make_plan(graph, policy, now, target)
            protections.record(some, named, graph)
        if graphs is not None and plan.does_something:
            graphs[plan.name] = graph
        return plan

    for _, plan in each_package(wanted, plan_one, lambda item: item[0].name, failed):
        yield plan
    # What the packages of an owner hold whose packages cannot be listed is not known.
    for warning in () if unlisted else protections.warnings():
        session.warn(warning)
    if unlisted and failed is None:
        raise next(iter(unlisted.values()))


def _completed(session: Session, named: Named, rules: Rules, graph: Graph, text: str) -> Policy:
    """Add to a policy what files protect, and what GitHub knows of pull requests and branches."""
    policy = rules.policy
    tags = tags_in(text, named)
    tagged = (d for d, version in graph.versions.items() if tags.intersection(version.tags))
    protected = policy.protected | digests_in(text) | frozenset(tagged)
    origins = tuple(_origins(session, named, rules))
    live = tuple(origin.may_exist for origin in origins)
    return replace(policy, protected=protected, stale_tags=origins, live_tags=live)


def _origins(session: Session, named: Named, rules: Rules) -> Iterator[TagOrigin]:
    if not (rules.closed or rules.deleted):
        return
    packages, owner = owner_of(session, named)
    repository = rules.repository or packages.get(owner, named.package).repository
    if not repository:
        raise RefusedError(
            f"{named.name} is linked to no repository, whose pull requests and branches count",
            hint="name it: --repository OWNER/NAME",
        )
    if rules.closed:
        yield tags_of_closed(rules.closed, open_pull_requests(packages.github, repository))
    if rules.deleted:
        yield tags_of_deleted(rules.deleted, branches(packages.github, repository))
