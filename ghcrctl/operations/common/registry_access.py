"""One side of an act between two registries: with a credential, trust and certificates of its own.

What belongs here: what a side has for itself. What does not: everything else of a run, which the
sides share with their session (``session``).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ghcrctl.operations.common.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Set
    from pathlib import Path

    from ghcrctl.credentials.credential import Credential
    from ghcrctl.credentials.credential_chain import Keychain
    from ghcrctl.oci.reference import Reference
    from ghcrctl.registry.repository import Repository
    from ghcrctl.registry.resolver import RepositorySource
    from ghcrctl.registry.transport_options import TransportOptions
    from ghcrctl.store.store import Store


@dataclass(frozen=True, slots=True)
class Access:
    """What one side uses for a registry, in place of what the settings say.

    Args:
        registry: whom it is for; no other host is shown any of it.
        credential: who we are.
        ca_file: PEM certificates to trust besides the system's.
        client_cert: PEM client certificate.
        client_key: its PEM key, where that is in a file of its own.
        insecure: accept any certificate, and plain HTTP.
    """

    registry: str
    credential: Credential | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    insecure: bool = False


@contextmanager
def side_of(session: Session, access: Access | None) -> Iterator[Session]:
    """Give the session of one side of an act; without anything of its own it is the whole one.

    The connections, tokens and answers of a side are its own, also where the other side talks to
    the same registry.
    """
    if access is None or access == Access(access.registry):
        yield session
        return
    with _Side(session, access) as side:
        yield side


class _Side(Session):
    """A session within a session."""

    def __init__(self, whole: Session, access: Access) -> None:
        super().__init__(whole.settings, warn=whole.warn, debug=whole.debug)
        self._whole = whole
        self._access = access
        self._hosts = {access.registry, whole.settings.routes.host_of(access.registry)}

    def source(self, reference: Reference) -> RepositorySource:
        """Return where to read a reference."""
        self._learn(reference)
        return super().source(reference)

    def repository(self, reference: Reference) -> Repository:
        """Return where to write a reference."""
        self._learn(reference)
        return super().repository(reference)

    def _learn(self, reference: Reference) -> None:
        """Remember the host that a part of the registry is routed to; never a mirror's."""
        if reference.registry == self._access.registry:
            route = self.settings.routes.find(reference)
            self._hosts.add(route.origin.reference.registry)

    @property
    def store(self) -> Store:
        """The local image store, of which there is one."""
        return self._whole.store

    @cached_property
    def keychain(self) -> Keychain:
        """The credential of this side, then everybody's."""
        from ghcrctl.credentials.credential_chain import Keychain as Sources

        return Sources((_Given(self._access, self._hosts), _Shared(self._whole)))

    def transport_options(self, registry: str, *, insecure: bool = False) -> TransportOptions:
        """Return how to talk to a registry."""
        access = self._access
        mine = registry in self._hosts
        options = super().transport_options(
            registry, insecure=insecure or (mine and access.insecure)
        )
        tls = options.tls
        if mine and access.ca_file:
            tls = replace(tls, ca_file=access.ca_file)
        if mine and access.client_cert:
            tls = replace(tls, client_cert=access.client_cert, client_key=access.client_key)
        return replace(options, tls=tls)


class _Given:
    """The credential of a side."""

    label = "the command line"

    def __init__(self, access: Access, hosts: Set[str]) -> None:
        self._access = access
        self._hosts = hosts

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 one for all
        return self._access.credential if registry in self._hosts else None


class _Shared:
    """What the whole session knows; it is not looked at before it is needed."""

    label = "the session"

    def __init__(self, whole: Session) -> None:
        self._whole = whole

    def get(self, registry: str, repository: str) -> Credential | None:
        return self._whole.keychain.find(registry, repository)
