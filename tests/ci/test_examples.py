"""CI examples and workflows are valid, and call ghcrctl with existing options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.ci.linters import (
    actionlint_faults,
    command_faults,
    jenkinsfile_faults,
    schema_faults,
)
from tests.ci.runner import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = ROOT / "docs" / "examples"
WORKFLOWS = [*sorted(EXAMPLES.glob("github-*.yml")), *sorted(ROOT.glob(".github/workflows/*.yml"))]
GITLAB = EXAMPLES / "gitlab-ci.yml"
JENKINS = EXAMPLES / "Jenkinsfile"
_SHELL_STEP = re.compile(r"\bsh '''(.*?)'''|\bsh '([^']*)'|\bsh \"([^\"]*)\"", re.DOTALL)


def _name(path: Path) -> str:
    return path.name


def _workflow_scripts(path: Path) -> Iterator[str]:
    for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
        yield from (step["run"] for step in job.get("steps", ()) if "run" in step)


def _gitlab_scripts(path: Path) -> Iterator[str]:
    described: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for job in described.values():
        if isinstance(job, dict):
            for key in ("before_script", "script"):
                yield "\n".join(job.get(key, ()))


@pytest.mark.integration
@pytest.mark.parametrize("path", WORKFLOWS, ids=_name)
def test_workflows_are_valid(path: Path) -> None:
    assert not schema_faults(path, "github-workflows")
    assert not actionlint_faults(path)


@pytest.mark.parametrize("path", WORKFLOWS, ids=_name)
def test_workflows_call_ghcrctl_correctly(path: Path, tmp_path: Path) -> None:
    for script in _workflow_scripts(path):
        assert "${{" not in script, "an expression in a script could be a command"
        assert not command_faults(script, tmp_path)


def test_the_gitlab_example_is_valid_and_calls_ghcrctl_correctly(tmp_path: Path) -> None:
    assert not schema_faults(GITLAB, "gitlab-ci")
    scripts = "\n".join(_gitlab_scripts(GITLAB))
    assert "ghcrctl append" in scripts
    assert not command_faults(scripts, tmp_path)


def test_the_jenkins_example_is_valid_and_calls_ghcrctl_correctly(tmp_path: Path) -> None:
    text = JENKINS.read_text(encoding="utf-8")
    assert not jenkinsfile_faults(text)
    scripts = ["".join(found) for found in _SHELL_STEP.findall(text)]
    assert sum("ghcrctl" in script for script in scripts) == 6
    assert not [fault for script in scripts for fault in command_faults(script, tmp_path)]


def test_the_action_is_valid() -> None:
    assert not schema_faults(ROOT / "action.yml", "github-actions")


def test_issue_templates_are_valid() -> None:
    folder = ROOT / ".github/ISSUE_TEMPLATE"
    for name in ("bug.yml", "feature.yml"):
        assert not schema_faults(folder / name, "github-issue-forms")
    assert not schema_faults(folder / "config.yml", "github-issue-config")


def test_links_of_community_files_lead_to_files() -> None:
    names = ("SECURITY.md", "CODE_OF_CONDUCT.md", ".github/ISSUE_TEMPLATE/bug.yml")
    for text in ((ROOT / name).read_text(encoding="utf-8") for name in names):
        paths = re.findall(r"\]\((?!https?:)([^)#]+)|/blob/main/([^)\s]+)", text)
        assert all((ROOT / (relative or absolute)).is_file() for relative, absolute in paths)


def _changed(path: Path, old: str, new: str, tmp_path: Path) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    changed = tmp_path / path.name
    changed.write_text(text.replace(old, new, 1), encoding="utf-8")
    return changed


def test_a_broken_workflow_is_detected(tmp_path: Path) -> None:
    path = EXAMPLES / "github-prune.yml"
    assert schema_faults(_changed(path, "    steps:", "    stepps:", tmp_path), "github-workflows")
    assert schema_faults(_changed(path, "jobs:", "jobs: [", tmp_path), "github-workflows")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("steps.prune.outputs.deleted", "steps.prun.outputs.deleted", "prun"),
        ("secrets.GITHUB_TOKEN", "secret.GITHUB_TOKEN", "undefined variable"),
        ("name: journal", "title: journal", "title"),
        ("17 3 * * *", "77 3 * * *", "CRON"),
    ],
)
def test_an_invalid_value_in_a_workflow_is_detected(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    faults = actionlint_faults(_changed(EXAMPLES / "github-prune.yml", old, new, tmp_path))
    assert any(said.lower() in fault.lower() for fault in faults)


def test_a_broken_gitlab_or_jenkins_file_is_detected(tmp_path: Path) -> None:
    changed = _changed(GITLAB, "  artifacts:\n    paths", "  artifacts:\n    pats", tmp_path)
    assert schema_faults(changed, "gitlab-ci")
    text = JENKINS.read_text(encoding="utf-8")
    assert jenkinsfile_faults(text.rstrip().removesuffix("}"))
    assert jenkinsfile_faults(text.replace("stage('Image')", "stage('Image'"))
    assert "stages" in jenkinsfile_faults(text.replace("stages", "steps"))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("ghcrctl push --nosuch a/b", "nosuch"),
        ("true | ghcrctl fetch a/b", "fetch"),
        ('echo "$(ghcrctl packages prune --keep-last many a/b)"', "many"),
        ("ghcrctl push", "argument"),
    ],
)
def test_a_wrong_call_of_ghcrctl_is_detected(script: str, said: str, tmp_path: Path) -> None:
    (fault,) = command_faults(script, tmp_path)
    assert said in fault.lower()
