"""Answers, and which answer stands for which error.

What belongs here: the value, its common headers, and the error bodies of the specification.

Spec: OCI distribution spec 1.1, "Error Codes".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ghcrctl import errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ERRORS: tuple[tuple[type[errors.GhcrctlError], int, str], ...] = (
    (errors.RepositoryUnknownError, 404, "NAME_UNKNOWN"),
    (errors.BlobUnknownError, 404, "BLOB_UNKNOWN"),
    (errors.NotFoundError, 404, "MANIFEST_UNKNOWN"),
    (errors.InvalidReferenceError, 400, "NAME_INVALID"),
    (errors.InvalidDigestError, 400, "DIGEST_INVALID"),
    (errors.DigestMismatchError, 400, "DIGEST_INVALID"),
    (errors.SizeMismatchError, 400, "SIZE_INVALID"),
    (errors.InvalidManifestError, 400, "MANIFEST_INVALID"),
    (errors.SchemaOneError, 400, "MANIFEST_INVALID"),
    (errors.ConnectionLostError, 400, "BLOB_UPLOAD_INVALID"),
    (errors.UnsupportedError, 405, "UNSUPPORTED"),
    (errors.StoreReadOnlyError, 405, "UNSUPPORTED"),
    (errors.NoSpaceError, 507, "UNKNOWN"),
)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer; ``body`` has as many bytes as its ``Content-Length`` says."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()

    @property
    def status_line(self) -> str:
        """The status with its reason, as WSGI wants it."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"


class Refusal(Exception):  # noqa: N818 an answer that ends the handling, not a fault of ours
    """An answer that is an error of the specification.

    Args:
        status: the HTTP status.
        code: the specification's code, such as ``BLOB_UNKNOWN``.
        message: for people.
        detail: for programs, JSON.
        headers: further headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        detail: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.response = error_response(status, code, message, detail=detail, headers=headers)


def empty(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer without a body."""
    length = {} if status in {204, 304} else {"Content-Length": "0"}
    return Response(status, {**length, **(headers or {})})


def json_response(
    data: object,
    *,
    status: int = 200,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with JSON."""
    body = json.dumps(data).encode()
    common = {"Content-Type": media_type, "Content-Length": str(len(body))}
    return Response(status, {**common, **(headers or {})}, (body,))


def error_response(
    status: int,
    code: str,
    message: str,
    *,
    detail: object = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with an error of the specification."""
    error: dict[str, Any] = {"code": code, "message": message, "detail": detail}
    return json_response({"errors": [error]}, status=status, headers=headers)


def response_of(error: errors.GhcrctlError) -> Response:
    """Choose the answer for an error of a place; what the specification has no word for is 500."""
    for kind, status, code in _ERRORS:
        if isinstance(error, kind):
            return error_response(status, code, error.message)
    return error_response(500, "UNKNOWN", error.message)
