"""The places where a credential may be, each a source of the keychain.

What belongs here: one class a place. Each returns a credential or nothing; what is broken is told
to `warn` and passed over, so that a broken file does not break pulling a public image.
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
    """What ``gh auth token`` prints for a GitHub; for its registry.

    Args:
        environ: the environment that gh is found with, and runs with.
        label: the name of this place.
        warn: is called with the reason why gh cannot be run.
    """

    environ: Mapping[str, str] = field(repr=False)
    label: str = "gh"
    warn: Callable[[str], None] = lambda _: None

    def get(self, registry: str, repository: str) -> Credential | None:  # noqa: ARG002 one signature
        """Ask gh, where it is installed."""
        host = github_of(registry)
        token = self._token(host) if host else ""
        return Credential(_ANY_USER, token, None, f"gh auth token, for {host}") if token else None

    def _token(self, host: str) -> str:
        try:
            words = [find_program("gh", self.environ), "auth", "token", "--hostname", host]
            environ = {k: v for k, v in self.environ.items() if k not in _FOR_GH}
            done = run_program(words, environ, seconds=_GH_TIMEOUT)
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
        """Look the registry up."""
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
    """A file of podman's or our own: ``credHelpers``, and ``auths`` by registry or namespace.

    Args:
        path: the file.
        warn: is called with a message about an unusable file.
        environ: where helpers are looked for; ``None`` runs none.
        empty_ok: whether a file without content is passed over silently.
    """

    path: Path
    warn: Callable[[str], None]
    environ: Mapping[str, str] | None = field(default=None, repr=False)
    empty_ok: bool = False
    dialect: ClassVar[Dialect] = Dialect.PODMAN

    @property
    def label(self) -> str:
        """The file."""
        return str(self.path)

    def get(self, registry: str, repository: str) -> Credential | None:
        """Look the repository up: the registry's helper, else the most specific entry."""
        try:
            data = self.data()
            found = self._from_helper(data, registry)
            return found or find_credential(data, registry, repository, self.label, self.dialect)
        except UnreadableError as error:
            self.warn(f"{self.label} is ignored: {error}")
            return None

    def data(self) -> dict[str, Any]:
        """Read the file.

        Raises:
            UnreadableError: it cannot be used.
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
    """Docker's ``config.json``: as podman's file, and ``credsStore``.

    Docker has no namespaces in this file; podman and skopeo read them.

    Args:
        text: the file's content where the environment has it (``DOCKER_AUTH_CONFIG``).
    """

    empty_ok: bool = True
    text: str | None = field(default=None, repr=False)
    dialect: ClassVar[Dialect] = Dialect.DOCKER

    @property
    def label(self) -> str:
        """The file, or the variable."""
        return str(self.path) if self.text is None else "DOCKER_AUTH_CONFIG"

    def data(self) -> dict[str, Any]:
        """Read the file, or the variable.

        Raises:
            UnreadableError: it cannot be used.
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
    """Return the name below ``credHelpers`` for a registry; an exact key beats a normalised one."""
    if not isinstance(helpers, dict):
        return None
    exact = [key for key in lookup_keys(registry, "") if key in helpers]
    others = [key for key in helpers if registry_of(key) == registry]
    names = (helpers[key] for key in (*exact, *others))
    return next((name for name in names if isinstance(name, str)), None)
