"""Builds with buildah and docker, from a Dockerfile to a registry."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.docker_registry import docker_registry
from tests.integration.engines import GREETING, context, docker
from tests.integration.peers import require_peer, run_peer
from tests.schemas import validate
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.integration.docker_registry import DockerRegistry
    from tests.integration.engines import Docker

__all__ = ["context", "docker", "docker_registry"]
pytestmark = pytest.mark.integration

STEPS = """\
FROM scratch AS base
COPY busybox /bin/busybox
FROM base AS reported
ARG WHO=nobody
RUN --mount=type=secret,id=word ["/bin/busybox", "sh", "-c", \
"echo $WHO > /who; /bin/busybox cat /run/secrets/word > /length; true"]
FROM base
RUN ["/bin/busybox", "sh", "-c", "echo last > /stage"]
"""
FAILING = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "echo on the way down; exit 3"]
"""
ENDLESS = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "echo well under way; exec /bin/busybox sleep 300"]
"""
ANYWHERE = """\
FROM scratch
ARG TARGETARCH
COPY busybox /bin/busybox-$TARGETARCH
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A user with buildah and its own storage."""
    require_peer("buildah")
    made = Shell(tmp_path / "home")
    storage = tmp_path / "storage.conf"
    storage.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/root"\nrunroot = "{tmp_path}/run"\n'
    )
    made.environ |= {
        "BUILDAH_ISOLATION": "chroot",
        "CONTAINERS_STORAGE_CONF": str(storage),
        "GHCRCTL_BUILDER": "buildah",
        "STORAGE_DRIVER": "vfs",
    }
    return made


def build(shell: Shell, context: Path, *options: str) -> list[str]:
    return shell.ok("build", "--network", "host", *options, str(context))


def write(context: Path, dockerfile: str) -> Path:
    (context / "Dockerfile").write_text(dockerfile)
    return context


def in_engine(environ: Mapping[str, str]) -> str:
    """Return the images and containers of buildah."""
    return images_of_engine(environ) + run_peer("buildah", "containers", "-q", environ=its(environ))


def images_of_engine(environ: Mapping[str, str]) -> str:
    return run_peer("buildah", "images", "-a", "-q", environ=its(environ))


def its(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in ("CONTAINERS_STORAGE_CONF", "STORAGE_DRIVER")}


def left_over(shell: Shell) -> list[Path]:
    return list((shell.folder / "store" / "ghcrctl").glob("build-*"))


def test_build_and_push(shell: Shell, docker_registry: DockerRegistry, context: Path) -> None:
    name = f"{docker_registry.host}/octo/built:1"
    *_, digest_line, built_line, local, tagged = build(shell, context, "-t", "hello", "-t", name)
    digest = digest_line.removeprefix("Digest: ")
    assert [local, tagged] == ["Successfully tagged hello:latest", f"Successfully tagged {name}"]
    [image_id] = shell.ok("images", "-q", "--no-trunc", "hello")
    assert built_line == f"Successfully built {image_id.removeprefix('sha256:')[:12]}"
    assert shell.ok("push", name)[-1].split()[2] == digest
    seen = json.loads(run_peer("skopeo", "inspect", "--tls-verify=false", f"docker://{name}"))
    assert seen["Digest"] == digest
    assert seen["Labels"]["org.opencontainers.image.source"] == "https://github.com/octo/image"
    assert "COLOUR=green" in seen["Env"]
    assert shell.ok("cat", name, "/greeting") == [GREETING]
    assert not in_engine(shell.environ)
    assert not left_over(shell)


def test_build_pushes_all_tags(
    shell: Shell, docker_registry: DockerRegistry, context: Path
) -> None:
    names = [f"{docker_registry.host}/octo/built:{tag}" for tag in ("1", "2")]
    lines = build(shell, context, "-t", names[0], "-t", names[1], "--push")
    [digest] = [line.split()[1] for line in lines if line.startswith("Digest: ")]
    assert [line for line in lines if ": digest: " in line] == [
        line for line in lines if line.startswith(("1: digest: ", "2: digest: "))
    ]
    for name in names:
        seen = run_peer("skopeo", "inspect", "--tls-verify=false", f"docker://{name}")
        assert json.loads(seen)["Digest"] == digest


def test_same_context_has_the_same_digest(shell: Shell, context: Path) -> None:
    # SOURCE_DATE_EPOCH is set.
    first, second = (build(shell, context, "-t", "hello")[-3] for _ in range(2))
    assert first == second
    assert first.startswith("Digest: sha256:")


def test_quiet_build_prints_only_the_id(shell: Shell, context: Path) -> None:
    ids, facts = shell.folder / "id", shell.folder / "facts.json"
    done = shell.run(
        *("build", "-q", "--network", "host", "-t", "hello"),
        *("--iidfile", str(ids), "--metadata-file", str(facts), str(context)),
    )
    [image_id] = shell.ok("images", "-q", "--no-trunc", "hello")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{image_id}\n", "")
    assert ids.read_text() == image_id
    document = json.loads(facts.read_text())
    assert document["containerimage.config.digest"] == image_id
    assert document["image.name"] == "hello:latest"
    [row] = shell.ok("images", "--format", "json", "hello")
    assert json.loads(row)["ID"] == image_id.removeprefix("sha256:")[:12]


def test_build_options_are_passed_to_the_engine(shell: Shell, context: Path) -> None:
    write(context, STEPS)
    (shell.folder / "word").write_text("sesame")
    build(
        *(shell, context, "-t", "reported", "--target", "reported", "--build-arg", "WHO=octo"),
        *("--label", "a=b", "--secret", f"id=word,src={shell.folder / 'word'}"),
    )
    assert shell.ok("cat", "reported", "/who") == ["octo"]
    assert shell.ok("cat", "reported", "/length") == ["sesame"]
    assert shell.ok("inspect", "-f", "{{.Config.Labels.a}}", "reported") == ["b"]
    build(shell, context, "-t", "whole")
    assert shell.ok("cat", "whole", "/stage") == ["last"]
    assert "stage" not in shell.ok("ls", "reported")


def test_debug_output_has_no_private_values(shell: Shell, context: Path) -> None:
    write(context, STEPS)
    secret = shell.folder / "word"
    secret.write_text("sesame")
    done = shell.run(
        *("build", "-D", "-q", "--network", "host", "--target", "base"),
        *("--build-arg", "WHO=hunter2", "--secret", f"id=word,src={secret}", str(context)),
    )
    assert done.returncode == 0
    assert "debug: run" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert str(secret) not in done.stdout + done.stderr


@pytest.mark.parametrize("options", [[], ["-q"]])
def test_failed_step_is_shown_and_reported(shell: Shell, context: Path, options: list[str]) -> None:
    write(context, FAILING)
    done = shell.run("build", *options, "--network", "host", "-t", "hello", str(context))
    assert done.returncode == 7
    assert "on the way down" in done.stdout + done.stderr
    assert done.stderr.endswith("error: buildah build failed with status 3\n")
    assert shell.ok("images", "-q") == []
    assert not in_engine(shell.environ)
    assert not left_over(shell)


def test_dockerfile_from_standard_input(shell: Shell, context: Path) -> None:
    text = "FROM scratch\nCOPY busybox /bin/busybox\n"
    shell.ok("build", "-f", "-", "-t", "hello", str(context), stdin=text)
    assert shell.ok("ls", "hello", "/bin") == ["busybox"]


def test_builder_arguments_are_passed_to_the_engine(shell: Shell, context: Path) -> None:
    own = "--builder-arg=--annotation=colour=green"
    build(shell, context, "-t", "hello", own)
    document = json.loads("\n".join(shell.ok("manifest", "inspect", "hello")))
    assert document["annotations"]["colour"] == "green"
    done = shell.run("build", "--builder-arg=--no-such-option", str(context))
    assert done.returncode == 7
    assert "unknown flag: --no-such-option" in done.stderr


def test_multi_platform_build_creates_an_index(
    shell: Shell, docker_registry: DockerRegistry, context: Path
) -> None:
    name = f"{docker_registry.host}/octo/anywhere:1"
    write(context, ANYWHERE)
    platforms = "linux/amd64,linux/arm64"
    lines = build(shell, context, "-t", name, "--platform", platforms, "--push")
    [digest] = [line.split()[1] for line in lines if line.startswith("Digest: ")]
    remote = run_peer("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{name}")
    listed = [entry["platform"]["architecture"] for entry in json.loads(remote)["manifests"]]
    assert listed == ["amd64", "arm64"]
    for architecture in listed:
        files = shell.ok("ls", "--platform", f"linux/{architecture}", name, "/bin")
        assert files == [f"busybox-{architecture}"]
    seen = run_peer("skopeo", "inspect", "--tls-verify=false", f"docker://{name}")
    assert json.loads(seen)["Digest"] == digest
    assert not in_engine(shell.environ)


def test_build_in_docker_format(shell: Shell, context: Path) -> None:
    build(shell, context, "-t", "hello", "--format", "docker")
    document = json.loads("\n".join(shell.ok("manifest", "inspect", "hello")))
    assert document["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert shell.ok("cat", "hello", "/greeting") == [GREETING]


def test_build_result_as_json(shell: Shell, docker_registry: DockerRegistry, context: Path) -> None:
    name = f"{docker_registry.host}/octo/built:1"
    options = ("--format", "docker", "--format", "json", "--digest-file", "digest", "--push")
    text = "\n".join(build(shell, context, "-t", name, *options))
    [document] = validate("build", text)
    assert document["MediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert document["Names"] == document["Pushed"] == [name]
    assert (shell.folder / "digest").read_text() == f"{document['Digest']}\n"
    assert "invalid format `oci3`" in shell.fails(2, "build", "--format", "oci3", str(context))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("everybody", [False, True])
def test_interrupted_build_leaves_no_files(
    shell: Shell, context: Path, number: signal.Signals, *, everybody: bool
) -> None:
    """A terminal signals all foreground processes, `kill` only ghcrctl."""
    write(context, ENDLESS)
    output = shell.folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "ghcrctl", "build", "--network", "host", str(context)],
            env=shell.environ,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    deadline = time.monotonic() + 30
    while b"well under way" not in output.read_bytes():
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if everybody:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    assert process.wait(30) == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert not left_over(shell)
    # Buildah itself leaves a container if it is interrupted before its step starts.
    assert not images_of_engine(shell.environ)
    assert shell.ok("images", "-q") == []


@pytest.mark.parametrize("buildkit", ["1", "0"])
def test_build_with_docker_without_buildx(
    shell: Shell, docker: Docker, context: Path, buildkit: str
) -> None:
    shell.environ |= docker.environ | {"HOME": str(shell.folder), "DOCKER_BUILDKIT": buildkit}
    shell.environ["PATH"] = "/usr/bin:/bin:/usr/sbin"
    options = ("--builder", "docker", "--network", "none", "-t", "hello")
    lines = shell.ok("build", *options, "--label", "a=b", str(context))
    assert lines[-1] == "Successfully tagged hello:latest"
    assert shell.ok("cat", "hello", "/greeting") == [GREETING]
    assert shell.ok("inspect", "-f", "{{.Config.Labels.a}}", "hello") == ["b"]
    [image_id] = shell.ok("images", "-q", "--no-trunc", "hello")
    assert f"Successfully built {image_id.removeprefix('sha256:')[:12]}" in lines
    assert docker.run("images", "-q", "--filter", "reference=localhost/*").strip() == ""
    assert not left_over(shell)


def test_docker_without_buildx_error(shell: Shell, docker: Docker, context: Path) -> None:
    shell.environ |= docker.environ | {"HOME": str(shell.folder), "DOCKER_BUILDKIT": "0"}
    shell.environ["PATH"] = "/usr/bin:/bin:/usr/sbin"
    requested = ("build", "--builder", "docker", "--secret", "id=a,src=b", str(context))
    messages = shell.fails(7, *requested)
    assert "docker without BuildKit does not support --secret" in messages
    assert "--builder buildah" in messages
    messages = shell.fails(7, "build", "--builder", "buildx", str(context))
    assert "docker client has no buildx plugin" in messages


def test_build_with_podman(shell: Shell, context: Path) -> None:
    require_peer("podman")
    lines = build(shell, context, "--builder", "podman", "-t", "hello")
    assert lines[-1] == "Successfully tagged hello:latest"
    assert shell.ok("cat", "hello", "/greeting") == [GREETING]


def test_missing_engine_error_has_an_install_hint(shell: Shell, context: Path) -> None:
    empty = shell.folder / "empty"
    empty.mkdir()
    shell.environ |= {"PATH": str(empty), "GHCRCTL_BUILDER": "auto"}
    error, hint = shell.fails(7, "build", str(context)).splitlines()
    assert error.startswith("error: cannot build: docker buildx, buildah or podman is required")
    assert hint.startswith("hint: ")
