"""A registry by the book whose answers are bent where told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.builders import random_image
from tests.registry_double import Fault

if TYPE_CHECKING:
    from tests.registry_double import PlainRegistry

# What `octo/image:1.0` is there.
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
    """Change answers below a path."""
    registry.faults.append(
        Fault(path_contains=path, status=status, body=body, headers=headers or {}, times=times)
    )
