"""Finding broken images in a package, and repairing them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ghcrctl.operations.packages.check import FindingKind, check_package, check_packages, repair
from ghcrctl.operations.packages.push_missing import make_pusher
from tests.builders import artifact, attested, index_of, random_image, rewritten
from tests.unit.operations.packages.content import (
    NAME,
    children_of,
    days_ago,
    multi_platform,
    named,
)

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.check import Finding
    from tests.builders import Built
    from tests.packages_double import GitHubDouble
    from tests.registry_double import PlainRegistry

LINKED = "octo/app"
DESCRIBED = {"org.opencontainers.image.description": "what it is"}


@pytest.fixture(autouse=True)
def _linked(github: GitHubDouble) -> None:
    github.api.linked[NAME] = LINKED


def found(session: Session) -> list[Finding]:
    return check_package(session, named(session))[1]


def troubles(session: Session) -> list[FindingKind]:
    return [finding.trouble for finding in found(session)]


def push(github: GitHubDouble, tag: str, image: Built) -> Built:
    github.push(NAME, tag, image, days_ago(github, 9))
    return image


def described(index: Built) -> Built:
    return rewritten(index, annotations=DESCRIBED)


def test_a_complete_package_has_no_findings(at_github: Session, github: GitHubDouble) -> None:
    index = push(github, "v1", described(multi_platform(1)))
    push(github, f"sha256-{index.root.digest.encoded}.sig", artifact(payload=b"x"))
    push(github, "single", random_image(seed=4))
    assert found(at_github) == []


def test_an_index_with_missing_manifests_is_partial(
    at_github: Session, github: GitHubDouble
) -> None:
    index = push(github, "v1", described(multi_platform(1)))
    lost = children_of(index)[1]
    github.lose(NAME, lost)
    [finding] = found(at_github)
    assert finding.trouble is FindingKind.PARTIAL
    assert finding.trouble.breaks
    assert finding.missing == (lost,)
    assert [digest for digest, _ in finding.restorable] == [lost]
    assert "linux/arm64" in finding.message
    assert "`v1`" in finding.message
    assert "--from" not in finding.mend


def test_an_index_without_manifests_is_a_ghost(at_github: Session, github: GitHubDouble) -> None:
    index = push(github, "v1", described(multi_platform(1)))
    for child in children_of(index):
        github.lose(NAME, child)
    assert troubles(at_github) == [FindingKind.GHOST]


def test_manifests_that_cannot_be_restored_need_a_source(
    at_github: Session, github: GitHubDouble
) -> None:
    index = push(github, "v1", described(multi_platform(1)))
    github.lose(NAME, children_of(index)[0])
    github.content.packages[NAME].gone.clear()
    [finding] = found(at_github)
    assert finding.restorable == ()
    assert "--from SOURCE" in finding.mend


def test_a_signature_of_a_deleted_subject_is_dangling(
    at_github: Session, github: GitHubDouble
) -> None:
    push(github, "v1", random_image(seed=1))
    lost = push(github, "v2", random_image(seed=2)).root.digest
    push(github, f"sha256-{lost.encoded}.sig", artifact(payload=b"x"))
    github.lose(NAME, str(lost))
    [finding] = found(at_github)
    assert finding.trouble is FindingKind.DANGLING
    assert not finding.trouble.breaks
    assert finding.mend == f"ghcrctl packages prune {NAME}"


def test_a_signature_of_an_unknown_subject_may_belong_elsewhere(
    at_github: Session, github: GitHubDouble
) -> None:
    image = random_image(seed=1)
    push(github, "v1", random_image(seed=2))
    push(github, f"sha256-{image.root.digest.encoded}.sig", artifact(payload=b"x"))
    [finding] = found(at_github)
    assert finding.trouble is FindingKind.DANGLING
    assert "in no checked package" in finding.message
    assert "--orphaned-unseen" in finding.mend
    github.push("octo/other", "v1", image, days_ago(github, 9))
    checked = dict(check_packages(at_github, [NAME, "octo/other"]))
    assert FindingKind.DANGLING not in {f.trouble for f in next(iter(checked.values()))}


def test_an_image_with_provenance_is_complete(at_github: Session, github: GitHubDouble) -> None:
    push(github, "v1", described(attested(random_image(seed=1))))
    assert found(at_github) == []


def test_a_package_without_a_repository_is_unlinked(
    at_github: Session, github: GitHubDouble
) -> None:
    github.api.linked.clear()
    push(github, "v1", random_image(seed=1))
    assert troubles(at_github) == [FindingKind.UNLINKED]


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({}, [FindingKind.UNDESCRIBED]),
        ({"org.opencontainers.image.description": "x" * 513}, [FindingKind.UNDESCRIBED]),
        ({"org.opencontainers.image.description": "x" * 512}, []),
    ],
)
def test_an_index_needs_a_description_that_github_shows(
    at_github: Session,
    github: GitHubDouble,
    annotations: dict[str, str],
    expected: list[FindingKind],
) -> None:
    push(github, "v1", rewritten(multi_platform(1), annotations=annotations))
    assert troubles(at_github) == expected


# Repair


def test_a_deleted_child_is_restored(at_github: Session, github: GitHubDouble) -> None:
    index = push(github, "v1", described(multi_platform(1)))
    lost = children_of(index)
    for child in lost:
        github.lose(NAME, child)
    done = repair(at_github, named(at_github))
    assert {(m.digest, m.how) for m in done} == {(child, "restored") for child in lost}
    assert github.has(NAME, str(index.root.digest))
    assert found(at_github) == []


def test_children_of_a_restored_index_are_restored_too(
    at_github: Session, github: GitHubDouble
) -> None:
    inner = multi_platform(1)
    outer = push(github, "v1", described(index_of(inner)))
    for digest in (*children_of(inner), str(inner.root.digest)):
        github.lose(NAME, digest)
    assert len(repair(at_github, named(at_github))) == 3
    assert github.has(NAME, str(outer.root.digest))


def test_a_manifest_deleted_too_long_ago_is_pushed_from_elsewhere(
    at_github: Session, github: GitHubDouble, plain_registry: PlainRegistry
) -> None:
    index = push(github, "v1", described(multi_platform(1)))
    lost = children_of(index)[1]
    github.lose(NAME, lost)
    for record in github.deleted(NAME):
        record.deleted = github.clock.now - timedelta(days=31)
    plain_registry.push_image("mirror/app", "v1", index)
    source = f"{plain_registry.host}/mirror/app:v1"
    target = named(at_github)
    [repaired] = repair(at_github, target, push=make_pusher(at_github, target, source))
    assert (repaired.digest, repaired.how) == (lost, "pushed")
    assert github.has(NAME, str(index.root.digest))


def test_an_image_with_another_digest_repairs_nothing(
    at_github: Session, github: GitHubDouble, plain_registry: PlainRegistry
) -> None:
    index = push(github, "v1", described(multi_platform(1)))
    github.lose(NAME, children_of(index)[1])
    github.content.packages[NAME].gone.clear()
    plain_registry.push_image("mirror/app", "v1", multi_platform(8))
    target = named(at_github)
    source = f"{plain_registry.host}/mirror/app:v1"
    [repaired] = repair(at_github, target, push=make_pusher(at_github, target, source))
    assert repaired.how == ""
    assert repaired.error is not None
    assert "same digest" in (repaired.error.hint or "")


def test_what_cannot_be_repaired_is_reported_once(at_github: Session, github: GitHubDouble) -> None:
    index = push(github, "v1", described(multi_platform(1)))
    github.lose(NAME, children_of(index)[1])
    github.content.packages[NAME].gone.clear()
    [repaired] = repair(at_github, named(at_github))
    assert repaired.how == ""
    assert repaired.error is not None
    assert "--from" in (repaired.error.hint or "")
