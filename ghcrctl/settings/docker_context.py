"""Docker contexts, which select the engine for the docker client.

A context is a directory named by the SHA-256 of the context's name.

Source: Docker's documentation, "Docker contexts"; docker/cli, ``cli/command`` and
``cli/context/store``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import InvalidSettingError, UnsupportedError
from ghcrctl.oci.quotes import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_DEFAULT = "default"
_ENDPOINT = "docker"
_HINT = "choose a context from `docker context ls`, or set DOCKER_HOST"
_MAX_FILE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DockerContext:
    """A context.

    Args:
        name: its name.
        folder: the directory of docker's client.
    """

    name: str
    folder: Path

    @classmethod
    def current(cls, environ: Mapping[str, str], folder: Path) -> DockerContext | None:
        """Return the context in use; ``None`` for DOCKER_HOST or the default socket.

        Args:
            environ: the environment.
            folder: the directory of docker's client.

        Raises:
            InvalidSettingError: the client's configuration cannot be read.
        """
        # DOCKER_HOST takes precedence over every context.
        if environ.get("DOCKER_HOST"):
            return None
        name = environ.get("DOCKER_CONTEXT") or _current_name(folder / "config.json")
        return cls(name, folder) if name and name != _DEFAULT else None

    @property
    def endpoint(self) -> tuple[str | None, Path | None]:
        """The address of the context's engine, and the directory of its certificates, if any.

        Raises:
            InvalidSettingError: the context does not exist, or its file is damaged.
            UnsupportedError: the context has no docker engine, or does not verify its certificate.
        """
        found = self._read()
        endpoints = found.get("Endpoints")
        docker = endpoints.get(_ENDPOINT) if isinstance(endpoints, dict) else None
        if not isinstance(docker, dict):
            raise UnsupportedError(
                f"cannot use the docker context `{shortened(self.name)}`: it has no docker engine",
                hint=_HINT,
            )
        host = docker.get("Host")
        if docker.get("SkipTLSVerify") and str(host).startswith("tcp:"):
            raise UnsupportedError(
                f"cannot use the docker context `{shortened(self.name)}`: it does not verify its "
                "engine's certificate",
                hint=f"add its CA: docker context update {self.name} --docker ca=FILE,...",
            )
        return host if isinstance(host, str) and host else None, self._certificates

    @property
    def _identity(self) -> str:
        return hashlib.sha256(self.name.encode(errors="surrogateescape")).hexdigest()

    @property
    def _certificates(self) -> Path | None:
        path = self.folder / "contexts" / "tls" / self._identity / _ENDPOINT
        return path if any(path.glob("*.pem")) else None

    def _read(self) -> Mapping[str, Any]:
        path = self.folder / "contexts" / "meta" / self._identity / "meta.json"
        found = _read_object(path)
        if found is None:
            raise InvalidSettingError(
                f"cannot find the docker context `{shortened(self.name)}` in {self.folder}",
                hint=_HINT,
            )
        return found


def _current_name(path: Path) -> str:
    name = (_read_object(path) or {}).get("currentContext")
    return name if isinstance(name, str) else ""


def _read_object(path: Path) -> Mapping[str, Any] | None:
    """Return the JSON object in a file; ``None`` for a missing file.

    Raises:
        InvalidSettingError: the file cannot be read, or is not a JSON object.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES)
        data = json.loads(raw) if raw.strip() else {}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidSettingError(f"cannot read {path}: {error.strerror}", hint=_HINT) from None
    except (ValueError, RecursionError):
        raise InvalidSettingError(f"cannot read {path}: invalid JSON", hint=_HINT) from None
    if not isinstance(data, dict):
        raise InvalidSettingError(f"cannot read {path}: expected a JSON object", hint=_HINT)
    return data
