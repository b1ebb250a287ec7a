"""Excludes versions from a deletion plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.github.deletion_planner import label
from ghcrctl.github.plan import Kept

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan, Step

_REQUESTED = "you excluded it"


def exclude_versions(graph: Graph, plan: Plan, digests: Collection[str]) -> Plan:
    """Return a plan that keeps some versions and everything they need.

    The new plan never deletes more. Excluding anything from a plan that deletes the whole package
    leaves nothing to do.

    Args:
        graph: the graph that the plan was created from.
        plan: the plan.
        digests: the versions to keep.
    """
    planned = {step.digest for step in plan.steps}
    wanted = planned.intersection(digests)
    if not wanted:
        return plan
    if plan.deletes_package:
        kept = tuple(_kept(step, "the package is kept") for step in plan.steps)
        return replace(plan, steps=(), kept=kept, deletes_package=False)
    why = _reasons(graph, planned, wanted)
    left = graph.sizes((graph.versions.keys() | graph.facts.keys()) - planned | why.keys())
    steps = []
    for step in plan.steps:
        if step.digest not in why:
            freed = {blob: size for blob, size in graph.blobs(step.digest) if blob not in left}
            left |= freed
            steps.append(replace(step, freed=sum(freed.values())))
    excluded = (_kept(step, why[step.digest]) for step in plan.steps if step.digest in why)
    return replace(plan, steps=tuple(steps), kept=(*plan.kept, *excluded))


def _reasons(graph: Graph, planned: set[str], wanted: set[str]) -> Mapping[str, str]:
    """Return the versions to keep because of the chosen ones, with reasons."""
    found = dict.fromkeys(wanted, _REQUESTED)
    for digest in sorted(wanted):
        for other in graph.closure([digest]) & planned:
            found.setdefault(other, f"{label(graph, digest)}, which you excluded, needs it")
    return found


def _kept(step: Step, reason: str) -> Kept:
    return Kept(step.id, step.digest, step.tags, step.kind, reason)
