"""Plans of transfers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import DigestMismatchError, GhcrctlError, InvalidManifestError, NotFoundError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.platform import Platform
from ghcrctl.transfer import plan as planning
from ghcrctl.transfer.plan import MAX_DEPTH, Action, make_plan
from tests.builders import Built, artifact, index_of, random_image
from tests.unit.transfer.places import CountingSource, MountingSink, RecordingSink, source_of

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest

ARM64 = Platform("linux", "arm64")


def test_everything_is_copied_into_an_empty_sink_children_first() -> None:
    index = index_of(random_image(seed=1), random_image(platform=ARM64, seed=2))
    plan = make_plan(source_of(index), RecordingSink(), index.root)
    assert {step.descriptor.digest for step in plan.steps} == {d.digest for d, _ in index.contents}
    assert plan.bytes_to_move == sum(len(content) for _, content in index.contents)
    assert [step.level for step in plan.steps] == sorted(step.level for step in plan.steps)
    assert plan.steps[-1].descriptor == index.root
    assert not plan.is_up_to_date


def test_only_layers_are_marked_as_layers() -> None:
    image = random_image(3)
    plan = make_plan(source_of(image), RecordingSink(), image.root)
    assert sum(step.is_layer for step in plan.steps) == 3


def test_descendants_of_an_existing_manifest_are_not_checked() -> None:
    index = index_of(random_image(seed=1), random_image(platform=ARM64, seed=2))
    sink = RecordingSink()
    index.into(sink)
    plan = make_plan(source_of(index), sink, index.root)
    assert plan.is_up_to_date
    assert plan.bytes_to_move == 0
    assert sink.acts("exists") == [index.root.digest]
    assert plan.bytes_present == sum(len(content) for _, content in index.contents)


def test_shared_blobs_are_not_copied_again() -> None:
    image = random_image(3)
    sink = RecordingSink()
    for descriptor, content in image.blobs[:2]:
        sink.put(descriptor, content)
    plan = make_plan(source_of(image), sink, image.root)
    there = {step.descriptor.digest for step in plan.steps if step.action is Action.EXISTS}
    assert there == {descriptor.digest for descriptor, _ in image.blobs[:2]}


def test_content_is_reserved_before_it_is_checked() -> None:
    image = random_image()

    class Strict(RecordingSink):
        def exists(self, descriptor: Descriptor) -> bool:
            assert descriptor.digest in self.reserved
            return super().exists(descriptor)

    make_plan(source_of(image), Strict(), image.root)


@pytest.mark.parametrize("skip", [True, False])
def test_foreign_layers_are_skipped_only_if_requested(skip: bool) -> None:
    image = random_image(2, foreign=True)
    source = source_of(image)
    plan = make_plan(source, RecordingSink(), image.root, skip_foreign=skip)
    [foreign] = [step for step in plan.steps if step.descriptor.is_foreign]
    assert foreign.action is (Action.SKIP if skip else Action.COPY)


def test_missing_foreign_layer_is_copied() -> None:
    image = random_image(2, foreign=True)
    sink = RecordingSink()
    image.into(sink)
    plan = make_plan(source_of(image), sink, image.root)
    assert [s.descriptor.is_foreign for s in plan.steps if s.action is Action.COPY] == [True]


def test_shared_child_is_one_step() -> None:
    shared = random_image(seed=1)
    nested = index_of(index_of(shared), shared)
    plan = make_plan(source_of(nested), RecordingSink(), nested.root)
    digests = [step.descriptor.digest for step in plan.steps]
    assert len(digests) == len(set(digests))


def test_too_deeply_nested_indexes_are_rejected() -> None:
    built = random_image()
    for _ in range(MAX_DEPTH + 1):
        built = index_of(built)
    with pytest.raises(InvalidManifestError, match="deep"):
        make_plan(source_of(built), RecordingSink(), built.root)


def test_digest_with_two_sizes_is_rejected() -> None:
    image = random_image(1)
    body = json.loads(image.raw)
    body["layers"].append({**body["layers"][0], "size": body["layers"][0]["size"] + 1})
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, media_types.OCI_MANIFEST)
    with pytest.raises(InvalidManifestError, match="different sizes"):
        make_plan(source_of(Built(root, ((root, raw),))), RecordingSink(), root)


def test_unreadable_manifest_error_names_the_source() -> None:
    image = random_image()
    source = source_of(image)
    source.put(image.root, b"?" * image.root.size)
    with pytest.raises(DigestMismatchError) as caught:
        make_plan(source, RecordingSink(), image.root)
    assert caught.value.side == "reading from the source"
    with pytest.raises(NotFoundError):
        make_plan(MemoryPlace(), RecordingSink(), image.root)


def test_failing_sink_error_names_the_sink() -> None:
    class Broken(RecordingSink):
        def exists(self, descriptor: Descriptor) -> bool:
            raise GhcrctlError(f"no answer about {descriptor.digest}")

    image = artifact()
    with pytest.raises(GhcrctlError) as caught:
        make_plan(source_of(image), Broken(), image.root)
    assert caught.value.side == "writing to the sink"


class ResumingSink(RecordingSink):
    """A sink that keeps bytes of interrupted transfers."""

    def __init__(self, kept: dict[Digest, int]) -> None:
        super().__init__()
        self._kept = kept

    def received(self, descriptor: Descriptor) -> int:
        assert not descriptor.is_manifest
        return self._kept.get(descriptor.digest, 0)


def test_bytes_kept_by_the_sink_are_not_copied() -> None:
    image = random_image(2)
    first, second = (descriptor for descriptor, _ in image.blobs[:2])
    sink = ResumingSink({first.digest: 7, second.digest: second.size + 5})
    plan = make_plan(source_of(image), sink, image.root)
    received = {step.descriptor: step.received for step in plan.steps if step.received}
    assert received == {first: 7, second: second.size}
    everything = sum(len(content) for _, content in image.contents)
    assert plan.bytes_to_move == everything - 7 - second.size
    assert plan.bytes_present == 7 + second.size


def test_existing_content_has_no_received_bytes() -> None:
    image = random_image(2)
    first = image.blobs[0][0]
    sink = ResumingSink({first.digest: 7})
    sink.put(*image.blobs[0])
    plan = make_plan(source_of(image), sink, image.root)
    assert plan.bytes_present == first.size
    assert [step.received for step in plan.steps] == [0] * len(plan.steps)


def test_mountable_blobs_are_not_copied() -> None:
    image = random_image(3)
    there, mounted, other = (descriptor for descriptor, _ in image.blobs[:3])
    sink = MountingSink({})
    sink.put(*image.blobs[0])
    known = {d.digest: ("octo/other",) for d in (there, mounted, image.root)}
    plan = make_plan(source_of(image), sink, image.root)
    found = plan.with_mounts(known)
    assert {s.descriptor: s.mount_from for s in found.steps if s.mount_from} == {
        mounted: ("octo/other",)
    }
    assert found.bytes_to_mount == mounted.size
    assert found.bytes_to_move == plan.bytes_to_move - mounted.size
    assert found.bytes_present == there.size
    assert other in {s.descriptor for s in found.steps if s.bytes_to_move}
    assert plan.with_mounts({}) is plan
    plain = make_plan(source_of(image), RecordingSink(), image.root)
    assert plain.with_mounts(known) is plain


def without_urls(image: Built) -> Built:
    """Return an image whose foreign layer has no URLs."""
    body = json.loads(image.raw)
    del body["layers"][0]["urls"]
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, image.root.media_type)
    return Built(root, (*image.contents[:-1], (root, raw)))


def test_foreign_layer_without_urls_is_copied() -> None:
    image = without_urls(random_image(2, foreign=True))
    source = source_of(image)
    plan = make_plan(source, RecordingSink(), image.root, skip_foreign=True)
    assert [s.action for s in plan.steps if s.descriptor.is_foreign] == [Action.COPY]


def test_foreign_layer_missing_at_the_source_may_be_skipped() -> None:
    image = random_image(2, foreign=True)
    source = source_of(image)
    plan = make_plan(source, RecordingSink(), image.root)
    [foreign] = [s.descriptor for s in plan.steps if s.descriptor.is_foreign]
    lacking = CountingSource("the source")
    for descriptor, content in image.contents:
        if descriptor != foreign:
            lacking.put(descriptor, content)
    plan = make_plan(lacking, RecordingSink(), image.root, optional_foreign=True)
    [step] = [s for s in plan.steps if s.descriptor == foreign]
    assert step.action is Action.SKIP
    assert step.bytes_to_move == 0
    assert not plan.is_up_to_date
    assert lacking.opened == [image.root.digest, foreign.digest]
    plan = make_plan(lacking, RecordingSink(), image.root)
    assert [s.action for s in plan.steps if s.descriptor == foreign] == [Action.COPY]


@pytest.mark.parametrize("skip", [True, False])
def test_only_foreign_layers_of_an_existing_manifest_are_checked(skip: bool) -> None:
    image = random_image(2, foreign=True)
    index = index_of(image)
    sink = RecordingSink()
    index.into(sink)
    plan = make_plan(source_of(index), sink, index.root, skip_foreign=skip)
    [foreign] = [s for s in plan.steps if s.descriptor.is_foreign]
    requested = [index.root.digest] if skip else [index.root.digest, foreign.descriptor.digest]
    assert sink.acts("exists") == requested
    assert (foreign.action is Action.SKIP) is skip


def test_indexes_may_be_nested_up_to_the_limit() -> None:
    built = random_image()
    for _ in range(MAX_DEPTH - 1):
        built = index_of(built)
    plan = make_plan(source_of(built), RecordingSink(), built.root)
    assert plan.steps[-1].level == MAX_DEPTH


def test_level_is_one_above_the_highest_child() -> None:
    shared = random_image(seed=1)
    nested = index_of(index_of(shared), shared)
    plan = make_plan(source_of(nested), RecordingSink(), nested.root)
    levels = {step.descriptor.digest: step.level for step in plan.steps}
    assert levels[shared.root.digest] == 1
    assert levels[nested.root.digest] == 3
    assert {levels[descriptor.digest] for descriptor, _ in shared.blobs} == {0}


@pytest.mark.parametrize("limit", ["MAX_DESCRIPTORS", "MAX_MANIFESTS"])
def test_size_of_an_image_is_limited(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    image = random_image(2)
    size = len(image.contents) if limit == "MAX_DESCRIPTORS" else image.root.size
    monkeypatch.setattr(planning, limit, size)
    make_plan(source_of(image), RecordingSink(), image.root)
    monkeypatch.setattr(planning, limit, size - 1)
    with pytest.raises(InvalidManifestError, match="image is too large"):
        make_plan(source_of(image), RecordingSink(), image.root)


def test_plan_without_reserve_reserves_nothing() -> None:
    image, sink = random_image(1), RecordingSink()
    make_plan(source_of(image), sink, image.root, reserve=False)
    assert sink.reserved == []
    make_plan(source_of(image), sink, image.root)
    assert set(sink.reserved) == {d.digest for d, _ in image.contents}


def test_plan_is_up_to_date_if_nothing_is_missing() -> None:
    image = random_image(1)
    sink = RecordingSink()
    for descriptor, content in image.blobs:
        sink.put(descriptor, content)
    plan = make_plan(source_of(image), sink, image.root)
    assert not plan.is_up_to_date
    assert plan.bytes_to_move == image.root.size
    assert plan.bytes_present == sum(descriptor.size for descriptor, _ in image.blobs)


def test_empty_index_is_one_level_above_blobs() -> None:
    raw = b'{"schemaVersion": 2, "manifests": []}'
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    plan = make_plan(source_of(Built(root, ((root, raw),))), RecordingSink(), root)
    assert [step.level for step in plan.steps] == [1]


def test_foreign_layer_of_the_source_is_copied() -> None:
    image = random_image(2, foreign=True)
    source = source_of(image)
    plan = make_plan(source, RecordingSink(), image.root)
    [foreign] = [s.descriptor for s in plan.steps if s.descriptor.is_foreign]
    source.put(foreign, bytes(foreign.size))
    plan = make_plan(source, RecordingSink(), image.root, optional_foreign=True)
    assert [s.action for s in plan.steps if s.descriptor == foreign] == [Action.COPY]
