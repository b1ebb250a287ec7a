"""Plans for packages written by hand, by version names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.github.deletion_planner import make_plan, plan_deletion
from ghcrctl.github.retention_policy import Policy
from tests.unit.github.graphs import NOW, TARGET, Versions, digest_of

if TYPE_CHECKING:
    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Kept, Plan, Step


def planned(versions: Versions, policy: Policy | None = None) -> Plan:
    return make_plan(versions.graph, policy or Policy(), NOW, TARGET)


def deletion(versions: Versions, *names: str) -> Plan:
    return plan_deletion(versions.graph, [digest_of(name) for name in names], NOW, TARGET)


def gone(
    versions: Versions, policy: Policy | None = None, *, graph: Graph | None = None
) -> list[str]:
    plan = make_plan(graph or versions.graph, policy or Policy(), NOW, TARGET)
    return [versions.names[step.digest] for step in plan.steps]


def deleted(versions: Versions, *names: str) -> list[str]:
    return [versions.names[step.digest] for step in deletion(versions, *names).steps]


def reasons(versions: Versions, plan: Plan) -> dict[str, str]:
    """Return why each version is deleted or kept, by name."""
    items: list[Step | Kept] = [*plan.steps, *plan.kept]
    return {versions.names[item.digest]: item.reason for item in items}


def why(versions: Versions, name: str, policy: Policy | None = None) -> str:
    return reasons(versions, planned(versions, policy))[name]


def multi_platform(*tags: str) -> Versions:
    return Versions().image("amd64").image("arm64").index("index", ("amd64", "arm64"), *tags)
