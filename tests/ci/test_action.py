"""The action for GitHub's jobs, carried out step by step, against a registry like ghcr.io."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from ghcrctl import __version__
from tests.ci.runner import ROOT, Runner, evaluate, expand
from tests.hostile_checkout import write_hostile_checkout
from tests.integration.peers import do_without, require_peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.registry_double import RegistryDouble

# Its fixture installs packages, which takes minutes on a slow machine.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]
_JOB_TOKEN = "ghs_of_the_job"


def _runner(folder: Path, **github: str) -> Runner:
    temp = folder / "temp with a space"
    temp.mkdir(parents=True)
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environ = {
        **pip,
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "RUNNER_TEMP": str(temp),
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_ACTIONS": "true",
        "CI": "true",
    }
    return Runner(folder, environ, {"token": _JOB_TOKEN, "actor": "octo", **github})


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A job whose checkout is hostile, in which the action installed ghcrctl without signing in."""
    runner = _runner(tmp_path_factory.mktemp("job"))
    runner.environ |= write_hostile_checkout(runner.folder, runner.folder / "trapped")
    if not runner.use(ROOT, token=""):
        if "could not be installed" in runner.log and "onnection" in runner.log:
            do_without(f"a network with a package index is missing: {runner.log[-500:]}")
        pytest.fail(runner.log)
    return runner


@pytest.fixture
def job(installed: Runner, tmp_path: Path) -> Iterator[Runner]:
    """A job whose action needs no installation any more: only its other steps count."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    action["runs"]["steps"][0]["run"] = f"echo 'path={installed.outputs['path']}' >>$GITHUB_OUTPUT"
    (tmp_path / "action.yml").write_text(yaml.safe_dump(action), encoding="utf-8")
    runner = _runner(tmp_path / "job")
    runner.environ |= {
        "GHCRCTL_KEYRING": "0",
        "GHCRCTL_CONFIG_DIR": str(tmp_path / "config"),
        "GHCRCTL_RETRIES": "0",
    }
    yield runner
    assert "ghp_octo" not in runner.log
    assert _JOB_TOKEN not in runner.log


def test_ghcrctl_is_on_the_path_and_the_jobs_python_is_not_hidden(installed: Runner) -> None:
    assert installed.outputs == {
        "version": __version__,
        "path": f"{installed.environ['RUNNER_TEMP']}/ghcrctl/bin/ghcrctl",
    }
    assert installed.which("ghcrctl") == installed.outputs["path"]
    assert installed.which("python3") == _runner(installed.folder / "other").which("python3")
    assert installed.run("ghcrctl --version && ghcrctl images")
    assert f"ghcrctl {__version__}" in installed.log


def test_nothing_is_imported_from_the_checkout(installed: Runner) -> None:
    trap = installed.folder / "trapped"
    assert installed.run("ghcrctl version && ghcrctl images --format json && ghcrctl packages -h")
    assert not trap.exists()
    # The checkout is hostile indeed: an ordinary Python falls for it.
    installed.run("python3 -c 'import click'")
    assert trap.exists()
    trap.unlink()


def test_signing_in_imports_nothing_from_the_checkout(
    job: Runner, ghcr: RegistryDouble, tmp_path: Path
) -> None:
    trap = tmp_path / "trapped"
    job.environ |= write_hostile_checkout(job.folder, trap)
    assert job.use(job.folder.parent, registry=ghcr.host, username="octo", token="ghp_octo"), (
        job.log
    )
    assert not trap.exists()


def test_what_the_job_leaves_is_where_the_runner_empties(installed: Runner) -> None:
    temp = installed.environ["RUNNER_TEMP"]
    assert installed.environ["GHCRCTL_CONFIG_DIR"].startswith(temp)
    assert installed.environ["GHCRCTL_KEYRING"] == "0"


def test_the_checkout_that_is_installed_stays_as_it_is(installed: Runner) -> None:
    assert installed.outputs
    assert not list(ROOT.glob("*.egg-info"))


def test_signs_in_and_the_next_step_can_push(job: Runner, ghcr: RegistryDouble) -> None:
    assert job.use(job.folder.parent, registry=ghcr.host, username="octo", token="ghp_octo")
    assert "Login Succeeded" in job.log
    program = job.outputs["path"]
    script = f"""
        tar -c -C /usr/share/doc/bash . | "{program}" import - {ghcr.host}/octo/image:1.0
        "{program}" push {ghcr.host}/octo/image:1.0
    """
    files = {name: str(job.folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    assert job.run(script, files), job.log
    digest = str(ghcr.backend.resolve("octo/image", "1.0").digest)
    assert f"\n{digest}\n" in (job.folder / "GITHUB_OUTPUT").read_text(encoding="utf-8")
    assert digest in (job.folder / "GITHUB_STEP_SUMMARY").read_text(encoding="utf-8")
    assert ghcr.backend.resolve("octo/image", "1.0").is_manifest


def test_a_wrong_token_fails_the_job(job: Runner, ghcr: RegistryDouble) -> None:
    assert not job.use(job.folder.parent, registry=ghcr.host, username="octo", token="ghp_wrong")
    assert "ghp_wrong" not in job.log


def test_the_jobs_token_is_given_to_no_other_registry(job: Runner, ghcr: RegistryDouble) -> None:
    assert not job.use(job.folder.parent, registry=ghcr.host)
    assert "::error title=ghcrctl::the job's token is not given to another registry" in job.log
    assert not ghcr.log


def test_inputs_are_no_commands(job: Runner, ghcr: RegistryDouble) -> None:
    trap = '"; touch trapped; echo "$(touch trapped)'
    assert not job.use(job.folder.parent, registry=ghcr.host, username=trap, token=trap)
    assert not job.use(job.folder.parent, registry=trap, token="ghp_other")
    assert not (job.folder / "trapped").exists()


def test_no_script_has_an_expression_in_it() -> None:
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    assert [step["shell"] for step in steps] == ["bash", "bash"]
    assert not [step["run"] for step in steps if "${{" in step["run"]]


def test_says_that_a_python_is_missing(tmp_path: Path) -> None:
    runner = _runner(tmp_path / "job")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bash").symlink_to(require_peer("bash"))
    runner.environ["PATH"] = str(tmp_path / "bin")
    assert not runner.use(ROOT)
    assert "::error title=ghcrctl::no Python of version 3.10 or later" in runner.log


def test_a_version_is_a_tag_of_the_actions_repository(tmp_path: Path) -> None:
    require_peer("git")
    folder = tmp_path / "server" / "octo" / "ghcrctl"
    _small_project(folder, "7.8.9")
    runner = _runner(tmp_path / "job", action_repository="octo/ghcrctl")
    runner.environ["GITHUB_SERVER_URL"] = f"file://{tmp_path}/server"
    if not runner.use(ROOT, version="v7.8.9", token=""):
        if "onnection" in runner.log:
            do_without(f"a network with a package index is missing: {runner.log[-500:]}")
        pytest.fail(runner.log)
    assert runner.outputs["version"] == "7.8.9"


def _small_project(folder: Path, version: str) -> None:
    """Make a repository of a program that is called ghcrctl and says its version."""
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "ghcrctl"\nversion = "{version}"\n'
        '[project.scripts]\nghcrctl = "small:main"\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[tool.hatch.build.targets.wheel]\ninclude = ["small.py"]\n'
    )
    (folder / "small.py").write_text(f"def main():\n    print('ghcrctl, version {version}')\n")
    commands = (
        ("init", "--quiet"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-qm", "All"),
        ("tag", f"v{version}"),
    )
    for command in commands:
        subprocess.run([require_peer("git"), "-C", str(folder), *command], check=True)


def test_expressions_are_read_as_the_runner_reads_them() -> None:
    scope = {"inputs.a": "x", "github.b": ""}
    assert expand("1 ${{ inputs.a }} ${{ github.b || inputs.a }}", scope) == "1 x x"
    assert evaluate("inputs.a != ''", scope)
    assert not evaluate("github.b != ''", scope)
    with pytest.raises(AssertionError):
        evaluate("nothing.known", scope)
