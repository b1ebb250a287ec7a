"""Taking some of what goes out of a plan, so that what is left is a plan still.

What belongs here: what stays then with it, and what is freed then. What does not: the rules
(``planner``), choosing (``cli``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.github.plan import Kept
from ghcrctl.github.planner import label

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan, Step

_ASKED = "you let it stay"


def spare(graph: Graph, plan: Plan, digests: Collection[str]) -> Plan:
    """Return a plan by which some versions stay, and all that they need.

    Nothing goes that did not go before. A plan that deletes the package does nothing any more.

    Args:
        graph: the package's, from which the plan was made.
        plan: what would go.
        digests: those that are to stay.
    """
    planned = {step.digest for step in plan.steps}
    wanted = planned.intersection(digests)
    if not wanted:
        return plan
    if plan.deletes_package:
        kept = tuple(_kept(step, "the package stays") for step in plan.steps)
        return replace(plan, steps=(), kept=kept, deletes_package=False)
    why = _reasons(graph, planned, wanted)
    left = graph.sizes((graph.versions.keys() | graph.facts.keys()) - planned | why.keys())
    steps = []
    for step in plan.steps:
        if step.digest not in why:
            freed = {blob: size for blob, size in graph.blobs(step.digest) if blob not in left}
            left |= freed
            steps.append(replace(step, freed=sum(freed.values())))
    spared = (_kept(step, why[step.digest]) for step in plan.steps if step.digest in why)
    return replace(plan, steps=tuple(steps), kept=(*plan.kept, *spared))


def _reasons(graph: Graph, planned: set[str], wanted: set[str]) -> Mapping[str, str]:
    """Return all that stays with what was chosen to, and why."""
    found = dict.fromkeys(wanted, _ASKED)
    for digest in sorted(wanted):
        for other in graph.closure([digest]) & planned:
            found.setdefault(other, f"it belongs to {label(graph, digest)}, which you let stay")
    return found


def _kept(step: Step, reason: str) -> Kept:
    return Kept(step.id, step.digest, step.tags, step.kind, reason)
