"""Destinations of new images: no published tag moves unless the caller says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import NotFoundError, UsageError
from ghcrctl.operations.making.convert import Conversion, convert_image
from ghcrctl.operations.making.flatten import FlattenOptions, flatten_image
from ghcrctl.operations.making.indexes import IndexTarget, read_manifest
from ghcrctl.operations.making.media_formats import Format
from ghcrctl.operations.making.mutate import Mutation, mutate
from ghcrctl.operations.making.rebase import RebaseOptions, rebase
from ghcrctl.operations.moving.pull import pull
from tests.builders import random_image
from tests.sessions import name_at
from tests.unit.operations.making.test_rebase import IMAGE, NEW, OLD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.indexes import NewImage
    from tests.registry_double import RegistryDouble

    Make = Callable[[Session, IndexTarget, bool], NewImage]


def _mutate(session: Session, source: IndexTarget, replace: bool) -> NewImage:
    return mutate(session, source, None, Mutation(("USER 7",)), replace=replace)


def _append(session: Session, source: IndexTarget, replace: bool) -> NewImage:
    folder: Path = session.settings.home / "layer"
    folder.mkdir(parents=True, exist_ok=True)
    return mutate(session, source, None, Mutation(layers=(folder,)), replace=replace)


def _flatten(session: Session, source: IndexTarget, replace: bool) -> NewImage:
    return flatten_image(session, source, None, FlattenOptions(), replace=replace)


def _convert(session: Session, source: IndexTarget, replace: bool) -> NewImage:
    return convert_image(session, source, None, Conversion(Format.DOCKER), replace=replace)


def _rebase(session: Session, source: IndexTarget, replace: bool) -> NewImage:
    old, new = (IndexTarget(source.reference.with_tag(tag), source.local) for tag in ("old", "new"))
    bases = RebaseOptions(old, new)
    return rebase(session, source, None, bases, replace=replace)


EVERY = pytest.mark.parametrize("make", [_mutate, _append, _flatten, _convert, _rebase])


@pytest.fixture(params=["registry", "store"])
def source(request: pytest.FixtureRequest, ghcr: RegistryDouble, session: Session) -> IndexTarget:
    """Return the original image, at a registry or in the store."""
    for tag, image in (("1.0", IMAGE), ("old", OLD), ("new", NEW)):
        ghcr.push_image("octo/image", tag, image)
        if request.param == "store":
            pull(session, name_at(ghcr, session, f"octo/image:{tag}"))
    return IndexTarget(name_at(ghcr, session), request.param == "store")


@EVERY
def test_without_a_tag_the_result_is_written_by_its_digest(
    session: Session, source: IndexTarget, make: Make
) -> None:
    done = make(session, source, False)
    assert done.reference == source.reference.with_digest(done.digest)
    assert done.end.local == source.local
    assert done.previous is None
    assert done.digest != IMAGE.root.digest
    # The printed name resolves to the result, and the source's tag has not moved.
    assert read_manifest(session, done.end).descriptor.digest == done.digest
    assert read_manifest(session, source).descriptor.digest == IMAGE.root.digest


@EVERY
def test_replace_moves_the_tag_and_returns_its_previous_digest(
    session: Session, source: IndexTarget, make: Make
) -> None:
    done = make(session, source, True)
    assert done.end == source
    assert done.previous == IMAGE.root.digest
    assert read_manifest(session, source).descriptor.digest == done.digest


@EVERY
def test_a_source_named_by_its_digest_needs_no_tag(
    session: Session, source: IndexTarget, make: Make
) -> None:
    if source.local:
        pull(session, source.reference.with_digest(IMAGE.root.digest))
    pinned = IndexTarget(source.reference.with_digest(IMAGE.root.digest), source.local)
    done = make(session, pinned, False)
    assert done.reference == source.reference.with_digest(done.digest)
    with pytest.raises(UsageError, match="expected NAME:TAG"):
        make(session, pinned, True)


def test_an_unchanged_image_is_not_written(session: Session, ghcr: RegistryDouble) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(1))
    source = IndexTarget(name_at(ghcr, session))
    writes = ghcr.count("PUT", "/")
    for replace in (False, True):
        done = convert_image(session, source, None, Conversion(Format.OCI), replace=replace)
        assert done.previous is None
    assert ghcr.count("PUT", "/") == writes


def test_only_the_given_tag_is_moved(session: Session, ghcr: RegistryDouble) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(2))
    source = IndexTarget(name_at(ghcr, session))
    target = IndexTarget(source.reference.with_tag("flat"))
    done = flatten_image(session, source, target, FlattenOptions())
    assert (done.end, done.previous) == (target, None)
    # Naming the source's own tag as the target replaces it.
    done = flatten_image(session, source, source, FlattenOptions())
    assert (done.end, bool(done.previous)) == (source, True)
    with pytest.raises(UsageError, match="are mutually exclusive"):
        flatten_image(session, source, target, FlattenOptions(), replace=True)


def test_a_failure_moves_no_tag(session: Session, ghcr: RegistryDouble) -> None:
    missing = IndexTarget(name_at(ghcr, session, "octo/none:1"))
    with pytest.raises(NotFoundError):
        flatten_image(session, missing, None, FlattenOptions())
    assert not ghcr.count("PUT", "/")
