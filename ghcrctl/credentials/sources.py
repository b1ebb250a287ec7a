"""The sources of the credential chain.

A source that is broken is reported to `warn` and skipped so that a damaged file does not prevent
pulling a public image.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ghcrctl.credentials.auth_file import (
    Dialect,
    UnreadableError,
    find_credential,
    member,
    parse_json,
    read_json,
)
from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.helpers import Helper, HelperError
from ghcrctl.credentials.os_keyring import KeyringError, OsKeyring
from ghcrctl.credentials.registry_names import GHCR, GITHUB, github_of, lookup_keys, registry_of
from ghcrctl.programs.finder import ProgramNotFoundError, find_program
from ghcrctl.programs.process import ProgramError, run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_GH_SECONDS = 5.0
# ghcr.io ignores the user name.
_ANY_USER = "ghcrctl"


@dataclass(frozen=True, slots=True)
class Environment:
    """``GHCRCTL_USERNAME`` and ``GHCRCTL_TOKEN``, for ``GHCRCTL_REGISTRY`` or ghcr.io."""

    environ: Mapping[str, str] = field(repr=False)
    label: str = "the environment"

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 one signature
        """Return the credential if it is for this registry."""
        token = self.environ.get("GHCRCTL_TOKEN", "").strip()
        wanted = registry_of(self.environ.get("GHCRCTL_REGISTRY", "").strip() or GHCR)
        if not token or wanted != registry:
            return None
        username = self.environ.get("GHCRCTL_USERNAME", "").strip() or _ANY_USER
        return Credential(username, token, None, "the environment (GHCRCTL_TOKEN)")


@dataclass(frozen=True, slots=True)
class GitHubEnvironment:
    """``GITHUB_TOKEN`` and similar variables, for the registry of one GitHub instance.

    A token is only sent to the instance that the environment names: ``GITHUB_SERVER_URL``, which
    every job has, or ``GH_HOST``, or else github.com. Source: gh's manual, "gh help environment".
    """

    environ: Mapping[str, str] = field(repr=False)
    label: str = "the environment of GitHub Actions"

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 one signature
        """Return the credential if this registry belongs to the instance."""
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


# gh would print these for any host, and `GitHubEnvironment` has already checked them.
_FOR_GH = frozenset({"GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"})


@dataclass(frozen=True, slots=True)
class GitHubCli:
    """The token that ``gh auth token`` prints, for the registry of a GitHub instance.

    Args:
        environ: the environment to find and run gh with.
        label: the name of the source.
        warn: called with the reason if gh cannot be run.
    """

    environ: Mapping[str, str] = field(repr=False)
    label: str = "gh"
    warn: Callable[[str], None] = lambda _: None

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 one signature
        """Return gh's token, if gh is installed and signed in."""
        host = github_of(registry)
        token = self._token(host) if host else ""
        return Credential(_ANY_USER, token, None, f"gh auth token, for {host}") if token else None

    def _token(self, host: str) -> str:
        try:
            command = [find_program("gh", self.environ), "auth", "token", "--hostname", host]
            environ = {k: v for k, v in self.environ.items() if k not in _FOR_GH}
            done = run_program(command, environ, seconds=_GH_SECONDS)
        except ProgramNotFoundError as error:
            if error.ignored:
                self.warn(str(error))
            return ""
        except ProgramError as error:
            self.warn(f"cannot get a token from gh: {error}")
            return ""
        return "" if done.status else done.stdout.decode(errors="replace").strip()


@dataclass(frozen=True, slots=True)
class KeyringSource:
    """Our entries in the system's keyring."""

    keyring: OsKeyring
    warn: Callable[[str], None]
    label: str = "the system's keyring"

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 one signature
        """Return the credential for a registry, if there is one."""
        try:
            return self.keyring.get(registry)
        except KeyringError as error:
            self.warn(
                f"cannot read the credential for {registry} from the system's keyring: {error}; "
                "continuing without it"
            )
            return None


@dataclass(frozen=True, slots=True)
class AuthFile:
    """Podman's or our own file: ``credHelpers``, and ``auths`` by registry or namespace.

    Args:
        path: the file.
        warn: called with a message if the file cannot be used.
        environ: the environment to run helpers with; ``None`` to run none.
        empty_ok: whether an empty file is ignored silently.
    """

    path: Path
    warn: Callable[[str], None]
    environ: Mapping[str, str] | None = field(default=None, repr=False)
    empty_ok: bool = False
    dialect: ClassVar[Dialect] = Dialect.PODMAN

    @property
    def label(self) -> str:
        """The file's path."""
        return str(self.path)

    def get(self, registry: str, repository: str) -> Credential | None:
        """Return the credential from the registry's helper, or else the most specific entry."""
        try:
            data = self.data()
            found = self._from_helper(data, registry)
            return found or find_credential(data, registry, repository, self.label, self.dialect)
        except UnreadableError as error:
            self.warn(f"ignoring {self.label}: {error}")
            return None

    def data(self) -> dict[str, Any]:
        """Read the file.

        Raises:
            UnreadableError: the file is invalid.
        """
        return read_json(self.path, empty_ok=self.empty_ok)

    def helper(self, data: Mapping[str, Any], registry: str) -> Helper | None:
        """Return the helper that is configured for a registry."""
        name = helper_name(member(data, "credHelpers"), registry)
        return Helper(name, self.environ) if name and self.environ is not None else None

    def _from_helper(self, data: Mapping[str, Any], registry: str) -> Credential | None:
        helper = self.helper(data, registry)
        if helper is None:
            return None
        try:
            return helper.get(registry)
        except HelperError as error:
            self.warn(f"{error} (configured in {self.label})")
            return None


@dataclass(frozen=True, slots=True)
class DockerConfig(AuthFile):
    """Docker's ``config.json``: like podman's file, with ``credsStore``.

    Docker does not support namespaces in this file; podman and skopeo do.

    Args:
        text: the content from the environment (``DOCKER_AUTH_CONFIG``), if set.
    """

    empty_ok: bool = True
    text: str | None = field(default=None, repr=False)
    dialect: ClassVar[Dialect] = Dialect.DOCKER

    @property
    def label(self) -> str:
        """The path of the file, or the name of the variable."""
        return str(self.path) if self.text is None else "DOCKER_AUTH_CONFIG"

    def data(self) -> dict[str, Any]:
        """Read the file or the variable.

        Raises:
            UnreadableError: the content is invalid.
        """
        return read_json(self.path) if self.text is None else parse_json(self.text)

    def helper(self, data: Mapping[str, Any], registry: str) -> Helper | None:
        """Return the helper that docker would use for a registry; an empty name means none."""
        if self.environ is None:
            return None
        name = helper_name(member(data, "credHelpers"), registry)
        name = member(data, "credsStore") if name is None else name
        return Helper(name, self.environ) if isinstance(name, str) and name else None


def helper_name(helpers: object, registry: str) -> str | None:
    """Return the ``credHelpers`` entry for a registry; an exact key takes precedence."""
    if not isinstance(helpers, dict):
        return None
    exact = [key for key in lookup_keys(registry, "") if key in helpers]
    others = [key for key in helpers if registry_of(key) == registry]
    names = (helpers[key] for key in (*exact, *others))
    return next((name for name in names if isinstance(name, str)), None)
