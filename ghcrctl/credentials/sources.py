"""The places where a credential may be, each a source of the keychain.

What belongs here: one class a place. Each returns a credential or nothing; what is broken is told
to `warn` and passed over, so that a broken file does not break pulling a public image.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ghcrctl.credentials.auth_file import (
    UnreadableError,
    decode_entry,
    find_entry,
    parse_json,
    read_json,
)
from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.helpers import Helper, HelperError
from ghcrctl.credentials.names import GHCR, GITHUB, github_of, namespaces, registry_of
from ghcrctl.credentials.os_keyring import KeyringError, OsKeyring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_GH_TIMEOUT = 5.0
# ghcr.io does not look at the user name.
_ANY_USER = "ghcrctl"


@dataclass(frozen=True, slots=True)
class Environment:
    """``GHCRCTL_USERNAME`` and ``GHCRCTL_TOKEN``, for ``GHCRCTL_REGISTRY`` or ghcr.io."""

    environ: Mapping[str, str] = field(repr=False)
    label: str = "the environment"

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 one signature
        """Return the credential, if it is for this registry."""
        token = self.environ.get("GHCRCTL_TOKEN", "").strip()
        wanted = registry_of(self.environ.get("GHCRCTL_REGISTRY", "").strip() or GHCR)
        if not token or wanted != registry:
            return None
        username = self.environ.get("GHCRCTL_USERNAME", "").strip() or _ANY_USER
        return Credential(username, token, None, "the environment (GHCRCTL_TOKEN)")


@dataclass(frozen=True, slots=True)
class GitHubEnvironment:
    """``GITHUB_TOKEN`` and its like, as in a GitHub Actions job; for the registry of that GitHub.

    A token is sent only to the GitHub that the environment names: ``GITHUB_SERVER_URL``, which each
    job has, or ``GH_HOST``, or else github.com. Source: gh's manual, "gh help environment".
    """

    environ: Mapping[str, str] = field(repr=False)
    label: str = "the environment of GitHub Actions"

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 one signature
        """Return the credential, if this is the registry of the GitHub that it is for."""
        host = github_of(registry)
        for name in self._names(host) if host else ():
            token = self.environ.get(name, "").strip()
            if token:
                username = self.environ.get("GITHUB_ACTOR", "").strip() or _ANY_USER
                return Credential(username, token, None, f"the environment ({name})")
        return None

    def _names(self, host: str) -> tuple[str, ...]:
        server = registry_of(self.environ.get("GITHUB_SERVER_URL", "").strip())
        chosen = self.environ.get("GH_HOST", "").strip().lower()
        plain = ("GITHUB_TOKEN", "GH_TOKEN") if host == (server or GITHUB) else ()
        if host == GITHUB or host not in {server, chosen}:
            return plain
        if host.endswith(".ghe.com"):
            return plain or ("GH_TOKEN",)
        return (*plain, "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")


# Of these gh would print whatever host it is asked for; they were looked at before.
_FOR_GH = frozenset({"GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"})


@dataclass(frozen=True, slots=True)
class GitHubCli:
    """What ``gh auth token`` prints for a GitHub; for its registry."""

    environ: Mapping[str, str] = field(repr=False)
    label: str = "gh"

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 one signature
        """Ask gh, where it is installed."""
        host = github_of(registry)
        path = shutil.which("gh", path=self.environ.get("PATH"))
        if host is None or path is None:
            return None
        try:
            done = subprocess.run(
                [path, "auth", "token", "--hostname", host],
                capture_output=True,
                env={k: v for k, v in self.environ.items() if k not in _FOR_GH},
                timeout=_GH_TIMEOUT,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        token = done.stdout.decode(errors="replace").strip()
        if done.returncode or not token:
            return None
        return Credential(_ANY_USER, token, None, f"gh auth token, for {host}")


@dataclass(frozen=True, slots=True)
class KeyringSource:
    """Our entries in the system's keyring."""

    keyring: OsKeyring
    warn: Callable[[str], None]
    label: str = "the system's keyring"

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 one signature
        """Look the registry up."""
        try:
            return self.keyring.get(registry)
        except KeyringError as error:
            self.warn(f"the system's keyring cannot be asked for {registry}: {error}")
            return None


@dataclass(frozen=True, slots=True)
class AuthFile:
    """A file of podman's or our own: ``auths`` by registry, or by namespace of it."""

    path: Path
    warn: Callable[[str], None]

    @property
    def label(self) -> str:
        """The file."""
        return str(self.path)

    def get(self, registry: str, repository: str) -> Credential | None:
        """Look the repository up, the most specific entry first."""
        try:
            data = read_json(self.path)
            for key in namespaces(registry, repository):
                entry = find_entry(data, key)
                found = decode_entry(entry, str(self.path)) if entry else None
                if found:
                    return found
        except UnreadableError as error:
            self.warn(f"{self.path} is passed over: {error}")
        return None


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """Docker's ``config.json``: ``credHelpers``, ``credsStore``, ``auths``.

    Args:
        environ: where helpers are looked for.
        path: the file.
        text: the file's content where the environment has it (``DOCKER_AUTH_CONFIG``).
    """

    environ: Mapping[str, str] = field(repr=False)
    path: Path
    warn: Callable[[str], None]
    text: str | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        """The file, or the variable."""
        return str(self.path) if self.text is None else "DOCKER_AUTH_CONFIG"

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 docker has no namespaces
        """Look the registry up as docker does: its helper, if one is configured, else the file."""
        try:
            data = self.data()
        except UnreadableError as error:
            self.warn(f"{self.label} is passed over: {error}")
            return None
        found = self._from_helper(data, registry)
        if found:
            return found
        try:
            entry = find_entry(data, registry)
            return decode_entry(entry, self.label) if entry else None
        except UnreadableError as error:
            self.warn(f"{self.label} is passed over: {error}")
            return None

    def data(self) -> dict[str, Any]:
        """Read the file.

        Raises:
            UnreadableError: it cannot be used.
        """
        return read_json(self.path) if self.text is None else parse_json(self.text)

    def helper(self, data: Mapping[str, Any], registry: str) -> Helper | None:
        """Return the helper that docker would use for a registry."""
        helpers = data.get("credHelpers")
        for key, name in (helpers if isinstance(helpers, dict) else {}).items():
            if registry_of(key) == registry and isinstance(name, str) and name:
                return Helper(name, self.environ)
        store = data.get("credsStore")
        return Helper(store, self.environ) if isinstance(store, str) and store else None

    def _from_helper(self, data: Mapping[str, Any], registry: str) -> Credential | None:
        helper = self.helper(data, registry)
        if helper is None:
            return None
        try:
            return helper.get(registry)
        except HelperError as error:
            self.warn(f"{error} (configured in {self.label})")
            return None
