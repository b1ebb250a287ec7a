"""The client, which combines all calls with settings and a session."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.api.archives import Archives
from ghcrctl.api.arguments import path_of
from ghcrctl.api.copies import Copies
from ghcrctl.api.images import Images
from ghcrctl.api.inside import Files
from ghcrctl.api.locks import Locks
from ghcrctl.api.making import Making
from ghcrctl.api.manifests import Artifacts, Manifests
from ghcrctl.api.moving import Transfers
from ghcrctl.api.packages import Packages
from ghcrctl.api.registries import Registries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from ghcrctl.api.arguments import PathLike
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.common.session import Session


def _ignore(_: str) -> None:
    """Ignore a warning or debug message."""


class Client(Transfers, Copies, Registries, Images, Files, Archives, Making):
    """Every command as a method, with settings shared by all calls.

    As a context manager, a client uses one session for all calls in the block, and so shares
    connections, tokens and cached responses. Otherwise each call opens its own session, and nothing
    needs to be closed. Other settings come from the environment and from ``config.toml``, as on the
    command line. Clients are thread-safe.

    Args:
        store: directory of the image store.
        config_dir: directory of ``config.toml`` and stored credentials.
        platform: platform of multi-platform images; by default, Linux on this machine's processor.
        default_registry: registry of names that have an owner but no registry.
        jobs: maximum number of concurrent layer transfers.
        retries: number of retries of a failed request.
        connect_timeout: time limit for connecting (seconds).
        stall_timeout: time without data after which a connection is dropped (seconds).
        insecure: allow invalid certificates and plain HTTP.
        ca_file: PEM file with additional CA certificates to trust.
        client_cert: PEM file with a client certificate.
        client_key: PEM file with the key of the client certificate.
        settings: other settings, by their names in ``config.toml``.
        environ: the environment; by default, os.environ.
        warn: called with each warning.
        debug: called with a line per request, without secrets.

    Raises:
        UsageError: a setting is unknown.
    """

    def __init__(  # noqa: PLR0913 one argument a setting
        self,
        *,
        store: PathLike | None = None,
        config_dir: PathLike | None = None,
        platform: str | Platform | None = None,
        default_registry: str | None = None,
        jobs: int | None = None,
        retries: int | None = None,
        connect_timeout: float | None = None,
        stall_timeout: float | None = None,
        insecure: bool | None = None,
        ca_file: PathLike | None = None,
        client_cert: PathLike | None = None,
        client_key: PathLike | None = None,
        settings: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        warn: Callable[[str], None] = _ignore,
        debug: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(self._opened)
        self._given = {
            **_checked(settings or {}),
            "store": store,
            "platform": None if platform is None else str(platform),
            "default_registry": default_registry,
            "jobs": jobs,
            "retries": retries,
            "connect_timeout": connect_timeout,
            "stall_timeout": stall_timeout,
            "insecure": insecure,
            "ca_file": ca_file,
            "client_cert": client_cert,
            "client_key": client_key,
        }
        self._config_dir = config_dir
        self._environ = environ
        self._warn = warn
        self._debug = debug
        self._shared: Session | None = None
        self._running = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        if self._shared:
            raise RuntimeError("this client is already open")
        self._shared = self._new_session()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shared, self._shared = self._shared, None
        if shared:
            shared.__exit__(kind, error, trace)

    @property
    def manifest(self) -> Manifests:
        """Calls on image manifests and manifest lists."""
        return Manifests(self._opened)

    @property
    def artifact(self) -> Artifacts:
        """Calls that push and pull files as artifacts."""
        return Artifacts(self._opened)

    @property
    def lock(self) -> Locks:
        """Calls that pin image names to digests in a lock file."""
        return Locks(self._opened)

    @property
    def packages(self) -> Packages:
        """Calls on container packages on GitHub."""
        return Packages(self._opened)

    @contextmanager
    def _opened(self) -> Iterator[Session]:
        """Open the session of a call, or return the shared session."""
        shared = self._shared
        if shared is None:
            with self._new_session() as own:
                yield own
            return
        with self._lock:
            self._running += 1
        try:
            yield shared
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    # The next call may remove content that this call protected.
                    shared.release()

    def _new_session(self) -> Session:
        from ghcrctl.operations.common.session import Session
        from ghcrctl.settings import Settings

        folder = None if self._config_dir is None else path_of(self._config_dir)
        settings = Settings(self._environ, self._given, config_dir=folder)
        for warning in settings.check():
            self._warn(warning)
        return Session(settings, warn=self._warn, debug=self._debug)


def _checked(settings: Mapping[str, object]) -> dict[str, object]:
    """Check the names of settings, and return values in the types of ``config.toml``.

    Raises:
        UsageError: a setting is unknown.
    """
    from ghcrctl.errors import UsageError
    from ghcrctl.settings import SETTINGS

    known = sorted(setting.name for setting in SETTINGS)
    for name in settings:
        if name not in known:
            raise UsageError(
                f"unknown setting `{name}`", hint=f"the settings are {', '.join(known)}"
            )
    return {k: list(v) if isinstance(v, (tuple, set)) else v for k, v in settings.items()}
