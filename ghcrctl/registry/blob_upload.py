"""Uploads blobs to a repository, in one request or in chunks.

By default a blob is uploaded in one request, which is fastest with every registry. It is uploaded
in chunks if the user asks for it, if the registry or a proxy rejects the body as too large, and
after a connection broke mid-upload: the registry then reports what it has received, and only the
rest is sent.
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
from ghcrctl.registry.upload_endpoints import OutOfOrderError, TooLargeError, UploadRedirectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.content.streams import Content, VerifiedStream
    from ghcrctl.oci.digest import Digest
    from ghcrctl.registry.upload_endpoints import UploadEndpoints, UploadSession

# ghcr.io rejects larger chunks: "exceeds the maximum permissible limit of 4.00MiB" (bytes).
CHUNK = 4 * 1024 * 1024
# Chunks are held in memory, so a registry's `OCI-Chunk-Min-Length` is capped (bytes).
_LARGEST_CHUNK = 16 * CHUNK


@dataclass(slots=True)
class _Upload:
    """One upload. ``sent``: whether the registry may have received part of the blob."""

    session: UploadSession
    in_chunks: bool = False
    sent: bool = False


class BlobUploader:
    """Uploads blobs to one repository; threads may share it, each with its own blob.

    Args:
        uploads: the registry's upload endpoints.
        repository: the repository's name.
        chunk: the chunk size in bytes; 0 to upload in one request where possible.
    """

    def __init__(self, uploads: UploadEndpoints, repository: str, *, chunk: int = 0) -> None:
        self._uploads = uploads
        self._repository = repository
        self._chunk = chunk
        # The smallest body that was rejected as too large, and whether chunks were rejected.
        self._refused_from = math.inf
        self._only_whole = False
        self._open: dict[Digest, _Upload] = {}
        self._lock = threading.Lock()

    def mount(self, digest: Digest, source: str) -> bool:
        """Mount a blob from another repository; return whether the registry did.

        A registry that does not mount opens an upload session instead, which `send` uses.
        """
        session = self._uploads.mount(self._repository, digest, source)
        if session:
            self._keep(digest, _Upload(session))
        return session is None

    def send(self, content: Content) -> None:
        """Upload a blob, resuming where an earlier attempt of this run stopped.

        Raises:
            GhcrctlError: the upload failed; retryable if the next call may succeed.
        """
        digest = content.descriptor.digest
        upload = self._take(digest) or _Upload(self._uploads.begin(self._repository))
        try:
            if self._choose_whole(upload, content):
                self._send_whole(upload, content)
            if upload.in_chunks:
                self._send_chunks(upload, content)
        except GhcrctlError as error:
            self._record_failure(error, upload, digest)
            raise

    def _keep(self, digest: Digest, upload: _Upload) -> None:
        with self._lock:
            self._open[digest] = upload

    def _take(self, digest: Digest) -> _Upload | None:
        with self._lock:
            return self._open.pop(digest, None)

    def _choose_whole(self, upload: _Upload, content: Content) -> bool:
        """Decide between one request and chunks; return whether to send one request."""
        size = content.descriptor.size
        wanted = 0 < self._chunk < size or size >= self._refused_from
        upload.in_chunks = (upload.in_chunks or wanted) and not self._only_whole
        return not upload.in_chunks

    def _record_failure(self, error: GhcrctlError, upload: _Upload, digest: Digest) -> None:
        """Keep a failed upload that can be resumed, or remember that chunks are unsupported."""
        if not upload.in_chunks:
            return
        if isinstance(error, UnsupportedError) and not self._only_whole:
            self._only_whole = error.retryable = True
        elif error.retryable and not isinstance(error, DigestMismatchError | SizeMismatchError):
            # After a digest mismatch, the bytes that the registry has are useless.
            self._keep(digest, upload)

    def _send_whole(self, upload: _Upload, content: Content) -> None:
        """Upload in one request; if the body is too large, switch to chunks."""
        descriptor, address = content.descriptor, upload.session.address
        try:
            # requests sends an empty stream chunked, which registries need not accept.
            whole = content.open if descriptor.size else lambda: nullcontext(content.read())
            self._finish(address, descriptor.digest, whole)
        except TooLargeError:
            self._refused_from = min(self._refused_from, descriptor.size)
            upload.session = self._uploads.begin(self._repository)
            upload.in_chunks = True
        except (ConnectionLostError, TimedOutError):
            # Bytes that were received need not be sent again.
            upload.in_chunks = upload.sent = descriptor.size > CHUNK
            raise

    def _finish(
        self, address: str, digest: Digest, opened: Callable[[], AbstractContextManager[Any]]
    ) -> None:
        """Send the final request; after a redirect, send its body again from the start."""
        for _ in range(MAX_REDIRECTS + 1):
            try:
                with opened() as body:
                    self._uploads.finish(self._repository, address, digest, body)
            except UploadRedirectedError as redirect:
                address = redirect.address
            else:
                return
        raise RedirectError(f"an upload was redirected more than {MAX_REDIRECTS} times")

    def _send_chunks(self, upload: _Upload, content: Content) -> None:
        start = self._received(upload, content.descriptor.size) if upload.sent else 0
        size = min(max(self._chunk or CHUNK, upload.session.smallest), _LARGEST_CHUNK)
        upload.sent = True
        with content.open() as stream:
            _skip(stream, start)
            while chunk := stream.read(size):
                self._send_chunk(upload, start, chunk)
                start += len(chunk)
        self._finish(upload.session.address, content.descriptor.digest, lambda: nullcontext(b""))

    def _received(self, upload: _Upload, size: int) -> int:
        """Query how many bytes the registry has; start over if it returns no usable number."""
        try:
            found = self._uploads.status(self._repository, upload.session.address)
        except (UnsupportedError, RegistryUnavailableError):
            found = None
        if found is None or found.received is None or found.received > size:
            upload.session = self._uploads.begin(self._repository)
            return 0
        upload.session = replace(found, smallest=upload.session.smallest)
        return found.received

    def _send_chunk(self, upload: _Upload, start: int, chunk: bytes) -> None:
        """Send a chunk, and resend the part that a short ``Range`` reports as missing."""
        done = 0
        while done < len(chunk):
            found = self._append(upload.session.address, start + done, chunk[done:])
            upload.session = replace(found, smallest=upload.session.smallest)
            received = len(chunk) if found.received is None else found.received - start
            if not done < received <= len(chunk):
                raise RegistryUnavailableError(
                    f"the registry reports {start + received} bytes of a blob after it was sent "
                    f"{start + len(chunk)}",
                    retryable=True,
                )
            done = received

    def _append(self, address: str, start: int, chunk: bytes) -> UploadSession:
        try:
            return self._uploads.append(self._repository, address, start, chunk)
        except OutOfOrderError:
            # A response was lost and the chunk sent twice, or only part of it arrived.
            return self._uploads.status(self._repository, address)


def _skip(stream: VerifiedStream, left: int) -> None:
    """Read past the bytes that the registry already has so that the whole blob is verified."""
    while left:
        left -= len(stream.read(min(left, CHUNK_SIZE)))
