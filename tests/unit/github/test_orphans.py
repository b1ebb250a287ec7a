"""Attached artifacts without a subject, and images whose tags look like those of signatures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ghcrctl.github.deletion_planner import make_plan
from ghcrctl.github.manifest_facts import Child
from ghcrctl.github.retention_policy import Policy
from tests.unit.github.graphs import NOW, SIGNATURE, TARGET, Versions, digest_of, tag_for
from tests.unit.github.plans import deleted, gone, multi_platform, planned


def orphaned() -> Versions:
    return Versions().image("signature", tag_for("lost", ".sig")).image("main", "main")


def test_orphans_are_deleted_unless_disabled() -> None:
    versions = orphaned()
    graph = versions.knowing("lost")
    assert gone(versions, graph=graph) == ["signature"]
    assert gone(versions, Policy(orphaned=False), graph=graph) == []
    assert make_plan(graph, Policy(), NOW, TARGET).warnings == ()


def test_artifacts_of_unseen_subjects_are_kept_with_a_warning() -> None:
    plan = planned(orphaned())
    assert plan.steps == ()
    [warning] = plan.warnings
    assert digest_of("lost")[:19] in warning
    assert "--orphaned-unseen" in warning
    assert planned(orphaned(), Policy(orphaned=False)).warnings == ()


def test_unseen_subjects_can_count_as_deleted() -> None:
    policy = Policy(orphaned_unseen=True)
    assert gone(orphaned(), policy) == ["signature"]
    assert planned(orphaned(), policy).warnings == ()
    assert gone(orphaned(), replace(policy, orphaned=False)) == []


@pytest.mark.parametrize("unseen", [False, True])
def test_artifacts_of_another_package_are_kept(unseen: bool) -> None:
    versions = orphaned()
    graph = versions.knowing("lost", elsewhere={"lost": "its subject is in octo/other"})
    policy = Policy(orphaned_unseen=unseen)
    plan = make_plan(graph, policy, NOW, TARGET)
    assert plan.steps == ()
    assert plan.warnings == ()
    assert plan.kept[0].reason == "its subject is in octo/other"


def test_an_untagged_referrer_of_an_unseen_subject_is_kept() -> None:
    versions = Versions().image("sbom", subject="lost", kind="text/spdx").image("main", "main")
    assert gone(versions) == []
    assert gone(versions, graph=versions.knowing("lost")) == ["sbom"]


def test_all_subjects_must_be_known_to_be_deleted() -> None:
    versions = Versions().image("main", "main")
    versions.image("sbom", tag_for("one", ".sbom"), subject="two", kind="text/spdx")
    assert gone(versions, graph=versions.knowing("one")) == []
    assert gone(versions, graph=versions.knowing("two")) == []
    assert gone(versions, graph=versions.knowing("one", "two")) == ["sbom"]


def test_artifacts_of_kept_artifacts_are_kept() -> None:
    versions = orphaned().image("second", tag_for("signature", ".sig"))
    assert gone(versions) == []
    assert gone(versions, graph=versions.knowing("lost")) == ["signature", "second"]


@pytest.mark.parametrize("suffix", ["", ".sig", ".att", ".sbom"])
def test_an_image_is_not_an_artifact_whatever_its_tag(suffix: str) -> None:
    versions = Versions().image("image", "pr-1").image("main", "main")
    versions.image("other", tag_for("image", suffix), kind="")
    assert gone(versions) == []
    assert gone(versions, Policy(include=("pr-*",))) == []
    assert gone(versions, Policy(include=("pr-*", "sha256-*"))) == ["image", "other"]
    assert deleted(versions, "image") == ["image"]
    versions.without("image")
    assert gone(versions, graph=versions.knowing("image")) == []
    assert gone(versions, Policy(include=("sha256-*",))) == ["other"]
    assert gone(versions, Policy(keep_last=1)) == ["main"]


def test_an_index_of_images_is_not_a_referrers_list() -> None:
    versions = multi_platform(tag_for("image")).image("image").image("main", "main")
    assert gone(versions) == []
    assert deleted(versions, "image") == ["image"]
    versions.without("image")
    assert gone(versions, graph=versions.knowing("image")) == []
    assert set(gone(versions, Policy(include=("sha256-*",)))) == {"index", "amd64", "arm64"}


def test_an_index_of_missing_images_is_not_a_referrers_list() -> None:
    versions = multi_platform(tag_for("image")).image("main", "main").without("amd64", "arm64")
    assert gone(versions, graph=versions.knowing("image")) == []


def test_a_list_of_missing_referrers_is_a_referrers_list() -> None:
    versions = Versions().image("main", "main").index("list", (), tag_for("image"))
    entry = Child(digest_of("lost"), artifact_type="application/vnd.example.sbom")
    listing = replace(versions.facts[digest_of("list")], children=(entry,))
    versions.facts[digest_of("list")] = listing
    assert gone(versions, graph=versions.knowing("image")) == ["list"]
    for odd in (
        replace(entry, platform="linux/amd64"),
        replace(entry, attests=digest_of("x")),
        replace(entry, artifact_type=""),
    ):
        versions.facts[digest_of("list")] = replace(listing, children=(odd,))
        assert gone(versions, graph=versions.knowing("image")) == []


def test_an_empty_referrers_list_can_be_an_orphan() -> None:
    versions = Versions().image("main", "main").index("list", (), tag_for("image"))
    assert gone(versions, graph=versions.knowing("image")) == ["list"]


def test_a_build_cache_is_not_a_referrers_list() -> None:
    versions = Versions().image("main", "main").index("cache", (), tag_for("image"))
    versions.facts[digest_of("cache")] = replace(
        versions.facts[digest_of("cache")], blobs=((digest_of("layer"), 10),), is_cache=True
    )
    assert gone(versions, graph=versions.knowing("image")) == []


def test_an_artifact_tag_without_a_suffix_is_an_ordinary_tag() -> None:
    versions = Versions().image("main", "main")
    versions.image("chart", tag_for("image"), kind="application/vnd.cncf.helm.config.v1+json")
    assert gone(versions, graph=versions.knowing("image")) == []
    assert gone(versions, Policy(include=("sha256-*",))) == ["chart"]


@pytest.mark.parametrize("kind", ["", SIGNATURE])
@pytest.mark.parametrize("suffix", ["", ".sig", ".imgpkg"])
def test_a_tag_that_names_its_own_version_is_an_ordinary_tag(kind: str, suffix: str) -> None:
    versions = Versions().image("odd", tag_for("odd", suffix), kind=kind).image("main", "main")
    assert gone(versions) == []
    assert gone(versions, Policy(include=("sha256-*",))) == ["odd"]


@pytest.mark.parametrize(("count", "more"), [(3, False), (4, True)])
def test_a_warning_names_the_first_subjects(count: int, more: bool) -> None:
    versions = Versions().image("main", "main")
    for number in range(count):
        versions.image(f"signature {number}", tag_for(f"lost {number}", ".sig"))
    [warning] = planned(versions).warnings
    assert f"({count})" in warning
    assert sum(digest_of(f"lost {n}")[:19] in warning for n in range(count)) == 3
    assert (" ..." in warning) == more


def test_two_signatures_of_one_subject_name_it_once() -> None:
    versions = Versions().image("main", "main")
    versions.image("one", tag_for("lost", ".sig")).image("two", tag_for("lost", ".att"))
    [warning] = planned(versions).warnings
    assert "(2)" in warning
    assert warning.count(digest_of("lost")[:19]) == 1


def test_detached_subjects_are_those_of_detached_artifacts() -> None:
    versions = Versions().image("main", "main").image("signature", tag_for("main", ".sig"))
    versions.image("lost one", tag_for("lost", ".sig")).image("chart", "chart", subject="gone")
    assert versions.graph.detached_subjects() == {digest_of("lost")}
