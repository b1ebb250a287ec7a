"""Error responses of the registry.

Spec: OCI distribution spec 1.1, "Error Codes".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)

from ghcrctl import errors
from ghcrctl.server.responses import json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.server.responses import Response


class RegistryError(Exception):
    """An error response with a code of the spec.

    Args:
        status: HTTP status.
        code: error code of the spec, such as ``BLOB_UNKNOWN``.
        message: text for the user.
        detail: JSON value for programs.
        headers: additional headers.
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
        error = {"code": code, "message": message, "detail": detail}
        self.response = json_response({"errors": [error]}, status=status, headers=headers)


class _Code(NamedTuple):
    kind: type[errors.GhcrctlError]
    status: int
    code: str


# The first matching line counts, so subclasses come before their base class.
_CODES = (
    _Code(errors.RepositoryUnknownError, 404, "NAME_UNKNOWN"),
    _Code(errors.BlobUnknownError, 404, "BLOB_UNKNOWN"),
    _Code(errors.NotFoundError, 404, "MANIFEST_UNKNOWN"),
    _Code(errors.InvalidReferenceError, 400, "NAME_INVALID"),
    _Code(errors.InvalidDigestError, 400, "DIGEST_INVALID"),
    _Code(errors.DigestMismatchError, 400, "DIGEST_INVALID"),
    _Code(errors.SizeMismatchError, 400, "SIZE_INVALID"),
    _Code(errors.InvalidManifestError, 400, "MANIFEST_INVALID"),
    _Code(errors.SchemaOneError, 400, "MANIFEST_INVALID"),
    _Code(errors.UnsupportedError, 405, "UNSUPPORTED"),
    _Code(errors.StoreReadOnlyError, 405, "UNSUPPORTED"),
    _Code(errors.NoSpaceError, 507, "UNKNOWN"),
)


def to_response(error: Exception) -> Response:
    """Build the response for an exception; 500 if the spec has no code for it."""
    if isinstance(error, RegistryError):
        return error.response
    if isinstance(error, errors.GhcrctlError):
        return _from_error(error).response
    if isinstance(error, HTTPException):
        return _from_werkzeug(error).response
    return RegistryError(500, "UNKNOWN", "internal server error").response


def _from_error(error: errors.GhcrctlError) -> RegistryError:
    for kind, status, code in _CODES:
        if isinstance(error, kind):
            return RegistryError(status, code, error.message)
    return RegistryError(500, "UNKNOWN", error.message)


def _from_werkzeug(error: HTTPException) -> RegistryError:
    if isinstance(error, NotFound):
        return RegistryError(404, "UNSUPPORTED", "no such endpoint")
    if isinstance(error, MethodNotAllowed):
        headers = {"Allow": ", ".join(sorted(error.valid_methods or ()))}
        return RegistryError(405, "UNSUPPORTED", error.description or "", headers=headers)
    if isinstance(error, ClientDisconnected):
        return RegistryError(400, "BLOB_UPLOAD_INVALID", "the request body is incomplete")
    if isinstance(error, RequestEntityTooLarge):
        return RegistryError(413, "MANIFEST_INVALID", error.description or "")
    return RegistryError(error.code or 500, "UNKNOWN", error.description or "")
