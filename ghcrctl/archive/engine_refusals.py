"""What a docker engine's refusal means.

What belongs here: from status and words to one of our errors. The engine's own words are quoted as
its words. What does not: talking to it (`engine_connection`).
"""

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
from ghcrctl.oci.quoting import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

_LACKING = re.compile(r"[Nn]o such image: (\S+)$")


def refusal(
    label: str, action: str, said: str, *, status: int = 0, names: Sequence[str] = ()
) -> GhcrctlError:
    """Turn a refusal into an error that says what it means.

    Args:
        label: the engine.
        action: what was asked for, such as ``load images``.
        said: the engine's own words.
        status: HTTP's; 0 where the answer had begun well.
        names: which images it was about.
    """
    words = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    quoted = f' (it says: "{shortened(words)}")' if words else ""
    if status == 404 and names:
        lacking = _LACKING.search(words)
        which = lacking[1] if lacking else ", ".join(names)
        return NoSuchImageError(
            f"{label} has no image {shortened(which)}", hint="docker images lists what it has"
        )
    if status in {401, 403}:
        return DeniedError(f"{label} does not allow to {action}{quoted}")
    if "HTTP request to an HTTPS server" in words:
        return TlsError(
            f"{label} speaks TLS only",
            hint="DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, the directory of its certificates",
        )
    if "no space left on device" in words:
        return NoSpaceError(f"the disk of {label} is full{quoted}")
    return UnsupportedError(f"{label} refuses to {action}{quoted}")


def message_in(raw: bytes) -> str:
    """Read an engine's words in a document of its API, or in a text of whoever is before it."""
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
