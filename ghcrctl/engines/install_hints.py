"""The commands that install build engines on each system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# The keys are values of ID or ID_LIKE in os-release(5).
_MANAGERS = {
    "alpine": "apk add",
    "arch": "pacman -S",
    "debian": "apt-get install",
    "fedora": "dnf install",
    "rhel": "dnf install",
    "suse": "zypper install",
    "opensuse": "zypper install",
    "ubuntu": "apt-get install",
}
_PLACES = (Path("/etc/os-release"), Path("/usr/lib/os-release"))
_PACKAGES = {
    "buildx": {"apt-get install": "docker-buildx", "apk add": "docker-cli-buildx"},
    "docker": {"apt-get install": "docker.io", "dnf install": "moby-engine"},
}
_PACKAGE_OF = {"buildx": "docker-buildx"}
_PAGES = {
    "buildx": "https://docs.docker.com/engine/install/",
    "buildah": "https://github.com/containers/buildah/blob/main/install.md",
    "podman": "https://podman.io/docs/installation",
    "docker": "https://docs.docker.com/engine/install/",
}


def install_command(engine: str) -> str:
    """Return the command that installs an engine on this system."""
    release = next((path.read_text() for path in _PLACES if path.is_file()), "")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return install_command_for(engine, sys.platform, release, is_root=is_root)


def install_command_for(engine: str, system: str, release: str, *, is_root: bool) -> str:
    """Return the command that installs an engine.

    Args:
        engine: name of the engine.
        system: value of ``sys.platform``.
        release: content of os-release(5); empty if the file is missing.
        is_root: whether the user is root and needs no sudo.
    """
    if system == "darwin":
        return _on_macos(engine)
    if system == "win32":
        product = "RedHat.Podman" if engine in {"buildah", "podman"} else "Docker.DockerDesktop"
        return f"winget install {product}"
    manager = next((_MANAGERS[name] for name in _system_ids(release) if name in _MANAGERS), None)
    if manager is None:
        return f"install {engine}: {_PAGES[engine]}"
    package = _PACKAGES.get(engine, {}).get(manager) or _PACKAGE_OF.get(engine, engine)
    return f"{'' if is_root else 'sudo '}{manager} {package}"


def _on_macos(engine: str) -> str:
    if engine in {"buildah", "podman"}:
        return "brew install podman && podman machine init --now"
    return "brew install --cask docker"


def _system_ids(release: str) -> list[str]:
    """Return the IDs of a system and of the systems it is derived from."""
    fields = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    names = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}"
    return [name.split("-")[0] for name in names.replace('"', "").replace("'", "").split()]
