"""Options that buildah and podman share but docker does not: podman builds with buildah's code.

Source: buildah-build(1), podman-build(1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import option, private_options
from ghcrctl.engines.unsupported import unsupported_option

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import BuildRequest

_REGISTRY = "type=registry,ref="


def buildah_options(request: BuildRequest) -> tuple[str, ...]:
    """Return the options that differ from docker's."""
    return (
        *private_options("cache-from", tuple(map(_repository, request.cache_from))),
        *private_options("cache-to", tuple(map(_repository, request.cache_to))),
        *option("pull", "always" if request.pull else None),
        *option("format", request.format),
        *option("timestamp", None if request.timestamp is None else str(request.timestamp)),
    )


def check_caching(engine: str, request: BuildRequest) -> None:
    """Check that build caches are repositories, the only kind that buildah and podman support.

    Raises:
        UnsupportedError: another kind of cache is requested.
    """
    for name, values in (("--cache-from", request.cache_from), ("--cache-to", request.cache_to)):
        if any(mark in _repository(value) for value in values for mark in "=,"):
            raise unsupported_option(f"{engine} supports only a repository for {name}", "buildx")


def _repository(value: str) -> str:
    return value.removeprefix(_REGISTRY)
