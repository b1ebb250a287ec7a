"""The credential chain: sources in order of precedence."""

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
    """A source of credentials."""

    @property
    def label(self) -> str:
        """The name of the source, for messages."""
        ...

    def get(self, registry: str, repository: str) -> Credential | None:
        """Return the credential for a repository, if the source has one."""
        ...


class CredentialChain:
    """Credential sources in order of precedence; safe to share between threads.

    Args:
        sources: the sources, in order.
        warn: called with a message about an unusable credential.
    """

    def __init__(
        self, sources: Sequence[CredentialSource], warn: Callable[[str], None] = lambda _: None
    ) -> None:
        self._sources = tuple(sources)
        self._warn = warn
        self._found: dict[tuple[str, str], Credential | None] = {}
        self._lock = threading.Lock()

    def find(self, registry: str, repository: str = "") -> Credential | None:
        """Return the credential for a repository; each source is only queried once."""
        with self._lock:
            key = (registry, repository)
            if key not in self._found:
                self._found[key] = self._search(registry, repository)
            return self._found[key]

    def _search(self, registry: str, repository: str) -> Credential | None:
        for source in self._sources:
            found = source.get(registry, repository)
            if found and found.fault:
                self._warn(f"ignoring the credential from {found.source}: {found.fault}")
            elif found:
                return found
        return None


def default_chain(
    environ: Mapping[str, str], *, home: Path, config_dir: Path, warn: Callable[[str], None]
) -> CredentialChain:
    """Return the credential chain in the documented order.

    Args:
        environ: the environment.
        home: the user's home directory.
        config_dir: the directory of ghcrctl's configuration.
        warn: called once about each source that cannot be used.
    """
    once = _once(warn)
    return CredentialChain(
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


def silent_chain(environ: Mapping[str, str], *, home: Path, config_dir: Path) -> CredentialChain:
    """Return a chain that never prompts and runs no program: variables and files only."""

    def silent(_: str) -> None:
        """Ignore a warning."""

    paths = (own_file(config_dir), *podman_files(environ, home))
    files = [AuthFile(path, silent, empty_ok=True) for path in paths]
    docker = DockerConfig(_docker_file(environ, home), silent)
    return CredentialChain(
        [Environment(environ), files[0], docker, *files[1:], GitHubEnvironment(environ)]
    )


def own_file(config_dir: Path) -> Path:
    """Return the file for credentials that are not stored in a keyring."""
    return config_dir / "auth.json"


def docker_configs(
    environ: Mapping[str, str], *, home: Path, warn: Callable[[str], None]
) -> list[DockerConfig]:
    """Return docker's configuration from the environment, if set, and from its file."""
    path = _docker_file(environ, home)
    inline = environ.get("DOCKER_AUTH_CONFIG")
    configs = [DockerConfig(path, warn, environ, text=inline)] if inline else []
    return [*configs, DockerConfig(path, warn, environ)]


def _docker_file(environ: Mapping[str, str], home: Path) -> Path:
    folder = environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else home / ".docker") / "config.json"


def podman_files(environ: Mapping[str, str], home: Path) -> list[Path]:
    """Return podman's files: the one set in the environment, or the default ones.

    Source: containers-auth.json(5). On Linux without XDG_RUNTIME_DIR, containers/image uses the
    user's directory below ``/run/containers``.
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
    """Return podman's files, without the default one if its directory is not accessible."""
    files = podman_files(environ, home)
    if environ.get("REGISTRY_AUTH_FILE"):
        return files
    # Unlike `Path.exists`, this treats a file in an inaccessible directory as missing.
    return [p for p in files if not p.is_relative_to(_RUN) or os.path.exists(p)]  # noqa: PTH110


def _once(warn: Callable[[str], None]) -> Callable[[str], None]:
    reported: set[str] = set()

    def warn_once(text: str) -> None:
        if text not in reported:
            reported.add(text)
            warn(text)

    return warn_once
