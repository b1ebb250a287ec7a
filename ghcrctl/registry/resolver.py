"""Resolves references to the registries that they are read from, written to and signed in at.

Mirrors are read-only. Writing and signing in use the location from ``registries.conf``, so a name
means the same repository in every command.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from ghcrctl.registry.blocked_registry import BlockedPlace
from ghcrctl.registry.endpoint import spellings
from ghcrctl.registry.mirrored_source import MirroredSource
from ghcrctl.registry.registry_rules import blocked_error, without_default_port
from ghcrctl.registry.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.oci.reference import Reference
    from ghcrctl.registry.client import RegistryClient
    from ghcrctl.registry.registry_rules import Route, Routes, Step

    RepositorySource = Repository | MirroredSource

# Failed mirrors are skipped for this long so that not every image has to wait for them.
_DROPPED_SECONDS = 60.0


class ClientFactory(Protocol):
    """Creates the client for a host; equal arguments return the same client."""

    def __call__(self, host: str, *, insecure: bool, patient: bool) -> RegistryClient:
        """Return the client.

        Args:
            host: the registry's host.
            insecure: accept any certificate, and plain HTTP.
            patient: retry failed requests; not needed if there is another source.
        """
        ...


class Resolver:
    """Resolves references to repositories.

    Args:
        routes: the routing rules.
        clients: creates the client for a host.
        warn: called with a message about a mirror that cannot be used.
    """

    def __init__(self, routes: Routes, clients: ClientFactory, warn: Callable[[str], None]) -> None:
        self._routes = routes
        self._clients = clients
        self._warn = warn
        self._targets: dict[tuple[object, ...], Repository] = {}
        self._dropped: dict[str, float] = {}
        self._lock = threading.Lock()

    def read(self, reference: Reference) -> RepositorySource:
        """Return the source to read a reference from: its mirrors in order, then its origin.

        Raises:
            RefusedError: the registry is blocked, and the reference has no mirror.
        """
        route = self._routes.find(reference)
        if not route.mirrors:
            return self._origin(route, reference)
        origin: Repository | BlockedPlace
        if route.blocked:
            origin = BlockedPlace(reference.name, blocked_error(reference.name, route.blocked))
        else:
            origin = self._repository(route.origin, reference)
        steps = [step for step in route.mirrors if not self._is_dropped(step)]
        mirrors = [self._repository(s, reference, patient=False) for s in steps]
        return MirroredSource(mirrors, origin, self._warn, self._drop)

    def _is_dropped(self, step: Step) -> bool:
        return time.monotonic() < self._dropped.get(step.reference.registry, 0)

    def _drop(self, mirror: Repository) -> None:
        self._dropped[mirror.registry] = time.monotonic() + _DROPPED_SECONDS

    def write(self, reference: Reference) -> Repository:
        """Return the repository to write a reference to; the same object for the same repository.

        Raises:
            RefusedError: the registry is blocked.
        """
        route = self._routes.find(reference)
        target = route.origin.reference
        key = (target.registry, target.repository, *_renamed(reference, target).items())
        with self._lock:
            if key not in self._targets:
                self._targets[key] = self._origin(route, reference)
            return self._targets[key]

    def access(self, reference: Reference) -> tuple[RegistryClient, str]:
        """Return the client for a reference's origin, and the repository's name at the origin.

        Raises:
            RefusedError: the registry is blocked.
        """
        route = self._routes.find(reference)
        if route.blocked:
            raise blocked_error(reference.name, route.blocked)
        step = route.origin
        return self._client(step), step.reference.repository

    def mount_source(self, source: Reference, target: Reference) -> str | None:
        """Return the repository to mount blobs from; ``None`` if it is on another registry.

        Args:
            source: the reference to copy from.
            target: the reference to copy to.
        """
        route, here = self._routes.find(source), self._routes.find(target).origin.reference
        name = route.origin.reference
        is_one = here.registry in spellings(name.registry)
        if route.blocked or not is_one or name.repository == here.repository:
            return None
        return name.repository

    def place_of(self, reference: Reference) -> str:
        """Return the name of the repository that a reference is written to.

        References that resolve to the same repository, through ``registries.conf`` or by a default
        port, have the same name.
        """
        return without_default_port(self._routes.find(reference).origin.reference.name)

    def sign_in(self, registry: str) -> RegistryClient:
        """Return the client for the host that receives the credentials for a registry.

        Raises:
            RefusedError: the host is blocked.
        """
        host, insecure = self._routes.find_host(registry)
        return self._clients(host, insecure=insecure, patient=True)

    def forget(self, host: str) -> None:
        """Drop the repositories of a host after its credential has changed."""
        with self._lock:
            for key in [key for key in self._targets if key[0] == host]:
                del self._targets[key]

    def _origin(self, route: Route, reference: Reference) -> Repository:
        if route.blocked:
            raise blocked_error(reference.name, route.blocked)
        return self._repository(route.origin, reference)

    def _repository(self, step: Step, reference: Reference, *, patient: bool = True) -> Repository:
        target = step.reference
        client = self._client(step, patient=patient)
        return Repository(client, target.repository, _renamed(reference, target))

    def _client(self, step: Step, *, patient: bool = True) -> RegistryClient:
        return self._clients(step.reference.registry, insecure=step.insecure, patient=patient)


def _renamed(reference: Reference, target: Reference) -> dict[str, str]:
    """Return the tag that a routing rule renames; a digest is never renamed."""
    if reference.digest or reference.target == target.target:
        return {}
    return {reference.target: target.target}
