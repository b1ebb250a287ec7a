"""What holds of every plan, over random packages and rules.

What a version needs is computed again here, from the text of the specifications and not by our
graph.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ghcrctl.errors import RefusedError
from ghcrctl.github.deletion_planner import Target, make_plan, plan_deletion
from ghcrctl.github.graph import Graph
from ghcrctl.github.manifest_facts import Child, Facts
from ghcrctl.github.plan import plan_from_json
from ghcrctl.github.plan_exclusions import exclude_versions
from ghcrctl.github.records import Version
from ghcrctl.github.retention_policy import Policy
from ghcrctl.oci.media_types import OCI_INDEX, OCI_MANIFEST

if TYPE_CHECKING:
    from ghcrctl.github.plan import Plan

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
TARGET = Target("ghcr.io", "octo", "app")
HELPER = re.compile(r"sha256-([0-9a-f]{64})(\..*)?")
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"
WORDS = ("latest", "v1.0", "v1.1", "v2.0", "v2.1", "pr-1", "pr-2", "main", "edge", "old")


def name(number: int) -> str:
    return f"sha256:{number:064x}"


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Make a package: nested indexes, shared children, referrers of referrers, circles by tags."""
    count = draw(st.integers(1, 12))
    any_digest = st.integers(0, count + 1).map(name)
    words = list(draw(st.permutations(WORDS)))
    versions, facts = [], {}
    for number in range(count):
        tags = [words.pop() for _ in range(draw(st.integers(0, 2))) if words]
        subjects = draw(st.lists(any_digest, max_size=1))
        suffix = draw(st.sampled_from(["", ".sig", ".att"]))
        tags += [subject.replace(":", "-") + suffix for subject in subjects]
        hours = draw(st.integers(0, 2000))
        created = NOW - timedelta(hours=hours)
        updated = created + timedelta(hours=draw(st.integers(0, hours)))
        versions.append(Version(number + 1, name(number), tuple(tags), created, updated))
        facts[name(number)] = draw(manifests(any_digest))
    unlisted = draw(st.booleans())
    if unlisted:
        facts[name(count)] = draw(manifests(any_digest))
    listed = {child.digest for entry in facts.values() for child in entry.children}
    gone = listed - facts.keys()
    graph = Graph.of(versions, facts, {}, gone)
    return replace(graph, deleted=draw(st.frozensets(any_digest)))


@st.composite
def manifests(draw: st.DrawFn, digests: st.SearchStrategy[str]) -> Facts:
    is_index = draw(st.booleans())
    children = draw(st.lists(digests, max_size=4, unique=True)) if is_index else []
    blobs = draw(st.dictionaries(st.integers(100, 110).map(name), st.just(1000), max_size=3))
    return Facts(
        media_type=OCI_INDEX if is_index else OCI_MANIFEST,
        size=100,
        is_index=is_index,
        children=tuple(Child(digest, "linux/amd64") for digest in children),
        blobs=tuple(blobs.items()),
        subject=draw(st.one_of(st.just(""), digests)),
        kind="" if is_index else draw(st.sampled_from(["", SIGNATURE])),
    )


PATTERNS = st.lists(
    st.sampled_from(["*", "v*", "v1.*", "pr-*", "re:v.*", "semver:>=2", "latest"]), max_size=2
).map(tuple)
POLICIES = st.builds(
    Policy,
    include=PATTERNS,
    exclude=PATTERNS,
    untagged=st.booleans(),
    orphaned=st.booleans(),
    ghosts=st.booleans(),
    partial=st.booleans(),
    keep_last=st.one_of(st.none(), st.integers(0, 4)),
    keep_untagged=st.one_of(st.none(), st.integers(0, 2)),
    floor=st.integers(0, 3),
    older_than=st.one_of(st.none(), st.integers(0, 2000).map(lambda h: NOW - timedelta(hours=h))),
    by=st.sampled_from(["created", "updated"]),
    protected=st.frozensets(st.integers(0, 12).map(name), max_size=2),
)


def subjects_by_tag(graph: Graph, digest: str) -> set[str]:
    """Say what the tags of a version name as its subject, if it is not an ordinary image."""
    facts = graph.facts[digest]
    children = [graph.facts.get(child.digest) for child in facts.children]
    is_list = facts.is_index and all(child and (child.subject or child.kind) for child in children)
    found = set()
    for tag in graph.versions[digest].tags if digest in graph.versions else ():
        match = HELPER.fullmatch(tag)
        is_artifact = bool(facts.kind) and bool(match and match[2])
        if match and (facts.subject or is_list or is_artifact):
            found.add(f"sha256:{match[1]}")
    return found - {digest}


def needs(graph: Graph, digest: str) -> set[str]:
    """Say what a version needs, of what is there."""
    found: set[str] = set()
    facts = graph.facts[digest]
    found |= {child.digest for child in facts.children}
    found |= {facts.subject}
    for tag in graph.versions[digest].tags:
        match = HELPER.fullmatch(tag)
        found |= {f"sha256:{match[1]}"} if match else set()
    for other, entry in graph.facts.items():
        tags = graph.versions[other].tags if other in graph.versions else ()
        if entry.subject == digest or any(
            (m := HELPER.fullmatch(tag)) and f"sha256:{m[1]}" == digest for tag in tags
        ):
            found.add(other)
    return found & set(graph.versions)


def images(graph: Graph, digests: set[str]) -> set[str]:
    """Return those of some versions that no other one of them lists or is the subject of."""
    holders: dict[str, set[str]] = {digest: set() for digest in graph.facts}
    for digest, facts in graph.facts.items():
        holders[digest] |= {facts.subject} - {digest}
        for tag in graph.versions[digest].tags if digest in graph.versions else ():
            match = HELPER.fullmatch(tag)
            holders[digest] |= {f"sha256:{match[1]}"} - {digest} if match else set()
        for child in facts.children:
            holders.setdefault(child.digest, set()).add(digest)
    for _ in holders:
        for found in holders.values():
            found |= {other for holder in found for other in holders.get(holder, ())}
    return {d for d in digests if not any(d not in holders[o] for o in holders[d] & digests)}


def gone_by(plan: Plan) -> list[str]:
    return [step.digest for step in plan.steps]


def people_tags(graph: Graph, version: Version) -> list[str]:
    named = {subject.replace(":", "-") for subject in subjects_by_tag(graph, version.digest)}
    return [tag for tag in version.tags if tag.partition(".")[0] not in named]


@given(graphs(), POLICIES)
def test_nothing_is_deleted_that_a_kept_version_needs(graph: Graph, policy: Policy) -> None:
    plan = make_plan(graph, policy, NOW, TARGET)
    gone = set(gone_by(plan))
    for digest in graph.versions.keys() - gone:
        assert not needs(graph, digest) & gone


@given(graphs(), POLICIES)
def test_every_version_is_either_deleted_or_kept(graph: Graph, policy: Policy) -> None:
    plan = make_plan(graph, policy, NOW, TARGET)
    named = gone_by(plan) + [kept.digest for kept in plan.kept]
    assert sorted(named) == sorted(graph.versions)
    assert all(kept.reason for kept in plan.kept)
    assert all(step.reason for step in plan.steps)


@given(graphs(), POLICIES)
def test_dependents_are_deleted_first(graph: Graph, policy: Policy) -> None:
    order = gone_by(make_plan(graph, policy, NOW, TARGET))
    position = {digest: number for number, digest in enumerate(order)}
    for digest in order:
        for child in {c.digest for c in graph.facts[digest].children} & position.keys():
            if not _is_circle(graph, digest, child):
                assert position[digest] < position[child]


def _is_circle(graph: Graph, digest: str, child: str) -> bool:
    return digest in graph.reach([child])


@given(graphs(), POLICIES, st.data())
def test_an_unreadable_manifest_keeps_everything(
    graph: Graph, policy: Policy, data: st.DataObject
) -> None:
    digest = data.draw(st.sampled_from(sorted(graph.versions)))
    facts = {d: f for d, f in graph.facts.items() if d != digest}
    blind = replace(graph, facts=facts, unreadable={digest: "it is broken"})
    plan = make_plan(blind, policy, NOW, TARGET)
    assert not plan.steps
    assert plan.warnings


@given(graphs(), POLICIES)
def test_one_tagged_version_is_always_kept(graph: Graph, policy: Policy) -> None:
    plan = make_plan(graph, policy, NOW, TARGET)
    assert not plan.deletes_package
    assert plan.kept
    if any(version.tags for version in graph.versions.values()):
        assert any(kept.tags for kept in plan.kept)


@given(graphs(), POLICIES)
def test_the_floor_of_tagged_images_is_kept(graph: Graph, policy: Policy) -> None:
    plan = make_plan(graph, policy, NOW, TARGET)
    tagged = {d for d, version in graph.versions.items() if people_tags(graph, version)}
    staying = {kept.digest for kept in plan.kept} & tagged
    assert len(images(graph, staying)) >= min(policy.least, len(images(graph, tagged)))


@given(graphs(), POLICIES)
def test_protected_and_new_versions_are_kept_with_their_dependencies(
    graph: Graph, policy: Policy
) -> None:
    gone = set(gone_by(make_plan(graph, policy, NOW, TARGET)))
    for digest, version in graph.versions.items():
        is_new = max(version.created, version.updated) > NOW - policy.min_age
        if digest in policy.protected or is_new:
            assert digest not in gone
            assert not needs(graph, digest) & gone


@given(graphs(), st.integers(0, 4))
def test_keep_last_counts_images_and_not_tags(graph: Graph, count: int) -> None:
    policy = Policy(keep_last=count, untagged=False, orphaned=False, floor=0)
    gone = set(gone_by(make_plan(graph, policy, NOW, TARGET)))
    tagged = images(graph, {d for d, v in graph.versions.items() if people_tags(graph, v)})
    versions = [graph.versions[digest] for digest in tagged]
    newest = sorted(versions, key=lambda v: (v.created, v.id), reverse=True)[:count]
    assert not {version.digest for version in newest} & gone


@given(graphs(), POLICIES)
def test_a_second_plan_is_empty(graph: Graph, policy: Policy) -> None:
    gone = set(gone_by(make_plan(graph, policy, NOW, TARGET)))
    left = [version for digest, version in graph.versions.items() if digest not in gone]
    assume(left)
    facts = {digest: entry for digest, entry in graph.facts.items() if digest not in gone}
    listed = {child.digest for entry in facts.values() for child in entry.children}
    after = Graph.of(left, facts, {}, listed - facts.keys())
    after = replace(after, deleted=graph.deleted | gone)
    assert not make_plan(after, policy, NOW, TARGET).steps


@given(graphs(), POLICIES)
def test_freed_bytes_are_those_that_nothing_needs(graph: Graph, policy: Policy) -> None:
    plan = make_plan(graph, policy, NOW, TARGET)
    gone = set(gone_by(plan))
    staying: dict[str, int] = {}
    for digest in graph.facts.keys() - gone:
        staying |= {digest: graph.facts[digest].size, **dict(graph.facts[digest].blobs)}
    all_of: dict[str, int] = {}
    for digest in graph.facts:
        all_of |= {digest: graph.facts[digest].size, **dict(graph.facts[digest].blobs)}
    unlisted = graph.facts.keys() - graph.versions.keys()
    if not unlisted:
        assert plan.freed == sum(all_of.values()) - sum(staying.values())
        assert plan.size == sum(all_of.values())


@given(graphs(), POLICIES, st.frozensets(st.integers(0, 12).map(name), max_size=3))
def test_excluding_versions_leaves_a_valid_plan(
    graph: Graph, policy: Policy, spared: frozenset[str]
) -> None:
    before = make_plan(graph, policy, NOW, TARGET)
    plan = exclude_versions(graph, before, spared)
    gone = set(gone_by(plan))
    assert gone <= set(gone_by(before)) - spared
    assert [d for d in gone_by(before) if d in gone] == gone_by(plan)
    assert sorted([*gone, *(kept.digest for kept in plan.kept)]) == sorted(graph.versions)
    assert plan.freed <= before.freed
    for digest in graph.versions.keys() - gone:
        assert not needs(graph, digest) & gone


@given(graphs(), POLICIES)
def test_a_plan_is_reproducible_and_survives_a_round_trip(graph: Graph, policy: Policy) -> None:
    plan = make_plan(graph, policy, NOW, TARGET)
    assert make_plan(graph, policy, NOW, TARGET) == plan
    data: Any = plan.to_json()
    assert plan_from_json(data) == plan


@given(graphs(), st.data())
def test_a_deletion_includes_a_versions_own_dependencies(graph: Graph, data: st.DataObject) -> None:
    digest = data.draw(st.sampled_from(sorted(graph.versions)))
    try:
        plan = plan_deletion(graph, [digest], NOW, TARGET)
    except RefusedError:
        return
    gone = set(gone_by(plan))
    assert digest in gone
    for other in graph.versions.keys() - gone:
        assert not needs(graph, other) & (gone - {digest})
    for other in gone - {digest}:
        assert not people_tags(graph, graph.versions[other])


@pytest.mark.parametrize("count", [20_000])
def test_tens_of_thousands_of_versions_are_planned_quickly(count: int) -> None:
    versions, facts = [], {}
    for number in range(0, count, 4):
        children = tuple(Child(name(number + i), f"linux/{i}") for i in (1, 2, 3))
        facts[name(number)] = Facts(OCI_INDEX, 100, is_index=True, children=children)
        for i in (1, 2, 3):
            facts[name(number + i)] = Facts(OCI_MANIFEST, 100, is_index=False)
        created = NOW - timedelta(hours=count - number)
        for i in range(4):
            tags = (f"v1.{number}",) if not i else ()
            versions.append(Version(number + i, name(number + i), tags, created, created))
    plan = make_plan(Graph.of(versions, facts), Policy(keep_last=10), NOW, TARGET)
    assert len(plan.kept) == 40
    assert len(plan.steps) == count - 40
