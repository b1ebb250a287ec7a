"""The action for GitHub's jobs, run step by step against a registry like ghcr.io."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from ghcrctl import __version__
from release.contents import LOCK
from tests.ci.jobs import JOB_TOKEN, make_runner, use_action
from tests.ci.runner import ROOT, Runner, evaluate, expand
from tests.hostile_checkout import write_hostile_checkout
from tests.integration.peers import require_peer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_double import RegistryDouble

# Its fixture installs packages, which takes minutes on a slow machine.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module", params=["pip", "uv"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A job with a hostile checkout, in which the action installed ghcrctl from source."""
    runner = make_runner(tmp_path_factory.mktemp("job"))
    runner.environ |= write_hostile_checkout(runner.folder, runner.folder / "trapped")
    if request.param == "uv":
        folder = tmp_path_factory.mktemp("uv")
        (folder / "uv").symlink_to(_uv())
        runner.environ["PATH"] = f"{folder}:{runner.environ['PATH']}"
    use_action(runner, token="")
    return runner


def _uv() -> str:
    from uv import find_uv_bin

    return find_uv_bin()


@pytest.fixture(scope="module")
def program() -> str:
    """The program of this environment, for steps after the installation."""
    return str(Path(sys.executable).with_name("ghcrctl"))


@pytest.fixture
def job(program: str, tmp_path: Path) -> Iterator[Runner]:
    """A job whose action installs nothing and runs its other steps."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    (plan, _, install, _) = action["runs"]["steps"]
    plan["run"] = "true"
    install["run"] = f"echo 'path={program}' >>$GITHUB_OUTPUT"
    (tmp_path / "action.yml").write_text(yaml.safe_dump(action), encoding="utf-8")
    runner = make_runner(tmp_path / "job")
    runner.environ |= {
        "GHCRCTL_KEYRING": "0",
        "GHCRCTL_CONFIG_DIR": str(tmp_path / "config"),
        "GHCRCTL_RETRIES": "0",
    }
    yield runner
    assert "ghp_octo" not in runner.log
    assert JOB_TOKEN not in runner.log


def test_ghcrctl_is_on_the_path_and_the_jobs_python_is_not_hidden(installed: Runner) -> None:
    assert installed.outputs == {
        "version": __version__,
        "path": f"{installed.environ['RUNNER_TEMP']}/ghcrctl/bin/ghcrctl",
    }
    assert installed.which("ghcrctl") == installed.outputs["path"]
    assert installed.which("python3") == make_runner(installed.folder / "other").which("python3")
    assert installed.run("ghcrctl --version && ghcrctl images")
    assert f"ghcrctl {__version__}" in installed.log


def test_nothing_is_imported_from_the_checkout(installed: Runner) -> None:
    trap = installed.folder / "trapped"
    assert installed.run("ghcrctl version && ghcrctl images --format json && ghcrctl packages -h")
    assert not trap.exists()
    # An ordinary Python imports the checkout's modules.
    installed.run("python3 -c 'import click'")
    assert trap.exists()
    trap.unlink()


def test_packages_are_cached_by_their_lock(installed: Runner) -> None:
    ((action, inputs),) = installed.used
    assert action.startswith("actions/cache@")
    assert inputs["path"] == f"{installed.environ['RUNNER_TEMP']}/ghcrctl/cache"
    assert {path.suffix for path in Path(inputs["path"]).iterdir()} == {".whl"}
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    assert re.fullmatch(rf"ghcrctl-linux-\w+-py3\.\d+-{digest}", inputs["key"])


def test_packages_with_another_hash_are_refused(installed: Runner, tmp_path: Path) -> None:
    action = tmp_path / "action"
    for name in ("action.yml", "release", "ghcrctl"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        action.mkdir(exist_ok=True)
        copy(source, action / name)
    lock = action / "release/requirements.txt"
    lock.write_text(re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", lock.read_text()))
    runner = make_runner(tmp_path / "job")
    runner.environ["PATH"] = installed.environ["PATH"].partition(":")[2]
    assert not runner.use(action, token="")
    assert "cannot download the packages of ghcrctl" in runner.log
    assert not runner.outputs


def test_a_cached_package_that_was_changed_is_downloaded_again(
    installed: Runner, tmp_path: Path
) -> None:
    runner = make_runner(tmp_path / "job")
    runner.environ["PATH"] = installed.environ["PATH"].partition(":")[2]
    cache = Path(runner.environ["RUNNER_TEMP"]) / "ghcrctl/cache"
    shutil.copytree(installed.used[0][1]["path"], cache)
    (wheel,) = cache.glob("click-*.whl")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("click/hostile.py", "raise SystemExit(1)")
    use_action(runner, token="")
    assert not (cache.parent / "site/click/hostile.py").exists()


def test_logging_in_imports_nothing_from_the_checkout(
    installed: Runner, ghcr: RegistryDouble, tmp_path: Path
) -> None:
    trap = tmp_path / "trapped"
    environ = {**installed.environ, "GHCRCTL_CONFIG_DIR": str(tmp_path / "config")}
    job = Runner(tmp_path / "checkout", environ, installed.github)
    job.folder.mkdir()
    environ |= write_hostile_checkout(job.folder, trap)
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    login = action["runs"]["steps"][-1]
    given = {
        "REGISTRY": ghcr.host,
        "REGISTRY_USERNAME": "octo",
        "REGISTRY_TOKEN": "ghp_octo",
        "JOB_TOKEN": JOB_TOKEN,
        "PROGRAM": installed.outputs["path"],
    }
    assert login["env"].keys() == given.keys()
    assert job.run(login["run"], given), job.log
    assert not trap.exists()


def test_files_of_the_job_are_in_the_folder_that_the_runner_empties(installed: Runner) -> None:
    temp = installed.environ["RUNNER_TEMP"]
    assert installed.environ["GHCRCTL_CONFIG_DIR"].startswith(temp)
    assert installed.environ["GHCRCTL_KEYRING"] == "0"


def test_the_source_is_not_changed(installed: Runner) -> None:
    assert installed.outputs
    assert not list(ROOT.glob("*.egg-info"))


def test_logs_in_and_the_next_step_can_push(job: Runner, ghcr: RegistryDouble) -> None:
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


def test_the_jobs_token_is_not_sent_to_another_registry(job: Runner, ghcr: RegistryDouble) -> None:
    assert not job.use(job.folder.parent, registry=ghcr.host)
    assert "::error title=ghcrctl::the job's token is only sent to GitHub's registry" in job.log
    assert not ghcr.log


def test_inputs_are_not_commands(job: Runner, ghcr: RegistryDouble, tmp_path: Path) -> None:
    trap = '"; touch trapped; echo "$(touch trapped)'
    assert not job.use(job.folder.parent, registry=ghcr.host, username=trap, token=trap)
    assert not job.use(job.folder.parent, registry=trap, token="ghp_other")
    runner = make_runner(tmp_path / "version", action_repository="octo/ghcrctl")
    runner.environ["GITHUB_SERVER_URL"] = f"file://{tmp_path}"
    for version in (trap, "--upload-pack=touch trapped", "v1.2.3\ntouch trapped"):
        assert not runner.use(ROOT, version=version, token="")
    assert not list(tmp_path.rglob("trapped"))


def test_no_script_has_an_expression_in_it() -> None:
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    scripts = [step for step in steps if "run" in step]
    assert [step["shell"] for step in scripts] == ["bash", "bash", "bash"]
    assert not [step["run"] for step in scripts if "${{" in step["run"]]


def test_a_missing_python_is_reported(tmp_path: Path) -> None:
    runner = make_runner(tmp_path / "job")
    (tmp_path / "bin").mkdir()
    for name in ("bash", "mkdir"):
        (tmp_path / "bin" / name).symlink_to(require_peer(name))
    runner.environ["PATH"] = str(tmp_path / "bin")
    assert not runner.use(ROOT)
    assert "::error title=ghcrctl::no Python 3.10 or later" in runner.log


def test_expressions_are_evaluated_like_the_runner_does() -> None:
    scope = {"inputs.a": "x", "github.b": ""}
    assert expand("1 ${{ inputs.a }} ${{ github.b || inputs.a }}", scope) == "1 x x"
    assert evaluate("inputs.a != ''", scope)
    assert not evaluate("github.b != ''", scope)
    with pytest.raises(AssertionError):
        evaluate("nothing.known", scope)


def test_the_program_for_windows_starts_the_launcher_in_isolated_mode(tmp_path: Path) -> None:
    script = tmp_path / "a folder 100%s" / "launcher.py"
    script.parent.mkdir()
    script.write_text("import sys\nprint('launched', *sys.argv[1:], sys.flags.isolated)\n")
    command = [sys.executable, "-I", str(ROOT / "release/action/windows.py")]
    subprocess.run([*command, str(tmp_path), str(script)], check=True)
    program = [sys.executable, "-I", str(tmp_path / "ghcrctl"), "pull"]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert done.stdout == "launched pull 1\n"
    assert (tmp_path / "ghcrctl").read_text().splitlines()[0].endswith(" -I")
