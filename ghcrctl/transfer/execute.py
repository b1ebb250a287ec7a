"""The execution of a plan: in parallel, each digest once, blobs before manifests before tags."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.content.ports import Mounter
from ghcrctl.content.retry import RetryPolicy, retry
from ghcrctl.content.streams import Content
from ghcrctl.content.thread_waits import wait_for, wait_for_all
from ghcrctl.errors import GhcrctlError, InterruptedByUserError
from ghcrctl.transfer.error_context import MarkedSource, writing_to
from ghcrctl.transfer.events import (
    Failed,
    Finished,
    Outcome,
    Planned,
    Progressed,
    Retrying,
    Started,
    ignore,
)
from ghcrctl.transfer.plan import Action
from ghcrctl.transfer.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from ghcrctl.oci.digest import Digest
    from ghcrctl.transfer.events import Event, Observer
    from ghcrctl.transfer.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """The options of `execute`.

    Args:
        workers: threads shared with other plans; by default, this plan has its own.
        retry: retry policy of each step.
        mount_from: known repositories of each digest on the sink's registry.
    """

    workers: Workers | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    mount_from: Mapping[Digest, tuple[str, ...]] = field(default_factory=dict)


def execute(
    plan: Plan, options: TransferOptions | None = None, observer: Observer = ignore
) -> None:
    """Execute a plan: copy its root and everything below it to the sink, then set the tags.

    Raises:
        GhcrctlError: a step failed; the error names the source or the target. Content copied so far
            is kept, and no tag changes.
        InterruptedByUserError: the user pressed Ctrl-C, with the same effects.
    """
    options = options or TransferOptions()
    if options.workers:
        _Execution(plan, options, options.workers, observer).run()
    else:
        with Workers() as workers:
            _Execution(plan, options, workers, observer).run()


def _read_manifests(plan: Plan) -> MemoryPlace:
    """Return the manifests that were read for the plan so that none is fetched twice."""
    place = MemoryPlace()
    for step in plan.steps:
        manifest = plan.manifests.get(step.descriptor.digest)
        if manifest:
            place.put(step.descriptor, manifest.raw)
    return place


class _Execution:
    """One execution of a plan."""

    def __init__(
        self, plan: Plan, options: TransferOptions, workers: Workers, observer: Observer
    ) -> None:
        self._plan = plan.with_mounts(options.mount_from)
        self._options = options
        self._workers = workers
        self._observer = observer
        self._source = MarkedSource(Overlay(_read_manifests(plan), plan.source))
        self._cancelled = threading.Event()
        self._observing = threading.Lock()
        # Running steps by digest.
        self._open: dict[Digest, Step] = {}
        self._is_over = False
        # Highest position that was read of each digest, in bytes.
        self._reached: dict[Digest, int] = {}

    def run(self) -> None:
        try:
            self._run()
        except BaseException:
            self._end_events()
            raise

    def _run(self) -> None:
        self._emit(Planned(self._plan))
        copies = []
        for step in self._plan.steps:
            if step.action is Action.COPY:
                copies.append(step)
            else:
                exists = step.action is Action.EXISTS
                self._emit(Finished(step, Outcome.EXISTS if exists else Outcome.SKIPPED))
        for level in sorted({step.level for step in copies}):
            self._run_level([step for step in copies if step.level == level])
        self._tag_root()

    def _run_level(self, steps: Sequence[Step]) -> None:
        """Run independent steps; after a failure, the others stop soon."""
        futures = [self._workers.submit(partial(self._run_step, step)) for step in steps]
        try:
            wait_for_all(futures)
        except BaseException:
            self._stop(futures)
            raise
        failed = [f.exception() for f in futures if f.done() and not f.cancelled()]
        errors = [e for e in failed if e and not isinstance(e, InterruptedByUserError)]
        if errors:
            self._stop(futures)
            raise errors[0]
        self._workers.check()

    def _stop(self, futures: Sequence[Future[None]]) -> None:
        self._cancelled.set()
        for future in futures:
            future.cancel()

    def _run_step(self, step: Step) -> None:
        if step.descriptor == self._plan.root and self._plan.names:
            return
        sink = self._plan.sink
        with self._reporting_failure(step), writing_to(sink):
            key = (sink.label, step.descriptor.digest)
            if not self._workers.run_once(key, partial(self._copy, step)):
                # Another plan with the same workers has copied this content.
                self._emit(Finished(step, Outcome.EXISTS))

    @contextmanager
    def _reporting_failure(self, step: Step) -> Iterator[None]:
        try:
            yield
        except GhcrctlError as error:
            self._emit(Failed(step, error))
            raise

    def _copy(self, step: Step) -> None:
        self._check()
        self._emit(Started(step))
        mounted = self._mount(step)
        if mounted is not None:
            self._emit(Finished(step, Outcome.MOUNTED, mounted))
            return
        self._retry(step, lambda: self._plan.sink.write(self._content(step)))
        self._emit(Finished(step, Outcome.COPIED))

    def _tag_root(self) -> None:
        """Write the root under its tags, after everything else."""
        root = self._plan.steps[-1]
        moves = self._plan.names and root.action is Action.COPY
        if moves:
            self._emit(Started(root))
        for name in self._plan.names:
            with self._reporting_failure(root), writing_to(self._plan.sink):
                self._retry(root, lambda: self._plan.sink.tag(self._content(root), name))  # noqa: B023 called at once
        if moves:
            self._emit(Finished(root, Outcome.COPIED))

    def _mount(self, step: Step) -> str | None:
        candidates = self._options.mount_from.get(step.descriptor.digest, ())
        sink = self._plan.sink
        if not candidates or step.descriptor.is_manifest or not isinstance(sink, Mounter):
            return None
        return sink.mount(step.descriptor, candidates)

    def _content(self, step: Step) -> Content:
        digest = step.descriptor.digest

        def watch(position: int) -> None:
            self._check()
            self._reached[digest] = max(position, self._reached.get(digest, 0))
            # Content that is present and only gets a tag is not transferred.
            if step.action is Action.COPY:
                self._emit(Progressed(step, position))

        return Content(self._source, step.descriptor, watch=watch)

    def _retry(self, step: Step, act: Callable[[], None]) -> None:
        retry(
            act,
            self._options.retry,
            on_retry=lambda error, pause: self._emit(
                Retrying(step, error, pause.seconds, pause.attempt, pause.attempts)
            ),
            sleep=self._sleep,
            progress=lambda: self._reached.get(step.descriptor.digest, 0),
        )

    def _sleep(self, seconds: float) -> None:
        wait_for(self._cancelled, seconds)
        self._check()

    def _check(self) -> None:
        self._workers.check()
        if self._cancelled.is_set():
            raise InterruptedByUserError("interrupted")

    def _emit(self, event: Event) -> None:
        with self._observing:
            if self._is_over:
                return
            if isinstance(event, Started):
                self._open[event.step.descriptor.digest] = event.step
            elif isinstance(event, Finished | Failed):
                self._open.pop(event.step.descriptor.digest, None)
            self._observer(event)

    def _end_events(self) -> None:
        """Emit `Failed` for steps of threads that are still running, and no event after that."""
        with self._observing:
            self._is_over = True
            for step in self._open.values():
                self._observer(Failed(step, InterruptedByUserError("interrupted")))
