"""The endpoints of uploads: begin, mount, send in one piece or in chunks, ask, finish, cancel.

Spec: OCI distribution spec 1.1, "Pushing blobs".
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidDigestError, NoSpaceError
from ghcrctl.oci.digest import Digest
from ghcrctl.server.errors import RegistryError
from ghcrctl.server.response import Response
from ghcrctl.server.routing import check_repository
from ghcrctl.server.staging import TooManyUploadsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.server.backend import Backend
    from ghcrctl.server.request import Request
    from ghcrctl.server.staging import Session, Staging

# The specification writes `0-99`; some clients write `bytes 0-99/*`, as HTTP does.
_CONTENT_RANGE = re.compile(
    r"(?:bytes[ =])?(?P<first>[0-9]{1,18})-(?P<last>[0-9]{1,18})(?:/(?:[0-9]+|\*))?\Z"
)


class UploadEndpoints:
    """What can be done to uploads."""

    def __init__(self, backend: Backend, staging: Staging) -> None:
        self._backend = backend
        self._staging = staging

    def start(self, request: Request, repository: str) -> Response:
        """Start an upload, or finish at once by a mount or with the whole body."""
        if "mount" in request.args and self._mount(request, repository):
            return _created(repository, Digest.parse(request.args["mount"]))
        digest = _digest(request) if "digest" in request.args else None
        session = self._begin(repository)
        if digest is None:
            return Response(status=202, headers=_progress(session))
        try:
            session.check_room(request.content_length or 0)
            session.append(request.blocks())
            return self._finish(session, digest)
        finally:
            self._staging.end(session)

    def _begin(self, repository: str) -> Session:
        try:
            return self._staging.begin(repository)
        except TooManyUploadsError as error:
            raise RegistryError(
                429, "TOOMANYREQUESTS", str(error), headers={"Retry-After": "60"}
            ) from None

    def status(self, request: Request, repository: str, upload: str) -> Response:  # noqa: ARG002 one signature
        """Tell how much was received."""
        session = self._find(repository, upload)
        return Response(status=204, headers=_progress(session))

    def append(self, request: Request, repository: str, upload: str) -> Response:
        """Receive a chunk, or the whole in a stream."""
        session = self._find(repository, upload)
        with self._held(session):
            self._receive(request, session)
            return Response(status=202, headers=_progress(session))

    def finish(self, request: Request, repository: str, upload: str) -> Response:
        """Receive the last chunk, if any, and make the blob visible if it is what it should be."""
        session = self._find(repository, upload)
        digest = _digest(request)
        with self._held(session):
            self._receive(request, session)
            return self._finish(session, digest)

    def cancel(self, request: Request, repository: str, upload: str) -> Response:  # noqa: ARG002 one signature
        """Forget an upload."""
        session = self._find(repository, upload)
        with self._held(session):
            self._staging.end(session)
        return Response(status=204)

    def _mount(self, request: Request, repository: str) -> bool:
        digest = Digest.parse(request.args["mount"])
        source = request.args.get("from", "")
        if source:
            check_repository(source)
        return self._backend.mount(repository, digest, source)

    def _find(self, repository: str, upload: str) -> Session:
        session = self._staging.find(upload, repository)
        if session is None:
            raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload")
        return session

    @contextmanager
    def _held(self, session: Session) -> Iterator[None]:
        """Keep other requests off an upload; a second one at the same time is refused."""
        if not session.lock.acquire(blocking=False):
            raise RegistryError(409, "BLOB_UPLOAD_INVALID", "another request works on this upload")
        try:
            if self._staging.find(session.id, session.repository) is None:
                raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload")
            yield
        finally:
            session.lock.release()

    def _receive(self, request: Request, session: Session) -> None:
        start = session.size
        span = _span(request, session)
        session.check_room(request.content_length or span or 0)
        received = self._append(request, session)
        if span is not None and received != span:
            session.cut(start)
            raise _out_of_order(session, f"the range has {span} bytes, the body {received}")

    def _append(self, request: Request, session: Session) -> int:
        try:
            return session.append(request.blocks())
        except NoSpaceError:
            # Free the space of a failed upload on a full disk.
            self._staging.end(session)
            raise

    def _finish(self, session: Session, digest: Digest) -> Response:
        try:
            self._backend.write(session.repository, session.content(digest))
        finally:
            self._staging.end(session)
        return _created(session.repository, digest)


def _span(request: Request, session: Session) -> int | None:
    """Return the bytes that `Content-Range` announces, if it does and starts where it must."""
    text = request.headers.get("Content-Range")
    if not text:
        return None
    match = _CONTENT_RANGE.match(text)
    if not match:
        raise RegistryError(400, "BLOB_UPLOAD_INVALID", "Content-Range is no range")
    first, last = int(match["first"]), int(match["last"])
    # An empty last chunk has no range that could be written down, but for `10-9`.
    length = request.content_length
    if length is not None and length != last - first + 1:
        raise RegistryError(400, "SIZE_INVALID", "Content-Range contradicts Content-Length")
    if first != session.size or last < first - 1:
        raise _out_of_order(session, f"the next byte is {session.size}, not {first}")
    return last - first + 1


def _out_of_order(session: Session, why: str) -> RegistryError:
    return RegistryError(416, "BLOB_UPLOAD_INVALID", why, headers=_progress(session))


def _digest(request: Request) -> Digest:
    text = request.args.get("digest", "")
    if not text:
        raise InvalidDigestError("the digest is missing")
    return Digest.parse(text)


def _progress(session: Session) -> dict[str, str]:
    return {
        "Location": f"/v2/{session.repository}/blobs/uploads/{session.id}",
        # An empty upload has no valid range. Clients know docker-registry's `0-0`.
        "Range": f"0-{max(session.size - 1, 0)}",
        "Docker-Upload-UUID": session.id,
    }


def _created(repository: str, digest: Digest) -> Response:
    location = f"/v2/{repository}/blobs/{digest}"
    headers = {"Location": location, "Docker-Content-Digest": str(digest)}
    return Response(status=201, headers=headers)
