"""Streams that verify their bytes against a descriptor.

Invariant: the last chunk is returned only after digest and size are verified, because readers such
as `tarfile` stop at the last byte and never read the end of the stream.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from ghcrctl.content.provenance import provenance_of
from ghcrctl.content.sources import FallbackSource
from ghcrctl.errors import (
    DigestMismatchError,
    IntegrityError,
    InvalidManifestError,
    SizeMismatchError,
)
from ghcrctl.oci.manifest import MAX_METADATA_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash
    from types import TracebackType

    from typing_extensions import Self

    from ghcrctl.content.provenance import Provenance
    from ghcrctl.content.sources import Source, Stream
    from ghcrctl.oci.descriptor import Descriptor

CHUNK_SIZE = 1024 * 1024
# If progress is reported, a read is first this size, in bytes, so that progress is reported before
# a chunk is complete on a slow connection.
_FIRST_STEP, _MIN_STEP = 64 * 1024, 16 * 1024
# A read that takes less than this doubles the size, one that takes more halves it.
_QUICK_SECONDS, _SLOW_SECONDS = 0.05, 0.2


class VerifiedStream:
    """A stream that verifies its bytes and returns as many as requested.

    Args:
        stream: the raw bytes, positioned at ``offset``.
        descriptor: expected digest and size.
        offset: number of bytes that were read before.
        hasher: hash of those bytes; required unless the offset is zero.
        watch: called with the position after each chunk, more often for slow streams (bytes); may
            raise an exception to stop reading.
        mark_corrupt: called if the bytes are corrupted; returns whether to open the content again.
        provenance: returns the origin of the bytes, for errors.
    """

    def __init__(  # noqa: PLR0913 all but two by keyword
        self,
        stream: Stream,
        descriptor: Descriptor,
        *,
        offset: int = 0,
        hasher: _Hash | None = None,
        watch: Callable[[int], None] | None = None,
        mark_corrupt: Callable[[], bool] | None = None,
        provenance: Callable[[], Provenance] | None = None,
    ) -> None:
        self._stream = stream
        self._descriptor = descriptor
        self._position = offset
        self._hasher = hasher.copy() if hasher else descriptor.digest.hasher()
        self._watch = watch
        self._mark_corrupt = mark_corrupt
        self._provenance = provenance
        self._verified = False
        self._step = _FIRST_STEP if watch else 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Bytes left to read; makes `requests` send ``Content-Length`` instead of chunks."""
        return self._descriptor.size - self._position

    def __bool__(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return ``size`` bytes; fewer only at the end. With -1, return all remaining bytes.

        Raises:
            SizeMismatchError: the stream is longer or shorter than the size in the descriptor.
            DigestMismatchError: the digest of the bytes is not the one in the descriptor. Both
                errors are retryable if the content can be fetched again.
        """
        try:
            return self._read(size)
        except IntegrityError as error:
            # This is an error of the source, although a sink reads from the stream.
            if self._provenance:
                self._provenance().mark(error)
            error.retryable = self._mark_corrupt is not None and self._mark_corrupt()
            raise

    def _read(self, size: int) -> bytes:
        left = len(self)
        wanted = left if size < 0 else min(size, left)
        if wanted == 0 and (left or self._verified):
            return b""
        chunk = self._fill(wanted)
        self._hasher.update(chunk)
        self._position += len(chunk)
        if len(self) == 0:
            self._verify()
        if self._watch:
            self._watch(self._position)
        return chunk

    def close(self) -> None:
        """Close the underlying stream."""
        self._stream.close()

    def _fill(self, wanted: int) -> bytes:
        chunk = self._next(wanted) if wanted else b""
        if len(chunk) == wanted:
            return chunk
        buffer = bytearray(chunk)
        while len(buffer) < wanted:
            if self._watch and chunk:
                self._watch(self._position + len(buffer))
            chunk = self._next(wanted - len(buffer))
            if not chunk:
                have = self._position + len(buffer)
                raise SizeMismatchError(
                    f"{self._descriptor.digest} ends after {have} of {self._descriptor.size} bytes"
                )
            buffer += chunk
        return bytes(buffer)

    def _next(self, wanted: int) -> bytes:
        if not self._step:
            return self._stream.read(wanted)
        began = time.monotonic()
        chunk = self._stream.read(min(wanted, self._step))
        took = time.monotonic() - began
        if took < _QUICK_SECONDS:
            self._step = min(self._step * 2, CHUNK_SIZE)
        elif took > _SLOW_SECONDS:
            self._step = max(self._step // 2, _MIN_STEP)
        return chunk

    def _verify(self) -> None:
        if self._stream.read(1):
            raise SizeMismatchError(
                f"{self._descriptor.digest} is longer than the {self._descriptor.size} bytes "
                "of its descriptor"
            )
        if not self._descriptor.digest.matches(self._hasher):
            raise DigestMismatchError(
                f"content does not match its digest: expected {self._descriptor.digest}, "
                f"got {self._descriptor.digest.algorithm}:{self._hasher.hexdigest()}"
            )
        self._verified = True


class Content:
    """The content of a descriptor at a source, verified each time it is read.

    Args:
        source: source to read from.
        descriptor: descriptor of the content.
        watch: see `VerifiedStream`.
    """

    def __init__(
        self,
        source: Source,
        descriptor: Descriptor,
        *,
        watch: Callable[[int], None] | None = None,
    ) -> None:
        self.descriptor = descriptor
        self._source = source
        self._watch = watch

    def open(self, offset: int = 0, hasher: _Hash | None = None) -> VerifiedStream:
        """Open the content for reading and report the offset to ``watch``.

        Args:
            offset: number of bytes that the reader already has.
            hasher: hash of those bytes.
        """
        if self._watch:
            self._watch(offset)
        return VerifiedStream(
            self._source.open(self.descriptor, offset),
            self.descriptor,
            offset=offset,
            hasher=hasher,
            watch=self._watch,
            mark_corrupt=self._mark_corrupt if not offset else None,
            provenance=partial(provenance_of, self._source, self.descriptor),
        )

    def _mark_corrupt(self) -> bool:
        """Report corrupted bytes to the source, which did not send those before an offset."""
        source = self._source
        return isinstance(source, FallbackSource) and source.mark_corrupt(self.descriptor)

    def read(self) -> bytes:
        """Return a whole manifest or config.

        Raises:
            InvalidManifestError: the content is larger than 4 MiB.
        """
        if self.descriptor.size > MAX_METADATA_SIZE:
            raise InvalidManifestError(
                f"{self.descriptor.digest} has {self.descriptor.size} bytes; "
                f"manifests and configs can have at most {MAX_METADATA_SIZE}"
            )
        try:
            with self.open() as stream:
                return stream.read()
        except IntegrityError as error:
            if not error.retryable:
                raise
        # Fetch the content again, possibly from another source.
        return self.read()


def read_metadata(source: Source, descriptor: Descriptor) -> bytes:
    """Return a verified manifest or config of at most 4 MiB."""
    return Content(source, descriptor).read()
