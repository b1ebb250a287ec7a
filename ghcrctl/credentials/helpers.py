"""A client for docker's credential helpers, the programs ``docker-credential-NAME``.

Secrets are only passed through standard input and output, never in arguments or messages.

Source: github.com/docker/docker-credential-helpers, ``client`` and ``credentials``.
"""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ghcrctl.credentials.auth_file import member
from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.registry_names import docker_key, registry_of
from ghcrctl.programs.finder import ProgramNotFoundError, find_program
from ghcrctl.programs.process import Finished, ProgramError, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The helper may ask the user to unlock a keychain.
_TIMEOUT_SECONDS = 30.0
# The message of helpers without a credential (credentials/error.go); some omit the last words.
_NOTHING = frozenset({"credentials not found in native keychain", "credentials not found"})
_TOKEN_USER = "<token>"  # noqa: S105 a user name
_SHOWN_MAX = 200


class HelperError(Exception):
    """A helper is missing or failed; the text names the helper and its error."""


@dataclass(frozen=True, slots=True)
class Helper:
    """A credential helper.

    Args:
        name: the part of the program's name after ``docker-credential-``.
        environ: the environment to find and run the program with.
    """

    name: str
    environ: Mapping[str, str] = field(repr=False)

    @property
    def program(self) -> str:
        """The name of the program."""
        return f"docker-credential-{self.name}"

    def get(self, registry: str) -> Credential | None:
        """Return the credential for a registry, if the helper has one.

        Raises:
            HelperError: the helper is missing or failed.
        """
        found = (self._get(key) for key in _keys(registry))
        return next((credential for credential in found if credential), None)

    def store(self, registry: str, credential: Credential) -> None:
        """Store a credential.

        Raises:
            HelperError: the helper is missing or failed.
        """
        secret = credential.identity_token or credential.secret
        request = {
            "ServerURL": docker_key(registry),
            "Username": _TOKEN_USER if credential.identity_token else credential.username,
            "Secret": secret,
        }
        self._call("store", json.dumps(request), secret)

    def erase(self, registry: str) -> bool:
        """Erase the credential under each of its keys; return whether there was one.

        Raises:
            HelperError: the helper is missing or failed.
        """
        known = [key for key in _keys(registry) if self._call("get", key) is not None]
        for key in known:
            self._call("erase", key)
        return bool(known)

    def list(self) -> tuple[str, ...]:
        """Return the registries that the helper has credentials for.

        Raises:
            HelperError: the helper is missing or failed.
        """
        response = self._call("list", "") or b"{}"
        data = self._object("list", response) if response.strip() else {}
        return tuple(sorted({registry_of(key) for key in data}))

    def _get(self, key: str) -> Credential | None:
        response = self._call("get", key)
        if response is None:
            return None
        username, secret = self._read(response)
        if not secret:
            return None
        if username == _TOKEN_USER:
            return Credential(username, "", secret, self.program)
        return Credential(username, secret, None, self.program)

    def _read(self, response: bytes) -> tuple[str, str]:
        """Return user name and secret from the output of ``get``; both may be empty."""
        if not response.strip():
            raise HelperError(f"{self.program} get printed nothing")
        data = self._object("get", response)
        return self._text(data, "Username"), self._text(data, "Secret")

    def _object(self, verb: str, response: bytes) -> Mapping[str, Any]:
        try:
            # As in Go, only the first value is read.
            data, _ = json.JSONDecoder().raw_decode(response.decode().strip())
        except UnicodeDecodeError:
            raise HelperError(f"{self.program} {verb} printed invalid UTF-8") from None
        except (ValueError, RecursionError):
            raise HelperError(f"{self.program} {verb} printed invalid JSON") from None
        if not isinstance(data, dict):
            raise HelperError(f"{self.program} {verb} did not print a JSON object")
        return data

    def _text(self, data: Mapping[str, Any], name: str) -> str:
        value = member(data, name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise HelperError(f"{self.program} get printed an invalid `{name}`: expected a string")
        return value

    def _call(self, verb: str, given: str, secret: str = "") -> bytes | None:
        """Run the helper; return its output, or ``None`` if it has no credential.

        Args:
            verb: ``get``, ``store``, ``erase`` or ``list``.
            given: the input.
            secret: the secret in the input, which must not appear in messages.
        """
        try:
            command = [find_program(self.program, self.environ), verb]
            done = run_program(
                command, self.environ, given=given.encode(), seconds=_TIMEOUT_SECONDS
            )
        except (ProgramNotFoundError, ProgramError) as error:
            raise HelperError(f"cannot run {self.program} {verb}: {error}") from None
        if done.status == 0:
            return done.stdout
        if done.stdout.decode(errors="replace").strip().rstrip(".").lower() in _NOTHING:
            return None
        raise HelperError(f"{self.program} {verb} {_ended(done.status)}{_reason(done, secret)}")


def _keys(registry: str) -> dict[str, None]:
    """Return the possible keys for a registry: docker's own, and those of other clients."""
    return dict.fromkeys((docker_key(registry), registry, f"https://{registry}"))


def _ended(status: int) -> str:
    if status >= 0:
        return f"failed with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def _reason(done: Finished, secret: str) -> str:
    """Return the first line of a helper's output without a secret, for an error message.

    Helpers print errors to standard output, where ``get`` may have printed part of a credential.
    Lines that may contain one are skipped.
    """
    for line in _lines(done):
        if "{" in line or '"secret"' in line.lower() or (secret and secret in line):
            continue
        return f": {line[:_SHOWN_MAX]}"
    return ""


def _lines(done: Finished) -> Iterator[str]:
    for output in (done.stdout, done.stderr):
        lines = output.decode(errors="replace").splitlines()
        yield from (line.strip() for line in lines if line.strip())
