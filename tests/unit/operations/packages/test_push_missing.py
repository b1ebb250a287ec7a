"""Pushing a missing manifest from another image that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import NotFoundError
from ghcrctl.operations.packages.push_missing import make_pusher
from tests.builders import index_of, random_image
from tests.unit.operations.packages.content import NAME, children_of, multi_platform, named

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble
    from tests.registry_double import PlainRegistry


def test_a_manifest_is_found_at_every_depth(
    at_github: Session, github: GitHubDouble, plain_registry: PlainRegistry
) -> None:
    shared, first, second = multi_platform(1), multi_platform(2), random_image(seed=3)
    nested = index_of(index_of(shared, first), index_of(shared, second))
    plain_registry.push_image("mirror/app", "v1", nested)
    github.push(NAME, "other", random_image(seed=9))
    push = make_pusher(at_github, named(at_github), f"{plain_registry.host}/mirror/app:v1")
    for digest in (*children_of(shared), str(second.root.digest), str(nested.root.digest)):
        assert not github.has(NAME, digest)
        push(digest)
        assert github.has(NAME, digest)
    assert github.has(NAME, str(nested.root.digest)), "with all that it lists"
    assert set(github.tags(NAME)) == {"other"}


def test_a_manifest_missing_in_the_image_is_named(
    at_github: Session, plain_registry: PlainRegistry
) -> None:
    plain_registry.push_image("mirror/app", "v1", multi_platform(1))
    source = f"{plain_registry.host}/mirror/app:v1"
    digest = f"sha256:{'0' * 64}"
    with pytest.raises(NotFoundError) as caught:
        make_pusher(at_github, named(at_github), source)(digest)
    assert caught.value.message == f"{source} has no {digest}"


def test_shared_indexes_are_read_once(
    at_github: Session, github: GitHubDouble, plain_registry: PlainRegistry
) -> None:
    nested = multi_platform(1)
    for seed in range(10, 22):
        # Each level lists the one below twice, through two indexes.
        nested = index_of(index_of(nested), index_of(nested, random_image(seed=seed)))
    plain_registry.push_image("mirror/app", "v1", nested)
    source = f"{plain_registry.host}/mirror/app:v1"
    with pytest.raises(NotFoundError):
        make_pusher(at_github, named(at_github), source)(f"sha256:{'0' * 64}")
    assert plain_registry.count("GET", "/manifests/") < 100
    assert github.count("PUT") == 0
