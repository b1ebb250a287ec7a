"""The examples, run in an empty repository with only the example in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.ci.runner import ROOT, Runner
from tests.docs.world import TOKEN, environ, world
from tests.integration.peers import require_peer
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration
EXAMPLES = ROOT / "docs/examples"


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment of a machine that reaches ghcr.io, Docker Hub and a private registry."""
    with world() as internet:
        yield environ(internet, tmp_path_factory.mktemp("world"))


@pytest.fixture
def job(online: dict[str, str], tmp_path: Path) -> Runner:
    """A job in a clone of an empty repository, after the action."""
    shell = Shell(tmp_path / "home")
    shell.environ.pop("SOURCE_DATE_EPOCH")
    clone = tmp_path / "clone"
    clone.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{shell.environ['PATH']}"
    runner = Runner(clone, {**shell.environ, **online, "PATH": path}, {})
    runner.environ |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "octo/new",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    assert runner.run(f"echo {TOKEN} | ghcrctl login ghcr.io -u octo --password-stdin"), runner.log
    return runner


def _add(runner: Runner, example: Path, target: str) -> None:
    """Commit an example as the only file of a repository."""
    path = runner.folder / target
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(example, path)
    git = require_peer("git")
    identity = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    for words in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "Start")):
        subprocess.run([git, *words], cwd=runner.folder, check=True)


def _workflow(runner: Runner, name: str) -> dict[str, Any]:
    _add(runner, EXAMPLES / name, f".github/workflows/{name}")
    jobs: dict[str, Any] = yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))["jobs"]
    return jobs


def _step(job: dict[str, Any], name: str) -> str:
    (found,) = [step["run"] for step in job["steps"] if step.get("name") == name]
    return str(found)


def _outputs(runner: Runner) -> str:
    return Path(runner.environ["GITHUB_OUTPUT"]).read_text(encoding="utf-8")


def test_github_builds_pushes_and_releases_an_image(job: Runner) -> None:
    jobs = _workflow(job, "github-image.yml")
    job.environ |= {
        "IMAGE": "ghcr.io/octo/new",
        "TAG": "main",
        "BASE": jobs["image"]["env"]["BASE"],
    }
    for name in ("Build", "Push"):
        assert job.run(_step(jobs["image"], name)), job.log
    digest = re.findall(r"sha256:[0-9a-f]{64}", _outputs(job))[-1]
    deploy = _step(jobs["deploy"], "Move the tag stable")
    assert job.run(deploy, {"DIGEST": digest}), job.log
    assert job.run("ghcrctl digest ghcr.io/octo/new:stable")
    assert digest in job.log
    assert job.run("ghcrctl ls --recursive ghcr.io/octo/new:main /app")
    assert "github-image.yml" in job.log


def test_github_prunes_nothing_before_the_first_push(job: Runner) -> None:
    jobs = _workflow(job, "github-prune.yml")
    script = _step(jobs["prune"], "Prune")
    job.environ |= {"GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "octo/nothing"}
    assert job.run(script), job.log
    assert "::notice::ghcr.io/octo/nothing was not found" in job.log
    job.environ["GITHUB_REPOSITORY"] = "octo/app"
    assert job.run(script), job.log
    assert "deleted<<" in _outputs(job)


def test_gitlab_builds_and_releases_an_image(job: Runner) -> None:
    described = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text(encoding="utf-8"))
    _add(job, EXAMPLES / "gitlab-ci.yml", ".gitlab-ci.yml")
    job.environ |= {
        "BASE": "docker.io/library/alpine:3.20",
        "IMAGE": "registry.example.com/octo/new:1",
        "CI_REGISTRY_IMAGE": "registry.example.com/octo/new",
        "CI_COMMIT_TAG": "v1.0",
        "GHCR_USER": "octo",
        "GHCR_TOKEN": TOKEN,
    }
    assert job.run("\n".join(described["build"]["script"])), job.log
    release = "\n".join(described["release"]["script"]).replace("OWNER/IMAGE", "octo/released")
    assert job.run(release), job.log
    assert job.run("ghcrctl exists ghcr.io/octo/released:v1.0"), job.log


def test_jenkins_builds_and_pushes_an_image(job: Runner) -> None:
    text = (EXAMPLES / "Jenkinsfile").read_text(encoding="utf-8")
    _add(job, EXAMPLES / "Jenkinsfile", "Jenkinsfile")
    job.environ |= {
        "IMAGE": "ghcr.io/octo/jenkins",
        "BASE": "docker.io/library/alpine:3.20",
        "BUILD_NUMBER": "7",
    }
    build, push = re.findall(r"sh '''(.*?)'''", text, re.DOTALL)[1], "ghcrctl push "
    assert "ghcrctl append" in build
    assert job.run(build), job.log
    (line,) = [one for one in re.findall(r"sh '(.*)'", text) if one.startswith(push)]
    assert job.run(line), job.log
    digest = (job.folder / "digest.txt").read_text(encoding="utf-8").strip()
    assert job.run("ghcrctl digest ghcr.io/octo/jenkins:7")
    assert digest in job.log
