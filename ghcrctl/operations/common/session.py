"""A session: the store, credentials and registry clients that the operations of a run share."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from ghcrctl import __version__
from ghcrctl.content.retry import RetryPolicy, retry
from ghcrctl.content.wait_events import ignore_wait, report_retries
from ghcrctl.errors import RefusedError
from ghcrctl.oci.reference import DOCKER_HUB, Reference
from ghcrctl.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.wait_events import Waiting
    from ghcrctl.credentials.credential_chain import CredentialChain
    from ghcrctl.github.packages import Packages
    from ghcrctl.registry.client import RegistryClient
    from ghcrctl.registry.repository import Repository
    from ghcrctl.registry.resolver import RepositorySource, Resolver
    from ghcrctl.registry.transport_options import TransportOptions
    from ghcrctl.settings import Settings
    from ghcrctl.transfer.workers import Workers

Result = TypeVar("Result")


def _silent(_: str) -> None:
    """Ignore a message."""


class Session:
    """The shared parts of one run, created on first use.

    Args:
        settings: the settings.
        warn: prints a warning.
        debug: prints each request.
        waiting: called at the start of each wait: for a rate limit, or before a request is
            retried.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        warn: Callable[[str], None] = _silent,
        debug: Callable[[str], None] | None = None,
        waiting: Waiting = ignore_wait,
    ) -> None:
        self.settings = settings
        self.warn = warn
        self.debug = debug
        self.waiting = waiting
        self._clients: dict[tuple[str, bool, bool], RegistryClient] = {}
        self._packages: dict[str, Packages] = {}
        # Functions that close clients, which other threads may still use.
        self._retired: list[Callable[[], None]] = []
        self._store: Store | None = None
        self._lock = threading.RLock()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for close in self._retired:
            close()
        for client in self._clients.values():
            client.close()
        for packages in self._packages.values():
            packages.github.close()
        if self._store:
            self._store.close()

    def forget(self, registry: str) -> None:
        """Drop the clients and credentials of a registry whose credential has changed."""
        with self._lock:
            self.__dict__.pop("credential_chain", None)
            for key in [key for key in self._clients if key[0] == registry]:
                self._retired.append(self._clients.pop(key).close)
            if registry in self._packages:
                self._retired.append(self._packages.pop(registry).github.close)
            self.resolver.forget(registry)

    def release(self) -> None:
        """Release this run's claim on stored content so that garbage collection can delete it."""
        if self._store:
            self._store.release()

    @property
    def store(self) -> Store:
        """The local image store."""
        with self._lock:
            if self._store is None:
                self._store = Store(
                    self.settings.store_dir, prefer=self.settings.preferred_platform
                )
            return self._store

    @cached_property
    def credential_chain(self) -> CredentialChain:
        """The sources of credentials, in order."""
        from ghcrctl.credentials.credential_chain import default_chain

        return default_chain(
            self.settings.credential_environ,
            home=self.settings.home,
            config_dir=self.settings.config_dir,
            warn=self.warn,
        )

    @property
    def jobs(self) -> int:
        """How many transfers run in parallel."""
        jobs: int = self.settings.get("jobs")
        return jobs

    @contextmanager
    def workers(self, shared: Workers | None = None) -> Iterator[Workers]:
        """Yield the given worker threads, or new ones if there are none."""
        from ghcrctl.transfer.workers import Workers

        if shared:
            yield shared
            return
        with Workers(self.jobs) as own:
            yield own

    @property
    def retry(self) -> RetryPolicy:
        """The retry policy of this run."""
        return RetryPolicy(attempts=self.settings.get("retries") + 1)

    def with_retries(self, act: Callable[[], Result]) -> Result:
        """Call a function, and retry failures with the session's policy; report each wait."""
        return retry(act, self.retry, on_retry=report_retries(self.waiting))

    def parse(self, text: str, *, is_github: bool = False) -> Reference:
        """Parse a reference with this session's default registry.

        Args:
            text: the reference.
            is_github: whether the registry is known to belong to GitHub.
        """
        return Reference.parse(
            text,
            default_registry=self.settings.get("default_registry"),
            warn=self.warn,
            is_github=is_github,
        )

    @property
    def has_local_names(self) -> bool:
        """Whether a one-part name is local and does not belong to Docker Hub."""
        return bool(self.settings.get("default_registry") != DOCKER_HUB)

    @cached_property
    def resolver(self) -> Resolver:
        """The resolver that decides which registry serves a reference."""
        from ghcrctl.registry.resolver import Resolver as Built
        from ghcrctl.settings.registry_files import docker_faults

        for fault in docker_faults(self.settings):
            self.warn(fault)
        return Built(self.settings.routes, self._client, self.warn)

    def _client(self, host: str, *, insecure: bool, patient: bool) -> RegistryClient:
        from ghcrctl.registry.client import RegistryClient

        key = (host, insecure, patient)
        with self._lock:
            if key not in self._clients:
                options = self.transport_options(host, insecure=insecure)
                if not patient:
                    options = replace(options, retry=RetryPolicy(attempts=1))
                self._clients[key] = RegistryClient(
                    host, credentials=self.credential_chain, options=options, warn=self.warn
                )
            return self._clients[key]

    def source(self, reference: Reference) -> RepositorySource:
        """Return the source of a reference: its mirrors, then its registry.

        Raises:
            RefusedError: the reference is a local name, or its registry is blocked.
        """
        if reference.is_local:
            raise RefusedError(
                f"`{reference}` is a local name: it belongs to no registry",
                hint=f"add a registry: docker.io/{reference}, or ghcr.io/OWNER/{reference}",
            )
        return self.resolver.read(reference)

    def repository(self, reference: Reference) -> Repository:
        """Return the repository to write to; the same object for each call with one repository.

        Raises:
            RefusedError: the reference is a local name, or its registry is blocked.
        """
        if reference.is_local:
            raise local_name_error(reference)
        return self.resolver.write(reference)

    def packages(self, registry: str) -> Packages:
        """Return the packages of the GitHub instance that a registry belongs to.

        GitHub's API gets the credential of the registry: both use the same token.

        Raises:
            UnsupportedError: the registry does not belong to GitHub.
        """
        from ghcrctl.github.client import GitHub
        from ghcrctl.github.github_hosts import instance_of
        from ghcrctl.github.packages import Packages
        from ghcrctl.github.rate_limit import RateLimiter

        get = self.settings.get
        with self._lock:
            if registry not in self._packages:
                instance = instance_of(registry, api=get("github_api"), web=get("github_web"))
                credential = self.credential_chain.find(registry)
                options = self.transport_options("")
                github = GitHub(
                    instance,
                    credential,
                    options,
                    limiter=RateLimiter(get("github_rate"), waiting=self.waiting),
                )
                self._packages[registry] = Packages(github)
            return self._packages[registry]

    @contextmanager
    def fetch(self, url: str) -> Iterator[Stream]:
        """Open a URL without sending any credential.

        Raises:
            NotFoundError: the URL does not exist.
            NetworkError: the host cannot be reached.
        """
        from ghcrctl.registry.plain_fetch import fetch

        stream = fetch(url, self.transport_options(""))
        try:
            yield stream
        finally:
            stream.close()

    def transport_options(self, registry: str, *, insecure: bool = False) -> TransportOptions:
        """Return the transport options for a registry."""
        from ghcrctl.registry.endpoint import TlsPolicy
        from ghcrctl.registry.proxies import ProxyRules
        from ghcrctl.registry.transport_options import TransportOptions

        get = self.settings.get
        return TransportOptions(
            connect_timeout=get("connect_timeout"),
            stall_timeout=get("stall_timeout"),
            retry=self.retry,
            tls=TlsPolicy(
                ca_file=get("ca_file"),
                client_cert=get("client_cert"),
                client_key=get("client_key"),
                insecure=insecure or get("insecure") or registry in self.settings.insecure_hosts,
                cert_dirs=self._cert_dirs(),
                registry=registry,
            ),
            user_agent=f"ghcrctl/{__version__}",
            jobs=self.jobs,
            connections=get("connections"),
            chunk=get("upload_chunk"),
            proxies=ProxyRules.from_environ(self.settings.environ),
            debug=self.debug,
            waiting=self.waiting,
            check_host=self._check_host,
        )

    def _check_host(self, host: str) -> None:
        self.settings.routes.check_host(host)

    def _cert_dirs(self) -> tuple[Path, ...]:
        """Return the folders with registry certificates: ours, docker's and podman's."""
        from ghcrctl.settings.docker_files import certificate_folders

        settings = self.settings
        others = certificate_folders(settings.environ, settings.home)
        return (settings.config_dir / "certs.d", *others)


def local_name_error(reference: Reference) -> RefusedError:
    """Build the error for a local name used where a registry is required."""
    tag = reference.tag or "latest"
    return RefusedError(
        f"`{reference}` is a local name: it belongs to no registry",
        hint=f"tag it first: ghcrctl tag {reference} ghcr.io/OWNER/{reference.repository}:{tag}",
    )
