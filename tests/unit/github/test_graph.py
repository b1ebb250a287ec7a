"""Properties of single versions in a graph, where a plan would hide a mistake."""

from __future__ import annotations

from dataclasses import replace

from ghcrctl.github.graph import Graph
from ghcrctl.github.subject_tags import subject_of_tag
from tests.unit.github.graphs import Versions, digest_of, tag_for


def names_of(versions: Versions, digests: list[str]) -> list[str]:
    return [versions.names[digest] for digest in digests]


def test_an_unreadable_version_exists() -> None:
    versions = (
        Versions().image("odd", "v1").image("signature", tag_for("odd", ".sig")).unread("odd")
    )
    graph = versions.graph
    assert graph.has(digest_of("odd"))
    assert not graph.is_detached(digest_of("signature"))
    assert graph.above(digest_of("signature")) == [digest_of("odd")]


def test_an_unlisted_manifest_exists() -> None:
    versions = Versions().image("unlisted").image("signature", tag_for("unlisted", ".sig"))
    del versions.versions["unlisted"]
    assert versions.graph.has(digest_of("unlisted"))
    assert not versions.graph.is_detached(digest_of("signature"))
    assert not versions.graph.has(digest_of("nowhere"))


def test_layers_are_only_children_if_they_are_versions() -> None:
    versions = Versions().image("image", "v1", layers=("a", "b"))
    assert versions.graph.children(digest_of("image")) == []
    facts = versions.facts[digest_of("image")]
    versions.image("odd")
    versions.facts[digest_of("image")] = replace(facts, blobs=((digest_of("odd"), 1), ("x", 1)))
    assert names_of(versions, versions.graph.children(digest_of("image"))) == ["odd"]


def test_a_version_is_not_its_own_parent_or_subject() -> None:
    versions = Versions().index("odd", ("odd",), tag_for("odd"), subject="odd")
    graph = versions.graph
    assert graph.parents == {}
    assert graph.subjects == {}
    assert graph.attached == {}
    assert graph.roots == {digest_of("odd")}


def test_subjects_come_from_the_manifest_and_from_tags_each_once() -> None:
    versions = Versions().image("a", "v1").image("b", "v2")
    versions.image("signature", tag_for("a", ".sig"), tag_for("b"), "mine", subject="a")
    graph = versions.graph
    assert names_of(versions, graph.subjects[digest_of("signature")]) == ["a", "b"]
    assert graph.subjects.keys() == {digest_of("signature")}
    assert names_of(versions, graph.attached[digest_of("b")]) == ["signature"]
    assert graph.own_tags(digest_of("signature")) == ("mine",)


def test_a_tagged_artifact_is_not_detached() -> None:
    versions = Versions().image("chart", "chart-1", subject="nowhere")
    assert not versions.graph.is_detached(digest_of("chart"))
    untagged = Versions().image("chart", subject="nowhere")
    assert untagged.graph.is_detached(digest_of("chart"))


def test_an_artifact_with_one_existing_subject_is_not_detached() -> None:
    versions = Versions().image("image", "v1")
    versions.image("signature", tag_for("image", ".sig"), tag_for("nowhere", ".sig"))
    assert not versions.graph.is_detached(digest_of("signature"))


def test_of_versions_with_the_same_digest_the_newest_is_used() -> None:
    versions = Versions().image("a", "v1").image("b", "v2")
    first, second = versions.versions.values()
    older = replace(second, id=9, digest=first.digest, created=first.created)
    for listed in ([first, older], [older, first]):
        graph = Graph.of(listed, {})
        assert graph.versions[first.digest].id == 9


def test_ghosts_and_partial_indexes_differ() -> None:
    versions = Versions().image("amd64").image("arm64").index("index", ("amd64", "arm64"), "v1")
    index = digest_of("index")
    assert not versions.graph.is_partial(index)
    assert not versions.graph.is_ghost(index)
    versions.without("arm64")
    assert versions.graph.is_partial(index)
    assert not versions.graph.is_ghost(index)
    assert versions.graph.missing_children(index) == [digest_of("arm64")]
    versions.without("amd64")
    assert versions.graph.is_ghost(index)
    assert not versions.graph.is_partial(index)


def test_parents_come_first_and_then_the_oldest() -> None:
    versions = Versions().image("leaf").index("one", ("leaf",)).index("two", ("leaf",))
    versions.image("signature", tag_for("leaf", ".sig"))
    graph = versions.graph
    order = names_of(versions, graph.deletion_order(set(graph.versions)))
    assert order == ["one", "two", "leaf", "signature"]
    assert graph.deletion_order(set()) == []
    assert names_of(versions, graph.deletion_order({digest_of("leaf")})) == ["leaf"]


def test_a_cycle_is_deleted_oldest_first_and_before_its_dependents() -> None:
    versions = Versions().image("leaf").image("a", tag_for("c")).image("b", tag_for("a"))
    versions.index("c", ("leaf",), tag_for("b"))
    graph = versions.graph
    # Each is attached to the next: c needs b, b needs a, a needs c.
    order = names_of(versions, graph.deletion_order(set(graph.versions)))
    assert order[0] == "a"
    assert sorted(order) == ["a", "b", "c", "leaf"]
    assert order.index("leaf") > order.index("c")


def test_a_cycle_that_another_one_needs_comes_after_it() -> None:
    versions = Versions().image("a", tag_for("b", ".sig")).image("b", tag_for("a", ".sig"))
    versions.index("c", ("a",), tag_for("d")).image("d", tag_for("c", ".sig"))
    graph = versions.graph
    order = names_of(versions, graph.deletion_order(set(graph.versions)))
    assert {*order[:2]} == {"c", "d"}


def test_a_closure_excludes_what_only_the_excluded_need() -> None:
    versions = Versions().image("leaf").index("index", ("leaf",), "v1").image("other", "v2")
    graph = versions.graph
    assert graph.closure([digest_of("index")], without={digest_of("index")}) == set()
    found = graph.closure([digest_of("index"), digest_of("other")], without={digest_of("leaf")})
    assert sorted(versions.names[d] for d in found) == ["index", "other"]


def test_subject_tags_match_as_a_whole() -> None:
    digest = digest_of("image")
    tag = digest.replace(":", "-")
    assert subject_of_tag(tag) == digest
    assert subject_of_tag(f"{tag}.sig") == digest
    assert subject_of_tag(f"{tag}.a\nb") == digest
    assert subject_of_tag(f"{tag}-sig") == ""
    assert subject_of_tag(f"x{tag}") == ""
    assert subject_of_tag(tag[:-1]) == ""


def test_the_size_of_an_unreadable_manifest_is_unknown() -> None:
    versions = Versions().image("a", layers=("base",)).image("b", layers=("base",)).unread("b")
    graph = versions.graph
    assert graph.blobs(digest_of("b")) == ()
    assert sum(graph.sizes(graph.versions).values()) == 1100
