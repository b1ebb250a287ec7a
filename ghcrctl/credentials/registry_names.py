"""Registry names as keys in credential files and helpers."""

from __future__ import annotations

GHCR = "ghcr.io"
DOCKER_HUB = "docker.io"
# The key that docker itself writes for Docker Hub.
HUB_KEY = "https://index.docker.io/v1/"
GITHUB = "github.com"
# GitHub Enterprise serves its registry on a subdomain (GitHub's documentation, "Working with the
# Container registry").
_CONTAINERS = "containers."
_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


def registry_of(key: str) -> str:
    """Return the registry of a key, which may have a scheme and a path."""
    host = key.split("://", 1)[-1].split("/", 1)[0].lower()
    return DOCKER_HUB if host in _HUB else host


def github_of(registry: str) -> str | None:
    """Return the host of the GitHub instance that a registry belongs to; ``None`` for others."""
    if registry == GHCR:
        return GITHUB
    host = registry.removeprefix(_CONTAINERS)
    return host if host != registry and host else None


def docker_key(registry: str) -> str:
    """Return the key that docker uses for a registry."""
    return HUB_KEY if registry == DOCKER_HUB else registry


def namespaces(registry: str, repository: str) -> list[str]:
    """Return podman's keys for a repository, most specific first.

    Source: containers-auth.json(5).
    """
    parts = repository.split("/") if repository else []
    keys = ["/".join([registry, *parts[:count]]) for count in range(len(parts), 0, -1)]
    return [*keys, registry]


def lookup_keys(registry: str, repository: str) -> list[str]:
    """Return the exact keys for a repository, most specific first.

    Docker's key for Docker Hub comes before ``docker.io``, since it is the only one that ``docker
    login`` writes.
    """
    *narrower, whole = namespaces(registry, repository)
    return [*narrower, *dict.fromkeys((docker_key(registry), whole))]
