"""The action downloads the single file of a release, and falls back to the source."""

from __future__ import annotations

import hashlib
import http.server
import shutil
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from release.file_name import file_name
from tests.ci.jobs import make_runner
from tests.ci.runner import ROOT, Runner
from tests.hostile_checkout import write_hostile_checkout
from tests.integration.peers import require_peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]


def _small_project(folder: Path, version: str, source: str = "source") -> None:
    """Write the source of a program that prints its version."""
    package = folder / "ghcrctl" / "cli"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text(f'__version__ = "{version}"\n')
    (package / "__init__.py").write_text("")
    text = f"def main():\n    print('ghcrctl from-{source} {version}')\n"
    (package / "main.py").write_text(text)


def _repository(folder: Path, version: str, *tags: str) -> None:
    """Create a repository with a small project and an empty lock."""
    _small_project(folder, version)
    (folder / "release").mkdir()
    (folder / "release/requirements.txt").write_text("")
    commands = (
        ("init", "--quiet"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-qm", "All"),
        *(("tag", tag) for tag in tags),
        ("branch", "topic"),
    )
    for command in commands:
        subprocess.run([require_peer("git"), "-C", str(folder), *command], check=True)


def _release(folder: Path, version: str) -> Path:
    """Create the files of a release below a server's folder; return its SHA256SUMS."""
    files = folder / f"octo/ghcrctl/releases/download/v{version}"
    files.mkdir(parents=True)
    _small_project(folder / "site", version, "release")
    single = files / file_name(version)
    with zipfile.ZipFile(single, "w") as archive:
        for path in sorted((folder / "site").rglob("*.py")):
            archive.write(path, f"site-packages/{path.relative_to(folder / 'site')}")
        archive.writestr("_bootstrap/__init__.py", "raise SystemExit(1)")
    shutil.rmtree(folder / "site")
    sums = files / "SHA256SUMS"
    sums.write_text(f"{hashlib.sha256(single.read_bytes()).hexdigest()}  {single.name}\n")
    return sums


@contextmanager
def _serve(folder: Path) -> Iterator[str]:
    handler = partial(_QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def released(tmp_path: Path) -> Iterator[tuple[Runner, Path]]:
    """A job and the SHA256SUMS of release 7.8.9, which a server has."""
    sums = _release(tmp_path / "server", "7.8.9")
    with _serve(tmp_path / "server") as url:
        runner = make_runner(tmp_path / "job", action_repository="octo/ghcrctl")
        runner.environ["GITHUB_SERVER_URL"] = url
        yield runner, sums


@pytest.mark.parametrize("version", ["v7.8.9", "7.8.9"])
def test_a_release_is_downloaded(released: tuple[Runner, Path], version: str) -> None:
    runner, _ = released
    runner.environ |= write_hostile_checkout(runner.folder, runner.folder / "trapped")
    assert runner.use(ROOT, version=version, token=""), runner.log
    assert runner.outputs["version"] == "7.8.9"
    assert runner.run("ghcrctl")
    assert "ghcrctl from-release 7.8.9" in runner.log
    assert runner.used == []
    assert not (runner.folder / "trapped").exists()


@pytest.mark.parametrize("ref", ["v7", "v7.8", "v7.8.9"])
def test_the_tag_that_a_workflow_uses_selects_its_release(
    released: tuple[Runner, Path], tmp_path: Path, ref: str
) -> None:
    runner, _ = released
    runner.github["action_ref"] = ref
    action = tmp_path / "action"
    _small_project(action, "7.8.9")
    shutil.copy(ROOT / "action.yml", action)
    shutil.copytree(ROOT / "release", action / "release")
    assert runner.use(action, token=""), runner.log
    assert runner.run("ghcrctl")
    assert "ghcrctl from-release 7.8.9" in runner.log


def test_without_curl_python_downloads(released: tuple[Runner, Path], tmp_path: Path) -> None:
    runner, _ = released
    names = ("bash", "cat", "chmod", "git", "grep", "mkdir", "python3", "rm", "sed", "tr", "sh")
    (tmp_path / "bin").mkdir()
    for name in names:
        program = sys.executable if name == "python3" else require_peer(name)
        (tmp_path / "bin" / name).symlink_to(program)
    runner.environ["PATH"] = str(tmp_path / "bin")
    assert runner.use(ROOT, version="v7.8.9", token=""), runner.log
    assert runner.outputs["version"] == "7.8.9"


def test_a_changed_file_is_refused(released: tuple[Runner, Path]) -> None:
    runner, sums = released
    with (sums.parent / file_name("7.8.9")).open("ab") as file:
        file.write(b"changed")
    assert not runner.use(ROOT, version="v7.8.9", token="")
    assert "the checksum of ghcrctl-7.8.9-py" in runner.log
    assert runner.which("ghcrctl") != f"{runner.environ['RUNNER_TEMP']}/ghcrctl/bin/ghcrctl"


def test_a_checksum_pins_the_files_of_a_release(released: tuple[Runner, Path]) -> None:
    runner, sums = released
    digest = hashlib.sha256(sums.read_bytes()).hexdigest()
    for given in (digest, f"sha256:{digest}", digest.upper()):
        assert runner.use(ROOT, version="v7.8.9", checksum=given, token=""), runner.log
    assert not runner.use(ROOT, version="v7.8.9", checksum="0" * 64, token="")
    assert f"the digest of SHA256SUMS is {digest}, expected {'0' * 64}" in runner.log
    sums.write_text("")
    assert not runner.use(ROOT, version="v7.8.9", checksum=digest, token="")
    assert "cannot be checked against the input checksum" in runner.log


def test_a_release_without_a_file_for_this_python_is_installed_from_source(tmp_path: Path) -> None:
    _repository(tmp_path / "server/octo/ghcrctl", "7.8.9", "v7.8.9")
    runner = make_runner(tmp_path / "job", action_repository="octo/ghcrctl")
    runner.environ["GITHUB_SERVER_URL"] = f"file://{tmp_path}/server"
    assert runner.use(ROOT, version="v7.8.9", token=""), runner.log
    assert "installing from source" in runner.log
    assert runner.outputs["version"] == "7.8.9"


@pytest.mark.parametrize("version", ["topic", "v7"])
def test_another_version_is_a_ref_of_the_actions_repository(tmp_path: Path, version: str) -> None:
    _repository(tmp_path / "server/octo/ghcrctl", "7.8.9", "v7")
    runner = make_runner(tmp_path / "job", action_repository="octo/ghcrctl")
    runner.environ["GITHUB_SERVER_URL"] = f"file://{tmp_path}/server"
    assert runner.use(ROOT, version=version, token=""), runner.log
    assert runner.outputs["version"] == "7.8.9"


def test_an_unknown_version_is_reported(tmp_path: Path) -> None:
    _repository(tmp_path / "server/octo/ghcrctl", "7.8.9")
    runner = make_runner(tmp_path / "job", action_repository="octo/ghcrctl")
    runner.environ["GITHUB_SERVER_URL"] = f"file://{tmp_path}/server"
    assert not runner.use(ROOT, version="nothing", token="")
    assert "::error title=ghcrctl::cannot download ghcrctl nothing from file://" in runner.log
