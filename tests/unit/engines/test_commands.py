"""What each engine is told for what is asked: command lines as data."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.engines.build_request import Order, Work
from ghcrctl.engines.buildah import Buildah
from ghcrctl.engines.buildx import Buildx
from ghcrctl.engines.docker import Docker
from ghcrctl.engines.podman import Podman
from ghcrctl.errors import UnsupportedError
from ghcrctl.oci.platform import Platform

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import Engine

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
WORK = Work(Path("/w"), "localhost/b:1")
PLAIN = Order("ctx")
BUILDX, INSIDE = Buildx("/bin/docker"), Buildx("/bin/docker", has_archives=False)
BUILDAH, PODMAN = Buildah("/bin/buildah"), Podman("/bin/podman")
DOCKER, LEGACY = Docker("/bin/docker", has_buildkit=True), Docker("/bin/docker")
ALL = [BUILDX, INSIDE, BUILDAH, PODMAN, DOCKER, LEGACY]
each_engine = pytest.mark.parametrize(
    "engine", ALL, ids=["buildx", "inside", "buildah", "podman", "docker", "legacy"]
)


def told(engine: Engine, order: Order) -> list[str]:
    """Return what an engine is told besides where things go."""
    return engine.build(order, WORK).words[1:]


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
def test_a_plain_build_is_told_where_the_image_goes(engine: Engine, words: list[str]) -> None:
    assert told(engine, PLAIN) == words


@each_engine
@pytest.mark.parametrize(
    ("asked", "words"),
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
def test_what_is_asked_is_told(engine: Engine, asked: dict[str, Any], words: list[str]) -> None:
    before = told(engine, PLAIN)
    now = told(engine, replace(PLAIN, **asked))
    assert [word for word in words if word in now] == words
    assert now[-1] == "ctx"
    added = [word for word in now if word not in before]
    # Buildah caches steps only when it is told to.
    assert [word for word in added if word != "--layers"] == words


@pytest.mark.parametrize(
    ("engine", "asked", "word"),
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
def test_each_engine_is_told_in_its_own_words(
    engine: Engine, asked: dict[str, Any], word: str
) -> None:
    order = replace(PLAIN, **asked)
    engine.check(order)
    assert word in told(engine, order)
    assert word not in told(engine, PLAIN)


@pytest.mark.parametrize(
    ("engine", "asked", "error", "hint"),
    [
        (
            DOCKER,
            {"platforms": (AMD64, ARM64)},
            "builds for one platform at a time",
            "buildx",
        ),
        (DOCKER, {"format": "oci"}, "docker without buildx has no --format oci", "buildah"),
        (DOCKER, {"cache_to": ("x",)}, "docker without buildx has no --cache-to", "buildx"),
        (LEGACY, {"secrets": ("id=s,src=f",)}, "docker without BuildKit has no --secret", "podman"),
        (LEGACY, {"ssh": ("default",)}, "docker without BuildKit has no --ssh", "buildx"),
        (INSIDE, {"platforms": (AMD64, ARM64)}, "daemon builds for one platform", "buildx create"),
        (INSIDE, {"format": "oci"}, "inside docker's daemon has no --format oci", "buildx create"),
        (BUILDAH, {"cache_to": ("type=gha",)}, "buildah takes only a repository", "buildx"),
        (PODMAN, {"cache_from": ("type=local,src=x",)}, "podman takes only a repository", "buildx"),
        *(
            (engine, {"format": "docker", "platforms": (AMD64, ARM64)}, "for one platform", "index")
            for engine in (BUILDX, BUILDAH, PODMAN)
        ),
    ],
)
def test_what_an_engine_lacks_is_said_with_what_to_take_instead(
    engine: Engine, asked: dict[str, Any], error: str, hint: str
) -> None:
    engine.check(PLAIN)
    with pytest.raises(UnsupportedError, match=re.escape(error)) as caught:
        engine.check(replace(PLAIN, **asked))
    assert hint in str(caught.value.hint)
    assert caught.value.exit_status == 7


@pytest.mark.parametrize(
    ("engine", "order", "words"),
    [
        (BUILDAH, PLAIN, ["push", "ID", f"oci:{Path('/w/layout')}"]),
        (
            BUILDAH,
            Order("ctx", format="docker"),
            ["push", "ID", f"docker-archive:{Path('/w/image.tar')}"],
        ),
        (PODMAN, PLAIN, ["save", "--format=oci-dir", f"--output={Path('/w/layout')}", "ID"]),
        (
            PODMAN,
            Order("ctx", format="docker"),
            ["save", "--format=docker-archive", f"--output={Path('/w/image.tar')}", "ID"],
        ),
        (DOCKER, PLAIN, ["image", "save", "ID"]),
        (INSIDE, PLAIN, ["image", "save", "ID"]),
        (BUILDX, PLAIN, None),
    ],
)
def test_an_image_is_handed_over_by_its_id_since_names_would_come_along(
    engine: Engine, order: Order, words: list[str] | None
) -> None:
    command = engine.save(order, WORK, "ID")
    assert (command.words[1:] if command else None) == words


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
def test_an_image_is_forgotten_by_its_name_since_it_may_have_others(
    engine: Engine, words: list[str] | None
) -> None:
    command = engine.forget(PLAIN, WORK)
    assert (command.words[1:] if command else None) == words


@pytest.mark.parametrize(
    ("engine", "order"),
    [
        (Buildah("buildah", keeps_steps=True), PLAIN),
        (BUILDAH, Order("ctx", cache_from=("r/c",))),
        (BUILDAH, Order("ctx", more=("--layers",))),
    ],
)
def test_buildah_keeps_what_steps_did_where_that_is_wanted(engine: Engine, order: Order) -> None:
    assert "--tag=localhost/b:1" not in told(engine, order)
    assert engine.forget(order, WORK) is None


@pytest.mark.parametrize(
    ("engine", "stdout"), [(BUILDX, WORK.archive), (INSIDE, None), (BUILDAH, None), (DOCKER, None)]
)
def test_output_goes_to_the_person_unless_it_is_the_image(
    engine: Engine, stdout: Path | None
) -> None:
    assert engine.build(PLAIN, WORK).stdout == stdout


@pytest.mark.parametrize(("engine", "value"), [(DOCKER, "1"), (LEGACY, "0")])
def test_docker_is_told_which_builder_it_has(engine: Engine, value: str) -> None:
    assert engine.build(PLAIN, WORK).environ == {"DOCKER_BUILDKIT": value}


SECRET = Order(
    "ctx",
    build_args=("TOKEN=hunter2",),
    secrets=("id=s,src=hunter2",),
    cache_from=("hunter2",),
    cache_to=("hunter2",),
    more=("--creds=hunter2", "hunter2", "--creds", "hunter2"),
)


@each_engine
def test_nothing_private_is_shown(engine: Engine) -> None:
    command = engine.build(SECRET, WORK)
    assert "hunter2" in " ".join(command.words)
    assert "--build-arg=... --secret=..." in command.shown
    assert "hunter2" not in command.shown + repr(command) + repr(SECRET)


@each_engine
def test_a_command_is_called_what_people_call_it(engine: Engine) -> None:
    label = engine.build(PLAIN, WORK).label
    expected = {"buildx": "docker buildx build"}.get(engine.name, f"{engine.name} build")
    assert label == expected
