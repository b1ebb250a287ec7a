"""Owners with upper-case letters in every command that takes a package."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_packages import LOOSE, digest_of, github, shell, there, version_id

if TYPE_CHECKING:
    from tests.packages_double import GitHubDouble
    from tests.shell import Shell

__all__ = ["github", "shell"]
UPPER = "Octo/App"


@pytest.mark.parametrize(
    "line",
    [
        "list Octo",
        f"show {UPPER}",
        f"versions {UPPER}",
        f"doctor {UPPER}",
        f"check {UPPER}",
        "check Octo/A*",
        f"repair {UPPER}",
        f"retag {UPPER}:v1.2 New",
        f"untag {UPPER}:latest",
        f"prune {UPPER} --dry-run",
        "prune --all Octo --dry-run",
        f"prune {UPPER} --yes",
        f"delete {UPPER}:latest --yes",
        f"delete {UPPER} --dry-run",
    ],
)
def test_an_owner_in_upper_case_is_the_same_owner(shell: Shell, line: str) -> None:
    shell.ok("packages", *line.split())


def test_an_owner_in_upper_case_behind_a_registry_is_the_same(
    shell: Shell, github: GitHubDouble
) -> None:
    assert "octo/app" in "\n".join(shell.ok("packages", "list", f"{github.host}/Octo"))
    shell.ok("packages", "show", f"{github.host}/{UPPER}")


def test_a_version_is_restored_by_an_owner_in_upper_case(
    shell: Shell, github: GitHubDouble
) -> None:
    loose = digest_of(LOOSE)
    number = version_id(github, loose)
    shell.ok("packages", "delete", f"{UPPER}#{number}", "--yes")
    assert loose not in there(github)
    shell.ok("packages", "restore", UPPER, "--id", str(number))
    assert loose in there(github)


def test_plans_and_policies_may_name_an_owner_in_upper_case(
    shell: Shell, github: GitHubDouble
) -> None:
    (shell.folder / "rules.yaml").write_text(f"packages:\n- package: {UPPER}\n")
    shell.ok("packages", "prune", "--policy", "rules.yaml", "--plan", "plan.json")
    path = shell.folder / "plan.json"
    data = json.loads(path.read_text())
    data["plans"][0] |= {"owner": "Octo", "package": "App"}
    path.write_text(json.dumps(data))
    shell.ok("packages", "apply", "plan.json", "--yes")
    assert digest_of(LOOSE) not in there(github)
    shell.ok("packages", "restore", UPPER, "--run", "plan.json.journal")
    assert digest_of(LOOSE) in there(github)
