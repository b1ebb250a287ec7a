"""How blobs are sent to a repository: whole, or in chunks that a broken line costs little of.

What belongs here: in which pieces, and where to go on after a failure. What does not: requests
(``uploads``), trying again (``transfer``).

A blob is sent whole, in one request, which is quickest everywhere. It goes in chunks where the
person wants that, where the registry or a proxy before it refuses so large a body, and where a
connection broke in the middle: then the registry is asked how much it has, and gets the rest.
"""

from __future__ import annotations

import math
import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ghcrctl.content.streams import CHUNK_SIZE
from ghcrctl.errors import (
    ConnectionLostError,
    DigestMismatchError,
    GhcrctlError,
    RedirectError,
    RegistryUnavailableError,
    SizeMismatchError,
    TimedOutError,
    UnsupportedError,
)
from ghcrctl.registry.redirects import MAX_REDIRECTS
from ghcrctl.registry.upload_endpoints import OutOfOrderError, TooLargeError, UploadMovedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.content.streams import Content, VerifiedStream
    from ghcrctl.oci.digest import Digest
    from ghcrctl.registry.upload_endpoints import Begun, Uploads

# Bytes. ghcr.io refuses larger ones: "exceeds the maximum permissible limit of 4.00MiB".
CHUNK = 4 * 1024 * 1024
# Bytes; chunks are held in memory, whatever a registry would like.
_LARGEST_CHUNK = 16 * CHUNK


@dataclass(slots=True)
class _Upload:
    """One upload. ``sent``: whether the registry may have got bytes of it."""

    begun: Begun
    in_chunks: bool = False
    sent: bool = False


class Sender:
    """Sends blobs to one repository; threads may share it, one a blob.

    Args:
        uploads: the registry's.
        repository: which.
        chunk: bytes of a chunk; 0 to send blobs whole where that is possible.
    """

    def __init__(self, uploads: Uploads, repository: str, *, chunk: int = 0) -> None:
        self._uploads = uploads
        self._repository = repository
        self._chunk = chunk
        # Bodies of so many bytes were refused; and whether chunks were.
        self._refused_from = math.inf
        self._only_whole = False
        self._open: dict[Digest, _Upload] = {}
        self._lock = threading.Lock()

    def mount(self, digest: Digest, source: str) -> bool:
        """Take a blob over from another repository; tell whether that went.

        A registry that will not answers with an upload to use instead, which `send` does.
        """
        begun = self._uploads.mount(self._repository, digest, source)
        if begun:
            self._keep(digest, _Upload(begun))
        return begun is None

    def send(self, content: Content) -> None:
        """Send a blob, going on where an earlier try of this run stopped.

        Raises:
            GhcrctlError: it failed; retryable where the next call may succeed.
        """
        digest = content.descriptor.digest
        upload = self._take(digest) or _Upload(self._uploads.begin(self._repository))
        try:
            if self._goes_whole(upload, content):
                self._send_whole(upload, content)
            if upload.in_chunks:
                self._send_chunks(upload, content)
        except GhcrctlError as error:
            self._note(error, upload, digest)
            raise

    def _keep(self, digest: Digest, upload: _Upload) -> None:
        with self._lock:
            self._open[digest] = upload

    def _take(self, digest: Digest) -> _Upload | None:
        with self._lock:
            return self._open.pop(digest, None)

    def _goes_whole(self, upload: _Upload, content: Content) -> bool:
        """Tell whether a blob is sent in one body; where not, note that it goes in chunks."""
        size = content.descriptor.size
        wanted = 0 < self._chunk < size or size >= self._refused_from
        upload.in_chunks = (upload.in_chunks or wanted) and not self._only_whole
        return not upload.in_chunks

    def _note(self, error: GhcrctlError, upload: _Upload, digest: Digest) -> None:
        """Keep for the next try what a failure left, or what it taught."""
        if not upload.in_chunks:
            return
        if isinstance(error, UnsupportedError) and not self._only_whole:
            self._only_whole = error.retryable = True
        elif error.retryable and not isinstance(error, DigestMismatchError | SizeMismatchError):
            # After wrong bytes, what the registry has of them is of no use.
            self._keep(digest, upload)

    def _send_whole(self, upload: _Upload, content: Content) -> None:
        """Send all in one body; where that is refused, note that it goes in chunks."""
        descriptor, address = content.descriptor, upload.begun.address
        try:
            # The library sends an empty stream in chunks, which registries need not accept.
            whole = content.open if descriptor.size else lambda: nullcontext(content.read())
            self._finish(address, descriptor.digest, whole)
        except TooLargeError:
            self._refused_from = min(self._refused_from, descriptor.size)
            upload.begun = self._uploads.begin(self._repository)
            upload.in_chunks = True
        except (ConnectionLostError, TimedOutError):
            # What arrived need not be sent again.
            upload.in_chunks = upload.sent = descriptor.size > CHUNK
            raise

    def _finish(
        self, address: str, digest: Digest, opened: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        """Send the last body, from its first byte again wherever the registry redirects it."""
        for _ in range(MAX_REDIRECTS + 1):
            try:
                with opened() as body:
                    self._uploads.finish(self._repository, address, digest, body)
            except UploadMovedError as moved:
                address = moved.address
            else:
                return
        raise RedirectError(f"an upload is redirected more than {MAX_REDIRECTS} times")

    def _send_chunks(self, upload: _Upload, content: Content) -> None:
        start = self._received(upload, content.descriptor.size) if upload.sent else 0
        size = min(max(self._chunk or CHUNK, upload.begun.smallest), _LARGEST_CHUNK)
        upload.sent = True
        with content.open() as stream:
            _skip(stream, start)
            while chunk := stream.read(size):
                self._send_chunk(upload, start, chunk)
                start += len(chunk)
        self._finish(upload.begun.address, content.descriptor.digest, lambda: nullcontext(b""))

    def _received(self, upload: _Upload, size: int) -> int:
        """Ask how much the registry has; where it cannot tell, or tells nonsense, begin anew."""
        try:
            found = self._uploads.status(self._repository, upload.begun.address)
        except (UnsupportedError, RegistryUnavailableError):
            found = None
        if found is None or found.received is None or found.received > size:
            upload.begun = self._uploads.begin(self._repository)
            return 0
        upload.begun = replace(found, smallest=upload.begun.smallest)
        return found.received

    def _send_chunk(self, upload: _Upload, start: int, chunk: bytes) -> None:
        """Send a chunk, and again what the registry left of it (a short ``Range``)."""
        done = 0
        while done < len(chunk):
            found = self._append(upload.begun.address, start + done, chunk[done:])
            upload.begun = replace(found, smallest=upload.begun.smallest)
            received = len(chunk) if found.received is None else found.received - start
            if not done < received <= len(chunk):
                raise RegistryUnavailableError(
                    f"the registry has {start + received} bytes of a blob of which it was sent "
                    f"{start + len(chunk)}",
                    retryable=True,
                )
            done = received

    def _append(self, address: str, start: int, chunk: bytes) -> Begun:
        try:
            return self._uploads.append(self._repository, address, start, chunk)
        except OutOfOrderError:
            # An answer was lost, so that a chunk went twice; or only a part of it arrived.
            return self._uploads.status(self._repository, address)


def _skip(stream: VerifiedStream, left: int) -> None:
    """Read what the registry has already; it is verified with the rest."""
    while left:
        left -= len(stream.read(min(left, CHUNK_SIZE)))
