"""Configs are stored even if unreadable: registries and other clients do not parse them either."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.operations.archives.save import save_archive, save_docker
from ghcrctl.operations.common.find import find
from ghcrctl.operations.images.list import list_images
from ghcrctl.operations.images.remove import remove
from ghcrctl.operations.images.tree import image_trees
from ghcrctl.operations.inside.history import history
from ghcrctl.operations.inside.image_layers import ImageSelector
from ghcrctl.operations.store.fsck import check
from ghcrctl.server.store_backend import StoreBackend
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import Built, random_image
from tests.sessions import is_stored, session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

IMAGE = random_image(2)
GOOD: dict[str, Any] = json.loads(IMAGE.contents[-2][1])


def changed(**fields: Any) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


CONFIGS: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"\x00\xff\x1f\x8b",
    "text": b"hello",
    "list": b"[]",
    "null": b"null",
    "number": b"1",
    "empty object": b"{}",
    "cut off": json.dumps(GOOD).encode()[:-5],
    "two documents": b"{}{}",
    "trailing comma": b'{"os":"linux",}',
    "comment": b'{"os":"linux"} // comment',
    "key said twice": b'{"os":"linux","os":"windows"}',
    "inner key said twice": b'{"config":{"User":"","User":"root"}}',
    "NaN": b'{"size":NaN}',
    "Infinity": b'{"size":-Infinity}',
    "huge number": b'{"size":' + b"9" * 100_000 + b"}",
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "UTF-32": json.dumps(GOOD).encode("utf-32"),
    "half a character": b'{"author":"\xc3"}',
    "surrogate": b'{"author":"\\ud800"}',
    "surrogate bytes": b'{"author":"\xed\xa0\x80"}',
    "zero byte": b'{"author":"\\u0000"}',
    "deep list": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "deep object": b'{"a":' * 400 + b"1" + b"}" * 400,
    "large": changed(author="x" * (4 * 1024 * 1024 + 1)),
    "rootfs list": changed(rootfs=[]),
    "rootfs text": changed(rootfs="layers"),
    "rootfs null": changed(rootfs=None),
    "diff_ids object": changed(rootfs={"type": "layers", "diff_ids": {}}),
    "diff_ids text": changed(rootfs={"type": "layers", "diff_ids": "sha256:"}),
    "diff_ids numbers": changed(rootfs={"type": "layers", "diff_ids": [1, 2]}),
    "diff_ids no digests": changed(rootfs={"type": "layers", "diff_ids": ["a", "b"]}),
    "diff_ids too few": changed(rootfs={"type": "layers", "diff_ids": []}),
    "diff_ids too many": changed(rootfs={"type": "layers", "diff_ids": ["sha256:" + "0" * 64] * 9}),
    "history object": changed(history={}),
    "history text": changed(history="none"),
    "history of texts": changed(history=["a"]),
    "history too long": changed(history=[{"created_by": str(n)} for n in range(9)]),
    "history of odd entries": changed(history=[{"created": 1, "created_by": [], "empty_layer": 2}]),
    "created number": changed(created=1),
    "created object": changed(created={}),
    "created text": changed(created="yesterday"),
    "created in the year 0": changed(created="0000-00-00T00:00:00Z"),
    "created long": changed(created="2024-01-02T03:04:05." + "0" * 100_000 + "Z"),
    "created escape": changed(created="\x1b[2J"),
    "os number": changed(os=1),
    "os list": changed(os=["linux"]),
    "no os": changed(os=None, architecture=None),
    "variant object": changed(variant={}),
    "author list": changed(author=["a"]),
    "config list": changed(config=[]),
    "config text": changed(config="none"),
    "labels list": changed(config={"Labels": []}),
    "labels numbers": changed(config={"Labels": {"a": 1}}),
    "artifact": b'{"mediaType":"application/vnd.example"}',
}
each_config = pytest.mark.parametrize("raw", CONFIGS.values(), ids=CONFIGS)


def with_config(raw: bytes) -> Built:
    """Return an image whose config is these bytes."""
    described = Descriptor.of(raw, media_types.OCI_CONFIG)
    manifest = {**json.loads(IMAGE.raw), "config": described.to_json()}
    body = json.dumps(manifest).encode()
    root = Descriptor.of(body, media_types.OCI_MANIFEST)
    return Built(root, (*IMAGE.contents[:-2], (described, raw), (root, body)))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path) as made:
        yield made


def put(session: Session, image: Built, name: str = "octo/image:1.0") -> str:
    """Store an image as a pull does."""
    memory, full = MemoryPlace(), str(session.parse(name))
    image.into(memory)
    place = StorePlace(session.store, origin=image.root.digest)
    execute(make_plan(memory, place, image.root, names=(full,)))
    return full


@each_config
def test_an_image_is_stored_whatever_its_config_is(session: Session, raw: bytes) -> None:
    image = with_config(raw)
    name = put(session, image)
    assert is_stored(session, image)
    assert find(session, name).image_id == image.contents[-2][0].digest
    [row] = list_images(session)
    assert len(str(row.listed.entry)) < 2000
    assert list_images(session, filters=["label=none"]) == []
    assert len(image_trees(session, [row])) == 1
    assert check(session).faults == ()
    save_archive(session, [name], len)
    assert remove(session, name).untagged


@each_config
def test_the_served_store_takes_an_image_whatever_its_config_is(
    session: Session, raw: bytes
) -> None:
    image, memory = with_config(raw), MemoryPlace()
    image.into(memory)
    backend = StoreBackend(session.store)
    for descriptor, _ in image.contents[:-1]:
        backend.write("octo/image", Content(memory, descriptor))
    backend.name("octo/image", "1.0", Content(memory, image.root))
    assert backend.resolve("octo/image", "1.0").digest == image.root.digest
    assert is_stored(session, image)


@pytest.mark.parametrize("name", ["no JSON", "list", "key said twice"])
def test_operations_that_need_an_unreadable_config_fail(session: Session, name: str) -> None:
    put(session, with_config(CONFIGS[name]))
    with pytest.raises(InvalidManifestError, match="invalid image config") as caught:
        history(session, ImageSelector("octo/image:1.0"))
    # All bytes of the config are intact, so repairing the store cannot help.
    assert caught.value.hint is None


def test_an_archive_of_docker_names_the_config_that_it_cannot_read(session: Session) -> None:
    put(session, with_config(CONFIGS["no JSON"]))
    [record] = session.store.records()
    with pytest.raises(InvalidManifestError, match="invalid image config") as caught:
        save_docker(session, ["octo/image:1.0"], io.BytesIO().write)
    assert record.facts.image_id.encoded in str(caught.value)


def test_a_history_may_have_more_steps_than_layers(session: Session) -> None:
    put(session, with_config(CONFIGS["history too long"]))
    rows = history(session, ImageSelector("octo/image:1.0"))
    assert [row.created_by for row in rows] == [str(n) for n in reversed(range(9))]
    assert [row.size > 0 for row in reversed(rows)] == [True, True] + [False] * 7
