"""The contracts of places with content, as suites that every adapter inherits."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.ports import Lister, Sink, Source
from ghcrctl.content.streams import Content
from ghcrctl.errors import (
    DigestMismatchError,
    GhcrctlError,
    IntegrityError,
    NotFoundError,
    SizeMismatchError,
)
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from tests.builders import Built, artifact, index_of, random_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.content.ports import Stream
    from ghcrctl.operations.common.session import Session
    from ghcrctl.registry.repository import Repository

ABSENT = Descriptor.of(b"never written", "application/octet-stream")


class Place(Source, Sink, Protocol):
    """A place that can be read and written."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A place under test.

    Args:
        place: the place, empty.
        reopen: opens the same place again, as another process sees it.
        name: how the place writes a tag (the store wants a full reference).
    """

    place: Place
    reopen: Callable[[], Place]
    name: Callable[[str], str] = str


def repository_rig(session: Session, name: str) -> Rig:
    """Return a rig for a repository."""

    def reopen() -> Repository:
        return session.repository(session.parse(name))

    return Rig(reopen(), reopen)


class ScriptedSource:
    """A source with one content that serves given bytes, and counts."""

    label = "the script"

    def __init__(self, data: bytes, *, break_at: int | None = None) -> None:
        self._data = data
        self._break_at = break_at
        self.offsets: list[int] = []

    def resolve(self, name: str) -> Descriptor:
        raise NotFoundError(f"the script has no `{name}`")

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:  # noqa: ARG002 one content
        self.offsets.append(offset)
        return _ScriptedStream(self._data, offset, self._break_at)


class BrokenOnPurposeError(GhcrctlError):
    """The failure at the end of a scripted stream."""


class _ScriptedStream:
    def __init__(self, data: bytes, position: int, break_at: int | None) -> None:
        self._data = data
        self._position = position
        self._break_at = break_at

    def read(self, size: int, /) -> bytes:
        # Returning fewer bytes than requested is allowed.
        end = self._position + max(1, min(size, 1000))
        if self._break_at is not None:
            end = min(end, self._break_at)
            if self._position >= self._break_at:
                raise BrokenOnPurposeError("broken on purpose")
        chunk = self._data[self._position : end]
        self._position += len(chunk)
        return chunk

    def close(self) -> None:
        return


def fill(rig: Rig, built: Built, tag: str) -> None:
    """Write a graph, children first, and name its root."""
    memory = MemoryPlace()
    built.into(memory)
    for descriptor, _ in built.contents[:-1]:
        rig.place.write(Content(memory, descriptor))
    rig.place.tag(Content(memory, built.root), rig.name(tag))


def read(source: Source, descriptor: Descriptor, offset: int = 0) -> bytes:
    """Read to the end, without verification."""
    stream = source.open(descriptor, offset)
    try:
        return b"".join(iter(lambda: stream.read(700), b""))
    finally:
        stream.close()


class SourceSuite:
    """The contract of every source; subclasses define the fixture ``rig``."""

    def test_a_tag_and_a_digest_resolve_to_the_manifest(self, rig: Rig) -> None:
        image = random_image(seed=1)
        fill(rig, image, "v1")
        for name in (rig.name("v1"), str(image.root.digest)):
            found = rig.place.resolve(name)
            assert (found.digest, found.size) == (image.root.digest, image.root.size)
            assert found.media_type == image.root.media_type

    @pytest.mark.parametrize("missing", ["nothing-here", str(ABSENT.digest)])
    def test_an_unknown_name_is_not_found(self, rig: Rig, missing: str) -> None:
        fill(rig, random_image(seed=1), "v1")
        with pytest.raises(NotFoundError):
            rig.place.resolve(missing if ":" in missing else rig.name(missing))

    def test_a_blob_digest_does_not_resolve_to_a_manifest(self, rig: Rig) -> None:
        image = random_image(seed=1)
        fill(rig, image, "v1")
        with pytest.raises(NotFoundError):
            rig.place.resolve(str(image.blobs[0][0].digest))

    @pytest.mark.parametrize(
        "built",
        [
            random_image(seed=1),
            random_image(format="docker", seed=1),
            index_of(random_image(seed=1), random_image(seed=2)),
            artifact(),
        ],
        ids=["oci", "docker", "index", "artifact"],
    )
    def test_content_is_read_back_byte_for_byte(self, rig: Rig, built: Built) -> None:
        fill(rig, built, "v1")
        again = rig.reopen()
        for descriptor, content in built.contents:
            assert read(again, descriptor) == content

    @pytest.mark.parametrize("offset", [1, 999, 1000, -1, 0])
    def test_content_can_be_read_from_an_offset(self, rig: Rig, offset: int) -> None:
        image = random_image(seed=1)
        fill(rig, image, "v1")
        descriptor, content = image.blobs[0]
        start = offset if offset >= 0 else len(content) + offset
        assert read(rig.place, descriptor, start) == content[start:]

    def test_content_can_be_opened_several_times_at_once(self, rig: Rig) -> None:
        image = random_image(seed=1)
        fill(rig, image, "v1")
        descriptor, content = image.blobs[0]
        first = rig.place.open(descriptor)
        try:
            head = first.read(10)
            assert read(rig.place, descriptor) == content
            rest = b"".join(iter(lambda: first.read(700), b""))
        finally:
            first.close()
        assert head + rest == content

    def test_several_threads_can_read(self, rig: Rig) -> None:
        image = random_image(layers=6, size=20_000, seed=1)
        fill(rig, image, "v1")
        with ThreadPoolExecutor(6) as pool:
            got = list(pool.map(lambda pair: read(rig.place, pair[0]), image.contents))
        assert got == [content for _, content in image.contents]

    def test_missing_content_is_not_found(self, rig: Rig) -> None:
        fill(rig, random_image(seed=1), "v1")
        with pytest.raises(NotFoundError):
            read(rig.place, ABSENT)

    def test_a_stream_can_be_closed_twice(self, rig: Rig) -> None:
        image = random_image(seed=1)
        fill(rig, image, "v1")
        stream = rig.place.open(image.root)
        stream.close()
        stream.close()

    def test_each_tag_is_listed_once(self, rig: Rig) -> None:
        if not isinstance(rig.place, Lister):
            pytest.skip("this place does not list")
        for tag in ("one", "two"):
            fill(rig, random_image(seed=1), tag)
        assert sorted(rig.place.tags()) == sorted([rig.name("one"), rig.name("two")])

    def test_a_place_describes_itself(self, rig: Rig) -> None:
        assert rig.place.label.strip()


class SinkSuite:
    """The contract of every sink; subclasses define the fixture ``rig``."""

    def test_only_written_content_exists(self, rig: Rig) -> None:
        image = random_image(seed=1)
        fill(rig, image, "v1")
        assert all(rig.place.exists(descriptor) for descriptor, _ in image.contents)
        assert not rig.place.exists(ABSENT)

    def test_an_empty_place_has_no_content(self, rig: Rig) -> None:
        image = random_image(seed=1)
        assert not any(rig.place.exists(descriptor) for descriptor, _ in image.contents)

    def test_empty_content_can_be_written(self, rig: Rig) -> None:
        descriptor = Descriptor.of(b"", "application/octet-stream")
        rig.place.write(Content(ScriptedSource(b""), descriptor))
        assert rig.place.exists(descriptor)

    def test_content_with_a_sha512_digest_can_be_written(self, rig: Rig) -> None:
        data = b"sha512" * 1000
        descriptor = Descriptor("application/octet-stream", Digest.of(data, "sha512"), len(data))
        rig.place.write(Content(ScriptedSource(data), descriptor))
        assert read(rig.place, descriptor) == data

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            (b"x" * 5000, DigestMismatchError),
            (b"a" * 4999, SizeMismatchError),
            (b"a" * 5001, SizeMismatchError),
            (b"", SizeMismatchError),
        ],
        ids=["other bytes", "too short", "too long", "nothing"],
    )
    def test_wrong_bytes_are_refused_and_never_visible(
        self, rig: Rig, data: bytes, error: type[IntegrityError]
    ) -> None:
        descriptor = Descriptor.of(b"a" * 5000, "application/octet-stream")
        with pytest.raises(error):
            rig.place.write(Content(ScriptedSource(data), descriptor))
        self._assert_absent(rig, descriptor)

    def test_content_is_not_visible_before_its_last_byte(self, rig: Rig) -> None:
        descriptor = Descriptor.of(b"a" * 5000, "application/octet-stream")
        seen: list[bool] = []

        def watch(position: int) -> None:
            if position < descriptor.size:
                seen.append(rig.reopen().exists(descriptor))

        rig.place.write(Content(ScriptedSource(b"a" * 5000), descriptor, watch=watch))
        assert not any(seen)
        assert rig.reopen().exists(descriptor)

    def test_a_failed_write_leaves_nothing_and_can_be_repeated(self, rig: Rig) -> None:
        data = bytes(range(250)) * 20
        descriptor = Descriptor.of(data, "application/octet-stream")
        with pytest.raises(BrokenOnPurposeError):
            rig.place.write(Content(ScriptedSource(data, break_at=2000), descriptor))
        self._assert_absent(rig, descriptor)
        rig.place.write(Content(ScriptedSource(data), descriptor))
        assert read(rig.place, descriptor) == data

    def test_wrong_bytes_are_not_reused_on_retry(self, rig: Rig) -> None:
        data = bytes(range(250)) * 20
        descriptor = Descriptor.of(data, "application/octet-stream")
        with pytest.raises(DigestMismatchError):
            rig.place.write(Content(ScriptedSource(bytes(5000)), descriptor))
        rig.place.write(Content(ScriptedSource(data), descriptor))
        assert read(rig.place, descriptor) == data

    def test_writing_twice_changes_nothing(self, rig: Rig) -> None:
        data = b"twice" * 100
        descriptor = Descriptor.of(data, "application/octet-stream")
        for _ in range(2):
            rig.place.write(Content(ScriptedSource(data), descriptor))
        assert read(rig.place, descriptor) == data

    def test_a_failed_tag_keeps_the_old_image(self, rig: Rig) -> None:
        old, new = random_image(seed=1), random_image(seed=2)
        fill(rig, old, "v1")
        memory = MemoryPlace()
        new.into(memory)
        for descriptor, _ in new.blobs:
            rig.place.write(Content(memory, descriptor))
        broken = Content(ScriptedSource(b"?" * new.root.size), new.root)
        with pytest.raises(DigestMismatchError):
            rig.place.tag(broken, rig.name("v1"))
        assert rig.reopen().resolve(rig.name("v1")).digest == old.root.digest

    def test_moving_a_tag_keeps_the_old_image_complete(self, rig: Rig) -> None:
        old, new = random_image(seed=1), random_image(seed=2)
        fill(rig, old, "v1")
        fill(rig, new, "v1")
        again = rig.reopen()
        assert again.resolve(rig.name("v1")).digest == new.root.digest
        assert all(read(again, descriptor) == content for descriptor, content in old.contents)

    def test_a_reader_sees_either_the_old_or_the_new_image(self, rig: Rig) -> None:
        images = [random_image(seed=1), random_image(seed=2)]
        fill(rig, images[0], "v1")
        done = threading.Event()
        seen: set[Digest] = set()

        def look() -> None:
            place = rig.reopen()
            while not done.is_set():
                seen.add(place.resolve(rig.name("v1")).digest)

        with ThreadPoolExecutor(1) as pool:
            looking = pool.submit(look)
            for number in range(6):
                fill(rig, images[(number + 1) % 2], "v1")
            done.set()
            looking.result(timeout=30)
        assert seen <= {image.root.digest for image in images}

    def test_one_image_can_have_several_names(self, rig: Rig) -> None:
        image = random_image(seed=1)
        for tag in ("v1", "v2"):
            fill(rig, image, tag)
        found = {rig.place.resolve(rig.name(tag)).digest for tag in ("v1", "v2")}
        assert found == {image.root.digest}

    def test_a_manifest_without_its_children_does_not_exist(self, rig: Rig) -> None:
        memory = MemoryPlace()
        image = random_image(seed=1).into(memory)
        with contextlib.suppress(GhcrctlError):
            rig.place.tag(Content(memory, image.root), rig.name("v1"))
        assert not rig.reopen().exists(image.root)

    def test_a_manifest_without_its_foreign_layers_exists(self, rig: Rig) -> None:
        image = random_image(foreign=True, seed=1)
        fill(rig, image, "v1")
        assert rig.reopen().exists(image.root)

    def test_several_threads_can_write(self, rig: Rig) -> None:
        image = random_image(layers=6, size=20_000, seed=1)
        memory = MemoryPlace()
        image.into(memory)
        rig.place.reserve([descriptor for descriptor, _ in image.contents])
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda pair: rig.place.write(Content(memory, pair[0])), image.blobs))
        assert all(read(rig.place, descriptor) == content for descriptor, content in image.blobs)

    def test_reserved_content_is_kept(self, rig: Rig) -> None:
        image = random_image(seed=1)
        fill(rig, image, "v1")
        rig.place.reserve([descriptor for descriptor, _ in image.contents])
        assert all(rig.place.exists(descriptor) for descriptor, _ in image.contents)

    def test_content_of_the_wrong_size_does_not_exist(self, rig: Rig) -> None:
        data = b"sized" * 100
        descriptor = Descriptor.of(data, "application/octet-stream")
        lying = replace(descriptor, size=descriptor.size + 1)
        with pytest.raises(SizeMismatchError):
            rig.place.write(Content(ScriptedSource(data), lying))
        self._assert_absent(rig, descriptor)

    def _assert_absent(self, rig: Rig, descriptor: Descriptor) -> None:
        for place in (rig.place, rig.reopen()):
            assert not place.exists(descriptor)
            with pytest.raises(NotFoundError):
                read(place, descriptor)
