"""Excluding versions from plans for packages written by hand."""

from __future__ import annotations

import pytest

from ghcrctl.github.deletion_planner import make_plan, plan_whole
from ghcrctl.github.plan_exclusions import exclude_versions
from ghcrctl.github.retention_policy import Policy
from tests.unit.github.graphs import NOW, TARGET, Versions, digest_of, tag_for

OLD = Policy(include=("v*",), floor=0)


def two_releases() -> Versions:
    """Two releases that share a platform, the first with a signature, and a tag that is kept."""
    versions = Versions().image("shared", layers=("base",)).image("arm", layers=("base", "arm"))
    versions.image("amd", layers=("base", "amd"))
    versions.index("one", ("shared", "arm"), "v1").index("two", ("shared", "amd"), "v2")
    versions.image("signature", tag_for("one", ".sig"), layers=("proof",))
    return versions.image("latest", "latest", layers=("new",))


def left(versions: Versions, *names: str) -> tuple[list[str], dict[str, str]]:
    """Return what is still deleted, and why the rest is kept."""
    plan = make_plan(versions.graph, OLD, NOW, TARGET)
    found = exclude_versions(versions.graph, plan, {digest_of(name) for name in names})
    before = {kept.digest for kept in plan.kept}
    stays = {versions.names[k.digest]: k.reason for k in found.kept if k.digest not in before}
    return [versions.names[step.digest] for step in found.steps], stays


def test_an_index_is_kept_with_its_images_and_referrers() -> None:
    goes, stays = left(two_releases(), "one")
    assert sorted(goes) == ["amd", "two"]
    assert stays["one"] == "you excluded it"
    assert stays.keys() == {"one", "shared", "arm", "signature"}
    assert stays["arm"] == "`v1`, which you excluded, needs it"


def test_a_signature_is_kept_with_its_subject() -> None:
    goes, stays = left(two_releases(), "signature")
    assert sorted(goes) == ["amd", "two"]
    assert stays.keys() == {"one", "shared", "arm", "signature"}


def test_an_image_of_an_index_can_be_kept_alone() -> None:
    goes, stays = left(two_releases(), "arm")
    assert "one" in goes
    assert stays == {"arm": "you excluded it"}


def test_freed_bytes_are_recounted() -> None:
    versions = two_releases()
    plan = make_plan(versions.graph, OLD, NOW, TARGET)
    found = exclude_versions(versions.graph, plan, {digest_of("arm")})
    # Its manifest and layer, and the layer that others would have freed.
    assert plan.freed - found.freed == 100 + 1000 + 1000
    assert found.size == plan.size


@pytest.mark.parametrize("names", [[], ["latest"], ["unknown"]])
def test_excluding_kept_versions_changes_nothing(names: list[str]) -> None:
    versions = two_releases()
    plan = make_plan(versions.graph, OLD, NOW, TARGET)
    assert exclude_versions(versions.graph, plan, {digest_of(name) for name in names}) is plan


def test_a_package_is_kept_as_a_whole() -> None:
    versions = two_releases()
    plan = plan_whole(versions.graph, NOW, TARGET)
    found = exclude_versions(versions.graph, plan, {digest_of("arm")})
    assert not found.does_something
    assert len(found.kept) == len(plan.steps)


def test_shared_content_of_the_rest_is_freed_once() -> None:
    versions = Versions().image("a", "v1", layers=("base",)).image("b", "v2", layers=("base",))
    versions.image("c", "v3").image("latest", "latest")
    plan = make_plan(versions.graph, OLD, NOW, TARGET)
    found = exclude_versions(versions.graph, plan, {digest_of("c")})
    assert [step.freed for step in found.steps] == [1100, 100]
