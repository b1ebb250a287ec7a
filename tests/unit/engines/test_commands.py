"""The command lines of each engine."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.engines.build_request import BuildFiles, BuildRequest
from ghcrctl.engines.buildah import Buildah
from ghcrctl.engines.buildx import Buildx
from ghcrctl.engines.docker import Docker
from ghcrctl.engines.podman import Podman
from ghcrctl.errors import UnsupportedError
from ghcrctl.oci.platform import Platform

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import Engine

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
WORK = BuildFiles(Path("/w"), "localhost/b:1")
PLAIN = BuildRequest("ctx")
BUILDX, INSIDE = Buildx("/bin/docker"), Buildx("/bin/docker", has_archives=False)
BUILDAH, PODMAN = Buildah("/bin/buildah"), Podman("/bin/podman")
DOCKER, LEGACY = Docker("/bin/docker", has_buildkit=True), Docker("/bin/docker")
ALL = [BUILDX, INSIDE, BUILDAH, PODMAN, DOCKER, LEGACY]
each_engine = pytest.mark.parametrize(
    "engine", ALL, ids=["buildx", "inside", "buildah", "podman", "docker", "legacy"]
)


def arguments(engine: Engine, wanted: BuildRequest) -> list[str]:
    """Return the arguments of an engine without output paths."""
    return engine.build(wanted, WORK).argv[1:]


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (BUILDX, ["buildx", "build", "--output=type=oci,dest=-", "ctx"]),
        (INSIDE, ["buildx", "build", "--load", "--tag=localhost/b:1", "ctx"]),
        (BUILDAH, ["build", "--tag=localhost/b:1", f"--iidfile={Path('/w/id')}", "ctx"]),
        (PODMAN, ["build", "--tag=localhost/b:1", f"--iidfile={Path('/w/id')}", "ctx"]),
        (DOCKER, ["build", "--tag=localhost/b:1", "ctx"]),
        (LEGACY, ["build", "--tag=localhost/b:1", "ctx"]),
    ],
)
def test_minimal_command_of_each_engine(engine: Engine, words: list[str]) -> None:
    assert arguments(engine, PLAIN) == words


@each_engine
@pytest.mark.parametrize(
    ("requested", "words"),
    [
        ({"file": "a/Dockerfile"}, ["--file=a/Dockerfile"]),
        ({"file": "-"}, ["--file=-"]),
        ({"platforms": (ARM64,)}, ["--platform=linux/arm64"]),
        ({"build_args": ("A=1", "B")}, ["--build-arg=A=1", "--build-arg=B"]),
        ({"labels": ("a=b", "c=d")}, ["--label=a=b", "--label=c=d"]),
        ({"target": "base"}, ["--target=base"]),
        ({"secrets": ("id=s,src=f",)}, ["--secret=id=s,src=f"]),
        ({"ssh": ("default",)}, ["--ssh=default"]),
        ({"network": "host"}, ["--network=host"]),
        ({"no_cache": True}, ["--no-cache"]),
        ({"cache_from": ("r/cache",)}, ["--cache-from=r/cache"]),
        ({"more": ("--squash", "--add-host=a:1.2.3.4")}, ["--squash", "--add-host=a:1.2.3.4"]),
    ],
)
def test_common_options(engine: Engine, requested: dict[str, Any], words: list[str]) -> None:
    before = arguments(engine, PLAIN)
    now = arguments(engine, replace(PLAIN, **requested))
    assert [word for word in words if word in now] == words
    assert now[-1] == "ctx"
    added = [word for word in now if word not in before]
    # Buildah needs an option to cache layers.
    assert [word for word in added if word != "--layers"] == words


@pytest.mark.parametrize(
    ("engine", "requested", "word"),
    [
        (BUILDX, {"pull": True}, "--pull"),
        (DOCKER, {"pull": True}, "--pull"),
        (BUILDAH, {"pull": True}, "--pull=always"),
        (PODMAN, {"pull": True}, "--pull=always"),
        (BUILDX, {"platforms": (AMD64, ARM64)}, "--platform=linux/amd64,linux/arm64"),
        (BUILDX, {"format": "docker"}, "--output=type=docker,dest=-"),
        (BUILDX, {"cache_to": ("type=gha",)}, "--cache-to=type=gha"),
        (BUILDAH, {"format": "docker"}, "--format=docker"),
        (PODMAN, {"format": "oci"}, "--format=oci"),
        (BUILDAH, {"timestamp": 0}, "--timestamp=0"),
        (PODMAN, {"timestamp": 17}, "--timestamp=17"),
        (BUILDAH, {"cache_to": ("type=registry,ref=r/c",)}, "--cache-to=r/c"),
        (BUILDAH, {"cache_from": ("r/c",)}, "--layers"),
    ],
)
def test_options_that_differ_between_engines(
    engine: Engine, requested: dict[str, Any], word: str
) -> None:
    wanted = replace(PLAIN, **requested)
    engine.check(wanted)
    assert word in arguments(engine, wanted)
    assert word not in arguments(engine, PLAIN)


@pytest.mark.parametrize(
    ("engine", "requested", "error", "hint"),
    [
        (
            DOCKER,
            {"platforms": (AMD64, ARM64)},
            "docker without buildx does not support several platforms",
            "buildx",
        ),
        (
            DOCKER,
            {"format": "oci"},
            "docker without buildx does not support --format oci",
            "buildah",
        ),
        (
            DOCKER,
            {"cache_to": ("x",)},
            "docker without buildx does not support --cache-to",
            "buildx",
        ),
        (
            LEGACY,
            {"secrets": ("id=s,src=f",)},
            "docker without BuildKit does not support --secret",
            "podman",
        ),
        (LEGACY, {"ssh": ("default",)}, "docker without BuildKit does not support --ssh", "buildx"),
        (
            INSIDE,
            {"platforms": (AMD64, ARM64)},
            "buildx does not support several platforms",
            "buildx create",
        ),
        (INSIDE, {"format": "oci"}, "buildx does not support --format oci", "buildx create"),
        (BUILDAH, {"cache_to": ("type=gha",)}, "buildah supports only a repository", "buildx"),
        (
            PODMAN,
            {"cache_from": ("type=local,src=x",)},
            "podman supports only a repository",
            "buildx",
        ),
        *(
            (
                engine,
                {"format": "docker", "platforms": (AMD64, ARM64)},
                "several platforms",
                "--format oci",
            )
            for engine in (BUILDX, BUILDAH, PODMAN)
        ),
    ],
)
def test_unsupported_option_error_suggests_another_engine(
    engine: Engine, requested: dict[str, Any], error: str, hint: str
) -> None:
    engine.check(PLAIN)
    with pytest.raises(UnsupportedError, match=re.escape(error)) as caught:
        engine.check(replace(PLAIN, **requested))
    assert hint in str(caught.value.hint)
    assert caught.value.exit_status == 7


@pytest.mark.parametrize(
    ("engine", "wanted", "words"),
    [
        (BUILDAH, PLAIN, ["push", "ID", f"oci:{Path('/w/layout')}"]),
        (
            BUILDAH,
            BuildRequest("ctx", format="docker"),
            ["push", "ID", f"docker-archive:{Path('/w/image.tar')}"],
        ),
        (PODMAN, PLAIN, ["save", "--format=oci-dir", f"--output={Path('/w/layout')}", "ID"]),
        (
            PODMAN,
            BuildRequest("ctx", format="docker"),
            ["save", "--format=docker-archive", f"--output={Path('/w/image.tar')}", "ID"],
        ),
        (DOCKER, PLAIN, ["image", "save", "ID"]),
        (INSIDE, PLAIN, ["image", "save", "ID"]),
        (BUILDX, PLAIN, None),
    ],
)
def test_image_is_saved_by_id(
    engine: Engine, wanted: BuildRequest, words: list[str] | None
) -> None:
    command = engine.save(wanted, WORK, "ID")
    assert (command.argv[1:] if command else None) == words


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (BUILDX, None),
        (INSIDE, ["image", "rm", "--no-prune", "localhost/b:1"]),
        (BUILDAH, ["rmi", "localhost/b:1"]),
        (PODMAN, ["rmi", "--no-prune", "localhost/b:1"]),
        (DOCKER, ["image", "rm", "--no-prune", "localhost/b:1"]),
    ],
)
def test_image_is_deleted_by_name(engine: Engine, words: list[str] | None) -> None:
    command = engine.delete(PLAIN, WORK)
    assert (command.argv[1:] if command else None) == words


@pytest.mark.parametrize(
    ("engine", "wanted"),
    [
        (Buildah("buildah", keeps_steps=True), PLAIN),
        (BUILDAH, BuildRequest("ctx", cache_from=("r/c",))),
        (BUILDAH, BuildRequest("ctx", more=("--layers",))),
    ],
)
def test_buildah_keeps_its_cache_if_requested(engine: Engine, wanted: BuildRequest) -> None:
    assert "--tag=localhost/b:1" not in arguments(engine, wanted)
    assert engine.delete(wanted, WORK) is None


@pytest.mark.parametrize(
    ("engine", "stdout"), [(BUILDX, WORK.archive), (INSIDE, None), (BUILDAH, None), (DOCKER, None)]
)
def test_only_an_archive_is_written_to_standard_output(engine: Engine, stdout: Path | None) -> None:
    assert engine.build(PLAIN, WORK).stdout == stdout


@pytest.mark.parametrize(("engine", "value"), [(DOCKER, "1"), (LEGACY, "0")])
def test_docker_buildkit_variable_is_set(engine: Engine, value: str) -> None:
    assert engine.build(PLAIN, WORK).environ == {"DOCKER_BUILDKIT": value}


SECRET = BuildRequest(
    "ctx",
    build_args=("TOKEN=hunter2",),
    secrets=("id=s,src=hunter2",),
    cache_from=("hunter2",),
    cache_to=("hunter2",),
    more=("--creds=hunter2", "hunter2", "--creds", "hunter2"),
)


@each_engine
def test_private_values_are_not_shown(engine: Engine) -> None:
    command = engine.build(SECRET, WORK)
    assert "hunter2" in " ".join(command.argv)
    assert "--build-arg=... --secret=..." in command.loggable
    assert "hunter2" not in command.loggable + repr(command) + repr(SECRET)


@each_engine
def test_command_label(engine: Engine) -> None:
    label = engine.build(PLAIN, WORK).label
    expected = {"buildx": "docker buildx build"}.get(engine.name, f"{engine.name} build")
    assert label == expected
