"""Docker's credential helpers: programs named ``docker-credential-NAME``.

What belongs here: their protocol. A secret goes through standard input and output only, never into
an argument.
Source: github.com/docker/docker-credential-helpers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.names import docker_key

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT = 30.0
# What helpers print where they have nothing (credentials/error.go).
_NOTHING = "credentials not found"
_TOKEN_USER = "<token>"  # noqa: S105 a user name


class HelperError(Exception):
    """A helper is missing or failed; the text names it and says what it said of that."""


@dataclass(frozen=True, slots=True)
class Helper:
    """One helper. ``environ``: where its program is looked for, and what it runs with."""

    name: str
    environ: Mapping[str, str]

    def get(self, registry: str) -> Credential | None:
        """Ask for a credential.

        Raises:
            HelperError: the helper is missing or failed.
        """
        for key in dict.fromkeys((docker_key(registry), registry, f"https://{registry}")):
            answer = self._call("get", key)
            if answer is not None:
                return self._read(answer)
        return None

    def store(self, registry: str, credential: Credential) -> None:
        """Keep a credential.

        Raises:
            HelperError: the helper is missing or failed.
        """
        token = credential.identity_token
        request = {
            "ServerURL": docker_key(registry),
            "Username": _TOKEN_USER if token else credential.username,
            "Secret": token or credential.secret,
        }
        self._call("store", json.dumps(request))

    def erase(self, registry: str) -> bool:
        """Forget a credential; tell whether there was one.

        Raises:
            HelperError: the helper is missing or failed.
        """
        had = self._call("get", docker_key(registry)) is not None
        if had:
            self._call("erase", docker_key(registry))
        return had

    def _read(self, answer: str) -> Credential | None:
        try:
            data = json.loads(answer)
            username, secret = str(data["Username"]), str(data["Secret"])
        except (ValueError, KeyError, TypeError):
            raise HelperError(f"docker-credential-{self.name} gave no valid answer") from None
        if not secret:
            return None
        source = f"docker-credential-{self.name}"
        if username == _TOKEN_USER:
            return Credential(username, "", secret, source)
        return Credential(username, secret, None, source)

    def _call(self, verb: str, stdin: str) -> str | None:
        program = f"docker-credential-{self.name}"
        path = shutil.which(program, path=self.environ.get("PATH"))
        if path is None:
            raise HelperError(f"{program} is not on the PATH")
        try:
            done = subprocess.run(
                [path, verb],
                input=stdin.encode(),
                capture_output=True,
                env=dict(self.environ),
                timeout=_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HelperError(f"{program} cannot be run: {type(error).__name__}") from None
        output = done.stdout.decode(errors="replace").strip()
        if done.returncode == 0:
            return output
        if _NOTHING in output.lower():
            return None
        # What `get` prints on its way to failing may hold a secret; only its own error line is
        # shown.
        said = (done.stderr.decode(errors="replace") or output).strip().splitlines()[:1]
        raise HelperError(f"{program} {verb} failed{': ' + said[0][:200] if said else ''}")
