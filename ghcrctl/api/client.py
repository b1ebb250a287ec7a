"""The client: all calls, over settings of its own and one session.

What belongs here: settings and sessions. What does not: the calls (the modules beside this one).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.api.archives import Archives
from ghcrctl.api.arguments import path_of
from ghcrctl.api.copying import Copies
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


def _silent(_: str) -> None:
    """Tell nobody."""


class Client(Transfers, Copies, Registries, Images, Files, Archives, Making):
    """Every command as a method, with settings shared by all calls.

    As a context manager it keeps one session for all calls within the block: connections, tokens
    and cached responses. Without one, each call has a session of its own, and nothing
    needs to be closed. What is not given is taken from the environment and from ``config.toml``,
    as on the command line. Several threads may use one client at once.

    Args:
        store: directory of the image store.
        config_dir: directory of ``config.toml`` and of stored credentials.
        platform: what is chosen of multi-platform images; Linux on this machine's processor by
            default.
        default_registry: registry of a name that has an owner but no registry.
        jobs: number of layers transferred at once.
        retries: how often a failed request is sent again.
        connect_timeout: how long to wait for a connection (seconds).
        stall_timeout: seconds without a byte after which a connection is given up.
        insecure: accept any certificate, and plain HTTP.
        ca_file: PEM file with certificates to trust besides the system's.
        client_cert: file with a PEM client certificate.
        client_key: PEM file with that certificate's key.
        settings: any other settings, by their names in ``config.toml``.
        environ: the environment; this process's by default.
        warn: is called with each warning.
        debug: is called with a line for each request, without secrets.

    Raises:
        UsageError: there is no such setting.
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
        warn: Callable[[str], None] = _silent,
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
            raise RuntimeError("this client is open already")
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
        """Calls that look at manifests, and make and change indexes."""
        return Manifests(self._opened)

    @property
    def artifact(self) -> Artifacts:
        """Calls that push and pull plain files."""
        return Artifacts(self._opened)

    @property
    def lock(self) -> Locks:
        """Calls that pin the image names of a project in a file."""
        return Locks(self._opened)

    @property
    def packages(self) -> Packages:
        """Calls that look after container packages on GitHub."""
        return Packages(self._opened)

    @contextmanager
    def _opened(self) -> Iterator[Session]:
        """Give a call its session: the shared one, or one of its own."""
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
                    # What one call needed, the next one may remove.
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
    """Check names of settings, and write values as ``config.toml`` would have them.

    Raises:
        UsageError: there is no such setting.
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
