"""Signatures whose subjects are in another package, deleted, or unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.operations.packages.prune import plan_prune
from ghcrctl.operations.packages.rules import parse_rules
from tests.builders import artifact, index_of, random_image
from tests.unit.operations.packages.content import NAME, days_ago

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.builders import Built
    from tests.packages_double import GitHubDouble

STORE = "octo/signatures"
IMAGE, OTHER = random_image(seed=1), random_image(seed=2)
SIGNATURE = artifact("application/vnd.dev.cosign.artifact.sig.v1+json", payload=b"signed")
BY_SUBJECT = artifact("application/spdx+json", subject=IMAGE.root, payload=b"by subject")


def push(github: GitHubDouble, name: str, tag: str | None, image: Built) -> str:
    return github.push(name, tag, image, days_ago(github, 9))


def signed(github: GitHubDouble, name: str, image: Built = IMAGE) -> str:
    return push(github, name, f"sha256-{image.root.digest.encoded}.sig", SIGNATURE)


def doomed(session: Session, github: GitHubDouble, *names: str, **given: Any) -> set[str]:
    rules = parse_rules(names, given, github.clock.now)
    plans = plan_prune(session, [rules], github.clock.now)
    return {step.digest for plan in plans for step in plan.steps}


def test_signatures_in_a_package_checked_alone_are_kept(
    at_github: Session, github: GitHubDouble
) -> None:
    push(github, NAME, "v1", IMAGE)
    signed(github, STORE)
    push(github, STORE, None, BY_SUBJECT)
    assert doomed(at_github, github, STORE) == set()
    assert doomed(at_github, github, STORE, NAME) == set()
    assert doomed(at_github, github, "octo/*", **{"orphaned-unseen": True}) == set()


def test_signatures_of_deleted_subjects_in_the_same_package_are_deleted(
    at_github: Session, github: GitHubDouble
) -> None:
    push(github, NAME, "v2", OTHER)
    push(github, NAME, "v1", IMAGE)
    signature = signed(github, NAME)
    sbom = push(github, NAME, None, BY_SUBJECT)
    assert doomed(at_github, github, NAME) == set()
    github.lose(NAME, str(IMAGE.root.digest))
    assert doomed(at_github, github, NAME) == {signature, sbom}


def test_signatures_in_another_package_are_deleted_if_both_are_in_the_run(
    at_github: Session, github: GitHubDouble
) -> None:
    push(github, NAME, "v2", OTHER)
    push(github, NAME, "v1", IMAGE)
    signature = signed(github, STORE)
    push(github, STORE, f"sha256-{OTHER.root.digest.encoded}.sig", artifact(payload=b"other"))
    github.lose(NAME, str(IMAGE.root.digest))
    assert doomed(at_github, github, STORE) == set()
    assert doomed(at_github, github, STORE, NAME) == {signature}


def test_a_subject_that_is_in_another_package_too_keeps_its_signatures(
    at_github: Session, github: GitHubDouble
) -> None:
    push(github, "octo/production", "v1", IMAGE)
    push(github, NAME, "v2", OTHER)
    push(github, NAME, "v1", IMAGE)
    signature = signed(github, NAME)
    github.lose(NAME, str(IMAGE.root.digest))
    assert doomed(at_github, github, NAME, "octo/production") == set()
    assert doomed(at_github, github, NAME) == {signature}


def test_a_package_that_cannot_be_read_might_hold_any_subject(
    at_github: Session, github: GitHubDouble
) -> None:
    push(github, NAME, "v2", OTHER)
    push(github, NAME, "v1", IMAGE)
    signature = signed(github, NAME)
    github.lose(NAME, str(IMAGE.root.digest))
    plans = plan_prune(
        at_github, [parse_rules((NAME, "octo/none"), {}, github.clock.now)], github.clock.now
    )
    [kept] = [kept for kept in next(iter(plans)).kept if kept.digest == signature]
    assert kept.reason == f"its subject may be in {github.host}/octo/none, which cannot be read"


@pytest.mark.parametrize("suffix", ["", ".sig"])
@pytest.mark.parametrize("image", [OTHER, index_of(OTHER)], ids=["image", "index"])
def test_an_image_under_such_a_tag_is_an_image(
    at_github: Session, github: GitHubDouble, suffix: str, image: Built
) -> None:
    push(github, NAME, f"sha256-{IMAGE.root.digest.encoded}{suffix}", image)
    lost = push(github, NAME, "v1", IMAGE)
    github.lose(NAME, lost)
    push(github, NAME, "main", random_image(seed=3))
    assert doomed(at_github, github, NAME) == set()
    found = doomed(at_github, github, NAME, include=["sha256-*"])
    assert found == {str(d.digest) for d, _ in image.contents if d.is_manifest}
