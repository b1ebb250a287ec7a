"""Recompress layers in parallel; their uncompressed content is verified to be unchanged."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from ghcrctl.content.retry import retry
from ghcrctl.content.streams import Content
from ghcrctl.content.thread_waits import wait_for_all, wait_for_result
from ghcrctl.layers.compression import CHUNK_SIZE
from ghcrctl.layers.compressor import default_threads
from ghcrctl.layers.limits import Meter
from ghcrctl.layers.unpack import Unpacked
from ghcrctl.transfer.error_context import reading_from
from ghcrctl.transfer.events import Finished, Outcome, Progressed, Retrying, Started, ignore
from ghcrctl.transfer.plan import Action, Step
from ghcrctl.transfer.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Collection

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.staged_layers import CompressionOptions, StagedLayers, WriteBytes
    from ghcrctl.transfer.events import Event, Observer

    Inside = tuple[Descriptor, Digest]


class Recompressor:
    """Recompresses the layers of one run, each only once.

    Args:
        session: the run.
        source: the source of the layers.
        packed: receives the new layers.
        how: the compression.
        observer: receives progress events.
    """

    def __init__(
        self,
        session: Session,
        source: Source,
        packed: StagedLayers,
        how: CompressionOptions,
        observer: Observer = ignore,
    ) -> None:
        self._session = session
        self._source = source
        self._packed = packed
        self._how = how
        self._observer = observer
        self._observing = threading.Lock()
        self._done: dict[Inside, Descriptor] = {}

    def repack(self, layers: Collection[Inside]) -> dict[Digest, Descriptor]:
        """Recompress layers in parallel; reuse those that were recompressed in this run.

        Args:
            layers: each layer with the diff ID that it must have.

        Returns:
            The new layers by the digests of the old layers; their media types are not set.

        Raises:
            IntegrityError: a layer is damaged, or has another diff ID.
        """
        missing = [inside for inside in dict.fromkeys(layers) if inside not in self._done]
        if missing:
            most = default_threads()
            at_once = min(len(missing), most, self._session.jobs)
            threads = max(1, most // at_once)
            with Workers(at_once) as workers:
                acts = [partial(self._repack, each, threads, workers) for each in missing]
                futures = [workers.submit(act) for act in acts]
                wait_for_all(futures)
                for future in futures:
                    if future.done():
                        wait_for_result(future)
        return {inside[0].digest: self._done[inside] for inside in layers}

    def _repack(self, inside: Inside, threads: int, workers: Workers) -> None:
        layer, diff_id = inside
        step = Step(layer, Action.COPY)
        self._emit(Started(step))
        new_layer = retry(
            lambda: self._packed.pack(
                lambda take: self._unpack(step, diff_id, take, workers),
                self._how,
                layer.media_type,
                threads=threads,
            ),
            self._session.retry,
            on_retry=lambda error, pause: self._emit(
                Retrying(step, error, pause.seconds, pause.attempt, pause.attempts)
            ),
        )
        self._done[inside] = new_layer.descriptor
        self._emit(Finished(step, Outcome.COPIED))

    def _unpack(self, step: Step, diff_id: Digest, take: WriteBytes, workers: Workers) -> None:
        def watch(position: int) -> None:
            workers.check()
            self._emit(Progressed(step, position))

        content = Content(self._source, step.descriptor, watch=watch)
        with reading_from(self._source), content.open() as stream:
            inside = Unpacked(stream, Meter(), diff_id)
            while chunk := inside.read_some(CHUNK_SIZE):
                take(chunk)
            inside.finish()

    def _emit(self, event: Event) -> None:
        with self._observing:
            self._observer(event)
