"""What a plan knows before anything moves."""

from __future__ import annotations

import json

import pytest

from ghcrctl.content.memory import MemoryPlace
from ghcrctl.errors import DigestMismatchError, GhcrctlError, InvalidManifestError, NotFoundError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.platform import Platform
from ghcrctl.transfer.plan import MAX_DEPTH, Action, make_plan
from tests.builders import Built, artifact, index_of, random_image
from tests.unit.transfer.places import RecordingSink, source_of

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
    image = random_image(2)
    plan = make_plan(source_of(image), RecordingSink(), image.root)
    assert sum(step.is_layer for step in plan.steps) == 2


def test_of_a_manifest_that_is_there_nothing_below_is_asked_for() -> None:
    index = index_of(random_image(seed=1), random_image(platform=ARM64, seed=2))
    sink = RecordingSink()
    index.into(sink)
    plan = make_plan(source_of(index), sink, index.root)
    assert plan.is_up_to_date
    assert plan.bytes_to_move == 0
    assert sink.acts("exists") == [index.root.digest]


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
