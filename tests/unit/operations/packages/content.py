"""Content of the packages in tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ghcrctl.github.plan import plans_from_file, plans_to_json
from ghcrctl.github.retention_policy import Policy
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.packages.package_names import read_name
from ghcrctl.operations.packages.prune import plan_prune
from ghcrctl.operations.packages.rules import Rules
from tests.builders import index_of, random_image

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_names import PackageName
    from tests.builders import Built
    from tests.packages_double import GitHubDouble

NAME = "octo/app"
ARM = Platform("linux", "arm64")
# All tagged images except the newest.
OLD_ONES = Policy(include=("*",), keep_last=1)


def multi_platform(seed: int = 0) -> Built:
    return index_of(random_image(seed=seed), random_image(seed=seed, platform=ARM))


def children_of(index: Built) -> list[str]:
    """Return the digests of the images that an index lists."""
    return [str(d.digest) for d, _ in index.contents if d.is_manifest and d != index.root]


def days_ago(github: GitHubDouble, days: float) -> datetime:
    return github.clock.now - timedelta(days=days)


def releases(github: GitHubDouble, count: int = 3, name: str = NAME) -> list[Built]:
    """Push releases ``v0``, ``v1``... with two platforms each, oldest first."""
    made = [multi_platform(seed) for seed in range(count)]
    for number, index in enumerate(made):
        github.push(name, f"v{number}", index, days_ago(github, 100 - number))
    return made


def plan_of(session: Session, github: GitHubDouble, policy: Policy, name: str = NAME) -> Plan:
    [plan] = plan_prune(session, [Rules((name,), {}, policy)], github.clock.now)
    return plan


def named(session: Session, text: str = NAME) -> PackageName:
    return read_name(session, text)


def through_file(plan: Plan, folder: Path) -> Plan:
    """Return a plan after writing and reading it."""
    path = folder / "plan.json"
    path.write_text(plans_to_json([plan]))
    [found] = plans_from_file(path)
    return found
