"""What buildah and podman say alike: podman builds with buildah's code.

What belongs here: options of both, where they differ from docker's. Source: buildah-build(1),
podman-build(1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import option, private
from ghcrctl.engines.unsupported import lacks

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import Order

_REGISTRY = "type=registry,ref="


def own_words(order: Order) -> tuple[str, ...]:
    """Say what docker says otherwise, or not at all."""
    return (
        *private("cache-from", tuple(map(_repository, order.cache_from))),
        *private("cache-to", tuple(map(_repository, order.cache_to))),
        *option("pull", "always" if order.pull else None),
        *option("format", order.format),
        *option("timestamp", None if order.timestamp is None else str(order.timestamp)),
    )


def check_caching(engine: str, order: Order) -> None:
    """Check that steps are cached in repositories, the only kind of place that they know.

    Raises:
        UnsupportedError: another kind of place is wanted.
    """
    for name, values in (("--cache-from", order.cache_from), ("--cache-to", order.cache_to)):
        if any(mark in _repository(value) for value in values for mark in "=,"):
            raise lacks(f"{engine} takes only a repository for {name}", "buildx")


def _repository(value: str) -> str:
    return value.removeprefix(_REGISTRY)
