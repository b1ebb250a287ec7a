"""The choice of a build engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.engines.buildah import Buildah
from ghcrctl.engines.buildx import Buildx
from ghcrctl.engines.choose_engine import choose_engine
from ghcrctl.engines.docker import Docker
from ghcrctl.engines.podman import Podman
from ghcrctl.errors import UnsupportedError
from tests.unit.engines.programs import install

if TYPE_CHECKING:
    from pathlib import Path

# Recorded output of docker clients.
DOCKER = """
case "$*" in
"buildx version") [ -n "$PLUGIN" ] && echo "$PLUGIN" || exit 1 ;;
"buildx inspect") printf 'Name:   default\\nDriver: %s\\n\\nNodes:\\n' "$DRIVER" ;;
"info "*) [ -n "$INFO" ] && echo "$INFO" || exit 1 ;;
"version "*) echo "$CLIENT" ;;
esac
"""
PLUGIN = "github.com/docker/buildx v0.12.1 30feaa1"
CONTAINERD = '[["driver-type","io.containerd.snapshotter.v1"]]'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "bin"
    path.mkdir()
    return path


def environ_of(folder: Path, **more: str) -> dict[str, str]:
    return {"PATH": str(folder), **more}


@pytest.mark.parametrize(
    ("programs", "more", "name"),
    [
        (["docker", "buildah", "podman"], {"PLUGIN": PLUGIN, "INFO": "null"}, "buildx"),
        (["docker", "buildah", "podman"], {"PLUGIN": PLUGIN}, "buildah"),
        (["docker", "buildah", "podman"], {"INFO": "null"}, "buildah"),
        (["docker", "podman"], {"INFO": "null"}, "podman"),
        (["docker"], {"INFO": "null"}, "docker"),
        (["docker"], {"INFO": "null", "PLUGIN": "buildah 1.28.0"}, "docker"),
        (["podman"], {}, "podman"),
    ],
)
def test_best_working_engine_is_chosen(
    folder: Path, programs: list[str], more: dict[str, str], name: str
) -> None:
    for program in programs:
        install(folder, program, DOCKER if program == "docker" else "exit 0")
    assert choose_engine("auto", environ_of(folder, **more)).name == name


@pytest.mark.parametrize("name", ["buildx", "buildah", "podman", "docker"])
def test_requested_engine_is_chosen(folder: Path, name: str) -> None:
    for program in ("docker", "buildah", "podman"):
        install(folder, program, DOCKER)
    assert choose_engine(name, environ_of(folder, PLUGIN=PLUGIN, INFO="null")).name == name


@pytest.mark.parametrize(
    ("driver", "info", "has_archives"),
    [
        ("docker", "null", False),
        ("docker", "nonsense", False),
        ("", "null", False),
        ("docker", CONTAINERD, True),
        ("docker-container", "null", True),
        ("remote", "", True),
    ],
)
def test_detect_whether_the_builder_writes_archives(
    folder: Path, driver: str, info: str, *, has_archives: bool
) -> None:
    program = install(folder, "docker", DOCKER)
    found = choose_engine("buildx", environ_of(folder, PLUGIN=PLUGIN, INFO=info, DRIVER=driver))
    assert found == Buildx(program, has_archives=has_archives)


@pytest.mark.parametrize(
    ("more", "has_buildkit"),
    [
        ({"CLIENT": "20.10.24+dfsg1"}, True),
        ({"CLIENT": "28.2.2"}, False),
        ({"CLIENT": "28.2.2", "PLUGIN": PLUGIN}, True),
        ({"CLIENT": "20.10.24", "DOCKER_BUILDKIT": "0"}, False),
        ({"CLIENT": "28.2.2", "PLUGIN": PLUGIN, "DOCKER_BUILDKIT": "0"}, False),
        ({"CLIENT": "unheard of"}, False),
    ],
)
def test_detect_buildkit_in_docker(
    folder: Path, more: dict[str, str], *, has_buildkit: bool
) -> None:
    program = install(folder, "docker", DOCKER)
    found = choose_engine("docker", environ_of(folder, INFO="null", **more))
    assert found == Docker(program, has_buildkit=has_buildkit)


@pytest.mark.parametrize(
    ("value", "keeps"), [("true", True), ("1", True), ("0", False), ("", False)]
)
def test_buildah_layers_variable_enables_the_cache(
    folder: Path, value: str, *, keeps: bool
) -> None:
    program = install(folder, "buildah", "exit 0")
    found = choose_engine("auto", environ_of(folder, BUILDAH_LAYERS=value))
    assert found == Buildah(program, keeps_steps=keeps)


def test_podman_is_found(folder: Path) -> None:
    program = install(folder, "podman", "exit 0")
    assert choose_engine("podman", environ_of(folder)) == Podman(program)


def test_no_engine_error_has_an_install_hint(folder: Path) -> None:
    with pytest.raises(
        UnsupportedError, match="cannot build: docker buildx, buildah or podman is required"
    ) as caught:
        choose_engine("auto", environ_of(folder))
    assert caught.value.exit_status == 7
    assert caught.value.hint
    assert "\n" not in caught.value.hint


def test_stopped_daemon_is_named_in_the_error(folder: Path) -> None:
    install(folder, "docker", DOCKER)
    with pytest.raises(UnsupportedError, match="the docker daemon is not running"):
        choose_engine("auto", environ_of(folder, PLUGIN=PLUGIN))


@pytest.mark.parametrize(
    ("wanted", "more", "error"),
    [
        ("buildah", {}, "buildah is not on the PATH"),
        ("podman", {}, "podman is not on the PATH"),
        ("buildx", {}, "docker client has no buildx plugin"),
        ("buildx", {"PLUGIN": PLUGIN}, "daemon is not running"),
        ("docker", {}, "daemon is not running"),
    ],
)
def test_requested_engine_is_not_replaced_by_another(
    folder: Path, wanted: str, more: dict[str, str], error: str
) -> None:
    install(folder, "docker", DOCKER)
    with pytest.raises(UnsupportedError, match=error) as caught:
        choose_engine(wanted, environ_of(folder, **more))
    assert caught.value.hint


def test_engine_in_the_current_directory_is_never_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("docker", "buildah"):
        install(tmp_path / "clone", name, f"touch {tmp_path / 'ran'}; exit 0")
    monkeypatch.chdir(tmp_path / "clone")
    environ = {"PATH": f".::{folder}"}
    with pytest.raises(
        UnsupportedError, match="cannot build: docker buildx, buildah or podman is required"
    ) as caught:
        choose_engine("auto", environ)
    assert "required; `docker`, `buildah` in the current directory are ignored" in str(caught.value)
    for wanted in ("buildah", "docker", "buildx"):
        with pytest.raises(UnsupportedError, match="in the current directory is ignored"):
            choose_engine(wanted, environ)
    program = install(folder, "podman", "exit 0")
    assert choose_engine("auto", environ) == Podman(program)
    assert not (tmp_path / "ran").exists()
