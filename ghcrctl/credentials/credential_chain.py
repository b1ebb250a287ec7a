"""The keychain: ordered sources, of which the first that knows a registry wins.

What belongs here: the order. What does not: the sources themselves (``sources``).
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ghcrctl.credentials.os_keyring import OsKeyring
from ghcrctl.credentials.sources import (
    AuthFile,
    DockerConfig,
    Environment,
    GitHubCli,
    GitHubEnvironment,
    KeyringSource,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ghcrctl.credentials.credential import Credential

_RUN = Path("/run/containers")


class CredentialSource(Protocol):
    """A place where credentials may be."""

    @property
    def label(self) -> str:
        """What people call this place."""
        ...

    def get(self, registry: str, repository: str) -> Credential | None:
        """Return the credential for a repository, if this place has one."""
        ...


class Keychain:
    """Ordered sources; the first that has a credential for a registry wins.

    Threads may share it.

    Args:
        sources: the places, in order.
        warn: is called with a message about a credential that cannot be used.
    """

    def __init__(
        self, sources: Sequence[CredentialSource], warn: Callable[[str], None] = lambda _: None
    ) -> None:
        self._sources = tuple(sources)
        self._warn = warn
        self._answers: dict[tuple[str, str], Credential | None] = {}
        self._lock = threading.Lock()

    def find(self, registry: str, repository: str = "") -> Credential | None:
        """Return the credential for a repository; each source is asked once."""
        with self._lock:
            key = (registry, repository)
            if key not in self._answers:
                self._answers[key] = self._ask(registry, repository)
            return self._answers[key]

    def _ask(self, registry: str, repository: str) -> Credential | None:
        for source in self._sources:
            found = source.get(registry, repository)
            if found and found.fault:
                self._warn(f"the credential from {found.source} is ignored: {found.fault}")
            elif found:
                return found
        return None


def default_keychain(
    environ: Mapping[str, str], *, home: Path, config_dir: Path, warn: Callable[[str], None]
) -> Keychain:
    """Return the keychain in the documented order.

    Args:
        environ: the environment.
        home: the person's home directory.
        config_dir: our directory of settings.
        warn: is told of each place that cannot be used, once.
    """
    once = _once(warn)
    return Keychain(
        [
            Environment(environ),
            KeyringSource(OsKeyring(environ), once),
            AuthFile(own_file(config_dir), once, empty_ok=True),
            *docker_configs(environ, home=home, warn=once),
            *(AuthFile(path, once, environ) for path in _open_podman_files(environ, home)),
            GitHubEnvironment(environ),
            GitHubCli(environ, warn=once),
        ],
        once,
    )


def silent_keychain(environ: Mapping[str, str], *, home: Path, config_dir: Path) -> Keychain:
    """Return the places that answer at once and ask nobody: no keyring, no program."""

    def silent(_: str) -> None:
        """Report nothing."""

    paths = (own_file(config_dir), *podman_files(environ, home))
    files = [AuthFile(path, silent, empty_ok=True) for path in paths]
    docker = DockerConfig(_docker_file(environ, home), silent)
    return Keychain(
        [Environment(environ), files[0], docker, *files[1:], GitHubEnvironment(environ)]
    )


def own_file(config_dir: Path) -> Path:
    """Return the file where we keep credentials where there is no keyring."""
    return config_dir / "auth.json"


def docker_configs(
    environ: Mapping[str, str], *, home: Path, warn: Callable[[str], None]
) -> list[DockerConfig]:
    """Return docker's configuration: what the environment has inline, then the file."""
    path = _docker_file(environ, home)
    inline = environ.get("DOCKER_AUTH_CONFIG")
    configs = [DockerConfig(path, warn, environ, text=inline)] if inline else []
    return [*configs, DockerConfig(path, warn, environ)]


def _docker_file(environ: Mapping[str, str], home: Path) -> Path:
    folder = environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else home / ".docker") / "config.json"


def podman_files(environ: Mapping[str, str], home: Path) -> list[Path]:
    """Return podman's files: the one that is named, or the usual ones.

    Source: containers-auth.json(5); on Linux without XDG_RUNTIME_DIR, containers/image takes the
    user's folder below ``/run/containers``.
    """
    given = environ.get("REGISTRY_AUTH_FILE")
    if given:
        return [Path(given)]
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [config / "containers" / "auth.json"]
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime:
        files.insert(0, Path(runtime) / "containers" / "auth.json")
    elif sys.platform == "linux" and hasattr(os, "getuid"):
        files.insert(0, _RUN / str(os.getuid()) / "auth.json")
    return files


def _open_podman_files(environ: Mapping[str, str], home: Path) -> list[Path]:
    """Return podman's files, less the usual one where root has closed the folder above it."""
    files = podman_files(environ, home)
    if environ.get("REGISTRY_AUTH_FILE"):
        return files
    # Unlike a path's method, this function takes a closed folder's file for a missing one.
    return [p for p in files if not p.is_relative_to(_RUN) or os.path.exists(p)]  # noqa: PTH110


def _once(warn: Callable[[str], None]) -> Callable[[str], None]:
    said: set[str] = set()

    def tell(text: str) -> None:
        if text not in said:
            said.add(text)
            warn(text)

    return tell
