"""A standard registry whose responses a test can modify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.builders import random_image
from tests.registry_double import Fault

if TYPE_CHECKING:
    from tests.registry_double import PlainRegistry

# The content of `octo/image:1.0`.
IMAGE = random_image(1)


def bend(
    registry: PlainRegistry,
    path: str,
    *,
    status: int = 200,
    body: bytes | None = None,
    times: int = 1,
    headers: dict[str, str] | None = None,
) -> None:
    """Modify the responses below a path."""
    registry.faults.append(
        Fault(path_contains=path, status=status, body=body, headers=headers or {}, times=times)
    )
