"""The paths of docker's and podman's configuration on each system.

Attack: on Windows `/etc` is a directory of the current drive, which every user may create.
Decision: on Windows, no file of `/etc` is read.

Sources: dockerd(8), "Daemon configuration file"; Docker's documentation, "Docker Desktop settings",
"Rootless mode" and "Docker Engine on Windows"; moby, ``registry/config_windows.go``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SYSTEM = Path("/etc/docker")
_SYSTEM_CONTAINERS = Path("/etc/containers")


def client_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Return the docker client's directory, with ``config.json`` and contexts."""
    return Path(environ.get("DOCKER_CONFIG") or home / ".docker")


def daemon_files(
    environ: Mapping[str, str], home: Path, *, on_windows: bool = os.name == "nt"
) -> list[Path]:
    """Return the possible ``daemon.json`` files: Docker Desktop's, rootless and system."""
    own = [home / ".docker" / "daemon.json"]
    if on_windows:
        return [*own, _program_data(environ) / "docker" / "config" / "daemon.json"]
    return [*own, _config_home(environ, home) / "docker" / "daemon.json", _SYSTEM / "daemon.json"]


def certificate_folders(
    environ: Mapping[str, str], home: Path, *, on_windows: bool = os.name == "nt"
) -> tuple[Path, ...]:
    """Return docker's and podman's ``certs.d`` directories, the user's first."""
    own = (home / ".config" / "containers", home / ".docker")
    if on_windows:
        folders = [*own, _program_data(environ) / "docker"]
    else:
        rootless = _config_home(environ, home) / "docker"
        folders = [*own, rootless, _SYSTEM_CONTAINERS, _SYSTEM]
    return tuple(folder / "certs.d" for folder in folders)


def _config_home(environ: Mapping[str, str], home: Path) -> Path:
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config")


def _program_data(environ: Mapping[str, str]) -> Path:
    """Return the data directory for all users; variable names are case-insensitive on Windows."""
    given = (value for name, value in environ.items() if name.upper() == "PROGRAMDATA" and value)
    return Path(next(given, r"C:\ProgramData"))
