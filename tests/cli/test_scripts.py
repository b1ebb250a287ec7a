"""Interfaces for scripts: JSON output, JSON errors, digest files and exit statuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import index_of, random_image
from tests.registry_double import Fault
from tests.shell import Shell
from tests.unit.engines.programs import install

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry, RegistryDouble

ONE, TWO = random_image(2, seed=1), random_image(2, seed=2)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def name(plain_registry: PlainRegistry) -> str:
    plain_registry.push_image("octo/image", "one", ONE)
    plain_registry.push_image("octo/image", "two", TWO)
    plain_registry.push_image("octo/image", "all", index_of(ONE))
    return f"{plain_registry.host}/octo/image"


def said(stderr: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.splitlines()]


def errors(stderr: str) -> list[dict[str, Any]]:
    return [line["error"] for line in said(stderr)]


def test_an_image_that_is_named_twice_is_pulled_and_pushed_once(
    shell: Shell, plain_registry: PlainRegistry
) -> None:
    plain_registry.push_image("octo/image", "latest", ONE)
    bare = f"{plain_registry.host}/octo/image"
    for command in ("pull", "push"):
        once = shell.ok(command, "-q", "--digest-file", "digests", bare, f"{bare}:latest")
        assert once == [f"{bare}:latest"]
        assert (shell.folder / "digests").read_text() == f"{ONE.root.digest}\n"


def test_a_pull_prints_only_one_list(shell: Shell, name: str) -> None:
    done = shell.run("pull", "--format", "json", f"{name}:one", f"{name}:two")
    assert [found["Name"] for found in json.loads(done.stdout)] == [f"{name}:one", f"{name}:two"]
    [first, _] = json.loads(done.stdout)
    assert first["Digest"] == first["Manifest"] == str(ONE.root.digest)
    assert first["Updated"]
    assert first["Moved"] == sum(d.size for d, _ in ONE.blobs) + ONE.root.size
    [again] = json.loads("".join(shell.ok("pull", "--format=json", f"{name}:one")))
    assert (again["Updated"], again["Moved"]) == (False, 0)


def test_a_failure_is_json_and_the_others_are_listed(shell: Shell, name: str) -> None:
    done = shell.run("pull", "--format", "json", f"{name}:none", f"{name}:two")
    assert done.returncode == 4
    assert [found["Name"] for found in json.loads(done.stdout)] == [f"{name}:two"]
    [error] = errors(done.stderr)
    assert error["code"] == "manifest-unknown"
    assert error["exit_status"] == 4
    assert f"tag `none` not found in {name}" in error["message"]


def test_usage_errors_are_json(shell: Shell) -> None:
    done = shell.run("pull", "--format=json")
    [error] = errors(done.stderr)
    assert done.returncode == error["exit_status"] == 2
    assert (error["code"], error["hint"]) == ("usage", "see `ghcrctl pull --help`")


def test_unreadable_settings_are_json_errors(shell: Shell) -> None:
    shell.environ |= {"GHCRCTL_JOBS": "none"}
    [error] = errors(shell.run("pull", "--format", "json", "o/i").stderr)
    assert error["code"] == "invalid-setting"


def test_a_warning_is_json(shell: Shell, name: str) -> None:
    host = name.partition("/")[0]
    done = shell.run("login", "--format", "json", host, "-u", "me", "-p", "secret")
    assert "insecure" in said(done.stderr)[0]["warning"]["message"]
    assert "secret" not in done.stdout + done.stderr


def test_a_template_is_applied_to_each(shell: Shell, name: str) -> None:
    lines = shell.ok("pull", "--format", "{{.Name}}\\t{{.Digest}}", f"{name}:one", f"{name}:two")
    assert lines == [f"{name}:{tag}\t{image.root.digest}" for tag, image in
                     (("one", ONE), ("two", TWO))]  # fmt: skip


def test_digests_are_written_to_a_file(shell: Shell, name: str, tmp_path: Path) -> None:
    shell.ok("pull", "--digest-file", "digests", f"{name}:one", f"{name}:two")
    expected = f"{ONE.root.digest}\n{TWO.root.digest}\n"
    assert (tmp_path / "digests").read_text() == expected
    shell.ok("tag", f"{name}:one", f"{name}:new")
    shell.ok("push", "-q", "--digest-file", "digests", f"{name}:new")
    assert (tmp_path / "digests").read_text() == f"{ONE.root.digest}\n"
    shell.fails(4, "pull", "--digest-file", "other", f"{name}:none")
    assert not (tmp_path / "other").exists()


def test_a_digest_can_be_pulled_by_the_next_command(shell: Shell, name: str) -> None:
    [pinned] = shell.ok("digest", "--full", f"{name}:all")
    assert shell.ok("pull", "-q", pinned) == [pinned]


def test_exists_answers_by_its_status_alone(shell: Shell, name: str) -> None:
    assert shell.run("exists", f"{name}:one").returncode == 0
    done = shell.run("exists", f"{name}:one", f"{name}:none")
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "")
    assert shell.run("exists", "--platform", "linux/s390x", f"{name}:all").returncode == 4
    assert shell.run("exists", "--local", f"{name}:one").returncode == 4
    shell.ok("pull", f"{name}:one")
    assert shell.run("exists", "--local", f"{name}:one").returncode == 0


def test_exists_distinguishes_errors_from_missing_images(
    shell: Shell, name: str, plain_registry: PlainRegistry, ghcr: RegistryDouble
) -> None:
    plain_registry.faults.append(Fault(path_contains="/manifests/", status=503))
    shell.fails(3, "exists", f"{name}:one")
    shell.fails(5, "exists", f"{ghcr.host}/octo/private:1")
    shell.fails(7, "exists", "local-name")


def test_no_input_disables_prompts(shell: Shell) -> None:
    shell.environ["GHCRCTL_NO_INPUT"] = "1"
    told = shell.fails(7, "prune")
    assert "disabled by --no-input" in told
    assert "--force" in told
    assert "--password-stdin" in shell.fails(2, "login", "--no-input", "ghcr.io")


@pytest.fixture
def job(shell: Shell) -> Shell:
    shell.environ |= {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(shell.folder / "output"),
        "GITHUB_STEP_SUMMARY": str(shell.folder / "summary.md"),
    }
    return shell


def test_a_job_gets_digests_a_table_and_groups(job: Shell, name: str) -> None:
    done = job.run("pull", f"{name}:one", f"{name}:two")
    assert done.stdout.splitlines()[-1] == f"{name}:two"
    output = (job.folder / "output").read_text()
    assert f"\n{name}@{TWO.root.digest}\n" in output
    assert f"\n{name}@{ONE.root.digest}\n{name}@{TWO.root.digest}\n" in output
    summary = (job.folder / "summary.md").read_text()
    assert summary.startswith("| pull | digest | transferred |\n|---|---|---:|\n")
    assert str(ONE.root.digest) in summary
    assert done.stderr.splitlines() == [
        f"::group::Pulling {name}:one", "::endgroup::",
        f"::group::Pulling {name}:two", "::endgroup::",
    ]  # fmt: skip


def test_the_output_of_a_builder_has_no_command_to_the_runner(job: Shell) -> None:
    folder = job.folder / "bin"
    body = "echo ::error::one; echo 'two ##[error]' >&2; exit 3"
    install(folder, "buildah", body)
    job.environ["PATH"] = f"{folder}:{job.environ['PATH']}"
    done = job.run("build", "--builder", "buildah", str(job.folder))
    assert done.returncode == 7
    lines = ["\\x3a:error::one", "two #\\u0023[error]", "error: buildah build failed with status 3"]
    assert done.stderr.splitlines()[:3] == lines
    assert done.stdout == ""


def test_an_error_is_marked_on_the_page_of_a_job(job: Shell, name: str) -> None:
    done = job.run("pull", f"{name}:none")
    mark = done.stderr.splitlines()[-1]
    assert mark.startswith("::error title=ghcrctl (manifest-unknown)::")
    assert done.returncode == 4


def test_a_job_can_be_made_like_any_other_place(job: Shell, name: str) -> None:
    job.environ["GHCRCTL_CI"] = "false"
    done = job.run("pull", f"{name}:one")
    assert done.stderr == ""
    assert not (job.folder / "output").exists()


def test_a_job_that_reads_json_gets_no_marks_among_it(job: Shell, name: str) -> None:
    done = job.run("pull", "--format", "json", f"{name}:one", f"{name}:none")
    assert [error["code"] for error in errors(done.stderr)] == ["manifest-unknown"]
    assert f"{name}@{ONE.root.digest}" in (job.folder / "output").read_text()


def test_one_digest_that_fails_does_not_keep_the_others_back(shell: Shell, name: str) -> None:
    names = [f"{name}:{tag}" for tag in ("one", "none", "two")]
    done = shell.run("digest", "--format", "json", "--digest-file", "digests", *names)
    assert done.returncode == 4
    assert [found["Name"] for found in json.loads(done.stdout)] == [f"{name}:one", f"{name}:two"]
    assert [error["code"] for error in errors(done.stderr)] == ["manifest-unknown"]
    digests = [str(ONE.root.digest), str(TWO.root.digest)]
    assert (shell.folder / "digests").read_text().splitlines() == digests


def test_outdated_lists_the_others_if_a_registry_fails(shell: Shell, name: str) -> None:
    done = shell.run("exists", "--format=json", f"{name}:one", "127.0.0.1:1/a/b", f"{name}:none")
    assert done.returncode == 3
    assert [found["Exists"] for found in json.loads(done.stdout)] == [True, False]
    assert [error["code"] for error in errors(done.stderr)] == ["connection-failed"]


def test_a_digest_is_written_though_a_template_fails(shell: Shell, name: str) -> None:
    shell.fails(2, "pull", "--format", "{{.None}}", "--digest-file", "digest", f"{name}:one")
    assert (shell.folder / "digest").read_text() == f"{ONE.root.digest}\n"


def test_an_impossible_digest_file_fails_before_any_transfer(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    told = shell.fails(2, "pull", "--digest-file", "none/digest", f"{name}:one")
    assert "none does not exist" in told
    told = shell.fails(2, "pull", "--digest-file", ".", f"{name}:one")
    assert "it is a directory" in told
    assert not plain_registry.count("GET")


@pytest.mark.needs("/dev/full")
def test_a_file_of_digests_that_fails_keeps_no_result_back(shell: Shell, name: str) -> None:
    done = shell.run("pull", "--format", "json", "--digest-file", "/dev/full", f"{name}:one")
    assert done.returncode == 8
    assert [found["Name"] for found in json.loads(done.stdout)] == [f"{name}:one"]
    assert [error["code"] for error in errors(done.stderr)] == ["no-space"]


def test_a_job_sees_in_whole_which_images_are_copied(job: Shell, name: str) -> None:
    done = job.run("copy", f"{name}:one", f"oci:{job.folder / 'layout'}:one")
    assert done.stderr.splitlines() == [f"::group::Copying {name}:one", "::endgroup::"]
    output = (job.folder / "output").read_text()
    pinned = f"oci:{job.folder / 'layout'}@{ONE.root.digest}"
    assert f"\n{pinned}\n" in output
    assert job.ok("copy", "-q", pinned, "hello:1") == ["hello:1"]
