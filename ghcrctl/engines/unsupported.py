"""What an engine lacks, said with what to take instead.

What belongs here: the wording. What does not: which engine lacks what (each engine's module).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import UnsupportedError

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import Order


def lacks(message: str, *instead: str) -> UnsupportedError:
    """Word the error for something that an engine lacks.

    Args:
        message: which engine lacks what.
        instead: engines that have it, the best first.
    """
    ways = " or ".join(f"--builder {name}" for name in instead)
    return UnsupportedError(message, hint=f"choose another engine: {ways}")


def check_format(order: Order) -> None:
    """Check that what is asked for can be written.

    Raises:
        UnsupportedError: docker's archives hold no index.
    """
    if order.format == "docker" and len(order.platforms) > 1:
        raise UnsupportedError(
            "--format docker is for one platform", hint="leave it out: an index is OCI's"
        )
