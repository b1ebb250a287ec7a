"""Operations on local images: find, list, tag, remove and history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import (
    AmbiguousIdError,
    InvalidFilterError,
    InvalidReferenceError,
    NoSuchImageError,
    StoreDamagedError,
    UnsupportedError,
    UsageError,
)
from ghcrctl.operations.common.find import find
from ghcrctl.operations.images.inspect import inspect_local
from ghcrctl.operations.images.list import list_images
from ghcrctl.operations.images.remove import remove
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.inside.history import history
from ghcrctl.operations.inside.image_layers import ImageSelector
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import Built, artifact, random_image
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

IMAGE, OTHER = random_image(2, seed=1), random_image(1, seed=2)
NAME = "ghcr.io/octo/image:1.0"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path) as made:
        yield made


def put(session: Session, built: Built, *names: str) -> str:
    """Store an image as a pull does; return its ID."""
    memory = MemoryPlace()
    built.into(memory)
    place = StorePlace(session.store, origin=built.root.digest)
    execute(make_plan(memory, place, built.root, names=names))
    # Content stored by this process is otherwise kept until the process ends.
    session.store.close()
    return str(find(session, names[0]).image_id)


def names(session: Session, **options: object) -> list[str]:
    rows = list_images(session, **options)  # type: ignore[arg-type]
    return [f"{row.repository}:{row.tag}" for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        NAME,
        "octo/image:1.0",
        "octo/image:1.0@{digest}",
        "octo/image@{digest}",
        "{digest}",
        "{id}",
        "{short}",
        "{hex}",
        "sha256:{short}",
    ],
)
def test_an_image_is_found_by_all_its_names_and_ids(session: Session, text: str) -> None:
    image_id = put(session, IMAGE, NAME)
    put(session, OTHER, "ghcr.io/octo/other:1.0")
    encoded = image_id.partition(":")[2]
    asked = text.format(digest=IMAGE.root.digest, id=image_id, hex=encoded, short=encoded[:12])
    assert str(find(session, asked).image_id) == image_id


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("octo/image", "did you mean ghcr.io/octo/image:1.0"),
        ("octo/imege:1.0", "did you mean ghcr.io/octo/image:1.0"),
        ("image:1.0", "did you mean ghcr.io/octo/image:1.0"),
        ("quite/different", "ghcrctl images"),
        ("octo/image@sha256:" + "0" * 64, ""),
        ("0" * 64, ""),
    ],
)
def test_a_similar_name_is_suggested(session: Session, text: str, hint: str) -> None:
    put(session, IMAGE, NAME)
    with pytest.raises(NoSuchImageError) as caught:
        find(session, text)
    assert hint in (caught.value.hint or "")


def test_a_prefix_of_two_ids_is_ambiguous(session: Session) -> None:
    ids: dict[str, str] = {}
    for seed in range(20):
        image_id = put(session, random_image(1, 20, seed=seed), f"ghcr.io/octo/image:{seed}")
        digit = image_id.partition(":")[2][0]
        if digit in ids:
            with pytest.raises(AmbiguousIdError, match="is ambiguous"):
                find(session, f"sha256:{digit}")
            return
        ids[digit] = image_id
    pytest.fail("of 17 IDs two begin with the same digit")


def test_an_invalid_reference_is_an_error(session: Session) -> None:
    with pytest.raises(InvalidReferenceError):
        find(session, "Octo//image")


def test_a_name_pushed_to_the_served_store_is_found(session: Session) -> None:
    put(session, IMAGE, "octo/image:1.0")
    assert find(session, "octo/image:1.0").record.name == "octo/image:1.0"
    assert names(session, name="octo/image") == ["octo/image:1.0"]


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ([], {"image:1", "image:2", "other:1", "thing:1"}),
        (["reference=octo/*"], {"image:1", "image:2", "other:1", "thing:1"}),
        (["reference=octo/image"], {"image:1", "image:2"}),
        (["reference=octo/image:*"], {"image:1", "image:2"}),
        (["reference=ghcr.io/octo/o*"], {"other:1"}),
        (["reference=*"], set()),
        (["reference=octo/image:1", "reference=octo/other"], {"image:1", "other:1"}),
        (["dangling=true"], set()),
        (["dangling=false"], {"image:1", "image:2", "other:1", "thing:1"}),
        (["label=maintainer"], set()),
        (["label=seed"], {"image:1", "image:2", "other:1"}),
        (["label=seed=2"], {"other:1"}),
        (["label=seed", "label=seed=1"], {"image:1", "image:2"}),
        (["label=seed=2", "reference=octo/image"], set()),
        (["since=octo/other:1"], set()),
        (["reference=ghcr.io/octo/[^t]*:1"], {"image:1", "other:1"}),
        (["reference=image"], set()),
        ([" Reference = octo/other "], {"other:1"}),
        (["reference="], set()),
        (["dangling=F"], {"image:1", "image:2", "other:1", "thing:1"}),
        (["dangling=1"], set()),
        (["label!=seed=2"], {"image:1", "image:2", "thing:1"}),
        (["label!=seed", "label=maintainer"], set()),
        (["until=2000-01-01"], {"thing:1"}),
        ([""], {"image:1", "image:2", "other:1", "thing:1"}),
    ],
)
def test_filters_select_as_in_docker(session: Session, filters: list[str], shown: set[str]) -> None:
    put(session, IMAGE, "ghcr.io/octo/image:1", "ghcr.io/octo/image:2")
    put(session, OTHER, "ghcr.io/octo/other:1")
    put(session, artifact(), "ghcr.io/octo/thing:1")
    assert {name.removeprefix("ghcr.io/octo/") for name in names(session, filters=filters)} == shown


@pytest.mark.parametrize(
    "text",
    [
        *("nothing", "colour=red", "dangling=perhaps", "dangling=tRUE", "dangling=", "=x"),
        *("reference=[x", "reference=[-x]", "reference=x\\", "until=soon", " "),
    ],
)
def test_an_invalid_filter_is_refused_in_an_empty_store(session: Session, text: str) -> None:
    with pytest.raises(InvalidFilterError):
        list_images(session, filters=[text])


def test_dangling_cannot_be_both(session: Session) -> None:
    with pytest.raises(InvalidFilterError, match="either true or false"):
        list_images(session, filters=["dangling=1", "dangling=0"])


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("alpine", True),
        ("alpine:3.*", True),
        ("docker.io/alpine", False),
        ("docker.io/library/alpine", False),
    ],
)
def test_images_of_docker_hub_match_by_their_familiar_names(
    session: Session, pattern: str, *, wanted: bool
) -> None:
    put(session, IMAGE, "docker.io/library/alpine:3.20")
    assert bool(names(session, filters=[f"reference={pattern}"])) is wanted
    if "*" in pattern:
        assert bool(names(session, name=pattern)) is wanted


def test_an_image_whose_name_moved_is_dangling_until_it_is_removed(session: Session) -> None:
    first = put(session, IMAGE, "hello:latest")
    put(session, OTHER, "hello:latest")
    rows = list_images(session, filters=["dangling=true"])
    assert [str(row.image_id) for row in rows] == [first]
    remove(session, first)
    assert list_images(session, filters=["dangling=true"]) == []
    assert names(session) == ["hello:latest"]


@pytest.mark.parametrize(
    ("sort", "first"),
    [("name", "ghcr.io/octo/a:2"), ("tag", "ghcr.io/octo/b:1"), ("size", "ghcr.io/octo/b:1")],
)
def test_rows_are_sorted_by_each_key(session: Session, sort: str, first: str) -> None:
    put(session, random_image(1, size=100), "ghcr.io/octo/a:2")
    put(session, random_image(1, size=9000, seed=5), "ghcr.io/octo/b:1")
    assert names(session, sort=sort)[0] == first


def test_tags_of_one_image_are_removed_separately(session: Session) -> None:
    image_id = put(session, IMAGE, NAME)
    tag(session, "octo/image:1.0", [session.parse(n) for n in ("octo/image:2.0", "local")])
    assert inspect_local(session, NAME)["RepoTags"] == [
        NAME,
        "ghcr.io/octo/image:2.0",
        "local:latest",
    ]
    gone = remove(session, "local")
    assert (gone.untagged, gone.deleted) == (("local:latest",), ())
    assert remove(session, "octo/image:2.0").untagged == ("ghcr.io/octo/image:2.0",)
    last = remove(session, NAME)
    assert last.untagged == (NAME, f"ghcr.io/octo/image@{IMAGE.root.digest}")
    assert str(last.deleted[0]) == image_id
    assert not any(session.store.blobs.exists(d) for d, _ in IMAGE.contents)


def test_a_tag_never_names_a_digest(session: Session) -> None:
    put(session, IMAGE, NAME)
    with pytest.raises(UsageError, match="digest"):
        tag(session, NAME, [session.parse(f"octo/x@{IMAGE.root.digest}")])


def test_layers_that_another_image_needs_are_kept(session: Session) -> None:
    small, large = random_image(1, seed=4), random_image(2, seed=4)
    shared = {d for d, _ in small.blobs} & {d for d, _ in large.blobs}
    assert shared
    put(session, small, "small:latest")
    put(session, large, "large:latest")
    remove(session, "large")
    assert all(session.store.blobs.exists(d) for d, _ in small.contents)
    assert inspect_local(session, "small")["RepoTags"] == ["small:latest"]


def test_a_digest_is_removed_and_the_tag_is_kept(session: Session) -> None:
    put(session, IMAGE, NAME)
    gone = remove(session, f"octo/image@{IMAGE.root.digest}")
    assert gone.untagged == (f"ghcr.io/octo/image@{IMAGE.root.digest}",)
    assert inspect_local(session, NAME)["RepoDigests"] == []


def test_history_lists_steps_newest_first_with_layer_sizes(session: Session) -> None:
    put(session, IMAGE, NAME)
    rows = history(session, ImageSelector(NAME))
    sizes = [d.size for d, _ in IMAGE.blobs if "layer" in d.media_type]
    assert [row.size for row in rows if row.size] == sizes[::-1]
    assert rows[0].image_id == find(session, NAME).image_id
    assert all(row.image_id is None for row in rows[1:])


def test_an_artifact_has_no_history(session: Session) -> None:
    put(session, artifact(), "ghcr.io/octo/thing:1")
    with pytest.raises(UnsupportedError, match="not a container image"):
        history(session, ImageSelector("octo/thing:1"))


@pytest.mark.parametrize(
    "notes",
    [
        None,
        {},
        {"org.opencontainers.image.ref.name": "theirs:1"},
        {"io.ghcrctl.image.size": "many"},
        {"io.ghcrctl.image.id": "sha256:short"},
        {"io.ghcrctl.image.created": 5},
        {"org.opencontainers.image.ref.name": ["odd"]},
        {"io.ghcrctl.image.origin": "nothing"},
        {"io.ghcrctl.image.kind": "x", "io.ghcrctl.image.origin": f"sha256:{'a' * 64}"},
        [],
    ],
    ids=str,
)
def test_a_listing_matches_the_records(session: Session, notes: object) -> None:
    put(session, IMAGE, "ours:1")
    path = session.store.root / "index.json"
    document = json.loads(path.read_text())
    [entry] = document["manifests"]
    changed = {**entry["annotations"], **notes} if notes and isinstance(notes, dict) else notes
    document["manifests"].append({**entry, "annotations": changed})
    path.write_text(json.dumps(document))
    assert [listed.record for listed in session.store.listing()] == session.store.records()


@pytest.mark.parametrize("entry", [5, None, [], {}, {"annotations": {}}, {"digest": "x"}], ids=str)
def test_a_listing_with_an_invalid_image_is_refused(session: Session, entry: object) -> None:
    put(session, IMAGE, "ours:1")
    path = session.store.root / "index.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "manifests": [*document["manifests"], entry]}))
    with pytest.raises(StoreDamagedError):
        session.store.listing()
