"""The command that installs an engine on each system."""

from __future__ import annotations

import pytest

from ghcrctl.engines.install_hints import install_command, install_command_for

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nHOME_URL="https://a/?b=c"\n'
FEDORA = "NAME='Fedora Linux'\nID=fedora\n"


@pytest.mark.parametrize(
    ("engine", "system", "release", "line"),
    [
        ("buildah", "linux", DEBIAN, "apt-get install buildah"),
        ("buildah", "linux", 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', "apt-get install buildah"),
        ("buildah", "linux", FEDORA, "dnf install buildah"),
        ("buildah", "linux", 'ID="rocky"\nID_LIKE="rhel centos fedora"', "dnf install buildah"),
        ("buildah", "linux", "ID=alpine\n", "apk add buildah"),
        ("buildah", "linux", "ID=manjaro\nID_LIKE=arch\n", "pacman -S buildah"),
        (
            "podman",
            "linux",
            'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"',
            "zypper install podman",
        ),
        ("docker", "linux", DEBIAN, "apt-get install docker.io"),
        ("docker", "linux", FEDORA, "dnf install moby-engine"),
        ("buildx", "linux", DEBIAN, "apt-get install docker-buildx"),
        ("buildx", "linux", "ID=alpine", "apk add docker-cli-buildx"),
        ("buildah", "linux", "ID=plan9\n", "install buildah: https://"),
        ("buildah", "freebsd14", "", "install buildah: https://"),
        ("buildah", "darwin", "", "brew install podman && podman machine init --now"),
        ("docker", "darwin", "", "brew install --cask docker"),
        ("podman", "win32", "", "winget install RedHat.Podman"),
    ],
)
def test_system_is_detected_by_id_or_id_like(
    engine: str, system: str, release: str, line: str
) -> None:
    found = install_command_for(engine, system, release, is_root=True)
    assert found.startswith(line)
    assert "\n" not in found


def test_root_needs_no_sudo() -> None:
    assert (
        install_command_for("buildah", "linux", DEBIAN, is_root=False)
        == "sudo apt-get install buildah"
    )


def test_this_system_has_an_install_command() -> None:
    assert "buildah" in install_command("buildah") or "podman" in install_command("buildah")
