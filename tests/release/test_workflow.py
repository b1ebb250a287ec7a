"""The steps of the release workflow that run on one machine."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ghcrctl import __version__
from ghcrctl.oci.platform import Platform
from release.checks import changes_of, faults_of
from release.contents import ROOT
from release.files import locked_packages, sbom
from release.repository import project, repository
from tests.builders import random_image
from tests.ci.runner import Runner
from tests.integration.peers import do_without, require_peer
from tests.registry_double.fixtures import ghcr
from tests.shell import Shell

if TYPE_CHECKING:
    from tests.registry_double import RegistryDouble

__all__ = ["ghcr"]
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
JOBS: dict[str, Any] = WORKFLOW["jobs"]


def script(job: str, text: str) -> str:
    """Return the script of a job that contains a text."""
    (found,) = [step["run"] for step in JOBS[job]["steps"] if text in step.get("run", "")]
    return str(found)


def test_the_tag_must_be_the_version_with_a_changelog() -> None:
    assert faults_of(f"v{__version__}", repository()) == []
    assert faults_of("v9.9.9") == [f"the tag is v9.9.9, but ghcrctl.__version__ is {__version__}"]
    assert "invalid tag `latest`" in faults_of("latest")[0]
    (fault,) = faults_of(f"v{__version__}", "octo/fork")
    assert fault.endswith("python -m release.repository octo/fork")


def test_the_notes_are_the_changelog_of_the_version() -> None:
    notes = changes_of(__version__)
    assert notes.startswith("### Added")
    assert "\n## " not in notes
    assert changes_of("9.9.9") == ""


def test_checks_and_files_need_no_packages(tmp_path: Path) -> None:
    if sys.version_info < (3, 11):
        pytest.skip("the workflow uses a later Python, which has tomllib")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/ghcrctl.pyz").write_bytes(b"content")
    shell = Shell(tmp_path)
    environ = {
        **shell.environ,
        "GITHUB_REF_NAME": f"v{__version__}",
        "GITHUB_REPOSITORY": repository(),
    }
    for module, arguments in {
        "release.checks": [environ["GITHUB_REF_NAME"], environ["GITHUB_REPOSITORY"]],
        "release.files": [str(tmp_path / "dist"), str(tmp_path / "notes.md")],
    }.items():
        command = [sys.executable, "-S", "-m", module, *arguments]
        subprocess.run(command, cwd=ROOT, env=environ, check=True)
    assert (tmp_path / "notes.md").read_text().strip() == changes_of(__version__)
    sums = tmp_path / "dist/SHA256SUMS"
    assert [line.split()[1] for line in sums.read_text().splitlines()] == [
        "ghcrctl.pyz",
        "sbom.cdx.json",
    ]
    check = [require_peer("sha256sum"), "--check", "--strict", sums.name]
    subprocess.run(check, cwd=sums.parent, check=True, stdout=subprocess.DEVNULL)
    # The action checks a file of the release in the same way.
    verify = [sys.executable, "-I", str(ROOT / "release/action/verify.py"), str(sums)]
    digest = hashlib.sha256(sums.read_bytes()).hexdigest()
    subprocess.run([*verify, str(sums.parent / "ghcrctl.pyz"), digest], check=True)


def test_the_sbom_lists_every_locked_package() -> None:
    document = sbom()
    assert document["metadata"]["component"]["version"] == __version__
    listed = [(one["name"], one["version"]) for one in document["components"]]
    assert listed == locked_packages()
    names = {name for name, _ in listed}
    assert {"click", "requests", "backports-zstd", "cheroot"} <= names
    references = [one["bom-ref"] for one in document["components"]]
    assert len(set(references)) == len(references)
    assert document["dependencies"][0]["dependsOn"] == references
    assert json.dumps(document) == json.dumps(sbom())


def test_the_images_of_both_platforms_are_joined(ghcr: RegistryDouble, tmp_path: Path) -> None:
    for machine in ("amd64", "arm64"):
        image = random_image(
            seed=len(machine) + ord(machine[1]), platform=Platform("linux", machine)
        )
        ghcr.push_image("octo/tool", f"7.8.9-{machine}", image)
    shell = Shell(tmp_path)
    shell.ok("login", "--username", "octo", "--password-stdin", ghcr.host, stdin="ghp_octo")
    runner = Runner(tmp_path, shell.environ, {})
    runner.environ["PATH"] = f"{Path(sys.executable).parent}:{runner.environ['PATH']}"
    output = tmp_path / "output"
    given = {
        "REGISTRY": ghcr.host,
        "GITHUB_REPOSITORY": "octo/tool",
        "GITHUB_REF_NAME": "v7.8.9",
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(output),
    }
    assert runner.run(script("index", "manifest create"), given), runner.log
    index = ghcr.backend.resolve("octo/tool", "7.8.9")
    assert str(index.digest) in output.read_text()
    listed = shell.ok("inspect", "--remote", "--platforms", f"{ghcr.host}/octo/tool:7.8.9")
    assert sum("linux/" in line for line in listed) == 2
    for _ in range(2):
        assert runner.run(script("index", "latest"), given), runner.log
        assert ghcr.backend.resolve("octo/tool", "latest").digest == index.digest


def test_the_tags_of_major_and_minor_version_follow(tmp_path: Path) -> None:
    git = require_peer("git")
    clone, remote = tmp_path / "clone", tmp_path / "remote"
    commands = (
        ("init", "--quiet", "--bare", str(remote)),
        ("init", "--quiet", str(clone)),
        ("-C", str(clone), "remote", "add", "origin", str(remote)),
    )
    for command in commands:
        subprocess.run([git, *command], check=True)
    runner = Runner(clone, {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, {})
    commit = "git -c user.name=a -c user.email=a@localhost commit -q --allow-empty -m c"
    for tag in ("v7.8.8", "v7.8.9"):
        assert runner.run(f"{commit} && git tag {tag}"), runner.log
        assert runner.run(script("release", "git push"), {"GITHUB_REF_NAME": tag}), runner.log
    listed = subprocess.run([git, "-C", remote, "show-ref"], capture_output=True, check=True)
    head = subprocess.run([git, "-C", clone, "rev-parse", "HEAD"], capture_output=True, check=True)
    commit_id = head.stdout.decode().strip()
    assert listed.stdout.decode().split() == [
        *(commit_id, "refs/tags/v7"),
        *(commit_id, "refs/tags/v7.8"),
    ]


def test_only_jobs_that_publish_may_write() -> None:
    writing = {name for name, job in JOBS.items() if "write" in job.get("permissions", {}).values()}
    assert writing == {"image", "index", "release", "pypi"}
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert JOBS["pypi"]["permissions"] == {"id-token": "write"}


def test_nothing_is_published_before_the_tests() -> None:
    def needed(job: str) -> set[str]:
        direct = JOBS[job].get("needs", [])
        names = {direct} if isinstance(direct, str) else set(direct)
        return names.union(*map(needed, names))

    for job in ("image", "index", "release", "pypi"):
        assert {"check", "test"} <= needed(job)
    assert {"distributions", "single-file", "index"} <= needed("pypi")


def test_every_module_that_a_step_runs_exists() -> None:
    steps = [step.get("run", "") for job in JOBS.values() for step in job.get("steps", ())]
    modules = {name for run in steps for name in re.findall(r"-m (release[\w.]*)", run)}
    assert modules == {"release.checks", "release.files", "release.single_file"}
    assert all((ROOT / f"{name.replace('.', '/')}.py").is_file() for name in modules)


@pytest.mark.integration
@pytest.mark.timeout(600)
def test_sdist_and_wheel_are_complete_and_reproducible(tmp_path: Path) -> None:
    digests = []
    for name in ("first", "second"):
        command = [sys.executable, "-m", "release.distributions", "--to", str(tmp_path / name)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if "error sending request" in done.stderr:
            do_without(f"a network with a package index is missing: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr
        sdist, wheel = map(Path, done.stdout.split())
        digests.append([hashlib.sha256(path.read_bytes()).digest() for path in (sdist, wheel)])
    assert digests[0] == digests[1]
    with tarfile.open(sdist) as archive:
        names = {member.partition("/")[2] for member in archive.getnames()}
    assert {"release/requirements.txt", "action.yml", "tests/shell.py", "docs/index.md"} <= names
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        described = message_from_bytes(archive.read(metadata))
        assert not [one for one in archive.namelist() if one.startswith(("tests", "release"))]
    urls = dict(line.split(", ") for line in described.get_all("Project-URL", []))
    assert urls == project()["urls"]
    required = [one.partition(";")[0] for one in described.get_all("Requires-Dist", [])]
    assert required
    assert not [one for one in required if "==" in one]
