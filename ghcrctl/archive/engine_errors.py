"""Translation of a docker engine's error responses."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ghcrctl.errors import (
    DeniedError,
    GhcrctlError,
    NoSpaceError,
    NoSuchImageError,
    TlsError,
    UnsupportedError,
)
from ghcrctl.oci.quotes import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_IMAGE = re.compile(r"[Nn]o such image: (\S+)$")


def engine_error(
    label: str, action: str, message: str, *, status: int = 0, names: Sequence[str] = ()
) -> GhcrctlError:
    """Build the error for an error response of an engine.

    Args:
        label: name of the engine in messages.
        action: the requested action, such as ``load images``.
        message: message of the engine, which is quoted.
        status: HTTP status; 0 if the error came in the body of a successful response.
        names: images of the request.
    """
    text = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    quoted = f': "{shortened(text)}"' if text else ""
    if status == 404 and names:
        missing = _NO_IMAGE.search(text)
        which = missing[1] if missing else ", ".join(names)
        return NoSuchImageError(
            f"{label} has no image {shortened(which)}", hint="list its images: docker images"
        )
    if status in {401, 403}:
        return DeniedError(f"permission denied to {action} on {label}{quoted}")
    if "HTTP request to an HTTPS server" in text:
        return TlsError(
            f"{label} requires TLS",
            hint="set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the directory of certificates",
        )
    if "no space left on device" in text:
        return NoSpaceError(f"the disk of {label} is full{quoted}")
    return UnsupportedError(f"{label} failed to {action}{quoted}")


def error_message(raw: bytes) -> str:
    """Return the error message in a JSON document of the API, or in the text of a proxy."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode(errors="replace")
    if not isinstance(document, dict):
        return ""
    detail = document.get("errorDetail")
    if isinstance(detail, dict) and detail.get("message"):
        return str(detail["message"])
    return str(document.get("message") or document.get("error") or "")
