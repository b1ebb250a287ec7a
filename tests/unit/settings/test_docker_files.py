"""The paths of docker's configuration on each system."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ghcrctl.settings import Settings
from ghcrctl.settings.docker_files import certificate_folders, daemon_files
from ghcrctl.settings.registry_files import docker_faults, docker_files, files_of_containers
from tests.closed_folder import close_folder

ME = Path("/me")
DATA = Path("/data")


@pytest.mark.parametrize(
    ("environ", "on_windows", "expected"),
    [
        (
            {},
            False,
            [ME / ".docker", ME / ".config" / "docker", Path("/etc/docker")],
        ),
        (
            {"XDG_CONFIG_HOME": "/xdg"},
            False,
            [ME / ".docker", Path("/xdg/docker"), Path("/etc/docker")],
        ),
        ({"ProgramData": "/data"}, True, [ME / ".docker", DATA / "docker" / "config"]),
        ({"PROGRAMDATA": "/data"}, True, [ME / ".docker", DATA / "docker" / "config"]),
        (
            {"ProgramData": ""},
            True,
            [ME / ".docker", Path(r"C:\ProgramData") / "docker" / "config"],
        ),
    ],
)
def test_the_daemons_file_is_where_each_docker_has_it(
    environ: dict[str, str], expected: list[Path], *, on_windows: bool
) -> None:
    found = daemon_files(environ, ME, on_windows=on_windows)
    assert found == [folder / "daemon.json" for folder in expected]


def test_certificates_are_where_docker_and_podman_have_them() -> None:
    podman, desktop = ME / ".config" / "containers", ME / ".docker"
    system = [Path("/etc/containers"), Path("/etc/docker")]
    unix = [podman, desktop, ME / ".config" / "docker", *system]
    assert list(certificate_folders({}, ME, on_windows=False)) == [p / "certs.d" for p in unix]
    windows = certificate_folders({"ProgramData": "/data"}, ME, on_windows=True)
    assert list(windows) == [p / "certs.d" for p in (podman, desktop, DATA / "docker")]


def test_windows_reads_nothing_below_the_root_of_a_drive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    etc = tmp_path / "etc"
    (etc / "registries.conf.d").mkdir(parents=True)
    for name in ("registries.conf", "registries.conf.d/planted.conf"):
        (etc / name).write_text("")
    monkeypatch.setattr("ghcrctl.settings.registry_files._SYSTEM_CONTAINERS", etc)
    assert files_of_containers({}, tmp_path, on_windows=True) == (None, [])
    main, drop_ins = files_of_containers({}, tmp_path, on_windows=False)
    assert main == etc / "registries.conf"
    assert drop_ins == [etc / "registries.conf.d" / "planted.conf"]


@pytest.mark.parametrize("place", [".docker", ".config/docker", "xdg/docker"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_mirrors_and_insecure_registries_come_from_every_daemons_file(
    tmp_path: Path, place: str, mark: bytes
) -> None:
    path = tmp_path / place / "daemon.json"
    path.parent.mkdir(parents=True)
    data = {"registry-mirrors": ["https://mirror.lan"], "insecure-registries": ["reg.lan:5000"]}
    # Editors on Windows write a byte order mark.
    path.write_bytes(mark + json.dumps(data).encode())
    environ = {"HOME": str(tmp_path)}
    if place.startswith("xdg"):
        environ["XDG_CONFIG_HOME"] = str(tmp_path / "xdg")
    settings = Settings(environ)
    assert docker_files(settings) == [data]
    assert docker_faults(settings) == []
    assert "reg.lan:5000" in settings.insecure_hosts
    assert "reg.lan" not in settings.insecure_hosts


def test_an_inaccessible_daemon_directory_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As /etc/docker is on some systems.
    folder = tmp_path / ".config" / "docker"
    folder.mkdir(parents=True)
    (folder / "daemon.json").write_text("[]")
    close_folder(monkeypatch, folder)
    settings = Settings({"HOME": str(tmp_path)})
    assert docker_files(settings) == []
    assert docker_faults(settings) == []


def test_a_daemons_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / ".docker" / "daemon.json"
    path.parent.mkdir()
    path.write_text("[]")
    settings = Settings({"HOME": str(tmp_path)})
    assert docker_files(settings) == []
    assert docker_faults(settings) == [f"ignoring {path}: expected a JSON object"]
