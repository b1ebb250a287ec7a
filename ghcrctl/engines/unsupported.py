"""Errors for options that a build engine does not support."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import UnsupportedError

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import BuildRequest


def unsupported_option(message: str, *instead: str) -> UnsupportedError:
    """Build the error for an option that an engine does not support.

    Args:
        message: message of the error.
        instead: engines that support the option, best first.
    """
    ways = " or ".join(f"--builder {name}" for name in instead)
    return UnsupportedError(message, hint=f"use another engine: {ways}")


def check_format(request: BuildRequest) -> None:
    """Check that the requested format can be written.

    Raises:
        UnsupportedError: a multi-platform image is requested in docker's format.
    """
    if request.format == "docker" and len(request.platforms) > 1:
        raise UnsupportedError(
            "--format docker does not support several platforms", hint="use --format oci"
        )
