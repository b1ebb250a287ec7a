"""The upload endpoints: start, mount, send monolithic or in chunks, get the status, finish, cancel.

Spec: OCI distribution spec 1.1, "Pushing blobs".
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidDigestError, NoSpaceError
from ghcrctl.oci.digest import Digest
from ghcrctl.server.errors import RegistryError
from ghcrctl.server.responses import Response
from ghcrctl.server.router import check_repository
from ghcrctl.server.staged_uploads import TooManyUploadsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.server.backend import Backend
    from ghcrctl.server.request import Request
    from ghcrctl.server.staged_uploads import StagedUploads, Upload

# The spec uses `0-99`; some clients send `bytes 0-99/*` as in HTTP.
_CONTENT_RANGE = re.compile(
    r"(?:bytes[ =])?(?P<first>[0-9]{1,18})-(?P<last>[0-9]{1,18})(?:/(?:[0-9]+|\*))?\Z"
)


class UploadEndpoints:
    """Handlers of the upload endpoints."""

    def __init__(self, backend: Backend, staged: StagedUploads) -> None:
        self._backend = backend
        self._staged = staged

    def start(self, request: Request, repository: str) -> Response:
        """Start an upload, mount a blob, or receive a whole blob in one request."""
        if "mount" in request.args and self._mount(request, repository):
            return _created(repository, Digest.parse(request.args["mount"]))
        digest = _digest(request) if "digest" in request.args else None
        upload = self._start(repository)
        if digest is None:
            return Response(status=202, headers=_progress(upload))
        try:
            upload.check_space(request.content_length or 0)
            upload.append(request.blocks())
            return self._finish(upload, digest)
        finally:
            self._staged.delete(upload)

    def _start(self, repository: str) -> Upload:
        try:
            return self._staged.start(repository)
        except TooManyUploadsError as error:
            raise RegistryError(
                429, "TOOMANYREQUESTS", str(error), headers={"Retry-After": "60"}
            ) from None

    def status(self, request: Request, repository: str, upload_id: str) -> Response:  # noqa: ARG002 one signature
        """Send the number of bytes received."""
        upload = self._find(repository, upload_id)
        return Response(status=204, headers=_progress(upload))

    def append(self, request: Request, repository: str, upload_id: str) -> Response:
        """Receive a chunk, or the whole blob as a stream."""
        upload = self._find(repository, upload_id)
        with self._locked(upload):
            self._receive(request, upload)
            return Response(status=202, headers=_progress(upload))

    def finish(self, request: Request, repository: str, upload_id: str) -> Response:
        """Receive the last chunk, if any, verify the blob and store it."""
        upload = self._find(repository, upload_id)
        digest = _digest(request)
        with self._locked(upload):
            self._receive(request, upload)
            return self._finish(upload, digest)

    def cancel(self, request: Request, repository: str, upload_id: str) -> Response:  # noqa: ARG002 one signature
        """Cancel an upload."""
        upload = self._find(repository, upload_id)
        with self._locked(upload):
            self._staged.delete(upload)
        return Response(status=204)

    def _mount(self, request: Request, repository: str) -> bool:
        digest = Digest.parse(request.args["mount"])
        source = request.args.get("from", "")
        if source:
            check_repository(source)
        return self._backend.mount(repository, digest, source)

    def _find(self, repository: str, upload_id: str) -> Upload:
        upload = self._staged.find(upload_id, repository)
        if upload is None:
            raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "upload not found")
        return upload

    @contextmanager
    def _locked(self, upload: Upload) -> Iterator[None]:
        """Lock an upload; respond with 409 if another request uses it."""
        if not upload.lock.acquire(blocking=False):
            raise RegistryError(409, "BLOB_UPLOAD_INVALID", "another request is using this upload")
        try:
            if self._staged.find(upload.id, upload.repository) is None:
                raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "upload not found")
            yield
        finally:
            upload.lock.release()

    def _receive(self, request: Request, upload: Upload) -> None:
        start = upload.size
        span = _span(request, upload)
        upload.check_space(request.content_length or span or 0)
        received = self._append(request, upload)
        if span is not None and received != span:
            upload.truncate(start)
            raise _out_of_order(
                upload, f"the body has {received} bytes, but Content-Range has {span}"
            )

    def _append(self, request: Request, upload: Upload) -> int:
        try:
            return upload.append(request.blocks())
        except NoSpaceError:
            # Free the disk space of the failed upload.
            self._staged.delete(upload)
            raise

    def _finish(self, upload: Upload, digest: Digest) -> Response:
        try:
            self._backend.write(upload.repository, upload.content(digest))
        finally:
            self._staged.delete(upload)
        return _created(upload.repository, digest)


def _span(request: Request, upload: Upload) -> int | None:
    """Return the length in `Content-Range`, or ``None`` without that header.

    Raises:
        RegistryError: the header is malformed, or the range does not start at the next byte.
    """
    text = request.headers.get("Content-Range")
    if not text:
        return None
    match = _CONTENT_RANGE.match(text)
    if not match:
        raise RegistryError(400, "BLOB_UPLOAD_INVALID", "invalid Content-Range")
    first, last = int(match["first"]), int(match["last"])
    # The range of an empty last chunk can only be written as, for example, `10-9`.
    length = request.content_length
    if length is not None and length != last - first + 1:
        raise RegistryError(400, "SIZE_INVALID", "Content-Range does not match Content-Length")
    if first != upload.size or last < first - 1:
        raise _out_of_order(upload, f"the chunk must start at byte {upload.size}, not {first}")
    return last - first + 1


def _out_of_order(upload: Upload, why: str) -> RegistryError:
    return RegistryError(416, "BLOB_UPLOAD_INVALID", why, headers=_progress(upload))


def _digest(request: Request) -> Digest:
    text = request.args.get("digest", "")
    if not text:
        raise InvalidDigestError("missing digest")
    return Digest.parse(text)


def _progress(upload: Upload) -> dict[str, str]:
    return {
        "Location": f"/v2/{upload.repository}/blobs/uploads/{upload.id}",
        # An empty upload has no valid range. docker-registry sends `0-0`, which clients accept.
        "Range": f"0-{max(upload.size - 1, 0)}",
        "Docker-Upload-UUID": upload.id,
    }


def _created(repository: str, digest: Digest) -> Response:
    location = f"/v2/{repository}/blobs/{digest}"
    headers = {"Location": location, "Docker-Content-Digest": str(digest)}
    return Response(status=201, headers=headers)
