"""The resolver that decides where a reference is read, written and signed in.

Mirrors are only read. Writing and signing in use the location that ``registries.conf`` gives, so
that a name means the same place in every command.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from ghcrctl.registry.blocked_registry import BlockedPlace
from ghcrctl.registry.endpoint import spellings
from ghcrctl.registry.mirrors import MirroredSource
from ghcrctl.registry.repository import Repository
from ghcrctl.registry.routes import blocked_error, without_default_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.oci.reference import Reference
    from ghcrctl.registry.client import RegistryClient
    from ghcrctl.registry.routes import Route, Routes, Step

    RepositorySource = Repository | MirroredSource

# A mirror that failed is left out for this long, so that each of many names need not wait for it.
_DROPPED_SECONDS = 60.0


class ClientFactory(Protocol):
    """Makes the client of a host, the same one for the same arguments."""

    def __call__(self, host: str, *, insecure: bool, patient: bool) -> RegistryClient:
        """Return the client.

        Args:
            host: a registry.
            insecure: accept any certificate, and plain HTTP.
            patient: retry failed requests; not needed if another place can be used.
        """
        ...


class Resolver:
    """Resolves references to the places that serve them.

    Args:
        routes: the rules.
        clients: makes the client of a host.
        warn: is called with a message about a mirror that cannot be used.
    """

    def __init__(self, routes: Routes, clients: ClientFactory, warn: Callable[[str], None]) -> None:
        self._routes = routes
        self._clients = clients
        self._warn = warn
        self._targets: dict[tuple[object, ...], Repository] = {}
        self._dropped: dict[str, float] = {}
        self._lock = threading.Lock()

    def read(self, reference: Reference) -> RepositorySource:
        """Return where to read a reference: its mirrors in order, then its origin.

        Raises:
            RefusedError: its registry is blocked, and it has no mirror.
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
        """Return where to write a reference, always the same object for one repository.

        Raises:
            RefusedError: its registry is blocked.
        """
        route = self._routes.find(reference)
        there = route.origin.reference
        key = (there.registry, there.repository, *_renamed(reference, there).items())
        with self._lock:
            if key not in self._targets:
                self._targets[key] = self._origin(route, reference)
            return self._targets[key]

    def access(self, reference: Reference) -> tuple[RegistryClient, str]:
        """Return the client of a reference's origin, and its repository there.

        Raises:
            RefusedError: its registry is blocked.
        """
        route = self._routes.find(reference)
        if route.blocked:
            raise blocked_error(reference.name, route.blocked)
        step = route.origin
        return self._client(step), step.reference.repository

    def mount_source(self, source: Reference, target: Reference) -> str | None:
        """Return the repository to mount blobs from; ``None`` if the target's registry has none.

        Args:
            source: where the blobs are.
            target: where they are wanted.
        """
        there, here = self._routes.find(source), self._routes.find(target).origin.reference
        name = there.origin.reference
        is_one = here.registry in spellings(name.registry)
        if there.blocked or not is_one or name.repository == here.repository:
            return None
        return name.repository

    def place_of(self, reference: Reference) -> str:
        """Return the name of the repository where a reference is written.

        Names that lead to one repository, through ``registries.conf`` or with and without a
        default port, have the same.
        """
        return without_default_port(self._routes.find(reference).origin.reference.name)

    def sign_in(self, registry: str) -> RegistryClient:
        """Return the client of the host where credentials for a registry are used.

        Raises:
            RefusedError: it is blocked.
        """
        host, insecure = self._routes.find_host(registry)
        return self._clients(host, insecure=insecure, patient=True)

    def forget(self, host: str) -> None:
        """Drop the repositories of a host, whose credential has changed."""
        with self._lock:
            for key in [key for key in self._targets if key[0] == host]:
                del self._targets[key]

    def _origin(self, route: Route, reference: Reference) -> Repository:
        if route.blocked:
            raise blocked_error(reference.name, route.blocked)
        return self._repository(route.origin, reference)

    def _repository(self, step: Step, reference: Reference, *, patient: bool = True) -> Repository:
        there = step.reference
        client = self._client(step, patient=patient)
        return Repository(client, there.repository, _renamed(reference, there))

    def _client(self, step: Step, *, patient: bool = True) -> RegistryClient:
        return self._clients(step.reference.registry, insecure=step.insecure, patient=patient)


def _renamed(reference: Reference, there: Reference) -> dict[str, str]:
    """Return what a tag is called at a place; a digest is never replaced."""
    if reference.digest or reference.target == there.target:
        return {}
    return {reference.target: there.target}
