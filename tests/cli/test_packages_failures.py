"""Commands on several packages, some of them unreadable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.oci.media_types import OCI_MANIFEST
from tests.cli.test_packages import LOOSE, NAME, ago, answer, digest_of, github, shell, there
from tests.registry_double import Fault

if TYPE_CHECKING:
    from tests.packages_double import GitHubDouble
    from tests.shell import Shell

__all__ = ["github", "shell"]
NONE = "octo/none"


def unreadable(github: GitHubDouble, name: str = NAME) -> str:
    return github.put_raw(name, None, b"[]", OCI_MANIFEST, ago(github, 20))


def break_package(github: GitHubDouble, name: str, status: int = 403) -> None:
    path = f"/packages/container/{name.partition('/')[2]}/versions"
    github.faults.append(Fault(path_contains=path, status=status, body=b'{"message": "No"}'))


@pytest.mark.parametrize("names", [(NONE, NAME), (NAME, NONE)])
def test_prune_continues_after_failures_and_lists_them(
    shell: Shell, github: GitHubDouble, names: tuple[str, str]
) -> None:
    said = shell.fails(4, "packages", "prune", *names, "--yes")
    assert digest_of(LOOSE) not in there(github)
    assert "octo/none" in said
    assert f"failed: 1 of 2 packages: {github.host}/{NONE}" in said


@pytest.mark.parametrize("option", ["--dry-run", "--yes"])
def test_prune_as_json_lists_failures(shell: Shell, github: GitHubDouble, option: str) -> None:
    data = answer(shell, "prune", NONE, NAME, option, status=4)
    assert [p["Package"] for p in data["Packages"]] == [f"{github.host}/{NAME}"]
    [failed] = data["Failed"]
    assert (failed["Package"], failed["Error"]) == (f"{github.host}/{NONE}", "package-unknown")
    assert "none" in failed["Message"]


def test_a_plan_omits_failed_packages(shell: Shell, github: GitHubDouble) -> None:
    shell.fails(4, "packages", "prune", NONE, NAME, "--plan", "plan.json")
    assert len(json.loads((shell.folder / "plan.json").read_text())["plans"]) == 1
    shell.ok("packages", "apply", "plan.json", "--yes")
    assert digest_of(LOOSE) not in there(github)


def test_a_policy_continues_after_failures(shell: Shell, github: GitHubDouble) -> None:
    (shell.folder / "rules.yaml").write_text(
        "packages:\n- package: ['nobody/*', octo/none]\n- package: octo/app\n"
    )
    said = shell.fails(4, "packages", "prune", "--policy", "rules.yaml", "--yes")
    assert "nobody/*" in said
    assert "octo/none" in said
    assert digest_of(LOOSE) not in there(github)


def test_where_all_fail_nothing_is_done(shell: Shell) -> None:
    said = shell.fails(4, "packages", "prune", NONE, "octo/nothing", "--yes")
    assert "failed: 2 of 2 packages" in said
    assert "nobody/*" in shell.fails(4, "packages", "prune", "nobody/*", "--yes")


def test_a_rejected_token_ends_the_run(shell: Shell) -> None:
    shell.environ["GHCRCTL_TOKEN"] = "ghp_other"
    said = shell.fails(5, "packages", "prune", NONE, NAME, "--yes")
    assert "failed:" not in said
    assert said.count("error:") == 1


def test_check_checks_the_others(shell: Shell, github: GitHubDouble) -> None:
    done = shell.run("packages", "check", NONE, NAME)
    assert done.returncode == 4
    assert "octo/none" in done.stderr
    assert f"{github.host}/{NAME}: unlinked" in done.stdout
    done = shell.run("packages", "check", NONE, NAME, "--format", "json")
    found = json.loads(done.stdout)
    assert [f["Trouble"] for f in found if f["Package"].endswith(NONE)] == ["unreadable"]
    assert [f["Trouble"] for f in found if f["Package"].endswith(NAME)] != []


def test_untag_untags_the_others(shell: Shell, github: GitHubDouble) -> None:
    said = shell.fails(4, "packages", "untag", f"{NAME}:none", f"{NAME}:latest")
    assert "none" in said
    assert "latest" not in github.tags(NAME)


@pytest.mark.parametrize("options", [("--yes",), ("--dry-run",), ("--plan", "plan.json")])
def test_a_manifest_that_cannot_be_read_is_in_the_exit_status(
    shell: Shell, github: GitHubDouble, options: tuple[str, ...]
) -> None:
    digest = unreadable(github)
    said = shell.fails(6, "packages", "prune", NAME, *options)
    assert f"cannot read {digest[:19]} of {github.host}/{NAME}" in said
    assert digest_of(LOOSE) in there(github)


def test_apply_reports_unreadable_manifests(shell: Shell, github: GitHubDouble) -> None:
    shell.ok("packages", "prune", NAME, "--plan", "plan.json")
    unreadable(github)
    shell.fails(6, "packages", "apply", "plan.json", "--yes")
    assert digest_of(LOOSE) in there(github)


def test_delete_reports_unreadable_manifests(shell: Shell, github: GitHubDouble) -> None:
    digest = unreadable(github)
    said = shell.fails(6, "packages", "delete", f"{NAME}@{digest_of(LOOSE)}", "--yes")
    assert said.count(f"error: cannot read {digest[:19]}") == 1
    assert digest_of(LOOSE) not in there(github)
    shell.ok("packages", "delete", f"{NAME}@{digest}", "--yes")
    assert digest not in there(github)


def test_repair_reports_unreadable_manifests(shell: Shell, github: GitHubDouble) -> None:
    digest = unreadable(github)
    assert digest[:19] in shell.fails(6, "packages", "repair", NAME)


def test_other_packages_are_pruned_beside_one_with_an_unreadable_manifest(
    shell: Shell, github: GitHubDouble
) -> None:
    digest = unreadable(github, "octo/lib")
    data = answer(shell, "prune", "octo/*", "--yes", status=6)
    by_name: dict[str, Any] = {p["Package"]: p for p in data["Packages"]}
    assert by_name[f"{github.host}/octo/lib"]["Unreadable"] == [digest]
    assert by_name[f"{github.host}/{NAME}"]["Unreadable"] == []
    assert digest_of(LOOSE) not in there(github)


def test_the_job_summary_lists_failures(shell: Shell, github: GitHubDouble) -> None:
    page = shell.folder / "summary.md"
    shell.environ |= {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page)}
    unreadable(github)
    shell.fails(4, "packages", "prune", NONE, NAME, "--dry-run")
    text = Path(page).read_text()
    assert "package that failed" in text
    assert "octo/none" in text
    assert "cannot be read" in text


def test_a_package_that_is_denied_does_not_stop_the_others(
    shell: Shell, github: GitHubDouble
) -> None:
    break_package(github, "octo/lib")
    said = shell.fails(5, "packages", "prune", "octo/*", "--yes")
    assert f"failed: 1 of 2 packages: {github.host}/octo/lib" in said
    assert digest_of(LOOSE) not in there(github)
