"""The commands of a build."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.engines.build_request import BuildRequest
from ghcrctl.engines.buildah import Buildah
from ghcrctl.engines.command_runner import Runner
from ghcrctl.engines.docker import Docker
from ghcrctl.engines.run_build import run_build
from ghcrctl.errors import UnsupportedError
from ghcrctl.oci.platform import Platform
from tests.builders import random_image
from tests.unit.engines.programs import IMAGE_ID, calls, install, install_buildah

if TYPE_CHECKING:
    from pathlib import Path

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "work"
    path.mkdir()
    return path


def runner_in(folder: Path, **environ: str) -> Runner:
    return Runner(environ, folder / "log", quiet=True, tell=lambda _: None)


def test_image_is_built_saved_and_deleted(tmp_path: Path, folder: Path) -> None:
    image = random_image()
    engine = Buildah(install_buildah(tmp_path / "bin", image))
    layout = run_build(engine, BuildRequest("ctx"), folder, runner_in(folder))
    index = json.loads((layout / "index.json").read_text())
    assert index["manifests"][0]["digest"] == str(image.root.digest)
    build, push, rmi = calls(tmp_path / "bin")
    name = build[1].removeprefix("--tag=")
    assert name.startswith("localhost/ghcrctl-build:")
    assert build == ["build", f"--tag={name}", f"--iidfile={folder / 'id'}", "ctx"]
    assert push == ["push", IMAGE_ID, f"oci:{folder / 'layout'}"]
    assert rmi == ["rmi", name]


def test_temporary_names_are_unique(tmp_path: Path, folder: Path) -> None:
    engine = Buildah(install_buildah(tmp_path / "bin", random_image()))
    for number in range(2):
        part = folder / str(number)
        part.mkdir()
        run_build(engine, BuildRequest("ctx"), part, runner_in(folder))
    assert len({call[1] for call in calls(tmp_path / "bin") if call[0] == "rmi"}) == 2


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({"BUILD_STATUS": "3"}, "buildah build failed with status 3"),
        ({"PUSH_STATUS": "125"}, "buildah push failed with status 125: no room"),
    ],
)
def test_image_is_deleted_after_a_failure(
    tmp_path: Path, folder: Path, environ: dict[str, str], error: str
) -> None:
    engine = Buildah(install_buildah(tmp_path / "bin", random_image()))
    with pytest.raises(UnsupportedError, match=f"^{error}$"):
        run_build(engine, BuildRequest("ctx"), folder, runner_in(folder, **environ))
    assert calls(tmp_path / "bin")[-1][0] == "rmi"


def test_platforms_are_built_separately_and_joined(tmp_path: Path, folder: Path) -> None:
    images = [random_image(platform=AMD64), random_image(platform=ARM64)]
    names = ("linux/amd64", "linux/arm64")
    (tmp_path / "bin" / "layouts" / "linux").mkdir(parents=True)
    engine = Buildah(install_buildah(tmp_path / "bin", *images, names=names))
    request = BuildRequest("ctx", platforms=(AMD64, ARM64))
    layout = run_build(engine, request, folder, runner_in(folder))
    [root] = json.loads((layout / "index.json").read_text())["manifests"]
    index = json.loads((layout / "blobs" / root["digest"].replace(":", "/")).read_text())
    assert [entry["digest"] for entry in index["manifests"]] == [str(i.root.digest) for i in images]
    verbs = [call[0] for call in calls(tmp_path / "bin")]
    assert verbs == ["build", "push", "rmi"] * 2


def test_nothing_runs_if_an_option_is_unsupported(tmp_path: Path, folder: Path) -> None:
    engine = Docker(install(tmp_path / "bin", "docker", "echo > ${0%/*}/ran"))
    with pytest.raises(UnsupportedError, match="does not support several platforms"):
        run_build(engine, BuildRequest("ctx", platforms=(AMD64, ARM64)), folder, runner_in(folder))
    assert not (tmp_path / "bin" / "ran").exists()


def test_docker_writes_id_and_archive_to_files(tmp_path: Path, folder: Path) -> None:
    body = 'case "$1 $2" in "image inspect") echo sha256:1 ;; "image save") printf "$3" ;; esac'
    engine = Docker(install(tmp_path / "bin", "docker", body))
    archive = run_build(engine, BuildRequest("ctx"), folder, runner_in(folder))
    assert archive.read_text() == "sha256:1"
