"""What a plan knows before anything moves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory import MemoryPlace
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


def test_into_an_empty_sink_everything_moves_children_first() -> None:
    index = index_of(random_image(seed=1), random_image(platform=ARM64, seed=2))
    plan = make_plan(source_of(index), RecordingSink(), index.root)
    assert {step.descriptor.digest for step in plan.steps} == {d.digest for d, _ in index.contents}
    assert plan.bytes_to_move == sum(len(content) for _, content in index.contents)
    assert [step.level for step in plan.steps] == sorted(step.level for step in plan.steps)
    assert plan.steps[-1].descriptor == index.root
    assert not plan.is_up_to_date


def test_layers_are_told_from_configs() -> None:
    image = random_image(3)
    plan = make_plan(source_of(image), RecordingSink(), image.root)
    assert sum(step.is_layer for step in plan.steps) == 3


def test_of_a_manifest_that_is_there_nothing_below_is_asked_for() -> None:
    index = index_of(random_image(seed=1), random_image(platform=ARM64, seed=2))
    sink = RecordingSink()
    index.into(sink)
    plan = make_plan(source_of(index), sink, index.root)
    assert plan.is_up_to_date
    assert plan.bytes_to_move == 0
    assert sink.acts("exists") == [index.root.digest]
    assert plan.bytes_there == sum(len(content) for _, content in index.contents)


def test_what_one_image_has_is_not_moved_for_another_that_shares_it() -> None:
    image = random_image(3)
    sink = RecordingSink()
    for descriptor, content in image.blobs[:2]:
        sink.put(descriptor, content)
    plan = make_plan(source_of(image), sink, image.root)
    there = {step.descriptor.digest for step in plan.steps if step.action is Action.EXISTS}
    assert there == {descriptor.digest for descriptor, _ in image.blobs[:2]}


def test_everything_is_reserved_before_it_is_asked_for() -> None:
    image = random_image()

    class Strict(RecordingSink):
        def exists(self, descriptor: Descriptor) -> bool:
            assert descriptor.digest in self.reserved
            return super().exists(descriptor)

    make_plan(source_of(image), Strict(), image.root)


@pytest.mark.parametrize("skip", [True, False])
def test_foreign_layers_are_left_out_only_when_told(skip: bool) -> None:
    image = random_image(2, foreign=True)
    source = source_of(image)
    plan = make_plan(source, RecordingSink(), image.root, skip_foreign=skip)
    [foreign] = [step for step in plan.steps if step.descriptor.is_foreign]
    assert foreign.action is (Action.SKIP if skip else Action.COPY)


def test_a_foreign_layer_that_was_left_out_before_is_fetched_now() -> None:
    image = random_image(2, foreign=True)
    sink = RecordingSink()
    image.into(sink)
    plan = make_plan(source_of(image), sink, image.root)
    assert [s.descriptor.is_foreign for s in plan.steps if s.action is Action.COPY] == [True]


def test_a_shared_child_is_one_step() -> None:
    shared = random_image(seed=1)
    nested = index_of(index_of(shared), shared)
    plan = make_plan(source_of(nested), RecordingSink(), nested.root)
    digests = [step.descriptor.digest for step in plan.steps]
    assert len(digests) == len(set(digests))


def test_indexes_that_are_nested_too_deep_are_refused() -> None:
    built = random_image()
    for _ in range(MAX_DEPTH + 1):
        built = index_of(built)
    with pytest.raises(InvalidManifestError, match="deep"):
        make_plan(source_of(built), RecordingSink(), built.root)


def test_one_digest_with_two_sizes_is_refused() -> None:
    image = random_image(1)
    body = json.loads(image.raw)
    body["layers"].append({**body["layers"][0], "size": body["layers"][0]["size"] + 1})
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, media_types.OCI_MANIFEST)
    with pytest.raises(InvalidManifestError, match="two different sizes"):
        make_plan(source_of(Built(root, ((root, raw),))), RecordingSink(), root)


def test_a_manifest_that_cannot_be_read_says_which_side_failed() -> None:
    image = random_image()
    source = source_of(image)
    source.put(image.root, b"?" * image.root.size)
    with pytest.raises(DigestMismatchError) as caught:
        make_plan(source, RecordingSink(), image.root)
    assert caught.value.side == "reading from the source"
    with pytest.raises(NotFoundError):
        make_plan(MemoryPlace(), RecordingSink(), image.root)


def test_a_sink_that_fails_says_which_side_failed() -> None:
    class Broken(RecordingSink):
        def exists(self, descriptor: Descriptor) -> bool:
            raise GhcrctlError(f"no answer about {descriptor.digest}")

    image = artifact()
    with pytest.raises(GhcrctlError) as caught:
        make_plan(source_of(image), Broken(), image.root)
    assert caught.value.side == "writing to the sink"


class ResumingSink(RecordingSink):
    """A sink that kept bytes of interrupted transfers."""

    def __init__(self, kept: dict[Digest, int]) -> None:
        super().__init__()
        self._kept = kept

    def received(self, descriptor: Descriptor) -> int:
        assert not descriptor.is_manifest
        return self._kept.get(descriptor.digest, 0)


def test_what_a_sink_kept_need_not_move() -> None:
    image = random_image(2)
    first, second = (descriptor for descriptor, _ in image.blobs[:2])
    sink = ResumingSink({first.digest: 7, second.digest: second.size + 5})
    plan = make_plan(source_of(image), sink, image.root)
    received = {step.descriptor: step.received for step in plan.steps if step.received}
    assert received == {first: 7, second: second.size}
    everything = sum(len(content) for _, content in image.contents)
    assert plan.bytes_to_move == everything - 7 - second.size
    assert plan.bytes_there == 7 + second.size


def test_what_is_there_was_not_kept_as_well() -> None:
    image = random_image(2)
    first = image.blobs[0][0]
    sink = ResumingSink({first.digest: 7})
    sink.put(*image.blobs[0])
    plan = make_plan(source_of(image), sink, image.root)
    assert plan.bytes_there == first.size
    assert [step.received for step in plan.steps] == [0] * len(plan.steps)


def test_what_can_be_mounted_need_not_move() -> None:
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
    assert found.bytes_there == there.size
    assert other in {s.descriptor for s in found.steps if s.bytes_to_move}
    assert plan.with_mounts({}) is plan
    plain = make_plan(source_of(image), RecordingSink(), image.root)
    assert plain.with_mounts(known) is plain


def without_urls(image: Built) -> Built:
    """Return an image whose foreign layer names no place that has it."""
    body = json.loads(image.raw)
    del body["layers"][0]["urls"]
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, image.root.media_type)
    return Built(root, (*image.contents[:-1], (root, raw)))


def test_a_foreign_layer_without_an_address_is_copied() -> None:
    image = without_urls(random_image(2, foreign=True))
    source = source_of(image)
    plan = make_plan(source, RecordingSink(), image.root, skip_foreign=True)
    assert [s.action for s in plan.steps if s.descriptor.is_foreign] == [Action.COPY]


def test_a_foreign_layer_that_the_source_does_not_have_may_be_left_out() -> None:
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
def test_below_a_manifest_that_is_there_only_foreign_layers_are_asked_for(skip: bool) -> None:
    image = random_image(2, foreign=True)
    index = index_of(image)
    sink = RecordingSink()
    index.into(sink)
    plan = make_plan(source_of(index), sink, index.root, skip_foreign=skip)
    [foreign] = [s for s in plan.steps if s.descriptor.is_foreign]
    asked = [index.root.digest] if skip else [index.root.digest, foreign.descriptor.digest]
    assert sink.acts("exists") == asked
    assert (foreign.action is Action.SKIP) is skip


def test_indexes_may_be_nested_as_deep_as_allowed() -> None:
    built = random_image()
    for _ in range(MAX_DEPTH - 1):
        built = index_of(built)
    plan = make_plan(source_of(built), RecordingSink(), built.root)
    assert plan.steps[-1].level == MAX_DEPTH


def test_levels_are_one_above_the_highest_child() -> None:
    shared = random_image(seed=1)
    nested = index_of(index_of(shared), shared)
    plan = make_plan(source_of(nested), RecordingSink(), nested.root)
    levels = {step.descriptor.digest: step.level for step in plan.steps}
    assert levels[shared.root.digest] == 1
    assert levels[nested.root.digest] == 3
    assert {levels[descriptor.digest] for descriptor, _ in shared.blobs} == {0}


@pytest.mark.parametrize("limit", ["MAX_PIECES", "MAX_MANIFESTS"])
def test_an_image_may_be_as_large_as_allowed(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    image = random_image(2)
    size = len(image.contents) if limit == "MAX_PIECES" else image.root.size
    monkeypatch.setattr(planning, limit, size)
    make_plan(source_of(image), RecordingSink(), image.root)
    monkeypatch.setattr(planning, limit, size - 1)
    with pytest.raises(InvalidManifestError, match="refers to more than"):
        make_plan(source_of(image), RecordingSink(), image.root)


def test_a_plan_that_is_not_carried_out_reserves_nothing() -> None:
    image, sink = random_image(1), RecordingSink()
    make_plan(source_of(image), sink, image.root, reserve=False)
    assert sink.reserved == []
    make_plan(source_of(image), sink, image.root)
    assert set(sink.reserved) == {d.digest for d, _ in image.contents}


def test_of_a_graph_only_what_is_missing_makes_it_out_of_date() -> None:
    image = random_image(1)
    sink = RecordingSink()
    for descriptor, content in image.blobs:
        sink.put(descriptor, content)
    plan = make_plan(source_of(image), sink, image.root)
    assert not plan.is_up_to_date
    assert plan.bytes_to_move == image.root.size
    assert plan.bytes_there == sum(descriptor.size for descriptor, _ in image.blobs)


def test_an_index_of_nothing_is_one_level_above_blobs() -> None:
    raw = b'{"schemaVersion": 2, "manifests": []}'
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    plan = make_plan(source_of(Built(root, ((root, raw),))), RecordingSink(), root)
    assert [step.level for step in plan.steps] == [1]


def test_a_foreign_layer_that_the_source_has_is_copied() -> None:
    image = random_image(2, foreign=True)
    source = source_of(image)
    plan = make_plan(source, RecordingSink(), image.root)
    [foreign] = [s.descriptor for s in plan.steps if s.descriptor.is_foreign]
    source.put(foreign, bytes(foreign.size))
    plan = make_plan(source, RecordingSink(), image.root, optional_foreign=True)
    assert [s.action for s in plan.steps if s.descriptor == foreign] == [Action.COPY]
