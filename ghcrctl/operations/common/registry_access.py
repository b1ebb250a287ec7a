"""Separate credentials and TLS options for the source or the target of a copy."""

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
    from ghcrctl.credentials.credential_chain import CredentialChain
    from ghcrctl.oci.reference import Reference
    from ghcrctl.registry.repository import Repository
    from ghcrctl.registry.resolver import RepositorySource
    from ghcrctl.registry.transport_options import TransportOptions
    from ghcrctl.store.store import Store


@dataclass(frozen=True, slots=True)
class Access:
    """Credentials and TLS options for one registry, used instead of the settings.

    Args:
        registry: the registry; nothing here is sent to any other host.
        credential: the credential to use.
        ca_file: PEM certificates to trust in addition to the system's.
        client_cert: PEM client certificate.
        client_key: the certificate's PEM key, if it is in a separate file.
        insecure: accept any certificate, and plain HTTP.
    """

    registry: str
    credential: Credential | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    insecure: bool = False


@contextmanager
def use_access(session: Session, access: Access | None) -> Iterator[Session]:
    """Yield a session that uses this access; the session itself if there is nothing to use.

    The new session has its own connections, tokens and cached responses, even if the original
    session uses the same registry.
    """
    if access is None or access == Access(access.registry):
        yield session
        return
    with _AccessSession(session, access) as side:
        yield side


class _AccessSession(Session):
    """A session that takes the access for one registry and the rest from another session."""

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
        """Record the host that this registry routes to. Mirrors never get the credential."""
        if reference.registry == self._access.registry:
            route = self.settings.routes.find(reference)
            self._hosts.add(route.origin.reference.registry)

    @property
    def store(self) -> Store:
        """The local image store of the original session."""
        return self._whole.store

    @cached_property
    def credential_chain(self) -> CredentialChain:
        """The given credential first, then the sources of the original session."""
        from ghcrctl.credentials.credential_chain import CredentialChain as Sources

        return Sources(
            (_AccessCredential(self._access, self._hosts), _SessionCredentials(self._whole))
        )

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


class _AccessCredential:
    """A credential source with the given credential."""

    label = "the command line"

    def __init__(self, access: Access, hosts: Set[str]) -> None:
        self._access = access
        self._hosts = hosts

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 one for all
        return self._access.credential if registry in self._hosts else None


class _SessionCredentials:
    """A credential source that opens the original session's sources on first use."""

    label = "the session"

    def __init__(self, whole: Session) -> None:
        self._whole = whole

    def get(self, registry: str, repository: str) -> Credential | None:
        return self._whole.credential_chain.find(registry, repository)
