"""Image IDs and digests name a local image wherever its name does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.api.client import Client
from ghcrctl.errors import NoSuchImageError, UsageError
from ghcrctl.operations.common.find import find
from ghcrctl.operations.making.indexes import (
    create_index,
    parse_index_target,
    parse_source,
    read_manifest,
)
from ghcrctl.operations.making.mutate import Mutation, mutate
from ghcrctl.operations.moving.copy import CopyOptions, OpenTarget, copy_into
from ghcrctl.operations.moving.endpoints.parse import parse_endpoint
from tests.builders import index_of, random_image
from tests.sessions import session_on
from tests.unit.operations.images.test_true_names import names, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

NAME = "ghcr.io/octo/image:1.0"
IMAGE, BARE = random_image(seed=1), random_image(seed=2)
INDEX = index_of(IMAGE)
IDS = [str(image.contents[-2][0].digest) for image in (IMAGE, BARE)]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path) as made:
        put(made, IMAGE, NAME, IMAGE.root.digest)
        put(made, BARE, "")
        yield made


WRITTEN = {
    "short": lambda text: text[7:19],
    "hexadecimal": lambda text: text[7:],
    "full": lambda text: text,
    "shortened": lambda text: text[:20],
}
each_form = pytest.mark.parametrize("form", WRITTEN)


@each_form
@pytest.mark.parametrize("local", [True, False])
def test_an_image_can_be_made_from_an_id(session: Session, form: str, *, local: bool) -> None:
    source = parse_source(session, WRITTEN[form](IDS[0]), local=local)
    made = mutate(session, source, None, Mutation(changes=("ENV A=1",)))
    assert str(made.reference) == f"ghcr.io/octo/image@{made.digest}"
    assert made.end.local
    target = parse_index_target(session, "hello:2", local=True)
    bare = parse_source(session, WRITTEN[form](IDS[1]), local=local)
    again = mutate(session, bare, target, Mutation(changes=("ENV A=1",)))
    assert names(session)["hello:2"] == again.digest
    assert names(session)[NAME] == IMAGE.root.digest


@each_form
def test_manifests_are_read_and_listed_by_id(session: Session, form: str) -> None:
    ids = [parse_source(session, WRITTEN[form](text), local=True) for text in IDS]
    assert [read_manifest(session, end).raw for end in ids] == [IMAGE.raw, BARE.raw]
    index = create_index(
        session, parse_index_target(session, "hello:all", local=True), ids[:1], annotations={}
    )
    assert names(session)["hello:all"] == index.digest


def test_a_repository_digest_selects_its_image(session: Session) -> None:
    for text in (f"octo/image@{IMAGE.root.digest}", str(IMAGE.root.digest)):
        end = parse_source(session, text, local=True)
        assert read_manifest(session, end).raw == IMAGE.raw


def test_a_name_takes_precedence_over_an_id(
    session: Session,
) -> None:
    short = IDS[0][7:19]
    put(session, BARE, f"{short}:latest")
    assert read_manifest(session, parse_source(session, short, local=True)).raw == BARE.raw
    assert str(parse_index_target(session, short, local=True).reference) == f"{short}:latest"


def test_an_image_without_a_name_needs_a_target_name(session: Session) -> None:
    with pytest.raises(UsageError, match="has no name") as caught:
        mutate(session, parse_source(session, IDS[1], local=True), None, Mutation())
    assert "--tag" in (caught.value.hint or "")
    named = parse_source(session, IDS[0], local=True)
    with pytest.raises(UsageError, match="cannot replace a tag"):
        mutate(session, named, None, Mutation(), replace=True)


@pytest.mark.parametrize("local", [True, False])
def test_an_unknown_id_is_an_error(session: Session, *, local: bool) -> None:
    for text in ("deadbeef", "sha256:" + "0" * 64):
        with pytest.raises(NoSuchImageError):
            read_manifest(session, parse_source(session, text, local=local))


@each_form
@pytest.mark.parametrize("prefix", ["", "store:"])
def test_an_image_is_copied_by_id(session: Session, tmp_path: Path, form: str, prefix: str) -> None:
    target = parse_endpoint(session, f"oci:{tmp_path}/layout:{form}")
    with target.sink(session, dry_run=False) as sink:
        source = parse_endpoint(session, prefix + WRITTEN[form](IDS[1]))
        copied = copy_into(session, source, OpenTarget(target, sink), CopyOptions())
    assert copied.descriptor.digest == BARE.root.digest


def test_the_api_takes_ids(session: Session) -> None:
    with Client(environ=session.settings.environ) as client:
        made = client.flatten(IDS[0], local=True)
        assert find(session, f"octo/image@{made.digest}").by == "digest"
        assert client.manifest.inspect(IDS[1], local=True).raw == BARE.raw
