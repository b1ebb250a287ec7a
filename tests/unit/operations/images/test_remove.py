"""Removing images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import ConflictError, NoSuchImageError
from ghcrctl.operations.images.list import list_images
from ghcrctl.operations.images.remove import remove, remove_all
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.moving.pull import pull
from tests.builders import random_image
from tests.filesystems import file, image_of, tar
from tests.sessions import name_at

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.builders import Built
    from tests.registry_double import RegistryDouble


def test_an_id_with_names_of_several_repositories_is_removed_only_by_force(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    pull(session, name_at(ghcr, session))
    tag(session, str(name_at(ghcr, session)), [session.parse("other")])
    [image_id] = {row.image_id for row in list_images(session)}
    with pytest.raises(ConflictError):
        remove(session, image_id.short)
    gone = remove(session, image_id.short, force=True)
    assert len(gone.untagged) == 3
    session.store.close()
    assert gone.deleted[0] == image_id


@pytest.fixture
def images(ghcr: RegistryDouble, session: Session) -> list[Built]:
    """Pull two images that share a layer, the second under two names."""
    layers = [b"shared", b"one", b"two"]
    made = [image_with(layers[0], own) for own in layers[1:]]
    for tag_, image in zip(("1", "2"), made, strict=True):
        ghcr.push_image("octo/image", tag_, image)
        pull(session, session.parse(f"{ghcr.host}/octo/image:{tag_}"))
    tag(session, f"{ghcr.host}/octo/image:2", [session.parse("other:2")])
    # Content pulled by this process is otherwise kept until the process ends.
    session.store.release()
    return made


def image_with(*contents: bytes) -> Built:
    return image_of(*(tar(file(content.decode(), content)) for content in contents))


def test_several_removals_equal_separate_removals(
    ghcr: RegistryDouble, session: Session, images: list[Built]
) -> None:
    home = f"{ghcr.host}/octo/image"
    texts = [f"{home}:1", "nothing", f"{home}:2", f"{home}:1", "other:2"]
    outcomes = list(remove_all(session, texts))
    assert [outcome.text for outcome in outcomes] == texts
    errors = [type(outcome.error) for outcome in outcomes]
    missing = [type(None), NoSuchImageError, type(None), NoSuchImageError, type(None)]
    assert errors == missing
    first, second, last = (outcome.removed for outcome in outcomes if outcome.removed)
    digests = [image.root.digest for image in images]
    assert first.untagged == (f"{home}:1", f"{home}@{digests[0]}")
    assert second.untagged == (f"{home}:2", f"{home}@{digests[1]}")
    assert last.untagged == ("other:2",)
    # A layer that both images have is deleted with the last of them.
    [shared] = {d.digest for d, _ in images[0].blobs} & {d.digest for d, _ in images[1].blobs}
    assert digests[0] in first.deleted
    assert shared not in first.deleted
    assert second.deleted == ()
    assert {digests[1], shared} <= set(last.deleted)
    assert list_images(session) == []
    assert not list(session.store.blobs.all())


def test_a_digest_among_several_names_keeps_the_order(
    ghcr: RegistryDouble, session: Session, images: list[Built]
) -> None:
    home = f"{ghcr.host}/octo/image"
    by_digest = f"{home}@{images[1].root.digest}"
    outcomes = list(remove_all(session, [f"{home}:1", by_digest, by_digest, f"{home}:2"]))
    removed = [outcome.removed and outcome.removed.untagged for outcome in outcomes]
    one = (f"{home}:1", f"{home}@{images[0].root.digest}")
    assert removed == [one, (by_digest,), None, (f"{home}:2",)]
    assert isinstance(outcomes[2].error, (ConflictError, NoSuchImageError))
    assert [str(record.name) for record in session.store.records()] == ["other:2"]


def test_ids_are_removed_together_and_refused_one_by_one(
    session: Session, images: list[Built]
) -> None:
    ids = [row.image_id.short for row in list_images(session)]
    assert len(set(ids)) == len(images)
    outcomes = list(remove_all(session, dict.fromkeys(ids)))
    refused = [outcome for outcome in outcomes if outcome.error]
    assert len(refused) == 1
    assert isinstance(refused[0].error, ConflictError)
    [left] = list(remove_all(session, [refused[0].text], force=True))
    assert left.removed
    assert len(left.removed.untagged) == 3
    assert list_images(session) == []
