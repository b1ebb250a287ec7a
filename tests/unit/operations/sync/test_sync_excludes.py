"""An `exclude` pattern that matches no tag is reported once, after all jobs are planned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.operations.sync.plan import plan_jobs
from tests.unit.operations.sync.test_sync import IMAGES, job, put

if TYPE_CHECKING:
    from ghcrctl.errors import GhcrctlError
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.sync.plan import Job
    from tests.registry_double import PlainRegistry, RegistryDouble


def ignore(_: Job, __: GhcrctlError) -> None:
    """Continue after a failed job."""


def test_a_pattern_that_matches_on_neither_side_is_reported(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session, warnings: list[str]
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0]})
    put(plain_registry, "octo/copy", {"own": IMAGES[1]})
    wanted = job(ghcr, plain_registry, session, exclude=("1", "owm", "own"), delete=True)
    other = replace(wanted, target=session.parse(f"{plain_registry.host}/octo/more"))
    plan_jobs(session, [wanted, replace(other, exclude=("own", "owm", "none"))], ignore)
    assert warnings == [
        "exclude `owm` matches no tag",
        "exclude `none` matches no tag",
    ]


def test_a_pattern_of_a_repository_that_cannot_be_read_is_not_reported(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session, warnings: list[str]
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0]})
    wanted = job(ghcr, plain_registry, session, exclude=("old",))
    lost = replace(wanted, source=session.parse(f"{ghcr.host}/octo/lost"))
    plan_jobs(session, [wanted, lost], ignore)
    assert warnings == []
