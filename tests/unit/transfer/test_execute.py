"""The execution of plans."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.errors import (
    ConnectionLostError,
    DigestMismatchError,
    GhcrctlError,
    InterruptedByUserError,
)
from ghcrctl.oci.platform import Platform
from ghcrctl.transfer import execute as executing
from ghcrctl.transfer.events import (
    Failed,
    Finished,
    Outcome,
    Planned,
    Progressed,
    Retrying,
    Started,
)
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan
from ghcrctl.transfer.workers import Workers
from tests.builders import index_of, random_image
from tests.unit.transfer.places import MountingSink, RecordingSink, source_of

if TYPE_CHECKING:
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.transfer.events import Event

QUICK = TransferOptions(retry=RetryPolicy(attempts=3, base=0.001))
IMAGE = random_image(3, seed=7)


def test_children_are_copied_before_parents_and_tags_last() -> None:
    index = index_of(random_image(seed=1), random_image(platform=Platform("linux", "arm64")))
    sink = RecordingSink()
    execute(make_plan(source_of(index), sink, index.root, names=("a", "b")))
    written = sink.acts("write")
    ranks = {d.digest: 2 if d.is_index else int(d.is_manifest) for d, _ in index.contents}
    assert [ranks[digest] for digest in written if not isinstance(digest, str)] == sorted(
        ranks[digest] for digest in written if not isinstance(digest, str)
    )
    assert [act for act, _ in sink.log][-1] == "tag"
    assert sink.acts("tag") == ["a", "b"]
    assert sink.resolve("b").digest == index.root.digest


def test_each_digest_is_copied_once_and_manifests_are_read_once() -> None:
    shared = random_image(seed=1)
    nested = index_of(index_of(shared), shared)
    source, sink = source_of(nested), RecordingSink()
    execute(make_plan(source, sink, nested.root, names=("a",)))
    assert sorted(map(str, source.opened)) == sorted({str(d.digest) for d, _ in nested.contents})


def test_blobs_are_copied_in_parallel() -> None:
    source = source_of(IMAGE)
    blobs = len(IMAGE.blobs)
    meeting = threading.Barrier(blobs, timeout=20)

    def meet(descriptor: Descriptor) -> None:
        if not descriptor.is_manifest:
            meeting.wait()

    source.on_open = meet
    with Workers(blobs) as workers:
        execute(make_plan(source, RecordingSink(), IMAGE.root), TransferOptions(workers))


def test_retryable_error_is_retried_with_lower_position() -> None:
    source, sink = source_of(IMAGE), RecordingSink()
    layer = IMAGE.blobs[0][0]
    source.failures[layer.digest] = [ConnectionLostError("cut", retryable=True)] * 2
    events: list[Event] = []
    execute(make_plan(source, sink, IMAGE.root), QUICK, events.append)
    retries = [e for e in events if isinstance(e, Retrying)]
    assert [e.step.descriptor.digest for e in retries] == [layer.digest] * 2
    assert retries[0].error.side == "reading from the source"
    assert sink.exists(IMAGE.root)


@pytest.mark.parametrize(
    ("error", "opened"),
    [
        (ConnectionLostError("cut", retryable=True), 3),
        (DigestMismatchError("other bytes"), 1),
    ],
)
def test_first_failure_is_raised_and_no_tag_changes(error: GhcrctlError, opened: int) -> None:
    source, sink = source_of(IMAGE), RecordingSink()
    layer = IMAGE.blobs[0][0]
    source.failures[layer.digest] = [error] * 9
    with pytest.raises(type(error)) as caught:
        execute(make_plan(source, sink, IMAGE.root, names=("a",)), QUICK)
    assert caught.value.side == "reading from the source"
    assert source.opened.count(layer.digest) == opened
    assert sink.acts("tag") == []
    assert IMAGE.root.digest not in sink.acts("write")


def test_error_names_the_failing_sink() -> None:
    class Full(RecordingSink):
        def write(self, content: Content) -> None:
            raise GhcrctlError(f"no space for {content.descriptor.digest}")

    with pytest.raises(GhcrctlError) as caught:
        execute(make_plan(source_of(IMAGE), Full(), IMAGE.root))
    assert caught.value.side == "writing to the sink"


def test_other_steps_stop_after_a_failure() -> None:
    source, sink = source_of(random_image(8, size=4_000_000, seed=3)), RecordingSink()
    image = random_image(8, size=4_000_000, seed=3)
    first = image.blobs[0][0]
    source.failures[first.digest] = [GhcrctlError("broken")]
    with pytest.raises(GhcrctlError, match="broken"), Workers(2) as workers:
        execute(make_plan(source, sink, image.root), TransferOptions(workers))
    assert len(sink.acts("write")) < len(image.blobs) - 1


def test_mounted_blobs_are_not_read() -> None:
    source = source_of(IMAGE)
    layer = IMAGE.blobs[0][0]
    sink = MountingSink({layer.digest: "octo/other"})
    sink.put(*IMAGE.blobs[0])
    fresh = MountingSink({layer.digest: "octo/other"})
    events: list[Event] = []
    options = TransferOptions(mount_from={layer.digest: ("octo/none", "octo/other")})
    execute(make_plan(source, fresh, IMAGE.root), options, events.append)
    mounted = [e for e in events if isinstance(e, Finished) and e.outcome is Outcome.MOUNTED]
    assert [(e.step.descriptor, e.mounted_from) for e in mounted] == [(layer, "octo/other")]
    assert layer.digest not in source.opened


def test_events_are_complete_and_in_order() -> None:
    events: list[Event] = []
    sink = RecordingSink()
    sink.put(*IMAGE.blobs[0])
    plan = make_plan(source_of(IMAGE), sink, IMAGE.root, names=("a",))
    execute(plan, QUICK, events.append)
    assert events[0] == Planned(plan)
    for step in plan.steps:
        own = [e for e in events[1:] if not isinstance(e, Planned) and e.step == step]
        assert isinstance(own[-1], Finished)
        assert sum(isinstance(e, Finished) for e in own) == 1
        if step.descriptor.digest == IMAGE.blobs[0][0].digest:
            assert own == [Finished(step, Outcome.EXISTS)]
        elif step.descriptor != IMAGE.root:
            assert isinstance(own[0], Started)
            assert [e.position for e in own if isinstance(e, Progressed)][
                -1
            ] == step.descriptor.size


def test_failed_step_event_has_its_error() -> None:
    source = source_of(IMAGE)
    layer = IMAGE.blobs[0][0]
    source.failures[layer.digest] = [DigestMismatchError("other bytes")]
    events: list[Event] = []
    with pytest.raises(DigestMismatchError) as caught:
        execute(make_plan(source, RecordingSink(), IMAGE.root), QUICK, events.append)
    failed = {e.step.descriptor: e.error for e in events if isinstance(e, Failed)}
    assert failed[layer] is caught.value
    assert not any(isinstance(e, Finished) and e.step.descriptor == layer for e in events)


def test_interrupt_changes_no_tags() -> None:
    sink = RecordingSink()
    plan = make_plan(source_of(IMAGE), sink, IMAGE.root, names=("a",))

    def interrupt(event: Event) -> None:
        if isinstance(event, Started):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(plan, QUICK, interrupt)
    assert sink.acts("tag") == []


def test_blob_that_cannot_be_mounted_is_copied() -> None:
    source, layer = source_of(IMAGE), IMAGE.blobs[0][0]
    sink = MountingSink({})
    options = TransferOptions(mount_from={layer.digest: ("octo/other",)})
    events: list[Event] = []
    execute(make_plan(source, sink, IMAGE.root), options, events.append)
    [done] = [e for e in events if isinstance(e, Finished) and e.step.descriptor == layer]
    assert done.outcome is Outcome.COPIED
    assert done.mounted_from == ""


def test_manifests_are_never_mounted() -> None:
    index = index_of(random_image(seed=1))
    manifests = {d.digest: "octo/other" for d, _ in index.contents if d.is_manifest}
    sink = MountingSink(manifests)
    options = TransferOptions(mount_from=dict.fromkeys(manifests, ("octo/other",)))
    execute(make_plan(source_of(index), sink, index.root), options)
    assert set(manifests) <= set(sink.acts("write"))


def test_sink_without_mounts_receives_everything() -> None:
    layer = IMAGE.blobs[0][0]
    sink = RecordingSink()
    options = TransferOptions(mount_from={layer.digest: ("octo/other",)})
    execute(make_plan(source_of(IMAGE), sink, IMAGE.root), options)
    assert layer.digest in sink.acts("write")


def test_retry_events_have_attempt_numbers() -> None:
    source, layer = source_of(IMAGE), IMAGE.blobs[0][0]
    source.failures[layer.digest] = [
        ConnectionLostError("cut", retryable=True, retry_after=0.0)
    ] * 2
    events: list[Event] = []
    execute(make_plan(source, RecordingSink(), IMAGE.root), QUICK, events.append)
    reported = [(e.attempt, e.attempts) for e in events if isinstance(e, Retrying)]
    assert reported == [(2, 3), (3, 3)]


def test_tagging_existing_content_transfers_no_bytes() -> None:
    sink = RecordingSink()
    IMAGE.into(sink)
    events: list[Event] = []
    plan = make_plan(source_of(IMAGE), sink, IMAGE.root, names=("a", "b"))
    execute(plan, QUICK, events.append)
    assert sink.acts("tag") == ["a", "b"]
    assert not any(isinstance(e, Progressed | Started) for e in events)
    root = [e for e in events if isinstance(e, Finished) and e.step.descriptor == IMAGE.root]
    assert [e.outcome for e in root] == [Outcome.EXISTS]


def test_root_with_several_tags_is_reported_once() -> None:
    sink = RecordingSink()
    plan = make_plan(source_of(IMAGE), sink, IMAGE.root, names=("a", "b"))
    events: list[Event] = []
    execute(plan, QUICK, events.append)
    root = [e for e in events if not isinstance(e, Planned) and e.step.descriptor == IMAGE.root]
    assert sum(isinstance(e, Started) for e in root) == 1
    assert root[-1] == Finished(plan.steps[-1], Outcome.COPIED)


def test_root_without_a_tag_is_written() -> None:
    sink = RecordingSink()
    execute(make_plan(source_of(IMAGE), sink, IMAGE.root), QUICK)
    assert sink.acts("write").count(IMAGE.root.digest) == 1
    assert sink.acts("tag") == []


def test_failed_tag_is_retried_and_reported() -> None:
    class Moody(RecordingSink):
        failures = 2

        def tag(self, content: Content, name: str) -> None:
            if self.failures:
                self.failures -= 1
                raise ConnectionLostError("cut", retryable=True)
            super().tag(content, name)

    sink = Moody()
    execute(make_plan(source_of(IMAGE), sink, IMAGE.root, names=("a",)), QUICK)
    assert sink.acts("tag") == ["a"]
    hopeless = Moody()
    hopeless.failures = 3
    events: list[Event] = []
    plan = make_plan(source_of(IMAGE), hopeless, IMAGE.root, names=("a",))
    with pytest.raises(ConnectionLostError) as caught:
        execute(plan, QUICK, events.append)
    assert caught.value.side == "writing to the sink"
    assert not caught.value.retryable
    failed = [e for e in events if isinstance(e, Failed)]
    assert [e.step.descriptor for e in failed] == [IMAGE.root]


def test_failure_ends_the_pauses_of_other_steps() -> None:
    source = source_of(IMAGE)
    slow, broken = IMAGE.blobs[0][0], IMAGE.blobs[1][0]
    source.failures[slow.digest] = [ConnectionLostError("cut", retryable=True)] * 9
    source.failures[broken.digest] = [GhcrctlError("broken")]
    waiting = threading.Event()

    def hold_back(descriptor: Descriptor) -> None:
        if descriptor == broken:
            assert waiting.wait(30)

    def observe(event: Event) -> None:
        if isinstance(event, Retrying):
            waiting.set()

    source.on_open = hold_back
    patient = RetryPolicy(attempts=9, base=3000.0, cap=3000.0)
    with Workers(8) as workers, pytest.raises(GhcrctlError, match="broken"):
        execute(
            make_plan(source, RecordingSink(), IMAGE.root),
            TransferOptions(workers, retry=patient),
            observe,
        )
    assert source.opened.count(slow.digest) == 1


def test_interrupted_step_is_reported_and_no_tag_is_set() -> None:
    sink = RecordingSink()
    plan = make_plan(source_of(IMAGE), sink, IMAGE.root, names=("a",))
    workers = Workers(2)

    def interrupt(event: Event) -> None:
        if isinstance(event, Started):
            workers._cancelled.set()

    with pytest.raises(InterruptedByUserError):
        execute(plan, TransferOptions(workers), interrupt)
    workers.stop()
    assert sink.acts("tag") == []


def test_observers_get_one_event_at_a_time() -> None:
    busy, overlaps = threading.Lock(), []

    def observe(_event: Event) -> None:
        if not busy.acquire(blocking=False):
            overlaps.append(1)
            return
        threading.Event().wait(0.001)
        busy.release()

    image = random_image(8, size=200_000, seed=5)
    with Workers(8) as workers:
        plan = make_plan(source_of(image), RecordingSink(), image.root)
        execute(plan, TransferOptions(workers), observe)
    assert overlaps == []


def test_content_copied_by_another_plan_exists() -> None:
    source, sink = source_of(IMAGE), RecordingSink()
    plans = [make_plan(source, sink, IMAGE.root, names=(name,)) for name in ("a", "b")]
    events: list[Event] = []
    with Workers(2) as workers:
        execute(plans[0], TransferOptions(workers))
        execute(plans[1], TransferOptions(workers), events.append)
    done = [e for e in events if isinstance(e, Finished) and e.step.descriptor != IMAGE.root]
    assert {e.outcome for e in done} == {Outcome.EXISTS}
    assert len(done) == len(IMAGE.blobs)
    assert sink.acts("tag") == ["a", "b"]


def test_interrupted_wait_stops_all_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, sink, go_on = source_of(IMAGE), RecordingSink(), threading.Event()
    opened = threading.Event()

    def hold(_descriptor: Descriptor) -> None:
        opened.set()
        assert go_on.wait(30)

    def interrupt(_futures: object) -> None:
        assert opened.wait(30)
        raise KeyboardInterrupt

    source.on_open = hold
    monkeypatch.setattr(executing, "wait_for_all", interrupt)
    plan = make_plan(source_of(IMAGE), sink, IMAGE.root, names=("a",))
    events: list[Event] = []
    workers = Workers(1)
    with pytest.raises(KeyboardInterrupt):
        execute(replace(plan, source=source), TransferOptions(workers), events.append)
    go_on.set()
    workers._pool.shutdown()
    assert len(source.opened) == 1
    assert sink.acts("write") == []
    assert sum(isinstance(event, Failed) for event in events) == 1


def test_skipped_step_is_reported() -> None:
    image = random_image(2, foreign=True)
    events: list[Event] = []
    plan = make_plan(source_of(image), RecordingSink(), image.root, skip_foreign=True)
    execute(plan, QUICK, events.append)
    done = {e.step.descriptor.is_foreign: e.outcome for e in events if isinstance(e, Finished)}
    assert done == {True: Outcome.SKIPPED, False: Outcome.COPIED}
